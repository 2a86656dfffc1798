//! Acts. Every word has to be explained, so each rule names what may stand beside what it needs.

use super::rule::{Found, Make, Rule, Takes};
use crate::intent::{Intent, Item, Who};
use crate::misread::Misread;
use crate::token::{self, Token};
use crate::verb;
use crate::word::{Role, Severity, State};

const CHANGE: &str = "set/make/raise/bump/lower/downgrade/upgrade/escalate/change/move/put/mark/drop, \
    pon~/pone~/ponga~/poner~/poned~, sube~/suba~/subi~/subir~/subamos~, baja~/baje~/bajar~/bajemos~, \
    cambia~/cambie~/cambiar~/cambiemos~, deja~/deje~/dejar~, marca~/marque~/marcar~, pasa~/pase~/pasar~, \
    considera~, escala~/escalar~";
/// What it is, said plainly.
const IS: &str = "is/its/thats/are, es/esta/seria";
const MARK: &str = "mark/set/move/change/put/call/consider, marca~/marque~/marcar~, pasa~/pase~/pasar~, \
    pon~/pone~/ponga~/poner~, da~/dar~/doy/damos/demos/de~/darlo, deja~/dejar~, cambia~/cambie~/cambiar~, \
    declara~, considera~";
const FIRST_PERSON: &str = "i/im/ill/ive/me/my, \
    yo/tomo/asumo/lidero/llevo/cojo/agarro/hago/ocupo/encargo/soy/sere/quedo/pongo/tomare/asumire/liderare/llevare, \
    take/taking";

