//! `incident …`: the words of the channels, from a terminal, through the socket of a running smokejumper.
//!
//! Knows the socket's protocol; who is speaking is for the other end to see.

use super::exit::Exit;
use super::{Global, call, speak};
use crate::edges::socket::{self, Answer, Outcome, Request};
use ring::rand::{SecureRandom as _, SystemRandom};
use smokejumper_intents::text;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};

/// Shown under `--help`.
const HELP: &str = "\
Examples:
  incident list
  incident -i 12 ack
  incident ack INC-12                 the same
  incident -i 12 timeline
  incident -i 12 run restart-service service=checkout
  incident help run

It is for the user who runs the server, and for root; `cli` in [[person]] says
which person that is.

Exit codes: 0 done; 1 refused; 2 not understood; 3 must be confirmed (--yes);
4 no smokejumper is running; 5 storage trouble, try again; 70 our own fault";

/// What to do when no answer came.
const LOOK: &str = "look with `incident list` whether it happened";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Number of the incident it is about, for words that do not name one
    #[arg(short, long, value_name = "N")]
    incident: Option<u32>,
    /// Do at once what would be asked back
    #[arg(short, long)]
    yes: bool,
    /// The answer as JSON
    #[arg(long)]
    json: bool,
    /// What to say: `list`, `declare checkout returns 500s`, `help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    words: Vec<String>,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let data_dir = match global.data_dir() {
        Ok(data_dir) => data_dir,
        Err(why) => return failed(args, &why, Exit::Failed),
    };
    let Some(key) = random_key() else {
        speak::error("the operating system gives no random numbers");
        return Exit::Internal;
    };
    let (words, confirmed) = confirmed(&args.words, args.yes);
    let mut request = Request { text: spoken(words), incident: args.incident, key, confirmed };
    loop {
        let answer: Answer = match call::call(&data_dir, socket::ASK, &request, LOOK).await {
            Ok(answer) => answer,
            Err(trouble) => return failed(args, &trouble.what, trouble.exit),
        };
        let ask_back = answer.outcome == Outcome::Confirm && !args.json && interactive();
        show(args, &answer);
        if ask_back && agreed() {
            request.confirmed = true;
            continue;
        }
        if answer.outcome == Outcome::Confirm && !ask_back {
            speak::note("nothing was done; say it again with --yes to do it");
        }
        return match answer.outcome {
            Outcome::Done => Exit::Ok,
            Outcome::Confirm => Exit::Confirm,
            Outcome::Misread => Exit::Usage,
            Outcome::Refused => Exit::Failed,
        };
    }
}

fn failed(args: &Args, what: &str, exit: Exit) -> Exit {
    if args.json {
        speak::out(&format!("{}\n", serde_json::json!({ "error": what })));
    }
    speak::error(what);
    exit
}

fn show(args: &Args, answer: &Answer) {
    if args.json {
        let json = serde_json::to_string(answer).unwrap_or_default();
        speak::out(&format!("{json}\n"));
    } else {
        speak::out(&text::render(&answer.reply, speak::WIDTH));
    }
}

/// `close --yes`: as the last word it is the flag, which `--yes` before the words is, too.
fn confirmed(words: &[String], yes: bool) -> (&[String], bool) {
    match words {
        [words @ .., last] if last == "--yes" && !words.is_empty() => (words, true),
        _ => (words, yes),
    }
}

/// The words as they were meant before the shell took their quotes away. One word is taken as it is: it may be a sentence.
fn spoken(words: &[String]) -> String {
    if let [sentence] = words {
        return sentence.clone();
    }
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        let quote = |t: &str| t.contains(char::is_whitespace) && !t.contains(['"', '“', '”']);
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() && quote(value) && !quote(name) => {
                let _ = write!(text, "{name}=\"{value}\"");
            }
            _ if quote(word) && words.len() > 2 => {
                let _ = write!(text, "\"{word}\"");
            }
            _ => text.push_str(word),
        }
    }
    text
}

fn random_key() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn agreed() -> bool {
    speak::note("Do it? [y/N]");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes" | "s" | "sí" | "si")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_may_come_last() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        assert_eq!(confirmed(&words(&["close", "--yes"]), false), (&words(&["close"])[..], true));
        assert_eq!(confirmed(&words(&["note", "say --yes"]), false), (&words(&["note", "say --yes"])[..], false));
        assert_eq!(confirmed(&words(&["close"]), true), (&words(&["close"])[..], true));
    }

    #[test]
    fn words_are_said_as_they_were_typed() {
        let said = |words: &[&str]| spoken(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(said(&["list"]), "list");
        assert_eq!(said(&["declare checkout returns 500s"]), "declare checkout returns 500s");
        assert_eq!(said(&["note", "we rolled back"]), "note we rolled back");
        assert_eq!(said(&["run", "restart", "reason=too many errors"]), "run restart reason=\"too many errors\"");
        assert_eq!(said(&["follow-up", "Add an alert", "due:3d"]), "follow-up \"Add an alert\" due:3d");
        assert_eq!(said(&["note", "he said \"no\" twice"]), "note he said \"no\" twice");
        assert_eq!(said(&[]), "");
    }
}
