//! One suite for each contract, whoever implements it.

mod alerts;
mod changes;
mod config;
mod egress;
mod runner;
mod store;
