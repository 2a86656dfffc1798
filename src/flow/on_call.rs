//! Who is on call, told: now, until when, and who is next; of a service, of a schedule, of a person, or of everything.
//!
//! Words only; who it is, is decided in `rota.rs`.

use super::identity::PersonId;
use super::moment::At;
use super::phrase::{code, faint, line, ours, person, section, strong, titled};
use super::policy::Policy;
use super::refusal::Refusal;
use super::rota::{Schedule, Shifts};
use smokejumper_intents::near::nearest;
use smokejumper_intents::reply::{Line, Reply, Section};

/// Schedules told at most; more are asked for by name.
const SHOWN: usize = 10;

/// Answers `on-call`. `of`: a service, a schedule, `@somebody`; `None`: everything.
///
/// # Errors
/// Nothing is called so.
pub fn on_call(of: Option<&str>, policy: &Policy, now: At) -> Result<Reply, Refusal> {
    let Some(of) = of else {
        return Ok(told("On call now", "nobody: there is no rota", policy.rota.iter().collect(), policy, now));
    };
    if let Some(handle) = of.strip_prefix('@') {
        let who = policy.person_called(handle).ok_or_else(|| unknown(of, policy))?;
        return Ok(of_person(&who.id, policy, now));
    }
    let same = |name: &String| name.eq_ignore_ascii_case(of);
    if let Some(service) = policy.services.keys().find(|name| same(name)) {
        return Ok(of_service(service, policy, now));
    }
    if policy.rota.iter().any(|s| s.services.iter().any(&same)) {
        return Ok(of_service(of, policy, now));
    }
    if let Some(schedule) = policy.rota.iter().find(|s| same(&s.name)) {
        return Ok(told(&format!("On call, {}", schedule.name), "nobody", vec![schedule], policy, now));
    }
    match policy.person_called(of) {
        Some(who) => Ok(of_person(&who.id, policy, now)),
        None => Err(unknown(of, policy)),
    }
}

/// Who is on call for a service.
#[must_use]
pub fn of_service(service: &str, policy: &Policy, now: At) -> Reply {
    let nobody = "nobody: no schedule serves it, and none serves everything";
    told(&format!("On call for {service}"), nobody, policy.serving(Some(service)), policy, now)
}

fn told(title: &str, nobody: &str, schedules: Vec<&Schedule>, policy: &Policy, now: At) -> Reply {
    let mut reply = titled(vec![strong(title)]);
    let always: Vec<Line> = policy
        .people
        .iter()
        .filter(|p| p.on_call)
        .map(|p| line(vec![person(policy, &p.id), ours(": always")]))
        .collect();
    if schedules.is_empty() && always.is_empty() {
        reply.sections.push(section("", vec![line(vec![ours(nobody)])]));
    }
    if !always.is_empty() {
        reply.sections.push(section("Always on call", always));
    }
    let more = schedules.len().saturating_sub(SHOWN);
    reply.sections.extend(schedules.into_iter().take(SHOWN).map(|s| schedule(s, policy, now)));
    if more > 0 {
        reply.sections.push(section("", vec![line(vec![faint(format!("and {more} more: name one"))])]));
    }
    reply
}

fn schedule(schedule: &Schedule, policy: &Policy, now: At) -> Section {
    let mut lines = Vec::new();
    for (level, shifts) in (1_u8..).zip(&schedule.levels) {
        let mut spans = vec![faint(format!("level {level}: "))];
        let on = shifts.at(now);
        for (n, (who, until)) in on.iter().enumerate() {
            spans.extend((n > 0).then(|| ours(", ")));
            spans.push(person(policy, who));
            spans.extend(until.map(|until| ours(format!(" until {}", moment(until, now)))));
        }
        if on.is_empty() {
            spans.push(strong("nobody"));
        }
        if let Some((who, from)) = shifts.next(now) {
            spans.extend([ours("; next "), person(policy, &who), ours(format!(" from {}", moment(from, now)))]);
        }
        lines.push(line(spans));
    }
    let serves = schedule.services.iter().chain(&schedule.teams).cloned().collect::<Vec<_>>();
    let serves = if serves.is_empty() { "everything".to_owned() } else { serves.join(", ") };
    lines.push(line(vec![faint(format!("serves {serves}"))]));
    section(&schedule.name, lines)
}

fn of_person(who: &PersonId, policy: &Policy, now: At) -> Reply {
    let mut reply = titled(vec![strong("On call: "), person(policy, who)]);
    let mut lines = Vec::new();
    if policy.person_by_id(who).is_some_and(|p| p.on_call) {
        lines.push(line(vec![ours("always")]));
    }
    for schedule in &policy.rota {
        for (level, shifts) in (1_u8..).zip(&schedule.levels) {
            let named = vec![code(schedule.name.clone()), faint(format!(" level {level}: "))];
            let now_on = shifts.at(now).into_iter().find(|(p, _)| p == who);
            if let Some((_, until)) = now_on {
                let until = until.map_or_else(String::new, |until| format!(" until {}", moment(until, now)));
                lines.push(line([named.clone(), vec![strong("now"), ours(until)]].concat()));
            }
            if let Some(from) = next_of(shifts, who, now) {
                lines.push(line([named, vec![ours(format!("next from {}", moment(from, now)))]].concat()));
            }
        }
    }
    if lines.is_empty() {
        lines.push(line(vec![ours("in no schedule")]));
    }
    reply.sections.push(section("", lines));
    reply
}

/// When somebody's next turn begins.
fn next_of(shifts: &Shifts, who: &PersonId, now: At) -> Option<At> {
    match shifts {
        Shifts::Always(_) => None,
        Shifts::Calendar(all) => all.iter().filter(|s| s.who == *who && s.from > now).map(|s| s.from).min(),
        Shifts::Rotation { people, .. } => {
            let mut at = now;
            // Everybody has had a turn after as many as there are people.
            for _ in 0..=people.len() {
                let (next, from) = shifts.next(at)?;
                if next == *who {
                    return Some(from);
                }
                at = from;
            }
            None
        }
    }
}

/// `14:00 UTC` today, else with its day.
fn moment(at: At, now: At) -> String {
    if at.day() == now.day() { format!("{} UTC", at.hm()) } else { format!("{} {} UTC", at.day(), at.hm()) }
}

fn unknown(of: &str, policy: &Policy) -> Refusal {
    let people = policy.people.iter().map(|p| p.id.0.as_str());
    let services = policy.services.keys().map(String::as_str);
    let known = services.chain(policy.rota.iter().map(|s| s.name.as_str())).chain(people);
    let plain = of.trim_start_matches('@').to_lowercase();
    let refusal = Refusal::new(format!("there is no service, schedule or person \"{of}\"."));
    match nearest(&plain, known).first() {
        Some(near) => refusal.or_try(format!("on-call {near}")),
        None => refusal.or_try("on-call"),
    }
}
