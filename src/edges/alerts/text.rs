//! Outside text made plain: nothing that moves a cursor, turns the reading direction, or cannot be seen; and never too long.
//!
//! Knows nothing of markup: that is for whoever shows the text.

/// Stands where text was cut.
const CUT: char = '…';

/// Line breaks become spaces: for names and values.
#[must_use]
pub fn line(text: &str, max_chars: usize) -> String {
    clip(text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }), max_chars)
}

/// Line breaks stay: for descriptions.
#[must_use]
pub fn block(text: &str, max_chars: usize) -> String {
    clip(text.chars().map(|c| if c == '\t' { ' ' } else { c }), max_chars)
}

fn clip(chars: impl Iterator<Item = char>, max_chars: usize) -> String {
    let mut out = String::new();
    for (n, c) in chars.filter(|c| *c == '\n' || is_plain(*c)).enumerate() {
        if n == max_chars {
            out.pop();
            out.push(CUT);
            break;
        }
        out.push(c);
    }
    out
}

/// Neither control (C0, C1, ANSI's escape among them), nor bidirectional, nor of zero width, nor a tag.
#[must_use]
pub fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_gone() {
        assert_eq!(line("a\u{202e}b\u{200b}c\u{1b}[31md\u{0}\u{85}e\u{e0041}", 99), "abc[31mde");
        assert_eq!(line("one\r\ntwo", 99), "one  two");
        assert_eq!(block("one\r\n\ttwo", 99), "one\n two");
    }

    #[test]
    fn long_text_is_cut_by_characters_and_says_so() {
        assert_eq!(line("žlutý kůň", 9), "žlutý kůň");
        assert_eq!(line("žlutý kůň", 8), "žlutý k…");
        assert_eq!(line("x", 0), "…");
    }
}
