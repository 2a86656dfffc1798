//! The demo's story: two people, a service that really breaks, and every step observed before the next is told.
//!
//! Speaks only through the door that chat and terminal use, and the address that Alertmanager uses.

use super::narrator::Narrator;
use super::payload::alertmanager;
use super::service::{GOOD, Victim};
use crate::flow::answer;
use crate::flow::desk::Desk;
use crate::flow::identity::Identity;
use crate::flow::incident::{Incident, IncidentId, Phase};
use crate::flow::moment::At;
use crate::flow::phrase::percent;
use crate::flow::policy::Policy;
use crate::flow::postmortem;
use crate::ports::{Clock, Door, Views};
use smokejumper_intents::Reading;
use smokejumper_intents::reply::Reply;
use smokejumper_intents::text::render;
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::word::State;
use std::sync::Arc;
use std::time::Duration;

/// How long a step may take to be seen; on any machine it takes a fraction.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(25);

/// Everything on stage.
pub struct Stage {
    pub door: Arc<dyn Door>,
    pub views: Arc<dyn Views>,
    pub clock: Arc<dyn Clock>,
    pub policy: Arc<Policy>,
    pub victim: Victim,
    pub client: reqwest::Client,
    /// Where alerts are sent: `http://127.0.0.1:7911/alerts/alertmanager`.
    pub alerts: String,
    pub ana: Identity,
    pub bo: Identity,
    pub narrator: Narrator,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("victim", &self.victim).finish_non_exhaustive()
    }
}

/// A step that was not seen to hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

type Seen<T = ()> = Result<T, Broken>;

fn broken(what: impl Into<String>) -> Broken {
    Broken(what.into())
}

impl Stage {
    /// Plays it.
    ///
    /// # Errors
    /// The first step that was not observed to hold.
    pub async fn play(&self) -> Seen {
        let tell = &self.narrator;
        tell.step("A shop's checkout runs release 2.41. A customer buys:");
        self.expect_status(200, "checkout should work at first").await?;
        tell.saw("GET /checkout answers 200");

        let since = self.break_it("2.42").await?;
        self.alert("2.42", since, None).await?;
        let first = self.opened(1).await?;
        self.introduce(&first).await?;

        tell.step("Ana takes it.");
        let id = first.id;
        self.say(&self.ana, id, "ack").await?;
        self.say(&self.ana, id, "lead").await?;
        let led = self.until(id, "Ana leads", |i| i.times.acknowledged.is_some() && !i.roles.is_empty()).await?;
        tell.saw(&format!("acknowledged; state {}; Ana is incident commander", led.state.0.label()));

        self.remediate(id).await?;

        tell.step("Alertmanager says that the alert is over.");
        self.alert("2.42", since, Some(self.clock.now())).await?;
        self.until(id, "no alert fires", |i| i.firing() == 0).await?;
        tell.saw("the card shows it: 0 firing");

        self.finish(id).await?;
        self.again(id).await
    }

    /// Deploys a release that leaks, and buys until customers see errors.
    async fn break_it(&self, release: &str) -> Seen<At> {
        self.narrator.step(&format!("Release {release} is deployed. It leaks database connections."));
        self.victim.release(release).map_err(|e| broken(format!("cannot deploy: {e}")))?;
        for bought in 0..100 {
            let status = self.victim.buy(&self.client).await.map_err(|e| broken(e.to_string()))?;
            if status == 500 {
                self.narrator.saw(&format!("after {bought} customers GET /checkout answers 500"));
                return Ok(self.clock.now());
            }
        }
        Err(broken("the service did not break"))
    }

    async fn expect_status(&self, wanted: u16, why: &str) -> Seen {
        let status = self.victim.buy(&self.client).await.map_err(|e| broken(e.to_string()))?;
        if status == wanted { Ok(()) } else { Err(broken(format!("{why}: saw {status}"))) }
    }

