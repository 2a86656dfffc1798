//! What somebody has to do, across incidents: what waits for their approval, incidents they lead or are in, their tasks and
//! follow-ups, each with the button that does it.
//!
//! Knows nothing of where it is shown.

use super::identity::{Identity, Party, PersonId};
use super::incident::{FollowUp, Incident, Run};
use super::moment::{At, DAY, span};
use super::nudging::ends;
use super::phrase::{account, button, code, count, faint, line, ours, outside, section, strong, titled, under};
use super::policy::Policy;
use super::remediation::{SHORT, may_decide};
use super::standing::decision_buttons;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Button, Line, Reply, Section, Span, Style};

/// Of each kind, at most: who has more to do needs a list, and `list` is one.
const SHOWN: usize = 10;
/// Buttons under each of them: more are not read.
const BUTTONS: usize = 5;

/// Whoever asks.
struct Me<'a> {
    account: &'a Identity,
    person: Option<&'a PersonId>,
    policy: &'a Policy,
    now: At,
}

/// What waits for whoever asks, of these open and ended incidents.
#[must_use]
pub fn mine(open: &[Incident], ended: &[Incident], policy: &Policy, by: &Identity, now: At) -> Reply {
    let person = policy.person(by).map(|person| &person.id);
    let me = Me { account: by, person, policy, now };
    let sections = [me.approvals(open), me.incidents(open), me.tasks(open), me.follow_ups(open, ended)];
    let mut reply = titled(vec![strong("What you have to do")]);
    reply.sections.extend(sections.into_iter().filter(|section| !section.lines.is_empty()));
    if reply.sections.is_empty() {
        reply.sections.push(section("", vec![line(vec![ours("Nothing waits for you.")])]));
    }
    if person.is_none() {
        let unlinked = "Your account is linked to nobody, so I know only what you did with it.";
        reply.sections.push(section("", vec![line(vec![faint(unlinked)])]));
    }
    reply
}

