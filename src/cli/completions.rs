//! `completions` and `man`: made from the command line itself, so that they cannot drift from it.

use super::Cli;
use super::exit::Exit;
use super::speak;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Whose completions: `smokejumper completions bash > /etc/bash_completion.d/smokejumper`
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// A folder for the pages of all commands; without it the page of smokejumper itself goes to standard output
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "smokejumper", &mut script);
    speak::out(&String::from_utf8_lossy(&script));
    Exit::Ok
}

pub fn man(args: &ManArgs) -> Exit {
    let command = Cli::command();
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        return match clap_mangen::Man::new(command).render(&mut page) {
            Ok(()) => {
                speak::out(&String::from_utf8_lossy(&page));
                Exit::Ok
            }
            Err(e) => Exit::failed(&format!("the page cannot be written: {e}")),
        };
    };
    let made = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
    made.map_or_else(|e| Exit::failed(&format!("{} cannot be written: {e}", dir.display())), |()| Exit::Ok)
}