pub const RULES: &[Rule] = &[
    Rule {
        verb: "sev",
        needs: &[
            "set/make/raise/bump/lower/downgrade/upgrade/escalate/change/move/put/mark/drop/is/its/thats/sev/severity, \
            pon~/pone~/ponga~/poner~/poned~, sube~/suba~/subi~/subir~/subamos~, baja~/baje~/bajar~/bajemos~, \
            cambia~/cambie~/cambiar~/cambiemos~, deja~/deje~/dejar~, marca~/marque~/marcar~, pasa~/pase~/pasar~, \
            es/seria/considera~/escala~/escalar~, severidad",
        ],
        may: "severity/severidad/gravedad/prioridad/priority/sev/level/nivel, up/down/as/como, be, un/una, hasta",
        takes: &[Takes::Severity, Takes::Grade],
        make: Make::Act(severity),
    },
    Rule { verb: "sev", needs: &[CHANGE, "severity/severidad/gravedad"], may: "", takes: &[], make: Make::Form },
    Rule {
        verb: "status",
        needs: &["mark/set/move/change/put/call/consider/is/its/thats/already, marca~/marque~/marcar~, \
            pasa~/pase~/pasar~, pon~/pone~/ponga~/poner~, da~/dar~/doy/damos/demos/darlo, deja~/dejar~, \
            cambia~/cambie~/cambiar~, esta/queda/considera~"],
        may: "state/status/estado, as/como, it",
        takes: &[Takes::State],
        make: Make::Act(|found| {
            let state = *found.slots.state.one()?;
            // `it's closed`, `it's monitoring` is talk; that it is over, or no longer hurts, is news.
            let told = !found.has_any(MARK);
            match state {
                State::Closed | State::Triage | State::Monitoring | State::Investigating if told => None,
                State::Resolved => Some(Intent::Resolve { cause: None, fix: None }),
                state => Some(Intent::SetState { state, note: None }),
            }
        }),
    },
    Rule {
        verb: "role",
        needs: &[
            "scribe, escriba, note taker, comms, communications/communication, comunicacion/comunicaciones, \
                ops, operations, operaciones",
            "i/im/ill, \
                be/take/takes/taking/handle/handles/handling/do/does/run/runs/own/owns/make/give/assign, \
                yo/soy/sere/ocupo/encargo/tomo/hago/llevo/asumo, lleve/haga/sea/tome/lleva/asuma/dirija, \
                encargue/ocupe, pon~/pone~/asigna~/pasa~/da~/nombra~/deja~",
        ],
        may: "role/rol/papel, as/como, lead, responsable, is, es, ser",
        takes: &[Takes::Person],
        make: Make::Act(|found| Some(Intent::TakeRole { role: role(found)?, who: whose(found)? })),
    },
    Rule {
        verb: "lead",
        needs: &["lead/leading/leads, command/commander, ic, mando, liderazgo, lidero/lidera/lidere/lideras, \
            comandante, lo llevo, llevo yo, yo llevo, llevare, liderare, dirija/dirijo, que lleve, lo lleve"],
        may: "i/im/ill/am/be/will, take/taking/takes/make/give/hand/pass/assign/want/have, over, \
            yo/tomo/asumo/cojo/agarro/pongo/soy/sere/quedo/llevo, \
            pasa~/pase~/da~/dale/dar/deja~/asigna~/nombra~/haz/pon~/pone~, tome/asuma/sea/lleve/lidere, is, es, \
            as/como, role/rol, al, ser, voy",
        takes: &[Takes::Person],
        make: Make::Act(|found| Some(Intent::TakeRole { role: Role::Commander, who: whose(found)? })),
    },
    Rule {
        verb: "ack",
        needs: &["im on it/this, i am on it/this, ill take a look, ill have a look, ill look into it/this, take a \
            look, looking into/at it/this, im looking, i am looking, ill check it/this, ill handle it/this, ill \
            take it/this, i got it/this, ive got it/this, checking it/this, working on it/this, on it, \
            acknowledge/acknowledged/acking, estoy en/con ello/eso/esto/ellos, lo estoy \
            mirando/viendo/revisando/investigando, estoy mirandolo/viendolo/revisandolo, ya lo miro/reviso/veo, \
            lo miro/reviso/investigo, me encargo/ocupo, me pongo con ello/esto/eso, me pongo a ello, lo tengo, \
            lo cojo, lo agarro, voy a mirarlo/revisarlo/verlo, le echo un ojo/vistazo, voy yo, yo voy, \
            reconozco/reconocer"],
        may: "i/im/ill/am/ive, yo, estoy, ya, the alert, la alerta, voy, mirando",
        takes: &[],
        make: Make::Act(|_| Some(Intent::Acknowledge)),
    },
    Rule {
        verb: "assign",
        needs: &["bring/add/invite/pull/loop/get, mete~/meta~/meter~, anade~/anadi~/anadir~, agrega~/agregar~, \
            suma~/sumar~, invita~/invite~/invitar~, trae~/traer~, incluye~/incluir~, incorpora~, \
            give/assign/hand, asigna~/asigne~/asignar~, da~/dale/pasa~/pase~"],
        may: "channel/canal, task/tarea, follow-up/seguimiento, people, into, over, as well",
        takes: &[Takes::Person, Takes::Name, Takes::Item],
        make: Make::Act(|found| {
            let brings = found.has_any(
                "bring/add/invite/pull/loop/get, mete~/meta~/meter~, anade~/anadi~/anadir~, agrega~/agregar~, \
                suma~/sumar~, invita~/invite~/invitar~, trae~/traer~, incluye~/incluir~, incorpora~",
            );
            let item: Option<Item> = found.slots.item.one().copied();
            // Who only gives must say what.
            if item.is_none() && !brings {
                return None;
            }
            Some(Intent::Assign { item, who: somebody(found)? })
        }),
    },
    Rule {
        verb: "page",
        needs: &["page/call/ring/phone/wake/notify/alert, llama~/llame~/llamar~/llamad, avisa~/avise~/avisar~, \
            despierta~/desperta~/despierte~/despertar~, pagea~/pagear~, notifica~/notificar~, contacta~, get \
            hold of, localiza~"],
        may: "up, phone/telefono, urgente/urgently/urgent, al",
        takes: &[Takes::Person, Takes::Name],
        make: Make::Act(|found| Some(Intent::Page { who: somebody(found)?, message: None })),
    },
    Rule {
        verb: "page",
        needs: &[
            "page/call/ring/phone/wake, llama~/llame~/llamar~, avisa~/avisar~, despierta~/despertar~",
            "someone/somebody/anyone, alguien",
        ],
        may: "up",
        takes: &[],
        make: Make::Form,
    },
    Rule {
        verb: "snooze",
        needs: &["stop remind*, no more remind*, stop reminding/nagging/bugging, stop the reminders/nagging, no more \
            reminders, deja de recordar~/avisar~/molestar~, no mas recordatorios, sin recordatorios, quita los \
            recordatorios, para de recordar~, para los recordatorios, no me recuerdes/avises/molestes, dont \
            remind me, remind, snooze, recuerda~/recorda~/recuerde~, posponer/pospon~/pospone~, leave me alone, \
            dejame en paz/tranquilo"],
        may: "again, nada, any more, anymore, mas, durante, otra vez, de nuevo, dentro, reminders/recordatorios, \
            next, proximos/proximas",
        takes: &[Takes::Length],
        make: Make::Act(|found| {
            let stops = found.has_any(
                "stop remind*, no more remind*, stop reminding/nagging/bugging, stop the reminders/nagging, no \
                more reminders, deja de recordar~/avisar~/molestar~, no mas recordatorios, sin recordatorios, \
                quita los recordatorios, para de recordar~, para los recordatorios",
            );
            match found.slots.length.one() {
                Some(minutes) => Some(Intent::Snooze { minutes: Some(u16::try_from(*minutes).ok()?) }),
                None => stops.then_some(Intent::Snooze { minutes: None }),
            }
        }),
    },
    Rule {
        verb: "merge",
        needs: &["duplicate/dup/dupe/duplicates, merge, same as, part of, duplicado/duplicada, \
            une~/una~/uni~/unir~/unamos~, fusiona~/fusione~/fusionar~, junta~/juntar~, combina~/combinar~, parte \
            de, lo mismo que"],
        may: "into/with, is/its, es, como, same",
        takes: &[],
        make: Make::Act(|found| {
            let numbers = &found.slots.incidents;
            match (numbers.as_slice(), found.place) {
                ([into], Some(place)) if *into != place => Some(Intent::Merge { into: *into }),
                ([from, into], _) if from != into => Some(Intent::Merge { into: *into }),
                _ => None,
            }
        }),
    },
    Rule {
        verb: "merge",
        needs: &["merge, fusiona~/fusionar~, une~/unir~, junta~/juntar~"],
        may: "another/other/otro, incidents/incidentes",
        takes: &[],
        make: Make::Form,
    },
    Rule {
        verb: "decline",
        needs: &[
            "false alarm, falsa alarma, false positive, falso positivo, falso aviso, not an incident, not a real \
            incident, no es un incidente, no era un incidente",
        ],
        may: "is/its/was, es/era/fue/ha, sido, only, solo, just",
        takes: &[],
        make: Make::Act(|_| Some(Intent::SetState { state: State::Declined, note: None })),
    },
    Rule {
        verb: "cancel",
        needs: &[
            "opened/open/created/declared, abrio/abierto/abri/abrimos, creo/creado/cree/creamos, declaro",
            "by mistake/accident/error, in error, accidentally/mistakenly, por error/equivocacion/accidente, \
                sin querer",
        ],
        may: "was/is/has/been, ha/fue/he, i/we, accidentally",
        takes: &[],
        make: Make::Act(|_| Some(Intent::SetState { state: State::Cancelled, note: None })),
    },
    Rule {
        verb: "cancel",
        needs: &["cancela~/cancele~/cancelar~/cancelemos~, cancel"],
        may: "",
        takes: &[],
        make: Make::Act(|_| Some(Intent::SetState { state: State::Cancelled, note: None })),
    },
    Rule {
        verb: "reopen",
        needs: &["reopen, open it/this again, open again, reabre~/reabri~/reabra~/reabrir~/reabramos~, \
            vuelve/volve/vuelva/volver a abrir~, abre~/abri~/abrir~ de nuevo, abre~/abri~/abrir~ otra vez"],
        may: "up",
        takes: &[],
        make: Make::Act(|_| Some(Intent::SetState { state: State::Investigating, note: None })),
    },
    Rule {
        verb: "private",
        needs: &[
            "private/confidential, privado/privada/confidencial",
            "make/set/mark/turn, haz~/hace~/haga~/hacer~, pon~/pone~/ponga~/poner~, marca~/marcar~",
        ],
        may: "channel/canal, as/como",
        takes: &[],
        make: Make::Act(|_| Some(Intent::MakePrivate)),
    },
    Rule {
        verb: "correct",
        needs: &[],
        may: "las, at, impact/impacto, was, fue, utc, really/actually/realmente",
        takes: &[Takes::Moment, Takes::Milestone],
        make: Make::Act(|found| {
            Some(Intent::Correct { milestone: *found.slots.milestone.one()?, when: *found.slots.moment.one()? })
        }),
    },
    Rule {
        verb: "feedback",
        needs: &[
            "suggestion/guess/suggested, sugerencia, diagnostico/diagnosis, you/your, \
                acertaste/acertado/aciertas, equivocaste/equivocas/fallaste, causa/cause, prediccion/prediction",
            "right/correct/good, spot on, correcta/correcto/buena, acertada/acertado/acertaste/aciertas, \
                wrong/incorrect, incorrecta/incorrecto/equivocada/equivocado/mala/erronea, \
                equivocaste/equivocas/fallaste",
        ],
        may: "was/is/were/are, era/es/fue/estaba/estabas, probable/probable, has, got it, causa/cause, de lleno",
        takes: &[],
        make: Make::Act(|found| {
            let wrong = found.has_any(
                "wrong/incorrect, incorrecta/incorrecto/equivocada/equivocado/mala/erronea, \
                equivocaste/equivocas/fallaste",
            );
            Some(Intent::Feedback { right: !wrong, cause: None })
        }),
    },
    Rule {
        verb: "approve",
        needs: &["approve/approved, aprueba~/apruebe~/aprobar~/aproba~/apruebo/aprobado"],
        may: "request/run, peticion/solicitud/ejecucion, i, lo",
        takes: &[],
        make: Make::Act(|_| Some(Intent::Approve { request: None, plan: None })),
    },
    Rule {
        verb: "deny",
        needs: &["deny/reject/refuse, deniega~/denega~/denegar~/deniego, rechaza~/rechazar~/rechazo"],
        may: "request/run, peticion/solicitud/ejecucion, i, lo",
        takes: &[],
        make: Make::Act(|_| Some(Intent::Deny { request: None, reason: None })),
    },
    Rule {
        verb: "run",
        needs: &["run/execute/launch/start, ejecuta~/ejecute~/ejecutar~/ejecutemos~, lanza~/lance~/lanzar~, \
            corre~/corra~/correr~, arranca~, usa~"],
        may: "runbook, with",
        takes: &[Takes::Runbook],
        make: Make::Act(run),
    },
    Rule {
        verb: "resolve",
        needs: &["resolve~, resuelve~/resuelva~/resolver~/resolvamos~/resolved~, soluciona~/solucionar~"],
        may: "incident/incidente",
        takes: &[],
        make: Make::Act(|_| Some(Intent::Resolve { cause: None, fix: None })),
    },
    Rule {
        verb: "close",
        needs: &["close, cierra~/cierre~/cierren~/cerra~/cerrar~/cerremos~/cerrad~"],
        may: "out",
        takes: &[],
        make: Make::Act(|_| Some(Intent::SetState { state: State::Closed, note: None })),
    },
    Rule {
        verb: "silence",
        needs: &["silence/mute, silencia~/silencie~/silenciar~", "alert/alerts/alarms, alerta/alertas/alarmas"],
        may: "all/todas, from/de, noisy, unas/unos, for, during/durante, checkout",
        takes: &[Takes::Length],
        make: Make::Form,
    },
];

