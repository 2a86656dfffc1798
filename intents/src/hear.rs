//! The reading itself: which verb, which incident, and what free text means where.
//!
//! `INC-12` may stand right before or right after the verb and wins over the place. After a verb that takes free text this
//! means that `note INC-4 has the same cause` goes to INC-4; with the number in front (`INC-3 note INC-4 has …`) it is text.

use crate::args::Args;
use crate::bounds;
use crate::forms;
use crate::intent::{Ask, Intent};
use crate::misread::Misread;
use crate::reply::Line;
use crate::say;
use crate::token::{self, Token};
use crate::understand::{self, Meaning};
use crate::utterance::{Place, Utterance};
use crate::verb::{self, Kind, Scope, Verb};
use crate::verbs::{declare, merge};
use crate::word::Right;

/// What an utterance was understood as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Do it.
    Clear(Ask),
    /// Ask first: this is what it looks like.
    Confirm {
        ask: Ask,
        /// Why it is asked, in our own words.
        because: String,
    },
    /// Not understood.
    Misread(Misread),
}

/// Reads what was said. Total: every text has a reading, none of them silence.
///
/// Nothing at all is `list` in the lobby and `help` in an incident. Free text in the lobby is a declaration to confirm; inside
/// an incident it is misread, with the nearest verbs.
#[must_use]
pub fn read(said: &Utterance) -> Reading {
    if bounds::longer(&said.text, bounds::UTTERANCE_MAX) {
        let problem = format!("That is longer than {} characters, which is as much as I read.", bounds::UTTERANCE_MAX);
        return Reading::Misread(Misread::new(Line::ours(problem)));
    }
    let tokens = token::tokens(&said.text);
    understand(&said.text, &tokens, said.place).unwrap_or_else(Reading::Misread)
}

