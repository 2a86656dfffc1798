//! Finds the programs and scripts that steps name, and their digests. No PATH is searched: the same words must mean the same file.

use super::lint::is_interpreter;
use super::sheet::{Report, Written};
use crate::edges::runner::executable;
use crate::flow::plan::FileDigest;
use crate::flow::runbook::Piece;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The files of one runbook.
#[derive(Debug)]
pub struct Files<'f> {
    /// The runbook folder, absolute.
    pub folder: &'f Path,
    pub digests: BTreeMap<String, String>,
}

impl<'f> Files<'f> {
    pub const fn new(folder: &'f Path) -> Self {
        Self { folder, digests: BTreeMap::new() }
    }

    pub fn into_digests(self) -> Vec<FileDigest> {
        self.digests.into_iter().map(|(path, sha256)| FileDigest { path, sha256 }).collect()
    }

    /// Makes the program's path absolute, does the same with every `./script` among the arguments, and hashes them all.
    pub fn resolve(&mut self, report: &mut Report<'_>, argv: &mut [Written<Piece>]) {
        let Some((program, arguments)) = argv.split_first_mut() else { return };
        let Piece::Text(path) = &program.value else {
            let hint = "write the program's path; what runs must not depend on a parameter";
            report.error(&program.span, "the program itself is a hole", hint);
            return;
        };
        let interpreter = is_interpreter(path);
        let absolute = if Path::new(path).is_absolute() {
            tidy(report, path, &program.span);
            Some(path.clone())
        } else if path.contains('/') {
            self.inside(report, path, &program.span)
        } else {
            let hint = format!(
                "write its full path (`command -v {path}` shows it), or `./{path}` for a file beside the runbook"
            );
            report.error(&program.span, format!("`{path}` is not a path; programs are not searched for"), hint);
            None
        };
        let Some(absolute) = absolute else { return };
        self.hash(report, &absolute, &program.span);
        program.value = Piece::Text(absolute);
        let mut script_seen = false;
        for argument in arguments {
            let Piece::Text(text) = &argument.value else {
                script_seen = true;
                continue;
            };
            let resolved = if text.starts_with("./") {
                self.inside(report, text, &argument.span)
            } else if interpreter && !script_seen && Path::new(text).is_absolute() {
                Some(text.clone())
            } else {
                None
            };
            script_seen |= !text.starts_with('-');
            if let Some(path) = resolved {
                self.hash(report, &path, &argument.span);
                argument.value = Piece::Text(path);
            }
        }
    }

    /// A path relative to the runbook folder, made absolute; it must stay in there.
    fn inside(&self, report: &mut Report<'_>, path: &str, span: &std::ops::Range<usize>) -> Option<String> {
        let parts = Path::new(path).components();
        if parts.clone().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            report.error(
                span,
                format!("`{path}` leaves the runbook folder"),
                "put the file into the folder, or write its full path",
            );
            return None;
        }
        let plain: std::path::PathBuf = parts.filter(|part| matches!(part, Component::Normal(_))).collect();
        let absolute = self.folder.join(plain);
        let text = absolute.to_str().map(str::to_owned);
        if text.is_none() {
            report.error(span, "the folder's name is not UTF-8", "rename it");
        }
        text
    }

    fn hash(&mut self, report: &mut Report<'_>, path: &str, span: &std::ops::Range<usize>) {
        if self.digests.contains_key(path) {
            return;
        }
        match executable::digest(Path::new(path)) {
            Ok(sha256) => {
                self.digests.insert(path.to_owned(), sha256);
            }
            Err(e) => {
                // No digest is ever empty, so a plan with this file can never be approved and run.
                self.digests.insert(path.to_owned(), String::new());
                report.warn(span, e.to_string(), "until it is there, this runbook cannot run on this machine");
            }
        }
    }
}

/// `/usr/../tmp/x` reads as something else than it is.
fn tidy(report: &mut Report<'_>, path: &str, span: &std::ops::Range<usize>) {
    if Path::new(path).components().any(|part| matches!(part, Component::ParentDir)) {
        report.error(span, format!("`{path}` goes up with `..`"), "write the path as it is");
    }
}