/// Exactly one, by number or by word; `it is critical` is talk.
fn severity(found: &Found<'_>) -> Option<Intent> {
    let severity: Severity = match (found.slots.severity.one(), found.slots.grade.one()) {
        (Some(number), None) => *number,
        (None, Some(word)) if found.has_any(CHANGE) => *word,
        (Some(number), Some(word)) if number == word => *number,
        _ => return None,
    };
    (found.has_any(CHANGE) || found.has_any(IS) || found.has_any("severity/severidad"))
        .then_some(Intent::SetSeverity { severity })
}

fn role(found: &Found<'_>) -> Option<Role> {
    let says = |words: &str| found.has_any(words);
    match (
        says("scribe, escriba, note taker"),
        says("comms, communications/communication, comunicacion/comunicaciones"),
        says("ops, operations, operaciones"),
    ) {
        (true, false, false) => Some(Role::Scribe),
        (false, true, false) => Some(Role::Communications),
        (false, false, true) => Some(Role::Operations),
        _ => None,
    }
}

/// Who was named, or who speaks and says so.
fn whose(found: &Found<'_>) -> Option<Who> {
    match found.slots.person.one() {
        Some(who) => Some(who.clone()),
        None => found.has_any(FIRST_PERSON).then_some(Who::Me),
    }
}

/// A handle, or else the one name that was said.
fn somebody(found: &Found<'_>) -> Option<Who> {
    let said = found.slots.person.one().or_else(|| found.slots.name.one())?;
    matches!(said, Who::Named(_)).then(|| said.clone())
}

/// As the command would read it.
fn run(found: &Found<'_>) -> Option<Intent> {
    let (_, runbook, parameters) = found.slots.runbook.as_ref()?;
    let source = format!("{runbook} {}", parameters.join(" "));
    let tokens: Vec<Token<'_>> = token::tokens(&source);
    let verb = verb::find("run")?;
    let mut args = crate::args::Args::new(&source, &tokens, verb, verb.name.to_owned());
    let intent: Result<Intent, Misread> = (verb.parse)(&mut args);
    intent.ok().filter(|_| args.done().is_ok())
}
