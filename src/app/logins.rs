//! Who gets a login link: people of the configuration with an account on the console, by their id.

use crate::edges::socket::{LoginLink, Logins};
use crate::edges::web::LoginDesk;
use crate::edges::web::login::LINK_LIFE;
use crate::flow::identity::{Identity, Platform};
use crate::flow::moment::MINUTE;
use crate::flow::policy::{Person, Policy};
use crate::ports::Rules;
use smokejumper_intents::inert;
use smokejumper_intents::near::nearest;
use smokejumper_intents::word::Right;
use std::sync::Arc;

/// Characters repeated of a name that somebody typed.
const MAX_NAME: usize = 60;

/// For the door of the command line.
pub fn logins(desk: Arc<LoginDesk>, rules: Rules, base: String) -> Logins {
    Arc::new(move |person| link(&desk, &rules.current(), &base, person))
}

/// A link for a person; without one for the first administrator.
///
/// # Errors
/// In words for whoever asked: there is no such person, they have no account on the console, the machine has no randomness.
fn link(desk: &LoginDesk, policy: &Policy, base: &str, person: Option<&str>) -> Result<LoginLink, String> {
    let (person, identity) = match person {
        Some(id) => named(policy, id)?,
        None => administrator(policy)?,
    };
    let token = desk.mint(identity.clone()).map_err(|e| e.to_string())?;
    Ok(LoginLink {
        person: person.id.0.clone(),
        name: person.name.clone(),
        url: format!("{base}/login?token={token}"),
        minutes: u32::try_from(LINK_LIFE / MINUTE).unwrap_or(u32::MAX),
    })
}

fn on_console(person: &Person) -> Option<(&Person, &Identity)> {
    let identity = person.identities.iter().find(|identity| identity.platform == Platform::Console)?;
    Some((person, identity))
}

fn administrator(policy: &Policy) -> Result<(&Person, &Identity), String> {
    let mut admins = policy.people.iter().filter(|person| person.right == Right::Admin);
    admins.find_map(on_console).ok_or_else(|| format!("no administrator may sign in to the console; {}", offer(policy)))
}

fn named<'p>(policy: &'p Policy, id: &str) -> Result<(&'p Person, &'p Identity), String> {
    let typed: String = inert::line(id).chars().take(MAX_NAME).collect();
    let Some(person) = policy.people.iter().find(|person| person.id.0 == id) else {
        let known = policy.people.iter().filter_map(on_console).map(|(person, _)| person.id.0.as_str());
        return Err(match nearest(&typed.to_lowercase(), known).first() {
            Some(near) => format!("there is no person `{typed}`; did you mean `{near}`?"),
            None => format!("there is no person `{typed}`; {}", offer(policy)),
        });
    };
    on_console(person)
        .ok_or_else(|| format!("`{typed}` may not sign in to the console: `console = false` in [[person]]"))
}

/// Whom one could name instead.
fn offer(policy: &Policy) -> String {
    let known: Vec<&str> =
        policy.people.iter().filter_map(on_console).map(|(person, _)| person.id.0.as_str()).collect();
    if known.is_empty() {
        "nobody has an account there: add a [[person]]".to_owned()
    } else {
        format!("name one of: {}", known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edges::clock::WallClock;
    use crate::flow::identity::PersonId;

    fn person(id: &str, right: Right, platform: Platform) -> Person {
        Person {
            id: PersonId(id.to_owned()),
            name: id.to_uppercase(),
            right,
            identities: vec![Identity { platform, workspace: "local".to_owned(), id: id.to_owned() }],
            teams: Vec::new(),
            on_call: false,
            github: None,
            hours: None,
        }
    }

    fn asked(people: Vec<Person>, person: Option<&str>) -> Result<LoginLink, String> {
        let desk = LoginDesk::new(Arc::new(WallClock));
        let policy = Policy { people, ..Policy::default() };
        let link = link(&desk, &policy, "http://127.0.0.1:7911", person)?;
        let (_, token) = link.url.split_once("/login?token=").expect("it has a token");
        assert_eq!(desk.peek(token).map(|identity| identity.id), Some(link.person.clone()));
        Ok(link)
    }

    fn people() -> Vec<Person> {
        vec![
            person("root", Right::Admin, Platform::Cli),
            person("bo", Right::Approver, Platform::Console),
            person("ana", Right::Admin, Platform::Console),
        ]
    }

    #[test]
    fn it_is_for_whom_it_was_asked_or_for_the_first_administrator_of_the_console() {
        assert_eq!(asked(people(), Some("bo")).map(|link| (link.name, link.minutes)), Ok(("BO".to_owned(), 15)));
        assert_eq!(asked(people(), None).map(|link| link.person), Ok("ana".to_owned()));
    }

    #[test]
    fn nobody_else_gets_one_and_is_told_what_to_type() {
        let no = |people, person| asked(people, person).expect_err("no link");
        assert_eq!(no(people(), Some("anna")), "there is no person `anna`; did you mean `ana`?");
        assert_eq!(no(people(), Some("zzzzzz")), "there is no person `zzzzzz`; name one of: bo, ana");
        assert!(no(people(), Some("root")).contains("console = false"));
        let viewers = vec![person("bo", Right::Viewer, Platform::Console)];
        assert_eq!(no(viewers, None), "no administrator may sign in to the console; name one of: bo");
        assert!(no(Vec::new(), Some("\u{1b}[31mx")).starts_with("there is no person `"));
        assert!(!no(Vec::new(), Some("\u{1b}[31mx")).contains('\u{1b}'));
    }
}
