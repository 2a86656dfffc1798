//! The verbs: one file each, one row each, in the order of help.

use crate::verb::Verb;

mod ack;
mod approve;
pub(crate) mod assign;
pub(crate) mod cancel;
mod card;
mod catch_up;
pub(crate) mod close;
pub(crate) mod correct;
pub(crate) mod declare;
pub(crate) mod decline;
mod deny;
mod explain;
mod feedback;
pub(crate) mod follow_up;
mod help;
mod lead;
mod list;
pub(crate) mod merge;
mod mine;
mod note;
mod on_call;
mod page;
mod postmortem;
pub(crate) mod private;
pub(crate) mod rename;
pub(crate) mod reopen;
pub(crate) mod resolve;
mod role;
mod run;
mod runbooks;
mod search;
mod sev;
pub(crate) mod silence;
mod similar;
mod snooze;
mod status;
pub(crate) mod task;
mod timeline;
pub(crate) mod update;
mod who;
mod why;

/// Everything that can be said.
pub const VERBS: &[&Verb] = &[
    &declare::VERB,
    &list::VERB,
    &search::VERB,
    &mine::VERB,
    &silence::VERB,
    &ack::VERB,
    &lead::VERB,
    &role::VERB,
    &sev::VERB,
    &status::VERB,
    &update::VERB,
    &note::VERB,
    &task::VERB,
    &assign::VERB,
    &page::VERB,
    &snooze::VERB,
    &rename::VERB,
    &merge::VERB,
    &private::VERB,
    &card::VERB,
    &catch_up::VERB,
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
    &correct::VERB,
    &postmortem::VERB,
    &close::VERB,
    &reopen::VERB,
    &decline::VERB,
    &cancel::VERB,
    &help::VERB,
];

#[cfg(test)]
pub mod test;
