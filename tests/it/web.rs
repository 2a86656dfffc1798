//! The console, as a browser and as an attacker meets it. Behind it stands the real flow; storage and vendors are a small
//! stateful house in memory.

mod access;
mod browser;
mod house;
mod inert;
mod live;
mod look;
mod scene;
mod speaking;
mod tcp;
mod team;
