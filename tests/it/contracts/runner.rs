//! The runner's promises, with real processes under the real supervisor: nothing survives, nothing runs twice, nothing but
//! what was approved runs, and nothing secret comes out.

mod bench;
mod hostile;
mod http;
mod injection;
mod proof;
mod secrecy;
