//! Questions. Of two rules that explain as much the one further up counts.

use super::rule::{Found, Make, Rule};
use crate::bounds;
use crate::inert;
use crate::intent::Intent;

const BREAKS: &str = "fail*/falla*/fallo, down/slow/broken/broke/break*, happening/happen/happens/happened, \
    lent*/caid*/roto/rompio, pasa/pasando/paso, ocurre/ocurriendo/ocurrio, sucede, error*, timeout*, 500*, not \
    working, no funciona, no va, no responde";

pub const RULES: &[Rule] = &[
    Rule {
        verb: "explain",
        needs: &[
            "why, por que, porque, how come, explica~, explain",
            "alert/alerts/alerta/alertas",
            "group*, rout*, agrup*, lleg*, enrut*, arriv*, came, land*, junt*, join*, ended up, entr*",
        ],
        may: "were, was, are, did, these, those, estas, esas, han, ha, together",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Explain { alert: None })),
    },
    Rule {
        verb: "similar",
        needs: &[
            "before, b4, antes, last time, ultima vez, vez pasada, previously, anteriormente, similar*, \
                parecid*, ever, alguna vez, otras veces, something like, anything like, algo como, recurr*, \
                repetid*, again, otra vez, ya nos paso/ocurrio/sucedio, ya habia pasado/ocurrido/sucedido, ya \
                paso/ocurrio, ya ha pasado, in the past",
            "happen*, seen/see/saw, had, hit us, fix*, solve*, resolve*, paso/pasado/pasa, ocurri*, sucedi*, \
                visto/vimos/vio, arregl*, solucion*, \
                incident/incidents/incidente/incidentes/incidencia/incidencias, algo, any, anything, \
                tuvimos/tenido, known/conocid*, cases/casos, one, issues/problems/problemas",
        ],
        may: "have/hav/has/did/is/was/do, we/us/nos/hemos/habia/ha/han, who/how/quien/como/que, new, or, nuevo, o, \
            cual/which/what, ever, alguna vez, thing, look/looks, la, hay, algun/alguna/algunos, this, tal, case",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Similar)),
    },
    Rule {
        verb: "similar",
        needs: &["ya nos paso/ocurrio/sucedio, ya habia/ha/habiamos pasado/ocurrido/sucedido/visto, ya hemos \
            visto/tenido"],
        may: "antes, alguna vez, otras veces, veces, nos, creo",
        takes: &[],
        make: Make::Ask(false, |_| Some(Intent::Similar)),
    },
    Rule {
        verb: "catch-up",
        needs: &["miss/missed, catch me/us up, catch up, up to speed, up to date, al dia, al corriente, al tanto, \
            perdi/perdido/perdimos, resum*, recap, summar*, tldr, acabo de llegar/entrar/conectarme, just \
            joined, just got here, brief me, fill me in"],
        may: "what/que, did, have, bring/get/keep, pon~/pone~/ponme/poneme/ponerme/pones, someone, alguien, he, lo \
            que ha pasado/paso, what happened, acabo de llegar, just joined, quick, rapido, me, una, give, dame, \
            haz~/hace~",
        takes: &[],
        make: Make::Ask(false, |_| Some(Intent::CatchUp)),
    },
    Rule {
        verb: "runbooks",
        needs: &["runbook/runbooks, procedimiento/procedimientos, playbook/playbooks, can we run, what can i run, \
            could we run, podemos ejecutar/lanzar/correr, puedo ejecutar/lanzar/correr, worked before, worked \
            last time, funciono antes, funciono la otra vez, funciono la ultima vez"],
        may: "what/which/que/cual/cuales, is/are/do, have/tenemos/existe/existen/hay, algun/any, we, list/lista, \
            available/disponibles",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Runbooks)),
    },
    Rule {
        verb: "on-call",
        needs: &[
            "who/whos/whose, which person, quien/quienes, que persona",
            "on call, oncall, on-call, guardia, on duty, pager, turno, rota, guardias",
        ],
        may: "is/has/have/holds, esta/tiene/anda/es/queda/hace, which/person, now, currently, actualmente, \
            tonight, esta noche, me dices, dime, tell, right now, know, sabes",
        takes: &[],
        make: Make::Ask(true, |found| {
            let of = inert::shorten(&inert::line(&found.topic), bounds::QUERY_MAX);
            Some(Intent::OnCall { of: Some(of).filter(|of| !of.is_empty()) })
        }),
    },
    Rule {
        verb: "card",
        needs: &[
            "where do we stand, where are we, where is this at, how is it going, how is going, hows going, how is \
            this going, how are we doing, how is that going, whats going on, what is going on, whats happening, \
            what is happening, whats up with, current status/state, whats the status/state, what is the \
            status/state, what state/status, como vamos/va/van/estamos/andamos/sigue/seguimos, como esta, que \
            estado, cual es el estado/status, estado, status, que esta pasando, que pasa, que ocurre, que \
            sucede, que tenemos, situation, situacion, leading, who leads/lead, in charge, quien \
            lleva/lidera/manda/dirige, al mando, al frente, anyone on, anyone working/looking, someone on, \
            somebody on, someone working/looking, alguien con esto/ello, alguien esta, alguien \
            mirando/trabajando, how bad/severe/serious, como de grave, que tan grave, es grave, what/which \
            severity, que severidad, quien es el ic, who is the ic/commander",
        ],
        may: "is/are, who/whos/quien/what/whats/which/cual/que/how/como, anyone/alguien, actual/current/now, \
            esta/es, la cosa, cosas, todo, things, going, the incident",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Card)),
    },
    Rule {
        verb: "who",
        needs: &[
            "who/whom/whos, quien/quienes, anyone/anybody/someone/somebody, alguien, expert/experts, \
                experto/experta/expertos",
            "help/helps, knows/know/knowledgeable, call/contact/ask/involve/invite/ping/reach, \
                expert/experts, ayuda*, sabe/sabes/sepa/saben, conoce/conozca/conocen, llamo/llamar/llamamos, \
                pregunt*, avis*, pedir/pido, una mano, contact*, escribo/escribir, hablo/hablar/hablamos, \
                experto/experta/expertos, involucr*, domina",
        ],
        may: "should/can/could/do, is/are, who/knows/about, \
            debo/debemos/deberia/deberiamos/puedo/podemos/pueda/podria, echar, ayuda, that/que, this, le, best, \
            mejor, service/servicio, person/persona, in the team",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::WhoToCall)),
    },
    Rule {
        verb: "why",
        needs: &["root cause, cause/causes/caused, causa/causas/causo/causado, culprit, culpable, what changed, what \
            has changed, que cambio, que ha cambiado, que cambios, what changes, any changes, algun cambio, hubo \
            cambios, what broke, provoc*, a que se debe, origen, motivo, \
            deploy/deploys/deployed/deployment/deployments, desplieg*, despleg*, rollout, release/released"],
        may: "what/whats/which/que/cual/cuales/quien/who, do/did/does/was/were/is/there/has, know/sabe/sabemos, \
            yet, any/anything/anyone/algun/alguien/algo, idea, lo ha, ha/han/fue/es/hubo/hay/esta, last hour, \
            ultima hora, most likely, mas probable, probable, before, antes, right before, justo, get/got, \
            broke, recent/recently/reciente/recientemente, posible/possible, changed, could be, podria ser",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Why)),
    },
    Rule {
        verb: "why",
        needs: &["why, por que, porque, how come", BREAKS],
        may: "is/are/was/were/did/does, esta/estan/se ha/ha/han, tan/so, all, todo, cosa",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Why)),
    },
    Rule {
        verb: "timeline",
        needs: &[
            "what happened, what has/have happened, whats happened, que paso, que ha/han pasado, que ocurrio, que \
            ha ocurrido, que sucedio, que ha sucedido, que pasaba, que hubo, timeline, linea de tiempo, linea \
            temporal, cronologia, chronology, sequence of events, secuencia de eventos, historial, history",
        ],
        may: "so far, until now, up to now, hasta ahora, hasta el momento, \
            what/whats/que/cual/exactly/exactamente, show/tell/give/see, \
            muestra~/muestre~/mostra~/ensena~/ensenas/pasa~, dame/dime/cuenta~/conta~/ver, is, es, \
            full/completa/entera, has",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Timeline)),
    },
    Rule {
        verb: "postmortem",
        needs: &["postmortem, post mortem, post-mortem, retro, retrospectiva"],
        may: "show/see/write/draft/give/start/prepare/read, borrador, \
            haz~/hace~/dame/ensena~/muestra~/mostra~/escrib*/prepara~/genera~/genera/generate/ver/leer, \
            where/donde, is/esta, can/puedo",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Postmortem)),
    },
    Rule {
        verb: "list",
        needs: &[
            "incidents/incidentes/incidencias, any open incident, algun incidente, alguna incidencia, whats \
                open, what is open, que hay abierto, que tenemos abierto",
            "open/active/ongoing/current/running, abierto/abierta/abiertos/abiertas, \
                activo/activa/activos/activas, en curso, list/lista/listado, closed/past/ended/resolved, \
                cerrado/cerrados/cerradas/pasados, all/todos/todas",
        ],
        may: "what/whats/which/que/cual/cuales, show/give/see/list, \
            muestra~/dame/ver/ensena~/lista~/mostra~/muestre~, are/is/there/any/all/every/todos, \
            tenemos/hay/siguen/estan/existen, algun/alguna, do have",
        takes: &[],
        make: Make::Ask(true, |found| {
            let closed = found.has_any("closed/past/ended/resolved, cerrado/cerrados/cerradas/pasados");
            Some(Intent::List { closed })
        }),
    },
    Rule {
        verb: "mine",
        needs: &[
            "my tasks/incidents/todos/list, my plate, do i have, i have to do, tengo pendiente/pendientes, tengo \
            que hacer, mis tareas/incidentes/incidencias/pendientes/cosas, assigned to me, \
            asignado/asignada/asignados/asignadas a mi, me toca hacer, que me toca, waiting for me, waits for \
            me, espera mi aprobacion, my approval",
        ],
        may: "what/whats/which/que/cual/cuales/son/is/are, show/list/give, muestra~/dame/ver/lista~, do, to do, \
            hacer, left, tengo, have",
        takes: &[],
        make: Make::Ask(false, |_| Some(Intent::Mine)),
    },
    Rule {
        verb: "silence",
        needs: &[
            "silenced/silences/muted, silenciado/silenciada/silenciados/silenciadas, silencio/silencios",
            "what/whats/which/any/are/is/list/show, que/cual/cuales/hay/dame/ver/muestra~/alguno",
        ],
        may: "activo/activos/active, esta/estan/tenemos, currently, alerts/alertas, all, there",
        takes: &[],
        make: Make::Ask(true, |_| Some(Intent::Silences)),
    },
    Rule {
        verb: "help",
        needs: &[
            "how do i/we/you, how can i/we, how to, como puedo/podemos, como se, como hago para, como",
            "resolve, resuelv*, resolver, close, cierro, cerrar, cierra, page, llamo, llamar, severity, \
                severidad, sev, merge, uno dos, unir, fusion*, take the lead, el mando, lider*, update, \
                actualiza*, task, tarea, follow-up, seguimiento, note, nota, anoto, rename, titulo, renombr*, \
                silence, silenci*, private, privado, reopen, reabr*, approve, aprueb*, aprobar, runbook, invite, \
                invito, declare, declar*, abro, abrir, open",
        ],
        may: "someone/somebody/anybody/alguien, cambio/cambiar/change/set, \
            create/add/make/write/run/ejecuto/creo/pongo/hago/paso/tomo, dos/two, incidentes/incidents, \
            new/nuevo, alerts/alertas",
        takes: &[],
        make: Make::Ask(true, |found| topic_of_help(found).map(|verb| Intent::Help { verb: Some(verb.to_owned()) })),
    },
    Rule {
        verb: "help",
        needs: &["help, ayuda/ayudame/ayudenme, what can you do, what do you do, que puedes/podes/sabes hacer, que \
            haces, how does work, how does this work, how do you work, how do i use, como funciona/funcionas, \
            como se usa, como te uso, comandos, commands, instrucciones, instructions"],
        may: "what/which/que/cuales, are/there/hay/tienes/tenes, can, puedes/puede, all, the, use/uso, \
            need/necesito",
        takes: &[],
        make: Make::Ask(false, |_| Some(Intent::Help { verb: None })),
    },
];

/// The command that a question "how do I …" is about.
fn topic_of_help(found: &Found<'_>) -> Option<&'static str> {
    const TOPICS: &[(&str, &str)] = &[
        ("sev", "severity, severidad, sev"),
        ("rename", "rename, titulo, renombr*"),
        ("private", "private, privado"),
        ("task", "task, tarea"),
        ("follow-up", "follow-up, seguimiento"),
        ("silence", "silence, silenci*"),
        ("run", "runbook"),
        ("note", "note, nota, anoto"),
        ("update", "update, actualiza*"),
        ("merge", "merge, uno dos, unir, fusion*"),
        ("resolve", "resolve, resuelv*, resolver"),
        ("close", "close, cierro, cerrar, cierra"),
        ("page", "page, llamo, llamar"),
        ("lead", "take the lead, el mando, lider*"),
        ("reopen", "reopen, reabr*"),
        ("approve", "approve, aprueb*, aprobar"),
        ("assign", "invite, invito"),
        ("declare", "declare, declar*, abro, abrir, open"),
    ];
    TOPICS.iter().find(|(_, words)| found.has_any(words)).map(|(verb, _)| *verb)
}
