//! The verbs: one file each, one row each, in the order of help.

use crate::verb::Verb;

mod ack;
mod approve;
mod card;
pub(crate) mod declare;
mod deny;
mod explain;
mod feedback;
mod follow_up;
mod help;
mod lead;
mod list;
mod note;
mod on_call;
mod page;
mod postmortem;
mod resolve;
mod role;
mod run;
mod runbooks;
mod search;
mod sev;
mod similar;
mod snooze;
mod status;
mod timeline;
mod who;
mod why;

/// Everything that can be said.
pub const VERBS: &[&Verb] = &[
    &declare::VERB,
    &list::VERB,
    &search::VERB,
    &ack::VERB,
    &lead::VERB,
    &role::VERB,
    &sev::VERB,
    &status::VERB,
    &note::VERB,
    &page::VERB,
    &snooze::VERB,
    &card::VERB,
    &why::VERB,
    &similar::VERB,
    &who::VERB,
    &on_call::VERB,
    &explain::VERB,
    &timeline::VERB,
    &runbooks::VERB,
    &run::VERB,
    &approve::VERB,
    &deny::VERB,
    &resolve::VERB,
    &feedback::VERB,
    &follow_up::VERB,
    &postmortem::VERB,
    &help::VERB,
];

#[cfg(test)]
pub mod test;
