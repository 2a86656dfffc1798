//! The question before what was read from free text is declared, before what was read from plain words is done, and before what cannot be taken back.

use crate::intent::{Ask, Intent};
use crate::reply::{Button, Line, Reply, Section, Style};
use crate::say::say;
use crate::word::State;

/// What would be opened, why it is asked, and the button that does it.
#[must_use]
pub fn confirmation(ask: &Ask, because: &str) -> Reply {
    let mut lines = vec![Line::ours(because)];
    let (title, button, style) = words(ask);
    if let Intent::Declare { title, severity, service } = &ask.intent {
        lines.push(Line::from("Title: ").outside(title));
        lines.extend(severity.map(|severity| Line::from("Severity: ").strong(severity.label())));
        lines.extend(service.as_ref().map(|service| Line::from("Service: ").code(service)));
    } else {
        // What a button will do, as the command that does it.
        lines.extend(say(ask).map(|command| Line::default().code(command)));
    }
    Reply::titled(title).section(Section::plain(lines)).button(Button::new(button, style, ask.clone())).bounded()
}

/// The question, and what the button that answers it says.
fn words(ask: &Ask) -> (Line, &'static str, Style) {
    let about = |verb: &'static str, rest: &str| match ask.incident {
        Some(number) => Line::from(verb).incident(number).and(rest),
        None => Line::from(verb).and("it").and(rest),
    };
    match &ask.intent {
        Intent::MakePrivate => (about("Make ", " private?"), "Make it private", Style::Danger),
        Intent::Merge { into } => (about("Make ", " a part of ").incident(*into).and("?"), "Merge it", Style::Danger),
        Intent::SetState { state: State::Declined, .. } => (about("Decline ", "?"), "Decline it", Style::Danger),
        Intent::SetState { state: State::Cancelled, .. } => {
            (about("Cancel ", "?"), "Cancel the incident", Style::Danger)
        }
        Intent::Declare { .. } => (Line::from("Open an incident?"), "Open it", Style::Primary),
        _ => (about("Do this in ", "?"), "Do it", Style::Primary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::utterance::{Place, Utterance};
    use crate::{Reading, read, text};

    #[test]
    fn all_that_will_be_declared_is_shown() {
        let said = "checkout is \u{1b}[31mdown sev:1 service:checkout".to_owned();
        let Reading::Confirm { ask, because } = read(&Utterance { text: said, place: Place::Lobby }) else { panic!() };
        insta::assert_snapshot!(text::render(&confirmation(&ask, &because), 80), @r#"
    Open an incident?

      This is not a command. Shall I open an incident with it?
      Title: checkout is down
      Severity: SEV1
      Service: `checkout`

    [Open it] `declare checkout is down sev:1 service:checkout`
    "#);
    }
}
