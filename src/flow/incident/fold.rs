//! The fold: what each kind of fact changes in an incident. Total: what makes no sense in a state changes nothing.

use super::{
    Asked, Climb, FollowUp, Incident, Judgement, Lifecycle, MAX_CHANGES, MAX_GROUPS, MAX_INVOLVED, MAX_KEPT,
    MAX_NOTE_CHARS, MAX_NOTES, MAX_PAGES, Nags, OTHER, Page, Phase, Run, Task, Update,
};
use crate::flow::fact::{Answered, Entry, Fact, GroupChange, Item, Reminder};
use crate::flow::identity::{Actor, Party};
use crate::flow::moment::At;
use crate::flow::signal::Change;
use smokejumper_intents::word::{Milestone, State};

/// Words from which on a note says how it stands, and is not just "looking".
const SUBSTANCE: usize = 3;

impl Incident {
    /// Folds one fact in. Total: a fact that makes no sense in this state counts as an entry and changes nothing else.
    #[allow(clippy::too_many_lines)] // one arm per kind of fact, read best in one place
    pub fn apply(&mut self, entry: &Entry) {
        self.entries = self.entries.max(entry.n);
        if let Actor::Account(identity) = &entry.by
            && !self.involved.contains(identity)
            && self.involved.len() < MAX_INVOLVED
        {
            self.involved.push(identity.clone());
        }
        match &entry.fact {
            Fact::Declared { title, severity, service, labels, origin } => {
                self.title.clone_from(title);
                self.severity = Some(*severity);
                self.worst = Some(*severity);
                self.service.clone_from(service);
                self.labels.clone_from(labels);
                self.origin = Some(origin.clone());
                self.declared_by = Some(entry.by.clone());
                self.times.declared = entry.at;
                self.climb.from = entry.at;
                self.spoke(entry.at);
            }
            Fact::AlertsChanged { groups, .. } => self.alerts_changed(groups, entry.at),
            Fact::Acknowledged => {
                self.times.acknowledged.get_or_insert(entry.at);
                if self.state.0 == State::Triage {
                    self.state = Lifecycle(State::Investigating);
                }
            }
            Fact::RoleTaken { role, who } => {
                self.roles.insert(*role, who.clone());
            }
            Fact::SeveritySet { severity } => {
                if self.severity != Some(*severity) {
                    self.climb.from = entry.at;
                    self.climb.held = None;
                    if self.climb.unanswered.take().is_some() {
                        self.climb.level = 0;
                    }
                }
                self.severity = Some(*severity);
                self.worst = Some(self.worst.map_or(*severity, |worst| worst.min(*severity)));
                self.severity_by_hand |= matches!(entry.by, Actor::Account(_));
            }
            Fact::Noted { text } => {
                if text.split_whitespace().count() >= SUBSTANCE {
                    self.spoke(entry.at);
                }
                self.notes.push(text.chars().take(MAX_NOTE_CHARS).collect());
                let surplus = self.notes.len().saturating_sub(MAX_NOTES);
                self.notes.drain(..surplus);
            }
            Fact::StateSet { state, .. } => {
                self.enter(*state, entry.at);
                self.spoke(entry.at);
            }
            Fact::RoomOpened { platform, room } => self.room_opened(*platform, room),
            Fact::RoomLeft { platform, room, anew } => self.room_left(*platform, room, *anew),
            Fact::RoomsArchived => self.rooms_archived(),
            Fact::RoomsWaived { .. } => self.upkeep.console_only = true,
            Fact::RoomChanged { platform, room, change } => self.room_changed(*platform, room, change),
            Fact::Kept { message, .. } => {
                self.spoke(entry.at);
                self.notes.push(message.text.chars().take(MAX_NOTE_CHARS).collect());
                let surplus = self.notes.len().saturating_sub(MAX_NOTES);
                self.notes.drain(..surplus);
                self.kept.push(message.id.clone());
                let surplus = self.kept.len().saturating_sub(MAX_KEPT);
                self.kept.drain(..surplus);
            }
            Fact::Undelivered { what, why } => self.trouble = Some(format!("{what}: {why}")),
            Fact::Suggested(suggestion) => self.suggestion = Some(suggestion.clone()),
            Fact::Judged { right, cause } => {
                if cause.is_some() {
                    self.cause.clone_from(cause);
                }
                self.judged = Some(Judgement { right: *right, cause: cause.clone(), by: entry.by.clone() });
            }
            Fact::RunRequested { request, plan, sha256, needs, expires_at } => {
                self.runs.entry(*request).or_insert_with(|| Run {
                    plan: plan.clone(),
                    sha256: sha256.clone(),
                    requested_by: entry.by.clone(),
                    requested_at: entry.at,
                    expires_at: *expires_at,
                    needs: *needs,
                    approvals: Vec::new(),
                    phase: if *needs == 0 { Phase::Approved } else { Phase::Requested },
                    outcome: None,
                    verdict: None,
                });
            }
            Fact::RunApproved { request, by } => self.in_phase(*request, &[Phase::Requested], |run| {
                if !run.approvals.contains(by) {
                    run.approvals.push(by.clone());
                }
                if run.approvals.len() >= usize::from(run.needs) {
                    run.phase = Phase::Approved;
                }
            }),
            Fact::RunDenied { request, .. } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Denied);
            }
            Fact::RunExpired { request } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Expired);
            }
            Fact::RunVoided { request, .. } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Voided);
            }
            Fact::RunStarted { request } => {
                self.in_phase(*request, &[Phase::Approved], |run| run.phase = Phase::Started);
            }
            Fact::RunFinished { request, outcome } => self.in_phase(*request, &[Phase::Started], |run| {
                run.phase = Phase::Finished;
                run.outcome = Some(outcome.clone());
            }),
            Fact::RunVerified { request, verdict } => self.in_phase(*request, &[Phase::Finished], |run| {
                run.verdict.get_or_insert_with(|| verdict.clone());
            }),
            Fact::Resolved { cause, fix } => {
                if cause.is_some() {
                    self.cause.clone_from(cause);
                }
                if fix.is_some() {
                    self.fix.clone_from(fix);
                }
                if self.is_open() {
                    self.enter(State::Resolved, entry.at);
                }
            }
            Fact::FollowUpOpened { id, title, owner, due, link } => {
                self.follow_ups.entry(*id).or_insert_with(|| FollowUp {
                    title: title.clone(),
                    owner: owner.clone(),
                    due: due.clone(),
                    link: link.clone(),
                    opened_at: entry.at,
                    done_at: None,
                    issue: None,
                    asked: None,
                    unknown: Vec::new(),
                    there: None,
                });
            }
            Fact::FollowUpDone { id, there } => {
                if let Some(f) = self.follow_ups.get_mut(id) {
                    f.done_at.get_or_insert(entry.at);
                    f.there = f.there.max(*there);
                }
            }
            Fact::Learned(_) => self.learned = true,
            Fact::FollowUpReopened { id, there } => {
                if let Some(f) = self.follow_ups.get_mut(id) {
                    f.done_at = None;
                    f.there = f.there.max(*there);
                }
            }
            Fact::IssueAsked { follow_up, repository } => {
                if let Some(f) = self.follow_ups.get_mut(follow_up) {
                    f.asked = Some(Asked { at: entry.at, repository: repository.clone() });
                }
            }
            Fact::IssueFiled { follow_up, issue, unknown } => {
                if let Some(f) = self.follow_ups.get_mut(follow_up) {
                    f.link = Some(issue.url.clone());
                    f.issue = Some(issue.clone());
                    f.unknown.clone_from(unknown);
                }
            }
            Fact::Renamed { title } => {
                self.title.clone_from(title);
                self.upkeep.renamed = true;
            }
            Fact::Updated { conditions, actions, needs } => {
                self.spoke(entry.at);
                self.update = Some(Update {
                    at: entry.at,
                    by: entry.by.clone(),
                    conditions: conditions.clone(),
                    actions: actions.clone(),
                    needs: needs.clone(),
                });
            }
            Fact::TaskOpened { id, title, owner, link } => {
                self.tasks.entry(*id).or_insert_with(|| Task {
                    title: title.clone(),
                    owner: owner.clone(),
                    opened_at: entry.at,
                    done_at: None,
                    link: link.clone(),
                });
            }
            Fact::TaskDone { id } => {
                if let Some(task) = self.tasks.get_mut(id) {
                    task.done_at.get_or_insert(entry.at);
                }
            }
            Fact::Assigned { item, who } => self.assign(*item, who),
            Fact::Merged { into } => {
                if !self.state.0.is_absorbing() {
                    self.merged_into = Some(*into);
                    self.enter(State::Merged, entry.at);
                }
            }
            Fact::Absorbed { other, .. } => {
                if !self.absorbed.contains(other) {
                    self.absorbed.push(*other);
                }
            }
            Fact::Corrected { milestone, to, .. } => self.correct(*milestone, *to),
            Fact::MadePrivate { members } => {
                self.private = true;
                for member in members {
                    if !self.members.contains(member) && self.members.len() < MAX_INVOLVED {
                        self.members.push(member.clone());
                    }
                }
            }
            Fact::Paged { page, who, because, level } => {
                let (who, because) = (who.clone(), because.clone());
                let page_of = || Page { who, because, level: *level, at: entry.at, answered: None };
                self.pages.entry(*page).or_insert_with(page_of);
                if *level > 0 {
                    self.climb = Climb { from: entry.at, level: *level, ..Climb::default() };
                }
                while self.pages.len() > MAX_PAGES {
                    let Some(least) = self.least_page() else { break };
                    self.pages.remove(&least);
                }
            }
            Fact::PageAnswered { page, answered } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.answered = Some(answered.clone());
                }
            }
            Fact::NudgesSnoozed { until } => {
                self.nudges.off = until.is_none();
                self.nudges.snoozed_until = *until;
                self.nudges.unheard = 0;
            }
            Fact::PageHeld { because } => self.climb.held = Some(because.clone()),
            Fact::Unanswered { because } => self.climb.unanswered = Some(because.clone()),
            Fact::Reminded { of: Reminder::Update } => {
                self.nudges.from = entry.at;
                self.nudges.unheard = self.nudges.unheard.saturating_add(1);
            }
            Fact::Reminded { of: Reminder::Closing } => {
                self.nags.closing = Some(entry.at);
                self.nags.times = self.nags.times.saturating_add(1);
            }
            Fact::Reminded { of: Reminder::Overdue } => self.nags.overdue = Some(entry.at),
            Fact::ChangeSeen { change } => note_change(&mut self.changes, change, MAX_CHANGES),
            // Of the house, not of an incident; or said for the record alone.
            Fact::Silenced { .. }
            | Fact::SilenceEnded { .. }
            | Fact::RulesChanged { .. }
            | Fact::Rewritten { .. }
            | Fact::PostmortemDrafted { .. }
            | Fact::Redacted { .. } => {}
        }
    }

    /// The page that can be done without: one that is over, then one whose phone was answered, the oldest first. One that rings
    /// is kept as long as there is another, because its phone has yet to be told to stop.
    fn least_page(&self) -> Option<u32> {
        let worth = |page: &Page| match &page.answered {
            Some(Answered::Ended | Answered::Failed { .. }) => 0_u8,
            Some(Answered::Acknowledged { .. }) => 1,
            None | Some(Answered::Accepted { .. }) => 2,
        };
        self.pages.iter().min_by_key(|(number, page)| (worth(page), **number)).map(|(number, _)| *number)
    }

    /// Somebody said how it stands.
    const fn spoke(&mut self, at: At) {
        self.nudges.from = at;
        self.nudges.unheard = 0;
    }

    fn assign(&mut self, item: Option<Item>, who: &Party) {
        match item {
            Some(Item::Task(id)) => {
                if let Some(task) = self.tasks.get_mut(&id) {
                    task.owner = Some(who.clone());
                }
            }
            Some(Item::FollowUp(id)) => {
                if let (Some(f), Party::Person(person)) = (self.follow_ups.get_mut(&id), who) {
                    f.owner = Some(person.clone());
                }
            }
            None => {
                if !self.assigned.contains(who) && self.assigned.len() < MAX_INVOLVED {
                    self.assigned.push(who.clone());
                }
            }
        }
    }

    fn correct(&mut self, milestone: Milestone, to: At) {
        let times = &mut self.times;
        match milestone {
            Milestone::ImpactStarted => times.impact_started = Some(to),
            Milestone::Detected => times.detected = Some(to),
            Milestone::Declared => times.declared = to,
            Milestone::Acknowledged => times.acknowledged = Some(to),
            Milestone::Identified => times.identified = Some(to),
            Milestone::Mitigated => times.mitigated = Some(to),
            Milestone::Resolved => times.resolved = Some(to),
        }
    }

    /// Moves to `state`; out of an absorbing state nothing leads.
    fn enter(&mut self, state: State, at: At) {
        if self.state.0.is_absorbing() {
            return;
        }
        let times = &mut self.times;
        match state {
            State::Identified => {
                times.identified.get_or_insert(at);
            }
            State::Mitigated => {
                times.mitigated.get_or_insert(at);
            }
            _ => {}
        }
        if state.is_open() {
            times.resolved = None;
            if !self.state.0.is_open() {
                self.climb = Climb { from: at, ..Climb::default() };
                self.nags = Nags::default();
            }
        } else {
            times.resolved.get_or_insert(at);
        }
        if state.is_open() || matches!(state, State::Resolved | State::Postmortem) {
            self.closed_at = None;
            self.upkeep.put_away = false;
        } else {
            self.closed_at.get_or_insert(at);
        }
        self.state = Lifecycle(state);
    }

    fn alerts_changed(&mut self, groups: &[GroupChange], at: At) {
        self.times.last_alert = Some(at);
        self.times.detected.get_or_insert(at);
        for change in groups {
            let name = if self.groups.contains_key(&change.name) || self.groups.len() < MAX_GROUPS {
                change.name.as_str()
            } else {
                OTHER
            };
            let group = self.groups.entry(name.to_owned()).or_default();
            group.total = group.total.saturating_add(change.joined);
            group.firing = group
                .firing
                .saturating_add(change.joined)
                .saturating_add(change.fired_again)
                .saturating_sub(change.resolved);
            if change.summary.is_some() {
                group.summary.clone_from(&change.summary);
            }
            if change.severity.is_some() {
                group.severity.clone_from(&change.severity);
            }
            if change.link.is_some() {
                group.link.clone_from(&change.link);
            }
        }
    }

    fn in_phase(&mut self, request: u32, phases: &[Phase], change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(&request)
            && phases.contains(&run.phase)
        {
            change(run);
        }
    }
}

/// Keeps a change in a list of the newest `most`, by when it was made; the same change again updates it.
pub fn note_change(changes: &mut Vec<Change>, change: &Change, most: usize) {
    changes.retain(|known| (&known.source, &known.id) != (&change.source, &change.id));
    let at = changes.partition_point(|known| known.at <= change.at);
    changes.insert(at, change.clone());
    let surplus = changes.len().saturating_sub(most);
    changes.drain(..surplus);
}
