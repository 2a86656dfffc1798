//! The confirmation of a declaration that was read from free text.

use crate::intent::{Ask, Intent};
use crate::reply::{Button, Line, Reply, Section, Style};

/// What would be opened, why it is asked, and the button that does it.
#[must_use]
pub fn confirmation(ask: &Ask, because: &str) -> Reply {
    let mut lines = vec![Line::ours(because)];
    if let Intent::Declare { title, severity, service } = &ask.intent {
        lines.push(Line::from("Title: ").outside(title));
        lines.extend(severity.map(|severity| Line::from("Severity: ").strong(severity.label())));
        lines.extend(service.as_ref().map(|service| Line::from("Service: ").code(service)));
    }
    Reply::titled("Open an incident?")
        .section(Section::plain(lines))
        .button(Button::new("Open it", Style::Primary, ask.clone()))
        .bounded()
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
