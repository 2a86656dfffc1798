//! What people are called: by the configuration where it knows them, by their account where it does not.

use crate::flow::identity::{Actor, Identity, Party};
use crate::flow::policy::Policy;

#[must_use]
pub fn account(policy: &Policy, identity: &Identity) -> String {
    policy.person(identity).map_or_else(|| identity.id.clone(), |person| person.name.clone())
}

#[must_use]
pub fn party(policy: &Policy, party: &Party) -> String {
    match party {
        Party::Person(id) => policy.person_by_id(id).map_or_else(|| id.0.clone(), |person| person.name.clone()),
        Party::Account(identity) => account(policy, identity),
    }
}

#[must_use]
pub fn actor(policy: &Policy, actor: &Actor) -> String {
    match actor {
        Actor::Bot => "Smokejumper".to_owned(),
        Actor::Source(source) => source.clone(),
        Actor::Account(identity) => account(policy, identity),
    }
}