    async fn alert(&self, release: &str, since: At, until: Option<At>) -> Seen {
        let body = alertmanager(release, since, until);
        let answer = self.client.post(&self.alerts).json(&body).send().await.map_err(|e| broken(e.to_string()))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(broken(format!("the alert was answered {status}"))) }
    }

    /// Waits for the `n`-th incident with its room and memory's answer.
    async fn opened(&self, n: u32) -> Seen<Incident> {
        self.narrator.step("Alertmanager sends its webhook.");
        let id = IncidentId(n);
        self.until(id, "the incident has a room and a suggestion", |i| !i.rooms.is_empty() && i.suggestion.is_some())
            .await
    }

    async fn introduce(&self, incident: &Incident) -> Seen {
        let tell = &self.narrator;
        let room = incident.rooms.values().next().map(|r| r.name.clone()).unwrap_or_default();
        tell.saw(&format!("{} {} opened, room {room}", incident.id, incident.severity().label()));
        let Some(suggestion) = &incident.suggestion else { return Ok(()) };
        for cause in suggestion.causes.iter().take(2) {
            let cases: Vec<_> = cause.evidence.iter().take(2).map(|(c, _)| c.as_str()).collect();
            tell.saw(&format!("probable cause, {} %: {}", percent(cause.p), cause.value));
            tell.more(&format!("evidence: {}", cases.join(", ")));
        }
        if suggestion.causes.is_empty() {
            tell.saw("probable cause: it does not know, and says so");
            for past in suggestion.similar.iter().take(1) {
                tell.more(&format!("nearest: {}", past.case));
                tell.more(&format!("         {}", past.cause.as_deref().unwrap_or_default()));
            }
        }
        let desk = self.views.desk().await.map_err(|e| broken(e.to_string()))?;
        let who = answer::who(incident, &desk, &self.policy, self.clock.now());
        for line in render(&who, 70).lines().skip(1).filter(|l| !l.trim().is_empty()).take(2) {
            tell.saw(&format!("who to call: {}", line.trim_start_matches(['•', '-', ' '])));
        }
        Ok(())
    }

    /// Requested by one, refused to the same, approved by the other, executed, verified.
    async fn remediate(&self, id: IncidentId) -> Seen {
        let tell = &self.narrator;
        tell.step("Ana asks for the runbook that moves the release back.");
        self.say(&self.ana, id, "run rollback-release").await?;
        let asked = self.until(id, "a run waits for approval", |i| !i.awaiting().is_empty()).await?;
        let plan = asked.runs.get(&1).ok_or_else(|| broken("there is no run #1"))?;
        for command in plan.plan.shown().iter().take(1) {
            tell.saw(&format!("waits for approval: {command}"));
        }
        tell.step("Ana tries to approve it herself.");
        let refused = self.say(&self.ana, id, "approve").await?;
        let text = render(&refused, 200);
        if !text.starts_with("No:") || self.look(id).await?.runs.get(&1).is_none_or(|r| r.phase != Phase::Requested) {
            return Err(broken(format!("her own approval should be refused, saw: {text}")));
        }
        tell.saw(&format!("refused: {}", text.lines().next().unwrap_or_default().trim_start_matches("No: ")));
        tell.step("Bo approves.");
        self.say(&self.bo, id, "approve 1").await?;
        let verified = |i: &Incident| {
            i.runs.get(&1).is_some_and(|r| r.verdict.is_some() || (r.phase.is_terminal() && r.phase != Phase::Finished))
        };
        let done = self.until(id, "the run is verified", verified).await?;
        let run = done.runs.get(&1).ok_or_else(|| broken("there is no run #1"))?;
        if !run.verdict.as_ref().is_some_and(|v| v.passed) {
            return Err(broken(format!("the run did not help: {:?} {:?}", run.outcome, run.verdict)));
        }
        tell.saw(&format!("run #1 ended and was verified: {}", checks(run)));
        self.expect_status(200, "a customer should be able to buy again").await?;
        tell.saw(&format!("GET /checkout answers 200 again (release {GOOD})"));
        Ok(())
    }

    /// Follow-up, resolution, postmortem, lesson.
    async fn finish(&self, id: IncidentId) -> Seen {
        let tell = &self.narrator;
        tell.step("Ana notes what is owed, and resolves.");
        self.say(&self.ana, id, "follow-up Return connections when a checkout is cancelled owner:@bo due:14d").await?;
        self.say(&self.ana, id, "resolve cause: connection pool exhausted fix: rolled back to release 2.41").await?;
        let over =
            self.until(id, "it is resolved and learned from", |i| i.state.0 == State::Resolved && i.learned).await?;
        let entries = self.views.entries(&self.ana, id).await.map_err(|e| broken(e.to_string()))?;
        let draft = postmortem::draft(&over, &entries, &self.policy);
        let sentences: Vec<_> = draft.sections.iter().flat_map(|c| &c.sentences).collect();
        let unknown = sentences.iter().filter(|s| s.from.is_empty()).count();
        let known = sentences.len() - unknown;
        if known < 8 || over.follow_ups.is_empty() {
            return Err(broken(format!("the postmortem has {known} sentences with a source")));
        }
        tell.saw("follow-up F-1 is Bo's");
        tell.saw(&format!("postmortem: {known} sentences linked to the timeline, {unknown} \"not known\""));
        let known = |reply: &Reply| render(reply, 200).contains(&id.to_string());
        self.heard("search connection pool exhausted", known).await?;
        tell.saw(&format!("memory has learned {id}"));
        Ok(())
    }

    /// The next one like it is answered better than the first.
    async fn again(&self, first: IncidentId) -> Seen {
        let tell = &self.narrator;
        let since = self.break_it("2.43").await?;
        self.alert("2.43", since, None).await?;
        let second = self.opened(2).await?;
        self.introduce(&second).await?;
        let suggestion = second.suggestion.as_ref().ok_or_else(|| broken("no suggestion"))?;
        let cites =
            suggestion.causes.first().is_some_and(|c| c.evidence.iter().any(|(case, _)| case == &first.to_string()));
        if !cites {
            return Err(broken(format!("the second incident should cite {first}: {:?}", suggestion.causes)));
        }
        tell.saw(&format!("it cites {first}"));
        let owed = suggestion.owed.first().ok_or_else(|| broken("the open follow-up should be named"))?;
        tell.saw(&format!("open follow-up F-{} of {} might have prevented this:", owed.id, owed.incident));
        tell.more(&owed.title);
        let desk: Desk = self.views.desk().await.map_err(|e| broken(e.to_string()))?;
        let record = crate::flow::card::record_text(desk.records.get("rollback-release"));
        tell.saw(&format!("what worked before: rollback-release {record}"));
        Ok(())
    }

    /// Somebody says something in the incident's room, in the words of `/incident`.
    async fn say(&self, who: &Identity, id: IncidentId, text: &str) -> Seen<Reply> {
        let said = Utterance { text: text.to_owned(), place: Place::Incident(id.0) };
        match smokejumper_intents::read(&said) {
            Reading::Clear(ask) => {
                let key = format!("{}:{}:{text}", who.id, id);
                self.door.ask(who.clone(), ask, key).await.map_err(|e| broken(e.to_string()))
            }
            other => Err(broken(format!("\"{text}\" was not understood: {other:?}"))),
        }
    }

    async fn look(&self, id: IncidentId) -> Seen<Incident> {
        let seen = self.views.incident(&self.ana, id).await.map_err(|e| broken(e.to_string()))?;
        seen.ok_or_else(|| broken(format!("{id} is not there")))
    }

    /// Looks until it holds.
    async fn until(&self, id: IncidentId, what: &str, holds: impl Fn(&Incident) -> bool) -> Seen<Incident> {
        let patience = async {
            loop {
                if let Ok(incident) = self.look(id).await
                    && holds(&incident)
                {
                    return incident;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, patience).await;
        seen.map_err(|_| broken(format!("not seen within {} s: {what} ({id})", PATIENCE.as_secs())))
    }

    /// Asks until the answer is as wanted.
    async fn heard(&self, text: &str, holds: impl Fn(&Reply) -> bool) -> Seen {
        let patience = async {
            loop {
                let said = Utterance { text: text.to_owned(), place: Place::Lobby };
                if let Reading::Clear(ask) = smokejumper_intents::read(&said)
                    && let Ok(reply) = self.door.ask(self.ana.clone(), ask, String::new()).await
                    && holds(&reply)
                {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, patience)
            .await
            .map_err(|_| broken(format!("\"{text}\" was not answered as expected")))
    }
}

/// What was checked, in a few words.
fn checks(run: &crate::flow::incident::Run) -> String {
    let all = run.verdict.iter().flat_map(|v| &v.checks);
    all.map(|c| c.what.clone()).collect::<Vec<_>>().join("; ")
}
