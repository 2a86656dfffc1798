//! Configuration: raw (as written, unknown keys refused) -> checked (resolved, cross-checked, secrets wrapped).

pub mod problem;
pub mod secret;
pub mod source;
