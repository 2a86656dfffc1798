//! Smokejumper, a self-hosted incident bot. Modules in reading order: the story, its ports, the heartbeat, the world.
pub mod config;
pub mod edges;
pub mod flow;
pub mod ports;