fn understand(source: &str, tokens: &[Token<'_>], place: Place) -> Result<Reading, Misread> {
    let (named, after_number) = incident(tokens)?;
    let place = named.map_or(place, Place::Incident);
    if after_number.is_empty() {
        return Ok(Reading::Clear(nothing_said(place)));
    }
    if let Some((verb, called, rest)) = verb_at(after_number) {
        let plain = || in_plain_words(source, after_number, place);
        // `why` and `who` take a whole sentence, which may be another question: `who is on call?`
        if sentence(verb)
            && !rest.is_empty()
            && let Ok(Plain::Read(reading)) = plain()
        {
            return Ok(reading);
        }
        return match command(source, verb, called, rest, place, named.is_some()) {
            Ok(ask) => Ok(clear_or_confirm(ask, after_number)),
            Err(misread) => match plain() {
                Ok(Plain::Read(reading)) if rather_plain(verb, rest, &reading) => Ok(reading),
                _ => Err(offer_declaration(misread, tokens, place)),
            },
        };
    }
    // `akc INC-12` means an incident, whatever `akc` is.
    let place = match after_number.get(1..).map(incident) {
        Some(Ok((Some(number), _))) => Place::Incident(number),
        _ => place,
    };
    if after_number.iter().all(|token| token.fenced) {
        let problem = Line::from("Text in a code block is not read as a command.");
        return Err(Misread::new(problem).example("note the deploy at 10:02 came before the errors"));
    }
    let near = match in_plain_words(source, after_number, place)? {
        Plain::Read(reading) => return Ok(reading),
        Plain::Near(verbs) => verbs,
    };
    match (place, after_number) {
        (Place::Incident(_), _) | (Place::Lobby, [_]) => Err(unknown(source, after_number, place, near)),
        (Place::Lobby, _) => free_text(source, after_number),
    }
}

/// Whether plain words say better what was meant than what the verb's grammar finds wrong: a question (`status?`), or an act
/// with nothing behind it but `this, please`. What lets a run go ahead is never guessed at.
fn rather_plain(verb: &Verb, rest: &[Token<'_>], reading: &Reading) -> bool {
    let nothing_more = rest.iter().all(understand::says_nothing);
    let question = rest.last().is_none_or(|last| last.raw.ends_with('?')) || verb.kind == Kind::Ask;
    match reading {
        Reading::Clear(_) => question,
        Reading::Confirm { .. } => nothing_more && verb.needs < Right::Approver,
        Reading::Misread(_) => false,
    }
}

/// Its words after the verb are a sentence that nobody reads.
fn sentence(verb: &Verb) -> bool {
    matches!(verb.name, "why" | "who")
}

/// Done at once, unless it cannot be taken back, or was a question: `resolve?`
fn clear_or_confirm(ask: Ask, tokens: &[Token<'_>]) -> Reading {
    let questioned = ask.intent.is_act()
        && match tokens {
            [one] => one.raw.ends_with('?'),
            [_, number] => number.raw.ends_with('?') && number.incident().is_some(),
            _ => false,
        };
    match ask.intent.confirm() {
        Some(because) => Reading::Confirm { because: because.to_owned(), ask },
        None if questioned => {
            Reading::Confirm { because: "You wrote it as a question, so I ask back.".to_owned(), ask }
        }
        None => Reading::Clear(ask),
    }
}

/// What is no command may still be understood.
enum Plain {
    Read(Reading),
    /// It is not; these are near.
    Near(Vec<&'static Verb>),
}

/// An error: it is understood, but something is missing.
fn in_plain_words(source: &str, tokens: &[Token<'_>], place: Place) -> Result<Plain, Misread> {
    const OFFERED: &str = "I read a command in your words. Nothing is done until you say so.";
    match understand::plain(source, tokens, place) {
        Meaning::Asked(ask) => Ok(Plain::Read(Reading::Clear(ask))),
        Meaning::Act(ask) => {
            let because = ask.intent.confirm().unwrap_or(OFFERED).to_owned();
            Ok(Plain::Read(Reading::Confirm { ask, because }))
        }
        Meaning::Form(verb, incident) => Err(needs_more(verb, incident, place)),
        Meaning::Which(verb, intent) => Err(offer_declaration(which(verb, intent), tokens, place)),
        Meaning::Near(verbs) => Ok(Plain::Near(verbs)),
    }
}

/// A verb about one incident in plain words, and none named.
fn which(verb: &Verb, intent: Intent) -> Misread {
    const FOR_EXAMPLE: u32 = 12;
    let misread = Misread::new(Line::from("Which incident? Name it, or say this in the incident's channel."));
    // `close` is one way to say a state, and the way that was said.
    let command = match intent {
        Intent::SetState { note: None, state } if verb.name != "status" && !state.is_open() => {
            Some(format!("{} INC-{FOR_EXAMPLE}", verb.name))
        }
        intent => say::say(&Ask { incident: Some(FOR_EXAMPLE), intent }),
    };
    command.into_iter().fold(misread, |misread, command| misread.suggest(&command)).suggest("list")
}

/// An act that is understood, but needs what only a form or the whole command says.
fn needs_more(verb: &'static Verb, incident: Option<u32>, place: Place) -> Misread {
    let elsewhere = incident.filter(|number| place != Place::Incident(*number)).map(|number| format!(" INC-{number}"));
    let command = format!("{}{} {}", verb.name, elsewhere.unwrap_or_default(), verb.usage);
    let problem = match forms::find(verb.name) {
        Some(form) => Line::from("That takes a few words more: fill in the form ").strong(form.title).and(", or write"),
        None => Line::from("That takes a few words more. Write"),
    };
    Misread::new(problem.and(" the whole command.")).suggest(&command).example(verb.example).form(verb.name)
}

/// The number at the front, if there is one, and what follows it.
fn incident<'t, 'a>(tokens: &'t [Token<'a>]) -> Result<(Option<u32>, &'t [Token<'a>]), Misread> {
    let Some((first, rest)) = tokens.split_first() else { return Ok((None, tokens)) };
    match first.incident() {
        None => Ok((None, tokens)),
        Some(Some(number)) => Ok((Some(number), rest)),
        Some(None) => {
            let problem = Line::from("There is no incident ").code(first.raw).and(". They count from INC-1.");
            Err(Misread::new(problem).at(first.at.clone()).example("list"))
        }
    }
}

/// The verb at the front, the word that named it, and what follows it. Two words may name one (`follow up`).
fn verb_at<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(&'static Verb, String, &'t [Token<'a>])> {
    let (first, rest) = tokens.split_first()?;
    if let Some((second, rest)) = rest.split_first() {
        let both = format!("{}-{}", first.word(), second.word());
        if let Some(verb) = verb::find(&both) {
            return Some((verb, both, rest));
        }
    }
    let word = first.word();
    verb::find(&word).map(|verb| (verb, word, rest))
}

fn command(
    source: &str,
    verb: &'static Verb,
    called: String,
    rest: &[Token<'_>],
    place: Place,
    number_before: bool,
) -> Result<Ask, Misread> {
    // `merge INC-12` names the other incident; only of two numbers the first is the one it is about.
    let other = verb.name == merge::VERB.name
        && place != Place::Lobby
        && matches!(incident(rest), Ok((Some(_), after)) if !matches!(incident(after), Ok((Some(_), _))));
    let (place, rest) = match verb.scope {
        Scope::Incident | Scope::Both if !number_before && !other => match incident(rest)? {
            (Some(number), rest) => (Place::Incident(number), rest),
            (None, rest) => (place, rest),
        },
        _ => (place, rest),
    };
    let incident = match (verb.scope, place) {
        (Scope::Lobby, _) if number_before => {
            let problem = Line::default().code(verb.name).and(" is not about one incident. Say it without the number.");
            return Err(Misread::new(problem).example(verb.example));
        }
        (Scope::Lobby, _) | (Scope::Both, Place::Lobby) => None,
        (Scope::Incident, Place::Lobby) => return Err(unnamed(verb, rest)),
        (Scope::Incident | Scope::Both, Place::Incident(number)) => Some(number),
    };
    let mut args = Args::new(source, rest, verb, called);
    let intent = (verb.parse)(&mut args)?;
    args.done()?;
    Ok(Ask { incident, intent })
}

fn nothing_said(place: Place) -> Ask {
    match place {
        Place::Lobby => Ask { incident: None, intent: Intent::List { closed: false } },
        Place::Incident(number) => Ask { incident: Some(number), intent: Intent::Card },
    }
}

/// A verb about one incident, and none named.
fn unnamed(verb: &'static Verb, rest: &[Token<'_>]) -> Misread {
    let hashed = rest.split_first().and_then(|(first, rest)| match token::numbered(&first.word(), "#") {
        Some(Some(number)) => Some((first, number, rest)),
        _ => None,
    });
    if let Some((first, number, rest)) = hashed {
        let problem =
            Line::from("Write the incident as ").incident(number).and("; ").code(first.raw).and(" could be anything.");
        let command = format!("{} INC-{number} {}", verb.name, join(rest));
        return Misread::new(problem).at(first.at.clone()).suggest(&command);
    }
    let problem = Line::from("Which incident? Name it after the command, or say this in the incident's channel.");
    Misread::new(problem).suggest(&format!("{} INC-12 {}", verb.name, join(rest))).suggest("list")
}

/// Text that starts like a command but is not one may be somebody reporting an outage: `status page is down`.
fn offer_declaration(misread: Misread, tokens: &[Token<'_>], place: Place) -> Misread {
    const SENTENCE: usize = 3;
    let declares = tokens.first().is_some_and(|first| first.word() == "declare");
    if place != Place::Lobby || declares || tokens.len() < SENTENCE {
        return misread;
    }
    misread.suggest(&format!("declare {}", join(tokens)))
}

/// Free text in the lobby: an incident to declare, if the person says so.
fn free_text(source: &str, tokens: &[Token<'_>]) -> Result<Reading, Misread> {
    let near = tokens.first().map(|first| verb::nearest(&first.word())).unwrap_or_default();
    let mistyped = near.first().is_some_and(|verb| verb.name == declare::VERB.name);
    let title = if mistyped { tokens.get(1..).unwrap_or_default() } else { tokens };
    let mut args = Args::new(source, title, &declare::VERB, declare::VERB.name.to_owned());
    let (intent, shortened) = declare::from_free_text(&mut args)?;
    let mut because = "This is not a command. Shall I open an incident with it?".to_owned();
    if shortened {
        because.push_str(" Its title is shortened.");
    }
    if let Some(verb) = near.first().filter(|_| !mistyped) {
        because.push_str(" If you meant the command ");
        because.push_str(verb.name);
        because.push_str(", it is written so: ");
        because.push_str(verb.example);
    }
    Ok(Reading::Confirm { ask: Ask { incident: None, intent }, because })
}

/// The nearest verbs: those spelled nearly so, those mentioned, and those that are always worth a try here.
fn unknown(source: &str, tokens: &[Token<'_>], place: Place, near: Vec<&'static Verb>) -> Misread {
    const NEAREST_MAX: usize = 4;
    let Some(first) = tokens.first() else { return Misread::new(Line::from("There is nothing to read.")) };
    let word = first.word();
    let mentioned = tokens.iter().skip(1).filter_map(|token| verb::find(&token.word()));
    let usual: &[&str] = match place {
        Place::Lobby => &["list", "declare", "help"],
        Place::Incident(_) => &["why", "who", "help"],
    };
    let mut verbs: Vec<&'static Verb> = verb::nearest(&word);
    if verbs.is_empty() || tokens.len() > 1 {
        verbs.extend(mentioned);
        verbs.extend(usual.iter().filter_map(|name| verb::find(name)));
    }
    // What the words as a whole come nearest to, before what a single word looks like.
    for verb in near.into_iter().rev().filter(|_| tokens.len() > 1) {
        verbs.retain(|known| known.name != verb.name);
        verbs.insert(0, verb);
    }
    let problem = match tokens.len() {
        1 => Line::from("There is no command ").code(&word).and("."),
        _ => Line::from("That is no command, and I am not sure what it asks."),
    };
    let mut misread = Misread::new(problem).at(first.at.clone());
    for verb in verbs {
        if misread.try_instead.len() < NEAREST_MAX && verb.works_in(place) {
            misread = misread.suggest(&verb.synopsis_of_use());
        } else if verb.scope == Scope::Incident && misread.try_instead.len() < NEAREST_MAX {
            misread = misread.suggest(format!("{} INC-12 {}", verb.name, verb.usage).trim());
        }
    }
    let said = source.get(first.start..).unwrap_or_default();
    match place {
        Place::Incident(_) if tokens.len() > 1 => misread.suggest(&format!("note {said}")),
        Place::Incident(_) => misread,
        Place::Lobby => misread.example("declare checkout returns 500s"),
    }
}

fn join(tokens: &[Token<'_>]) -> String {
    tokens.iter().filter(|token| !token.fenced).map(|token| token.raw).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