impl Me<'_> {
    fn is(&self, who: &Party) -> bool {
        match who {
            Party::Person(id) => self.person == Some(id),
            Party::Account(account) => account == self.account,
        }
    }

    /// Requests they may decide, with exactly what would run.
    fn approvals(&self, open: &[Incident]) -> Section {
        let all = open.iter().flat_map(|i| i.runs.iter().map(move |(number, run)| (i, *number, run)));
        let theirs = all.filter(|(_, _, run)| may_decide(self.policy, self.account, run, self.now));
        let mut out = section("Waiting for your approval", Vec::new());
        let mut more = 0;
        for (incident, number, run) in theirs {
            // What is approved was seen: without its buttons a request is only counted.
            if out.buttons.len() + 2 > 2 * BUTTONS {
                more += 1;
                continue;
            }
            out.lines.push(asked(incident, number, run, self));
            out.lines.extend(run.plan.shown().into_iter().map(|shown| under(vec![code(shown)])));
            let short: String = run.sha256.chars().take(SHORT).collect();
            for mut button in decision_buttons(incident.id, number, &short) {
                button.label = format!("{} of {}", button.label, incident.id);
                out.buttons.push(button);
            }
        }
        rest(&mut out, more);
        out
    }

    fn incidents(&self, open: &[Incident]) -> Section {
        let mut out = section("Your incidents", Vec::new());
        let mut theirs: Vec<(&Incident, String)> = open.iter().filter_map(|i| Some((i, self.part(i)?))).collect();
        theirs.sort_by_key(|(i, _)| (i.severity(), std::cmp::Reverse(i.times.declared)));
        for (incident, part) in theirs.iter().take(SHOWN) {
            let age = span(self.now.since(incident.times.declared));
            out.lines.push(line(vec![
                Span::Incident(incident.id.0),
                ours(" "),
                strong(incident.severity().label()),
                ours(format!(" · {} · {age} · ", incident.state.0.label())),
                outside(incident.title.clone()),
                faint(format!(" ({part})")),
            ]));
            let (label, style, intent) = match incident.times.acknowledged {
                None => ("Acknowledge", Style::Primary, Intent::Acknowledge),
                Some(_) => ("Open", Style::Plain, Intent::Card),
            };
            offer(&mut out, button(format!("{label} {}", incident.id), style, incident.id.0, intent));
        }
        rest(&mut out, theirs.len().saturating_sub(SHOWN));
        out
    }

    /// What they are in it; `None`: they are not.
    fn part(&self, incident: &Incident) -> Option<String> {
        if let Some((role, _)) = incident.roles.iter().find(|(_, who)| self.is(who)) {
            return Some(format!("you are {}", role.label()));
        }
        if incident.pages.values().any(|page| page.rings() && self.is(&page.who)) {
            return Some("you were paged".to_owned());
        }
        incident.assigned.iter().any(|who| self.is(who)).then(|| "you are in it".to_owned())
    }

    fn tasks(&self, open: &[Incident]) -> Section {
        let mut out = section("Your tasks", Vec::new());
        let all = open.iter().flat_map(|i| i.to_do().map(move |(number, task)| (i.id, number, task)));
        let theirs: Vec<_> = all.filter(|(_, _, t)| t.owner.as_ref().is_some_and(|who| self.is(who))).collect();
        for (id, number, task) in theirs.iter().take(SHOWN) {
            out.lines.push(line(vec![
                strong(format!("T-{number} ")),
                outside(task.title.clone()),
                faint(" of "),
                Span::Incident(id.0),
            ]));
            let done = Intent::TaskDone { task: *number };
            offer(&mut out, button(format!("T-{number} of {id} is done"), Style::Plain, id.0, done));
        }
        rest(&mut out, theirs.len().saturating_sub(SHOWN));
        out
    }

    /// What is overdue first, and longest; then what is due soonest.
    fn follow_ups(&self, open: &[Incident], ended: &[Incident]) -> Section {
        let mut out = section("Your follow-ups", Vec::new());
        let all = open.iter().chain(ended).flat_map(|i| i.follow_ups.iter().map(move |(number, f)| (i.id, *number, f)));
        let own = |f: &FollowUp| f.done_at.is_none() && f.owner.is_some() && f.owner.as_ref() == self.person;
        let mut theirs: Vec<_> = all.filter(|(_, _, f)| own(f)).collect();
        theirs.sort_by_key(|(id, number, f)| (due(f).map_or(i64::MAX, |at| at.0), *id, *number));
        for (id, number, follow_up) in theirs.iter().take(SHOWN) {
            let mut spans = vec![strong(format!("F-{number} "))];
            match &follow_up.link {
                Some(link) => spans.push(Span::Link { label: follow_up.title.clone(), href: link.clone() }),
                None => spans.push(outside(follow_up.title.clone())),
            }
            spans.extend([faint(" of "), Span::Incident(id.0)]);
            match (due(follow_up), &follow_up.due) {
                (Some(end), _) if end <= self.now => {
                    let days = (self.now.since(end) / DAY).max(0).unsigned_abs() + 1;
                    spans.push(strong(format!(", overdue for {}", count(days, "day"))));
                }
                (_, Some(day)) => spans.push(ours(format!(", due {day}"))),
                (_, None) => {}
            }
            out.lines.push(line(spans));
            let done = Intent::FollowUpDone { follow_up: *number };
            offer(&mut out, button(format!("F-{number} of {id} is done"), Style::Plain, id.0, done));
        }
        rest(&mut out, theirs.len().saturating_sub(SHOWN));
        out
    }
}

fn asked(incident: &Incident, number: u32, run: &Run, me: &Me<'_>) -> Line {
    let mut spans =
        vec![Span::Incident(incident.id.0), ours(format!(" run #{number} ")), code(run.plan.runbook.clone())];
    if let super::identity::Actor::Account(by) = &run.requested_by {
        spans.extend([ours(", asked by "), account(me.policy, by)]);
    }
    spans.push(ours(format!(", for another {}", span(run.expires_at.since(me.now)))));
    line(spans)
}

/// The end of the day it is due on.
fn due(follow_up: &FollowUp) -> Option<At> {
    ends(follow_up.due.as_deref()?)
}

fn offer(out: &mut Section, button: Button) {
    if out.buttons.len() < BUTTONS {
        out.buttons.push(button);
    }
}

fn rest(out: &mut Section, more: usize) {
    if more > 0 {
        out.lines.push(line(vec![faint(format!("and {more} more"))]));
    }
}
