//! Escalation: nobody answers, so the next on call is asked; and what became of a page.
//!
//! Knows the rota and the severity's time; knows no pager.

use super::draft::Draft;
use super::fact::{Answered, Fact};
use super::incident::IncidentId;

/// What became of a page.
pub fn answered(draft: &mut Draft, id: IncidentId, page: u32, answered: Answered) {
    let known = draft.incident(id).and_then(|i| i.pages.get(&page));
    if known.is_none_or(|p| p.answered.as_ref() == Some(&answered)) {
        return;
    }
    draft.record(id, Fact::PageAnswered { page, answered });
    draft.show(id);
}
