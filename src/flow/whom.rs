//! Whom to call: at most three people, each with the reason: what they did before, whether they are on call now, what else
//! they have in hand.
//!
//! Knows suggestions, the rota and who owns what; knows nothing of how somebody is reached.

use super::desk::Desk;
use super::fact::{Origin, Suggestion};
use super::identity::{Party, PersonId};
use super::incident::{Incident, IncidentId};
use super::moment::At;
use super::phrase::{count, line, ours, percent, person, section};
use super::policy::{Person, Policy};
use super::rota::OnCall;
use super::triage::reasons;
use smokejumper_intents::reply::{Line, Section, Span};

/// What is true of people at this moment.
struct Now<'a> {
    incident: &'a Incident,
    desk: &'a Desk,
    policy: &'a Policy,
    on_call: Vec<OnCall>,
}

/// At most three people or teams, each with the reason.
#[must_use]
pub fn who(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Section {
    let shown = policy.triage.shown;
    let now = Now { incident, desk, policy, on_call: policy.on_call(incident.service.as_deref(), now) };
    let mut lines = Vec::new();
    let mut named: Vec<PersonId> = Vec::new();
    let candidates = incident.suggestion.iter().flat_map(|s| s.responders.iter().map(move |c| (s, c)));
    for (suggestion, candidate) in candidates.take(shown) {
        let id = PersonId(candidate.value.clone());
        let (theirs, similar) = helped(suggestion, &id);
        let mut why = vec![format!("responded in {theirs} of the {similar} similar ones")];
        why.extend(now.circumstances(&id));
        lines.push(line(vec![
            person(policy, &id),
            ours(" "),
            Span::Percent(percent(candidate.p)),
            ours(format!(": {}", why.join("; "))),
        ]));
        lines.extend(reasons(suggestion, candidate, 1));
        named.push(id);
    }
    for id in invited(incident, policy) {
        if !named.contains(id) {
            let mut why = vec!["called by the route of its alert".to_owned()];
            why.extend(now.circumstances(id));
            lines.push(line(vec![person(policy, id), ours(format!(": {}", why.join("; ")))]));
            named.push(id.clone());
        }
    }
    let mut others: Vec<&Person> = policy
        .people
        .iter()
        .filter(|p| !named.contains(&p.id) && (now.owns(p) || now.level(&p.id).is_some()))
        .collect();
    // Who is asked first comes first, owners before others; the order of the configuration decides the rest.
    others.sort_by_key(|p| (now.level(&p.id).unwrap_or(u8::MAX), !now.owns(p)));
    for known in others {
        if lines.iter().filter(|l: &&Line| l.depth == 0).count() >= shown {
            break;
        }
        let mut why: Vec<String> = now.owns(known).then(|| "owns the service".to_owned()).into_iter().collect();
        why.extend(now.circumstances(&known.id));
        let helped = incident.suggestion.as_ref().map(|s| helped(s, &known.id)).filter(|(n, _)| *n > 0);
        why.extend(helped.map(|(n, of)| format!("responded in {n} of the {of} similar ones")));
        lines.push(line(vec![Span::Person(known.name.clone()), ours(format!(": {}", why.join("; ")))]));
    }
    if lines.is_empty() {
        lines.push(line(vec![ours("I don't know: no past incident, owner or on-call entry names anybody.")]));
    }
    section("Who to call", lines)
}

impl Now<'_> {
    fn level(&self, who: &PersonId) -> Option<u8> {
        self.on_call.iter().find(|o| o.who == *who).map(|o| o.level)
    }

    fn owns(&self, person: &Person) -> bool {
        let service = self.incident.service.as_ref().and_then(|s| self.policy.services.get(s));
        service.is_some_and(|s| s.owners.iter().any(|o| *o == person.id.0 || person.teams.contains(o)))
    }

    /// On call now; in how many other open incidents they hold a role.
    fn circumstances(&self, who: &PersonId) -> Vec<String> {
        let mut all = Vec::new();
        match self.level(who) {
            Some(1) => all.push("on call now".to_owned()),
            Some(level) => all.push(format!("on call now, level {level}")),
            None => {}
        }
        let theirs = |party: &Party| match party {
            Party::Person(id) => id == who,
            Party::Account(identity) => self.policy.person(identity).is_some_and(|p| p.id == *who),
        };
        // A private one is not even counted where others look.
        let counts = |id: &IncidentId| *id != self.incident.id && !self.desk.private.contains(id);
        let open = self.desk.open.iter().filter(|(id, s)| counts(id) && s.engaged.iter().any(theirs));
        match open.count() {
            0 => {}
            n => all.push(count(n as u64, "other open incident")),
        }
        all
    }
}

/// Whom the route that opened the incident calls in.
pub(super) fn invited<'p>(incident: &Incident, policy: &'p Policy) -> &'p [PersonId] {
    let Some(Origin::Alert { route, .. }) = &incident.origin else { return &[] };
    policy.routes.iter().find(|r| &r.name == route).map_or(&[], |r| r.invite.as_slice())
}

/// In how many of the similar incidents somebody responded.
fn helped(suggestion: &Suggestion, who: &PersonId) -> (usize, usize) {
    let theirs = suggestion.similar.iter().filter(|s| s.responders.contains(&who.0)).count();
    (theirs, suggestion.similar.len())
}
