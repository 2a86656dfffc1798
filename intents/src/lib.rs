//! What people can ask of Smokejumper, and how it answers. No I/O, no async, no clock.
pub mod intent;
pub mod near;
pub mod reply;
pub mod utterance;
pub mod word;
