//! Asks: read through views with the viewer's rights, never journalled.

use super::Engine;
use super::intake::no_incident;
use crate::flow::answer;
use crate::flow::card::card;
use crate::flow::catchup::catch_up;
use crate::flow::identity::Identity;
use crate::flow::incident::IncidentId;
use crate::flow::mine::mine;
use crate::flow::on_call::{of_service, on_call};
use crate::flow::privacy::veil_found;
use crate::flow::refusal::Refusal;
use crate::flow::silence;
use crate::ports::StoreError;
use smokejumper_intents::help::help;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::Reply;
use smokejumper_intents::utterance::Place;

/// Incidents and alerts a list shows.
const LISTED: u32 = 25;
/// Open incidents looked through for what is somebody's.
const MINE: u32 = 200;
/// And ended ones, the newest: follow-ups outlive their incidents. Older ones are nagged about where they are.
const MINE_ENDED: u32 = 200;
/// Hits a search shows.
const FOUND: usize = 10;

impl Engine {
    /// Answers a question.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn answer(&self, by: &Identity, ask: Ask) -> Result<Reply, StoreError> {
        let policy = self.policy();
        let views = &self.ports.views;
        let now = self.ports.clock.now();
        let id = ask.incident.map(IncidentId);
        match &ask.intent {
            Intent::List { closed } => {
                let incidents = views.list(by, *closed, LISTED).await?;
                let loose = if *closed { Vec::new() } else { views.loose(by, LISTED).await? };
                return Ok(answer::list(&incidents, &loose, *closed, now));
            }
            Intent::Mine => {
                let (open, ended) = (views.list(by, false, MINE).await?, views.list(by, true, MINE_ENDED).await?);
                return Ok(mine(&open, &ended, &policy, by, now));
            }
            Intent::Search { query } => {
                return Ok(match self.ports.memory.search(query, FOUND).await {
                    Ok(mut found) => {
                        // Made private a moment ago, and not forgotten yet.
                        veil_found(&mut found, &views.desk().await?.private);
                        answer::similar(&found)
                    }
                    Err(e) => Refusal::new(format!("search is not available just now: {e}.")).to_reply(),
                });
            }
            Intent::Help { verb } => {
                let place = ask.incident.map_or(Place::Lobby, Place::Incident);
                return Ok(help(policy.right(by), place, verb.as_deref()));
            }
            Intent::OnCall { of: Some(of) } => return Ok(told(on_call(Some(of), &policy, now))),
            Intent::OnCall { of: None } if id.is_none() => return Ok(told(on_call(None, &policy, now))),
            Intent::Explain { alert } if id.is_none() => return self.explain(by, None, alert.as_deref()).await,
            Intent::Runbooks if id.is_none() => {
                return Ok(answer::runbooks(None, &views.desk().await?, &policy));
            }
            Intent::Silences => return Ok(silence::list(&views.desk().await?, &policy, now)),
            _ => {}
        }
        let Some(id) = id else {
            return Ok(Refusal::new("which incident?").or_try("why INC-12").to_reply());
        };
        let Some(incident) = views.incident(by, id).await? else { return Ok(no_incident(id)) };
        Ok(match ask.intent {
            Intent::Card => card(&incident, &views.desk().await?, &policy, now),
            Intent::Why => answer::why(&incident, &policy, now),
            Intent::Similar => answer::similar(incident.suggestion.as_ref().map_or(&[], |s| s.similar.as_slice())),
            Intent::WhoToCall => answer::who(&incident, &views.desk().await?, &policy, now),
            Intent::OnCall { .. } => match &incident.service {
                Some(service) => of_service(service, &policy, now),
                None => told(on_call(None, &policy, now)),
            },
            Intent::Explain { alert } => self.explain(by, Some(id), alert.as_deref()).await?,
            Intent::Runbooks => answer::runbooks(Some(&incident), &views.desk().await?, &policy),
            Intent::Postmortem => answer::postmortem_reply(&incident, &views.entries(by, id).await?, &policy),
            Intent::Timeline => answer::timeline_reply(&incident, &views.entries(by, id).await?, &policy),
            Intent::CatchUp => catch_up(&incident, &views.entries(by, id).await?, &policy, by, now),
            other => Refusal::new(format!("{other:?} is not a question.")).to_reply(),
        })
    }
}

fn told(answer: Result<Reply, Refusal>) -> Reply {
    answer.unwrap_or_else(|refusal| refusal.to_reply())
}
