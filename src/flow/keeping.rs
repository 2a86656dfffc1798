//! Keeping: a message somebody wrote in the room becomes a line of the timeline, or a task, at the time it was written.
//!
//! The same message is kept once, however often and by whomever it is marked.

use super::draft::Draft;
use super::fact::Fact;
use super::identity::Identity;
use super::incident::IncidentId;
use super::phrase::{ours, titled};
use super::refusal::Refusal;
use super::tasks;
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::reply::Span;
use smokejumper_intents::{bounds, inert};

/// Keeps the message, unless it was kept before.
///
/// # Errors
/// As for opening a task.
pub fn keep(draft: &mut Draft, by: &Identity, id: IncidentId, message: Quoted, what: Keep) -> Result<(), Refusal> {
    if draft.incident(id).is_some_and(|incident| incident.kept.contains(&message.id)) {
        draft.reply(titled(vec![ours("That message is in "), Span::Incident(id.0), ours(" already.")]));
        return Ok(());
    }
    let title = inert::shorten(&inert::line(&message.text), bounds::TITLE_MAX);
    let link = message.link.clone();
    draft.record(id, Fact::Kept { message, what });
    match what {
        Keep::Timeline => {
            draft.recall(id);
            draft.reply(titled(vec![ours("Kept in the timeline of "), Span::Incident(id.0), ours(".")]));
            Ok(())
        }
        Keep::Task => tasks::open(draft, by, id, title, None, link),
    }
}
