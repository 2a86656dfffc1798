//! Source files as the rules see them: comments and strings blanked, tests set apart, line numbers kept.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Production,
    Test,
}

#[derive(Debug)]
pub struct Source {
    /// From the root of the workspace, with `/`.
    pub path: String,
    pub kind: Kind,
    pub text: String,
    /// Production code, without comments, the contents of strings, and test modules.
    pub code: String,
    /// The code of tests, likewise.
    pub tests: String,
    /// Test modules inside a production file: first line, number of lines.
    pub inline_tests: Vec<(usize, usize)>,
    /// Lines with `#[cfg(test)]` on something else than a module.
    pub lone_cfg_test: Vec<usize>,
    /// Test modules that are files of their own: path without `.rs`.
    test_files: Vec<String>,
}

/// Chat platforms: each is an edge of its own, on the shelf `edges/chat`.
const PLATFORMS: &[&str] = &["console", "discord", "slack"];

/// Everything that is compiled from this repository.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "intents", "index", "tests"] {
        walk(&root.join(folder), &mut paths);
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        Source::read(&name, &std::fs::read_to_string(path).unwrap())
    };
    let files: Vec<Source> = paths.iter().map(read).collect();
    let test_files: Vec<String> = files.iter().flat_map(|file| file.test_files.clone()).collect();
    let of_tests = |file: &Source| {
        let inside =
            |module: &String| file.path.strip_prefix(module.as_str()).is_some_and(|r| r == ".rs" || r.starts_with('/'));
        test_files.iter().any(inside)
    };
    files.into_iter().map(|file| if of_tests(&file) { file.into_test() } else { file }).collect()
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

impl Source {
    pub fn read(path: &str, text: &str) -> Self {
        let bare = blank(text);
        let is_test = path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"));
        let mut file = Self {
            path: path.into(),
            kind: if is_test { Kind::Test } else { Kind::Production },
            text: text.into(),
            code: String::new(),
            tests: String::new(),
            inline_tests: Vec::new(),
            lone_cfg_test: Vec::new(),
            test_files: Vec::new(),
        };
        if is_test {
            file.tests = bare;
        } else {
            file.set_tests_apart(&bare);
        }
        file
    }

    fn into_test(self) -> Self {
        Self { kind: Kind::Test, tests: blank(&self.text), code: String::new(), inline_tests: Vec::new(), ..self }
    }

    /// The part of the house a file belongs to: `intents`, `index`, `flow`, `ports`, `engine`, `edges`, `config`, `cli`, …
    pub fn room(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("src") => parts.next().unwrap_or_default().trim_end_matches(".rs"),
            Some(member) => member,
            None => "",
        }
    }

    /// The edge a file belongs to: `store`, `web`, `memory`, `chat/console`. None for `edges/mod.rs` and other rooms.
    pub fn edge(&self) -> Option<String> {
        let inside = self.path.strip_prefix("src/edges/")?.trim_end_matches(".rs");
        (inside != "mod").then(|| edge_of(&inside.replace('/', "::")))
    }

    /// What follows a path prefix, up to the end of the path, with its line.
    pub fn paths_after(&self, prefix: &str) -> Vec<(usize, String)> {
        let starts = self.code.match_indices(prefix);
        let path = |at: usize| {
            let rest = &self.code[at + prefix.len()..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect()
        };
        starts.map(|(at, _)| (line_of(&self.code, at), path(at))).collect()
    }

    fn set_tests_apart(&mut self, bare: &str) {
        const MARK: &str = "#[cfg(test)]";
        let (mut code, mut tests) = (bare.as_bytes().to_vec(), vec![b' '; bare.len()]);
        for (at, byte) in bare.bytes().enumerate() {
            if byte == b'\n' {
                tests[at] = b'\n';
            }
        }
        for (start, _) in bare.match_indices(MARK) {
            let rest = &bare[start + MARK.len()..];
            let item = rest.trim_start().trim_start_matches("pub ").trim_start_matches("(crate) ");
            let line = line_of(bare, start);
            if !item.starts_with("mod ") {
                self.lone_cfg_test.push(line);
                continue;
            }
            let end = start + MARK.len() + end_of_item(rest);
            if let Some(name) = item.strip_prefix("mod ").and_then(|item| item.split_once(';')).map(|(name, _)| name) {
                let folder = self.path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/lib");
                self.test_files.push(format!("{folder}/{}", name.trim()));
            }
            self.inline_tests.push((line, line_of(bare, end) - line + 1));
            for at in start..end {
                tests[at] = code[at];
                if code[at] != b'\n' {
                    code[at] = b' ';
                }
            }
        }
        self.code = String::from_utf8_lossy(&code).into_owned();
        self.tests = String::from_utf8_lossy(&tests).into_owned();
    }
}

