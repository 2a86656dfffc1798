//! Help, made from the verb table: only what *you* may do *here*.

use crate::misread::Misread;
use crate::reply::{Line, Reply, Section};
use crate::utterance::Place;
use crate::verb::{self, Group, Scope, VERBS, Verb};
use crate::word::Right;

/// What somebody with this right can say in this place; with a verb (name or alias), all about that one.
#[must_use]
pub fn help(right: Right, place: Place, verb: Option<&str>) -> Reply {
    match verb {
        None => overview(right, place),
        Some(word) => match verb::find(&word.to_lowercase()) {
            Some(verb) => one(verb, right, place),
            None => unknown(word),
        },
    }
}

/// There is no such command, but these are near.
pub(crate) fn unknown_verb(word: &str) -> Misread {
    verb::nearest(word).into_iter().fold(
        Misread::new(Line::from("There is no command ").code(word).and(".")).example("help ack"),
        |misread, verb| misread.suggest(&format!("help {}", verb.name)),
    )
}

fn unknown(word: &str) -> Reply {
    unknown_verb(&word.to_lowercase()).to_reply()
}

fn overview(right: Right, place: Place) -> Reply {
    let mut reply = Reply::titled(match place {
        Place::Lobby => Line::from("What you can do here"),
        Place::Incident(number) => Line::from("What you can do in ").incident(number),
    });
    for group in Group::ALL {
        let lines: Vec<Line> = VERBS
            .iter()
            .filter(|verb| verb.group == group && verb.needs <= right && verb.works_in(place))
            .map(|verb| Line::default().code(verb.synopsis_of_use()).and(" - ").and(verb.synopsis))
            .collect();
        if !lines.is_empty() {
            reply = reply.section(Section::headed(group.label(), lines));
        }
    }
    if place == Place::Lobby {
        let names: Vec<&str> = VERBS
            .iter()
            .filter(|verb| verb.scope == Scope::Incident && verb.needs <= right)
            .map(|verb| verb.name)
            .collect();
        let lines = vec![
            Line::ours(names.join(", ")),
            Line::from("In its channel, or with its number: ").code(elsewhere(right)),
        ];
        reply = reply.section(Section::headed("About one incident", lines));
    }
    reply.bounded()
}

/// An example of a verb with a number, that this person may use.
const fn elsewhere(right: Right) -> &'static str {
    match right {
        Right::Viewer => "why INC-12",
        Right::Responder | Right::Approver | Right::Admin => "ack INC-12",
    }
}

fn one(verb: &'static Verb, right: Right, place: Place) -> Reply {
    let mut lines = vec![Line::from("Example: ").code(verb.example)];
    if !verb.aliases.is_empty() {
        lines.push(Line::from("Also: ").code(verb.aliases.join(", ")));
    }
    if !verb.works_in(place) {
        lines.push(
            Line::from("Here you name the incident: ").code(format!("{} INC-12 {}", verb.name, verb.usage).trim()),
        );
    }
    if verb.needs > right {
        let problem = format!("It needs the right of {}; you are {}.", with_article(verb.needs), with_article(right));
        lines.push(Line::ours(problem));
    }
    Reply::titled(Line::default().code(verb.synopsis_of_use()).and(" - ").and(verb.synopsis))
        .section(Section::plain(lines))
        .bounded()
}

fn with_article(right: Right) -> String {
    match right {
        Right::Approver | Right::Admin => format!("an {}", right.label()),
        Right::Viewer | Right::Responder => format!("a {}", right.label()),
    }
}

#[cfg(test)]
mod tests;
