//! The fake itself, driven with requests as a client writes them and read with slack-morphism's own models.

mod app;
mod rules;
mod screens;
mod sockets;