/// The edge that a path below `crate::edges` is part of.
pub fn edge_of(path: &str) -> String {
    let mut parts = path.split("::");
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("chat", Some(platform)) if PLATFORMS.contains(&platform) => format!("chat/{platform}"),
        (edge, _) => edge.to_owned(),
    }
}

/// Where words occur as whole words: line and word.
pub fn find(code: &str, words: &[&str]) -> Vec<(usize, String)> {
    let part_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut found = Vec::new();
    for word in words {
        for (at, _) in code.match_indices(word) {
            let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
            let begins = part_of_name(word.chars().next()) && part_of_name(before);
            let goes_on = part_of_name(word.chars().next_back()) && part_of_name(after);
            if !begins && !goes_on {
                found.push((line_of(code, at), format!("`{word}`")));
            }
        }
    }
    found.sort();
    found
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Length of `mod name;` or `mod name { … }`.
fn end_of_item(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    item.len()
}

/// The text with comments and the contents of strings and characters replaced by spaces, byte for byte, lines kept.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (skip, end) = match rest {
            [b'/', b'/', ..] => (0, length(rest, |tail| tail.starts_with(b"\n"))),
            [b'/', b'*', ..] => (0, block_comment(rest)),
            [b'"', ..] => (1, string(rest)),
            [b'r', b'"' | b'#', ..] if !joined(bytes, at) => raw_string(rest),
            [b'\'', b'\\', ..] => (1, 2 + length(rest.get(3..).unwrap_or_default(), |tail| tail.starts_with(b"'")) + 2),
            [b'\'', ..] => (1, character(rest)),
            _ => (1, 1),
        };
        let end = end.clamp(1, rest.len());
        for (offset, byte) in out[at..at + end].iter_mut().enumerate() {
            let closing = skip > 0 && offset + skip >= end;
            if offset >= skip && !closing && *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether the byte before is part of the same name (`for"` is no raw string, `br"` is one: its `b` is no matter).
fn joined(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b'
}

fn length(bytes: &[u8], ends: impl Fn(&[u8]) -> bool) -> usize {
    (0..bytes.len()).find(|at| ends(&bytes[*at..])).unwrap_or(bytes.len())
}

fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// What to keep at both ends, and the length. `r#name` is a name.
fn raw_string(bytes: &[u8]) -> (usize, usize) {
    let hashes = bytes[1..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(1 + hashes) != Some(&b'"') {
        return (1, 1);
    }
    let closing: Vec<u8> = [b'"'].into_iter().chain(std::iter::repeat_n(b'#', hashes)).collect();
    let inside = length(&bytes[2 + hashes..], |tail| tail.starts_with(&closing));
    (2 + hashes, 2 + hashes + inside + closing.len())
}

/// `'x'`, or the quote of a lifetime alone.
fn character(bytes: &[u8]) -> usize {
    let width = bytes.get(1).map_or(1, |first| match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    });
    if bytes.get(1 + width) == Some(&b'\'') { width + 2 } else { 1 }
}
