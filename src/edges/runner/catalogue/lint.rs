//! What a reviewer would object to: a hole where a program reads code, options or addresses (argument injection, T5).
//!
//! Deny by shape, not by guess: a known interpreter anywhere in the arguments decides for all that follows it.

use super::sheet::{Report, Written};
use crate::flow::runbook::{Param, ParamKind, Piece};

/// Programs that execute text. Versions are cut off before the comparison (`python3.12` is `python`).
const INTERPRETERS: [&str; 30] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "ash",
    "fish",
    "csh",
    "tcsh",
    "busybox",
    "python",
    "pypy",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "deno",
    "bun",
    "php",
    "lua",
    "tclsh",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "osascript",
    "pwsh",
    "powershell",
    "Rscript",
    "expect",
];
/// Fetch and execute what they are told, or execute the rest of their arguments in ways of their own.
const FETCHERS: [&str; 8] = ["npx", "bunx", "uvx", "pipx", "pnpx", "xargs", "parallel", "watch"];
/// Long options after which code stands.
const CODE_OPTIONS: [&str; 7] =
    ["--eval", "--print", "--command", "-Command", "-EncodedCommand", "--expression", "--run"];
/// Run the command that their arguments are.
const WRAPPERS: [&str; 24] = [
    "env",
    "sudo",
    "doas",
    "su",
    "runuser",
    "timeout",
    "nice",
    "ionice",
    "nohup",
    "setsid",
    "stdbuf",
    "chroot",
    "unshare",
    "nsenter",
    "flock",
    "systemd-run",
    "docker",
    "podman",
    "nerdctl",
    "crictl",
    "ssh",
    "busybox",
    "time",
    "script",
];
/// Programs whose last arguments are a command line for a shell at the other end.
const REMOTE: [&str; 4] = ["ssh", "rsh", "mosh", "su"];

/// The name of the program a path ends in, without its version.
fn program_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
}

pub fn is_interpreter(path: &str) -> bool {
    INTERPRETERS.contains(&program_name(path))
}

/// Everything questionable in one command line.
pub fn argv(report: &mut Report<'_>, argv: &[Written<Piece>], params: &[Param]) {
    let mut names = argv.iter().enumerate().filter_map(|(at, piece)| match &piece.value {
        Piece::Text(text) => Some((at, program_name(text))),
        Piece::Hole(_) => None,
    });
    for (at, name) in names.clone().filter(|(at, name)| INTERPRETERS.contains(name) && may_be_program(argv, *at)) {
        code_position(report, name, argv.get(at + 1..).unwrap_or_default());
    }
    let has_hole = |from: usize| argv.iter().skip(from).find(|piece| matches!(piece.value, Piece::Hole(_)));
    if let Some((at, name)) = names.clone().find(|(at, name)| FETCHERS.contains(name) && may_be_program(argv, *at))
        && let Some(hole) = has_hole(at + 1)
    {
        report.error(
            &hole.span,
            format!("`{name}` runs what it is given, so a parameter would be code"),
            "call the program itself, or put the command into a reviewed script beside the runbook",
        );
    }
    if let Some((at, name)) = names.find(|(at, name)| REMOTE.contains(name) && may_be_program(argv, *at)) {
        remote_shell(report, name, argv.get(at + 1..).unwrap_or_default(), params);
    }
    if let Some(hole) = pattern_without_dashes(argv, params) {
        report.warn(
            &hole.span,
            "a free parameter stands where the program still reads options",
            "values never begin with `-`; where the program understands it, put \"--\" before the hole",
        );
    }
}

/// At the start, as a path, after `--`, or after a wrapper: `env python`, `kubectl exec pod -- sh`, but not `get node`.
fn may_be_program(argv: &[Written<Piece>], at: usize) -> bool {
    let text = |at: usize| match argv.get(at).map(|piece| &piece.value) {
        Some(Piece::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let wrapped = || text(0).is_some_and(|first| WRAPPERS.contains(&program_name(first)));
    let after_dashes = || at.checked_sub(1).and_then(text) == Some("--");
    at == 0 || text(at).is_some_and(|path| path.starts_with('/')) || after_dashes() || wrapped()
}

/// Short options after which code stands, and which may be bundled (`-lc`).
fn code_letters(name: &str) -> &'static str {
    match name {
        "perl" | "ruby" => "eE",
        "node" | "nodejs" | "bun" => "ep",
        "php" => "rBRE",
        "lua" | "osascript" | "Rscript" => "e",
        // Their code is an argument like any other; a hole in its place is found all the same.
        "awk" | "gawk" | "mawk" | "sed" => "",
        _ => "c",
    }
}

/// The first thing an interpreter reads must be a script (or, for sed and awk, a program written here).
fn code_position(report: &mut Report<'_>, name: &str, after: &[Written<Piece>]) {
    for piece in after {
        match &piece.value {
            Piece::Hole(hole) => {
                report.error(
                    &piece.span,
                    format!("`{{{hole}}}` stands where `{name}` reads code"),
                    "give it a reviewed script (`./fix.sh`) first, and the hole after it",
                );
                return;
            }
            Piece::Text(option) if is_code_option(name, option) => {
                report.error(
                    &piece.span,
                    format!("`{name} {option}` executes a text, not a reviewed file"),
                    "put the code into a script beside the runbook and call that, such as `[\"./fix.sh\", \"{service}\"]`",
                );
                return;
            }
            Piece::Text(option) if option.starts_with('-') => {}
            Piece::Text(_) => return,
        }
    }
}

/// `-c`, `-ec`, `-lc`, `--eval=…`.
fn is_code_option(name: &str, option: &str) -> bool {
    let long = option.split('=').next().unwrap_or(option);
    let bundled = option.starts_with('-')
        && !option.starts_with("--")
        && option.chars().skip(1).any(|c| code_letters(name).contains(c));
    CODE_OPTIONS.contains(&long) || bundled
}

fn remote_shell(report: &mut Report<'_>, name: &str, after: &[Written<Piece>], params: &[Param]) {
    for piece in after {
        let Piece::Hole(hole) = &piece.value else { continue };
        let free = params.iter().any(|param| param.name == *hole && matches!(param.kind, ParamKind::Pattern(_)));
        if free {
            report.error(
                &piece.span,
                format!("`{name}` hands `{{{hole}}}` to a shell at the other end"),
                "use kind `name`, `hostname`, `integer`, `one_of` or `service`, none of which a shell can misread",
            );
        }
    }
}

/// A hole of kind pattern with neither `--` nor an option with its own value before it.
fn pattern_without_dashes<'a>(argv: &'a [Written<Piece>], params: &[Param]) -> Option<&'a Written<Piece>> {
    let dashes = argv.iter().position(|piece| matches!(&piece.value, Piece::Text(text) if text == "--"));
    argv.iter().enumerate().find_map(|(at, piece)| {
        let Piece::Hole(hole) = &piece.value else { return None };
        let free = params.iter().any(|param| param.name == *hole && matches!(param.kind, ParamKind::Pattern(_)));
        let after_option = at
            .checked_sub(1)
            .and_then(|before| argv.get(before))
            .is_some_and(|before| matches!(&before.value, Piece::Text(text) if text.starts_with('-')));
        (free && !after_option && dashes.is_none_or(|dashes| dashes > at)).then_some(piece)
    })
}
