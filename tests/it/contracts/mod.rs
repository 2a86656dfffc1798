//! One suite for each contract, whoever implements it.

mod alerts;
mod alerts_documents;
mod alerts_hostile;
mod alerts_signed;
mod alerts_vendors;
mod catalogue;
mod changes;
mod config;
mod egress;
mod egress_socket;
mod github;
mod imports;
mod mapping;
mod pager;
mod rota;
mod runner;
mod slack_config;
mod slack_in;
mod slack_manifest;
mod slack_out;
mod slack_sockets;
mod sns;
mod store;
