//! Small closed vocabularies, in English and Spanish, as [`super::words`] writes them: without accents.

use crate::word::{Milestone, Severity, State};

/// Pronouns that hang on a Spanish verb, the longest first.
pub const CLITICS: [&str; 14] =
    ["melos", "melas", "selos", "melo", "mela", "selo", "sela", "los", "las", "les", "lo", "la", "le", "me"];

/// Words that carry nothing: courtesy, articles, `this`, who speaks to whom.
const EMPTY: &str = "please pls plz the a an this it its that now right to for me us we i ill you in on at of and incident here \
    hey hi hello ok okay so just can could would will want need lets let thanks thank team bot smokejumper also \
    one there like id today then some immediately asap go ahead guys folks with about do is por favor porfa \
    porfis porfavor el la los las lo un una unos unas de del al en esto este esta ese eso esa incidente \
    incidencia aqui ahora ya mismo hoy hola puedes podrias podes puede podemos quiero quisiera queremos necesito \
    necesitamos hay que vamos che dale gracias equipo tambien y nos se te yo tu vos usted entonces pues bueno \
    venga anda oye con para vale nosotros su mi";

/// Words that ask.
const ASKING: &str = "what whats which who whos whom why when where how hows do does did is are was were any anyone anybody \
    anything have hav has can could show tell give list see explain get write draft que cual cuales quien \
    quienes donde por porque como hay hubo sabe sabemos alguien algun alguna algo a muestra muestrame muestreme \
    mostrame ensena ensename ensenas dame deme dime decime dices cuenta cuentame contame pasame pasa pasas hazme \
    haceme ver explica explicame saber lista listame seen";

/// A question about an act is not the act: these begin one.
const INVERTED: &str = "is isnt are arent was wasnt were should shouldnt shall does doesnt do did didnt may might must why what when \
    where who how deberia deberiamos debo debemos";

/// With these a question is a polite request.
const POLITE: &str = "can you, could you, would you, will you, can someone, puedes, podrias, podes, podria, puede alguien, te \
    importa, le importa, me puedes, me podrias";

/// Words that turn a sentence round.
const NEGATIONS: &str = "no not dont doesnt didnt isnt wasnt cant cannot couldnt wont wouldnt shouldnt havent hasnt never nobody \
    without ni nunca jamas nadie tampoco sin ningun ninguna yet todavia aun nada nothing wait hold espera \
    esperad esperen esperate";

/// Who is nobody in particular.
const NOBODY: &str = "someone somebody anyone anybody everyone everybody all nobody alguien todos todas nadie ellos him her them \
    el ella";

pub fn is_empty(word: &str) -> bool {
    within(EMPTY, word)
}

pub fn asks(word: &str) -> bool {
    within(ASKING, word)
}

/// It begins a question.
pub fn inverts(word: &str) -> bool {
    within(INVERTED, word)
}

/// Phrases that make a question a request.
pub fn polite() -> impl Iterator<Item = &'static str> {
    POLITE.split(", ")
}

fn within(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

pub fn negates(word: &str) -> bool {
    within(NEGATIONS, word)
}

pub fn is_nobody(word: &str) -> bool {
    within(NOBODY, word)
}

/// Words before a severity's number.
pub fn names_severity(word: &str) -> bool {
    matches!(word, "sev" | "severity" | "severidad" | "gravedad" | "prioridad" | "priority")
}

/// `sev1`, `sev-1`, `p1`; a number alone where the word before said what it is.
pub fn severity(word: &str, after_its_name: bool) -> Option<Severity> {
    let digit = word.strip_prefix("sev").map(|rest| rest.trim_start_matches('-')).or_else(|| word.strip_prefix('p'));
    match digit.or_else(|| after_its_name.then_some(word))? {
        "1" => Some(Severity::Sev1),
        "2" => Some(Severity::Sev2),
        "3" => Some(Severity::Sev3),
        "4" => Some(Severity::Sev4),
        _ => None,
    }
}

/// A severity by its word, as `sev` takes it, and the Spanish ones.
pub fn severity_word(word: &str) -> Option<Severity> {
    match word {
        "critical" | "critico" | "critica" => Some(Severity::Sev1),
        "major" | "high" | "alto" | "alta" | "grave" => Some(Severity::Sev2),
        "minor" | "medium" | "medio" | "media" | "menor" => Some(Severity::Sev3),
        "low" | "bajo" => Some(Severity::Sev4),
        _ => None,
    }
}

/// A state by its word.
pub fn state(word: &str) -> Option<State> {
    Some(match word {
        "investigating" | "investigando" | "investigacion" => State::Investigating,
        "identified" | "identificado" | "identificada" => State::Identified,
        "mitigated" | "mitigado" | "mitigada" => State::Mitigated,
        "monitoring" | "monitorizando" | "monitorizacion" | "monitoreo" | "monitoreando" | "observacion" => {
            State::Monitoring
        }
        "resolved" | "resuelto" | "resuelta" | "solucionado" | "solucionada" | "fixed" | "solved" => State::Resolved,
        "closed" | "cerrado" | "cerrada" => State::Closed,
        "triage" => State::Triage,
        _ => return None,
    })
}

/// What happened at a time: `started`, `se detectó`.
pub fn milestone(word: &str) -> Option<Milestone> {
    Some(match word {
        "started" | "began" | "empezo" | "comenzo" | "inicio" | "arranco" | "empezaron" => Milestone::ImpactStarted,
        "detected" | "noticed" | "detecto" | "detectamos" | "detectado" => Milestone::Detected,
        "mitigated" | "mitigo" | "mitigamos" => Milestone::Mitigated,
        "identified" | "identifico" | "identificamos" => Milestone::Identified,
        "acknowledged" => Milestone::Acknowledged,
        _ => return None,
    })
}

/// Units after a number that stands alone, in minutes.
pub fn unit(word: &str) -> Option<u32> {
    match word {
        "m" | "min" | "mins" | "minute" | "minutes" | "minuto" | "minutos" => Some(1),
        "h" | "hr" | "hour" | "hours" | "hora" | "horas" => Some(60),
        _ => None,
    }
}
