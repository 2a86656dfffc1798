<<<<<<< HEAD
//! One suite for every implementation of a port.

mod store;
=======
//! One suite for each contract, whoever implements it.

mod alerts;
mod config;
>>>>>>> 54140d2 (config: Check the configuration, each problem with its place and a way out)
