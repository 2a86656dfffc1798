//! What people can ask of Smokejumper, and how it answers. No I/O, no async, no clock.
//!
//! [`read`] turns what was said into an [`intent::Ask`], a confirmation, or a [`Misread`] that helps. It knows neither who
//! speaks nor what incidents there are: rights and numbers are judged where they are known.
//!
//! In reading order: [`utterance`] (what was said), [`intent`] (everything one can ask), [`verb`] and `verbs` (one file
//! per verb, one table), [`token`] (words, quotes, fences, dates), [`hear`] (the reading itself), [`misread`] (errors
//! that help), `understand` (plain words in English and Spanish), [`confirm`], [`help`], [`forms`], [`button`] and [`say`] (an ask in 100 characters, and as a command), [`quoted`] (a message that is kept), [`reply`] and
//! [`text`] (what the bot says, and in a terminal).

pub mod args;
pub mod bounds;
pub mod button;
pub mod confirm;
pub mod forms;
pub mod hear;
pub mod help;
pub mod inert;
pub mod intent;
pub mod misread;
pub mod near;
pub mod quoted;
pub mod reply;
pub mod say;
pub mod text;
pub mod token;
mod understand;
pub mod utterance;
pub mod verb;
mod verbs;
pub mod word;

pub use hear::{Reading, read};
pub use misread::Misread;
