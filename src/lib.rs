//! Smokejumper, a self-hosted incident bot. Modules in reading order: the story, its ports, the heartbeat, the world.

pub mod flow;

pub mod ports;

pub mod egress;

pub mod engine;

pub mod edges;

pub mod config;

pub mod telemetry;

pub mod app;

pub mod cli;
