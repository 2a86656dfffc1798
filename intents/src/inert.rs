//! Which characters never pass: controls, terminal escapes, and those a reader cannot see or that turn text around.
//!
//! Free text loses them; in a parameter they are refused, because what is approved must be what is read.

/// How far the end of an operating-system command (`ESC ] … BEL`) is looked for: longer ones lose only their introducer.
const COMMAND_MAX: usize = 1_000;

/// A control character, an invisible one, or one that reverses or isolates the direction of text.
///
/// Includes newline and tab. Sources: Unicode 16 `Default_Ignorable_Code_Point` without the variation selectors that emoji
/// need, bidirectional controls (UAX #9), line and paragraph separators, interlinear annotation, private tags.
#[must_use]
pub const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Several lines without anything unseen; runs of spaces stay (logs are aligned), both ends are trimmed.
#[must_use]
pub fn prose(s: &str) -> String {
    strip(s, true).trim().to_owned()
}

/// One line: every run of whitespace becomes one space, both ends are trimmed.
#[must_use]
pub fn line(s: &str) -> String {
    strip(s, false).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A stretch of a line: like [`line()`], but spaces stay where they are.
#[must_use]
pub fn stretch(s: &str) -> String {
    strip(s, false)
}

/// At most `max` characters; what was cut is shown as `…`.
#[must_use]
pub fn shorten(s: &str, max: usize) -> String {
    if !crate::bounds::longer(s, max) {
        return s.to_owned();
    }
    let mut kept: String = s.chars().take(max.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

fn strip(s: &str, newlines: bool) -> String {
    let mut out = String::with_capacity(s.len());
    let mut rest = s.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_sequence(&mut rest),
            '\u{9d}' => skip_command(&mut rest),
            '\r' if rest.as_str().starts_with('\n') => {}
            '\r' | '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push(if newlines { '\n' } else { ' ' }),
            '\t' | '\u{b}' | '\u{c}' => out.push(' '),
            c if is_unseen(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// After ESC: a control sequence, a command, or one more character.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.as_str().chars().next() {
        Some('[') => {
            rest.next();
            skip_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_command(rest);
        }
        _ => {}
    }
}

/// ECMA-48 control sequence: parameters `0x20..=0x3f`, then one final byte `0x40..=0x7e`.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    while let Some(c) = rest.as_str().chars().next() {
        match c {
            ' '..='?' => rest.next(),
            '@'..='~' => {
                rest.next();
                return;
            }
            _ => return,
        };
    }
}

/// ECMA-48 command string, up to BEL or ST.
fn skip_command(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    for _ in 0..COMMAND_MAX {
        match ahead.next() {
            Some('\u{7}' | '\u{9c}') => {
                *rest = ahead;
                return;
            }
            Some('\u{1b}') if ahead.as_str().starts_with('\\') => {
                ahead.next();
                *rest = ahead;
                return;
            }
            Some(_) => {}
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_go_with_their_parameters() {
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m \u{9b}1mbold"), "red bold");
        assert_eq!(line("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(line("\u{1b}]8;;https://x\u{1b}\\label"), "label");
    }

    #[test]
    fn an_endless_command_hides_nothing() {
        assert_eq!(line("\u{1b}]0;rm -rf"), "0;rm -rf");
    }

    #[test]
    fn text_is_not_turned_around() {
        assert_eq!(line("safe\u{202e}gpj.exe\u{200b}"), "safegpj.exe");
        assert_eq!(line("a\u{2028}b\r\nc"), "a b c");
        assert_eq!(prose("  a\r\nb\tc \n"), "a\nb c");
    }

    #[test]
    fn shortening_says_so() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdefg", 6), "abcde…");
        assert_eq!(shorten("ab cdefg", 4), "ab…");
    }
}
