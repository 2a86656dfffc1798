//! What a process said: the beginning, the end, and how much there was, whatever it was.
//!
//! Memory is bounded by the two ends. Text is made harmless (no escapes, controls or hidden characters), then redacted,
//! then cut, in this order: a secret that straddles a cut or is split by colours must not slip through.

use super::redact::Redactor;
use crate::flow::fact::Output;
use crate::flow::render::is_unseen;
use std::collections::VecDeque;
use std::sync::LazyLock;

/// Kept of the beginning, in bytes of redacted text.
pub const HEAD: usize = 16 * 1024;
/// Kept of the end, in bytes of redacted text: errors come last.
pub const TAIL: usize = 48 * 1024;
/// Seen beyond each cut, in bytes, so that a secret across it is still recognised; longer than a private key of 8192 bits.
const OVERLAP: usize = 8 * 1024;

/// Collects output of any length.
#[derive(Debug, Default)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Capture {
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (HEAD + OVERLAP).saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        // The tail sees everything too, so that output of medium length has no gap.
        let last = bytes.get(bytes.len().saturating_sub(TAIL + OVERLAP)..).unwrap_or_default();
        let excess = (self.tail.len() + last.len()).saturating_sub(TAIL + OVERLAP);
        self.tail.drain(..excess);
        self.tail.extend(last);
    }

    #[must_use]
    pub fn finish(mut self, redactor: &Redactor) -> Output {
        let total_bytes = self.total;
        let clean = |bytes: &[u8]| redactor.redact(&harmless(&String::from_utf8_lossy(bytes)));
        if self.total <= self.tail.len() as u64 {
            let whole = clean(self.tail.make_contiguous());
            if whole.len() <= HEAD + TAIL {
                return Output { head: whole, tail: String::new(), total_bytes };
            }
            return Output { head: first(&whole, HEAD).to_owned(), tail: last(&whole, TAIL).to_owned(), total_bytes };
        }
        let head = clean(&self.head);
        let tail = clean(self.tail.make_contiguous());
        Output { head: first(&head, HEAD).to_owned(), tail: last(&tail, TAIL).to_owned(), total_bytes }
    }
}

fn first(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

fn last(text: &str, bytes: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(bytes))..).unwrap_or_default()
}

/// ECMA-48 escape sequences: CSI, the string ones (OSC, DCS, SOS, PM, APC) with or without their end, and the short ones;
/// with the one-byte C1 forms of CSI and OSC.
static ESCAPES: LazyLock<Option<regex::Regex>> = LazyLock::new(|| {
    regex::Regex::new(concat!(
        r"(?:\x1b\[|\u{9b})[0-?]*[ -/]*[@-~]?",
        r"|(?:\x1b[\]PX^_]|\u{9d})[^\x07\x1b\u{9c}]*(?:\x07|\x1b\\|\u{9c})?",
        r"|\x1b[ -/]*[0-~]?",
    ))
    .ok()
});

/// Plain lines of visible text: no escape sequences, controls, bidirectional or zero-width characters.
#[must_use]
pub fn harmless(text: &str) -> String {
    let plain = ESCAPES.as_ref().map_or_else(|| text.into(), |escapes| escapes.replace_all(text, ""));
    let mut out = String::with_capacity(plain.len());
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A progress bar draws over its line; each drawing becomes a line of its own.
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if is_unseen(c) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn capture(chunks: &[&[u8]]) -> Output {
        let mut capture = Capture::default();
        for chunk in chunks {
            capture.push(chunk);
        }
        capture.finish(&Redactor::default())
    }

    #[test]
    fn short_output_is_kept_whole() {
        let out = capture(&[b"hello ", b"world\n"]);
        assert_eq!((out.head.as_str(), out.tail.as_str(), out.total_bytes), ("hello world\n", "", 12));
        assert_eq!(capture(&[]), Output::default());
    }

    #[test]
    fn endless_output_keeps_its_ends_and_its_length_in_little_memory() {
        let line = [b'x'; 4096];
        let mut capture = Capture::default();
        capture.push(b"BEGIN ");
        for _ in 0..25_000 {
            capture.push(&line);
        }
        capture.push(b" END");
        assert!(
            capture.head.capacity() <= 2 * (HEAD + OVERLAP) && capture.tail.capacity() <= 2 * (TAIL + OVERLAP + 4096)
        );
        let out = capture.finish(&Redactor::default());
        assert_eq!(out.total_bytes, 25_000 * 4096 + 10);
        assert!(out.head.starts_with("BEGIN x") && out.tail.ends_with("x END"));
        assert!(out.head.len() <= HEAD && out.tail.len() <= TAIL);
    }

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        let out =
            capture(&[b"\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x9b a\0b\x07 c\r\nd\re\xff\xfe"]);
        assert_eq!(out.head, "red link \u{fffd} ab c\nd\ne\u{fffd}\u{fffd}");
        assert_eq!(harmless("a\u{202e}b\u{200b}c\u{9b}31md\u{1b}(Be\u{1b}]0;title"), "abcde");
    }

    #[test]
    fn a_secret_across_a_cut_is_not_kept_in_part() {
        let redactor = Redactor::new(["correct-horse-battery".to_owned()]);
        for shift in 0..24 {
            let mut capture = Capture::default();
            capture.push(&vec![b'a'; HEAD - shift]);
            capture.push(b"correct-horse-battery");
            capture.push(&vec![b'b'; 300_000]);
            capture.push(b"correct-horse-battery");
            capture.push(&vec![b'c'; TAIL - shift]);
            let out = capture.finish(&redactor);
            for part in [&out.head, &out.tail] {
                assert!(!part.contains("corr") && !part.contains("battery") && !part.contains("tery"), "{shift}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_in_any_chunks_end_as_bounded_visible_text(chunks in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..2000), 0..60)) {
            let slices: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let out = capture(&slices);
            prop_assert!(out.head.len() <= HEAD + TAIL && out.tail.len() <= TAIL);
            let bad = |c: char| is_unseen(c) && c != '\n' && c != '\t';
            prop_assert!(!out.head.contains(bad) && !out.tail.contains(bad));
            prop_assert_eq!(out.total_bytes, chunks.iter().map(|c| c.len() as u64).sum::<u64>());
        }
    }
}
