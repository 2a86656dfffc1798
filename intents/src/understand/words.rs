//! Words as they are compared: in lower case, without accents, apostrophes and punctuation; and phrases among them.
//!
//! A phrase is a few words: `a/b` is either of two, `ab*` begins so, `ab~` may carry Spanish pronouns behind it (`ponlo`,
//! `recuérdamelo`). Between the words of a phrase one word may stand that carries nothing (`tomo yo el mando`).

use super::vocabulary::{self, CLITICS};
use crate::near;
use crate::token::Token;

/// More words than this are a report, not a request; what begins one (`note that …`) is looked for in so many, too.
pub const WORDS_MAX: usize = 32;
/// Shorter words are not corrected: too much is one letter away from them.
const CORRECTED_MIN: usize = 5;

/// A word, and the token it came from.
#[derive(Clone, Debug)]
pub struct Word<'a> {
    pub plain: String,
    pub token: &'a Token<'a>,
    /// It carries nothing by itself: an article, a courtesy, `this`.
    pub empty: bool,
}

/// All that is said, up to [`WORDS_MAX`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    pub list: Vec<Word<'a>>,
    /// There is more than that.
    pub more: bool,
    /// `?`, or a word that asks.
    pub asked: bool,
    /// Its end or its beginning is a question mark.
    pub marked: bool,
    /// The bytes its words begin with, each one bit: most phrases can be passed over at once.
    initials: u128,
}

impl<'a> Words<'a> {
    /// The incidents' numbers are left out: they say where, not what.
    pub fn of(tokens: &'a [Token<'a>]) -> Self {
        let told = tokens.iter().filter(|token| token.incident().is_none());
        let mut list: Vec<Word<'a>> = told
            .take(WORDS_MAX + 1)
            .map(|token| {
                let plain = plain(token);
                Word { empty: vocabulary::is_empty(&plain), plain, token }
            })
            .filter(|word| !word.plain.is_empty())
            .collect();
        let more = list.len() > WORDS_MAX;
        list.truncate(WORDS_MAX);
        let mark = |token: &Token<'_>| !token.fenced && (token.raw.ends_with('?') || token.raw.starts_with('¿'));
        let marked = tokens.last().is_some_and(mark) || tokens.first().is_some_and(mark);
        let asked = marked || list.iter().any(|word| vocabulary::asks(&word.plain));
        let initials = list.iter().fold(0, |set, word| set | initial(&word.plain));
        Self { list, more, asked, marked, initials }
    }

    /// Where a phrase stands: the places of its words, and of what stands between them. `loose`: a long word may have one
    /// wrong letter. The flag says that one had.
    pub fn find(&self, phrase: &str, loose: bool) -> Option<(Vec<usize>, bool)> {
        let first = phrase.split(' ').next().unwrap_or_default();
        if first.split('/').all(|one| initial(one) & self.initials == 0) {
            return None;
        }
        (0..self.list.len()).find_map(|at| self.at(phrase, at, loose))
    }

    /// The phrase, if it begins here.
    pub fn at(&self, phrase: &str, start: usize, loose: bool) -> Option<(Vec<usize>, bool)> {
        let (mut places, mut corrected, mut at) = (Vec::new(), false, start);
        for (number, wanted) in phrase.split(' ').enumerate() {
            let here = self.list.get(at).map(|word| fits(wanted, &word.plain, loose));
            let fit = match here? {
                Fit::No if number > 0 && self.list.get(at).is_some_and(|word| word.empty) => {
                    places.push(at);
                    at += 1;
                    fits(wanted, &self.list.get(at)?.plain, loose)
                }
                fit => fit,
            };
            match fit {
                Fit::No => return None,
                Fit::Corrected => corrected = true,
                Fit::Yes => {}
            }
            places.push(at);
            at += 1;
        }
        Some((places, corrected))
    }
}

/// The bit of a word's first byte; phrases begin with plain letters.
fn initial(word: &str) -> u128 {
    word.bytes().next().map_or(0, |byte| 1_u128.checked_shl(u32::from(byte)).unwrap_or(0))
}

enum Fit {
    Yes,
    Corrected,
    No,
}

/// `wanted` with its alternatives and its mark, against a plain word.
fn fits(wanted: &str, word: &str, loose: bool) -> Fit {
    let mut nearly = false;
    for one in wanted.split('/') {
        let exact = match (one.strip_suffix('*'), one.strip_suffix('~')) {
            (Some(beginning), _) => word.starts_with(beginning),
            (_, Some(verb)) => {
                word == verb
                    || CLITICS.iter().any(|pronoun| word.strip_suffix(pronoun).is_some_and(|bare| bare == verb))
            }
            (None, None) => word == one,
        };
        if exact {
            return Fit::Yes;
        }
        nearly |= loose && one.len() >= CORRECTED_MIN && word.len() >= CORRECTED_MIN && near::one_edit(one, word);
    }
    if nearly { Fit::Corrected } else { Fit::No }
}

/// As it is compared: see the top of this file. Empty for a code fence.
pub fn plain(token: &Token<'_>) -> String {
    if token.fenced {
        return String::new();
    }
    let folded: String = token.raw.chars().flat_map(char::to_lowercase).filter_map(bare).collect();
    folded.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '@' | '<' | '>' | '_'))).to_owned()
}

/// The letter without its accent; nothing for a mark that stands on another letter, and for an apostrophe.
const fn bare(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'à' | 'â' | 'ä' | 'ã' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        '\'' | '’' | '‘' | '`' | '´' | '\u{300}'..='\u{36f}' => return None,
        other => other,
    })
}
