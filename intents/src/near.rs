//! Which known words are near an unknown one.
//!
//! Near means: few edits apart (optimal string alignment: insert, delete, replace, swap neighbours), or the beginning of it.

/// Longer words are nobody's typing error, and the work is quadratic.
const WORD_MAX: usize = 32;
/// More suggestions are a list, not a suggestion.
const SUGGESTIONS_MAX: usize = 3;

/// The candidates near `word`, the nearest first; at most three.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = word.chars().count();
    if length > WORD_MAX {
        return Vec::new();
    }
    let allowed = match length {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let begins = length >= 2 && candidate.starts_with(word);
            let edits = distance(word, candidate);
            (begins || edits <= allowed).then_some((if begins { edits.min(1) } else { edits }, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(_, candidate)| *candidate);
    found.into_iter().take(SUGGESTIONS_MAX).map(|(_, candidate)| candidate).collect()
}

/// At most one edit apart, and beginning with the same letter: people mistype the first one least. Takes no memory.
#[must_use]
pub fn one_edit(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 1 || a.len() > WORD_MAX || a.chars().next() != b.chars().next() {
        return false;
    }
    let (mut a, mut b) = (a.chars(), b.chars());
    while let (Some(left), Some(right)) = (a.clone().next(), b.clone().next()) {
        if left != right {
            break;
        }
        a.next();
        b.next();
    }
    while let (Some(left), Some(right)) = (a.clone().next_back(), b.clone().next_back()) {
        if left != right {
            break;
        }
        a.next_back();
        b.next_back();
    }
    match (a.as_str().chars().count(), b.as_str().chars().count()) {
        (0 | 1, 0 | 1) => true,
        (2, 2) => a.eq(b.rev()),
        _ => false,
    }
}

/// Optimal string alignment distance, row by row.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut a_previous = None;
    for (row, &a_here) in a.iter().enumerate() {
        let mut here = vec![row + 1];
        let mut b_previous = None;
        for (column, &b_here) in b.iter().enumerate() {
            let at = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&above, column) + usize::from(a_here != b_here);
            let mut best = replaced.min(at(&above, column + 1) + 1).min(at(&here, column) + 1);
            if a_previous == Some(b_here) && b_previous == Some(a_here) {
                best = best.min(at(&before, column.saturating_sub(1)) + 1);
            }
            here.push(best);
            b_previous = Some(b_here);
        }
        before = std::mem::replace(&mut above, here);
        a_previous = Some(a_here);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in [
            ("", "abc", 3),
            ("ack", "ack", 0),
            ("akc", "ack", 1),
            ("kitten", "sitting", 3),
            ("a", "", 1),
            ("señal", "senal", 1),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn one_edit_is_as_the_distance_says() {
        for (a, b) in
            [("estado", "etsado"), ("before", "befor"), ("before", "beforre"), ("cause", "cuase"), ("señal", "senal")]
        {
            assert!(one_edit(a, b) && one_edit(b, a) && distance(a, b) <= 1, "{a} {b}");
        }
        for (a, b) in [("before", "bfroe"), ("estado", "testado"), ("a", "abc"), ("abcd", "acbde")] {
            assert!(!one_edit(a, b) && !one_edit(b, a), "{a} {b}");
        }
    }

    #[test]
    fn short_words_need_to_be_nearer() {
        let words = ["ack", "list", "resolve", "timeline"];
        assert_eq!(nearest("akc", words), ["ack"]);
        assert_eq!(nearest("res", words), ["resolve"]);
        assert_eq!(nearest("rseolve", words), ["resolve"]);
        assert_eq!(nearest("tmelin", words), ["timeline"]);
        assert!(nearest("xy", words).is_empty());
        assert!(nearest("banana", words).is_empty());
        assert!(nearest(&"a".repeat(10_000), words).is_empty());
    }
}
