//! `login`: a one-time link that signs somebody in to the console of a running smokejumper. For the user who runs it.

use super::exit::Exit;
use super::{Global, call, speak};
use crate::edges::socket::{self, LoginLink, LoginRequest};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The id of a [[person]]; without it the first administrator
    #[arg(value_name = "PERSON")]
    person: Option<String>,
}

/// Prints the link alone to standard output, and whom it is for to standard error.
pub async fn run(global: &Global, args: &Args) -> Exit {
    let data_dir = match global.data_dir() {
        Ok(data_dir) => data_dir,
        Err(why) => return Exit::failed(&why),
    };
    let request = LoginRequest { person: args.person.clone() };
    match call::call::<LoginLink>(&data_dir, socket::LOGIN, &request, "try again").await {
        Ok(link) => {
            speak::out(&format!("{}\n", link.url));
            if !global.quiet {
                speak::note(&format!("signs {} in, once, within {} minutes", link.name, link.minutes));
            }
            Exit::Ok
        }
        Err(trouble) => {
            speak::error(&trouble.what);
            trouble.exit
        }
    }
}
