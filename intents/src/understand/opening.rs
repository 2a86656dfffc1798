//! Requests whose rest is taken as it is: a note, a task, a follow-up, a new title, an update, a search, a declaration.
//!
//! What opens one must stand first (but for courtesy), so that `don't open an incident` opens none.

use super::slots::Slots;
use super::vocabulary;
use super::words::{WORDS_MAX, Words};
use super::{Meaning, placed};
use crate::args::Args;
use crate::bounds;
use crate::inert;
use crate::intent::{Intent, Who};
use crate::token::{self, Token};
use crate::verb;
use crate::verbs::declare;

/// Only so many words of courtesy may stand before it.
const COURTESY_MAX: usize = 6;

struct Opening {
    verb: &'static str,
    says: &'static str,
    /// Words between it and the text.
    then: &'static str,
}

const OPENINGS: &[Opening] = &[
    Opening {
        verb: "declare",
        says: "open/declare/create/start/raise/file/report incident, new incident, \
            abre/abri/abra/abrir/abramos/declara/declare/declarar/crea/cree/crear/levanta/registra/reporta \
            incidente/incidencia, nuevo/nueva incidente/incidencia",
        then: "for, because, about, on, por, porque, sobre, de, que, para, new, nuevo, nueva, con",
    },
    Opening {
        verb: "follow-up",
        says: "create/add/open/make/file/write follow-up/followup, create/add/open/make/file follow up, new \
            follow-up/followup, crea/cree/crear/anade/anadi/anadir/agrega/agregar/abre/abri/abrir/pon/apunta \
            follow-up/followup/seguimiento, nuevo seguimiento",
        then: "to, for, that, para, de, que, about, sobre",
    },
    Opening {
        verb: "task",
        says: "create/add/open/make/new task/todo, \
            crea/cree/crear/anade/anadi/anadir/agrega/agregar/abre/abri/abrir/pon/apunta/nueva tarea, tarea \
            para, tarea",
        then: "to, for, that, para, de, que, a",
    },
    Opening {
        verb: "note",
        says: "add/make/take/leave/write/put note, write/note/jot down, log that, anota/anotar/anote/anotalo, \
            apunta/apuntar/apunte/apuntad, toma/tomar/tomad nota, \
            agrega/anade/anadi/pon/deja/escribe/escribi/crea nota, deja/dejar constancia, registra que",
        then: "that, saying, que, de, diciendo, to, the, timeline, en",
    },
    Opening {
        verb: "rename",
        says: "rename it/this/incident to/as, change/set title/name to, call this, renombra~/renombrar~ a/como, \
            cambia~/cambie~/cambiar~ nombre/titulo a/por, cambia~/cambie~/cambiar~ nombre/titulo, ponle/ponele \
            titulo/nombre, ponle/ponele de titulo/nombre, change title/name, rename it/this/incident",
        then: "",
    },
    Opening {
        verb: "update",
        says: "post/write/send/publish/give update, \
            publica~/publicar~/escribe~/escribir~/manda~/mandar~/envia~/enviar~/dar/hacer/saca actualizacion",
        then: "that, saying, que, diciendo, de",
    },
    Opening {
        verb: "search",
        says: "busca/buscar/buscame/buscalo/busque incidentes/incidencias sobre/de/con/por, \
            busca/buscar/buscame/busque, look/looking for, have we ever had, did we ever have, hemos tenido \
            alguna vez, tuvimos alguna vez, search incidents for/about",
        then: "for, incidents, about",
    },
];

/// `None`: it begins otherwise.
pub fn read(
    source: &str,
    tokens: &[Token<'_>],
    said: &Words<'_>,
    slots: &Slots<'_>,
    place: Option<u32>,
) -> Option<Meaning> {
    let (opening, behind) = opened(said)?;
    let verb = verb::find(opening.verb)?;
    let mut owner: Option<Who> = None;
    let mut severity = None;
    let mut at = behind;
    // Up to the first word of the text: who shall do it, how bad it is, and what only connects. A colon ends it at once.
    while let Some(word) = said.list.get(at) {
        let ended = at
            .checked_sub(1)
            .and_then(|before| said.list.get(before))
            .is_some_and(|word| word.token.raw.ends_with(':'));
        if ended {
            break;
        }
        let person =
            token::who(word.token.raw.trim_end_matches(':')).filter(|_| word.token.raw.starts_with(['@', '<']));
        let names_severity = vocabulary::names_severity(&word.plain);
        let after_its_name = at
            .checked_sub(1)
            .and_then(|before| said.list.get(before))
            .is_some_and(|word| vocabulary::names_severity(&word.plain));
        let given = vocabulary::severity(&word.plain, after_its_name);
        let connects = opening.then.split(", ").any(|then| then == word.plain)
            || matches!(word.plain.as_str(), "please" | "porfa" | "favor");
        match (verb.name, person) {
            ("task" | "follow-up", Some(person)) if owner.is_none() => owner = Some(person),
            ("declare", _) if given.is_some() && severity.is_none() => severity = given,
            ("declare", _) if names_severity => {}
            _ if connects => {}
            _ => break,
        }
        at += 1;
    }
    let Some(first) = said.list.get(at) else {
        return if matches!(verb.name, "search") {
            None
        } else {
            Some(Meaning::Form(verb, slots.incidents.first().copied().or(place)))
        };
    };
    let text = source.get(first.token.start..)?;
    let title = || inert::line(text).trim_end_matches(['.', '!', ',', ';']).to_owned();
    let short = |text: String, max: usize| Some(text).filter(|text| !text.is_empty() && !bounds::longer(text, max));
    let intent = match verb.name {
        "note" => Intent::Note { text: inert::prose(text) },
        "task" => Intent::Task { title: short(title(), bounds::TITLE_MAX)?, owner },
        "follow-up" => Intent::FollowUp { title: short(title(), bounds::TITLE_MAX)?, owner, due: None, link: None },
        "rename" => Intent::Rename { title: short(title(), bounds::TITLE_MAX)? },
        "update" => {
            Intent::Update { conditions: short(inert::line(text), bounds::PARAGRAPH_MAX)?, actions: None, needs: None }
        }
        "search" => {
            Intent::Search { query: short(title().trim_end_matches(['?']).trim_end().to_owned(), bounds::QUERY_MAX)? }
        }
        _ => {
            let rest = tokens.iter().position(|token| token.start == first.token.start)?;
            let mut args = Args::new(source, tokens.get(rest..)?, &declare::VERB, declare::VERB.name.to_owned());
            match declare::from_free_text(&mut args).ok()?.0 {
                Intent::Declare { title, severity: None, service } => Intent::Declare { title, severity, service },
                other => other,
            }
        }
    };
    // The number belongs to the text, unless it was said before it.
    let before = tokens.iter().take_while(|token| token.start < first.token.start);
    let named = before.filter_map(|token| token.incident().flatten()).last();
    placed(verb, intent, named, place)
}

/// What opens it, and the first word behind.
fn opened(said: &Words<'_>) -> Option<(&'static Opening, usize)> {
    let courtesy = said.list.iter().take_while(|word| word.empty).count().min(COURTESY_MAX);
    for start in 0..=courtesy {
        for opening in OPENINGS {
            let mut longest = opening
                .says
                .split(", ")
                .filter_map(|phrase| said.at(phrase, start, false))
                .filter_map(|(places, _)| places.last().copied())
                .collect::<Vec<_>>();
            longest.sort_unstable();
            if let Some(last) = longest.last().filter(|last| **last < WORDS_MAX) {
                return Some((opening, last + 1));
            }
        }
    }
    None
}
