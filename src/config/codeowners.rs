//! CODEOWNERS in GitHub's syntax: who owns what lies under a path. The last pattern that matches decides.
//!
//! Knows lines, patterns and names as they are written; knows nobody behind a name.

/// Lines of a file; GitHub's own limit of 3 MB is more than anybody reads.
const MAX_RULES: usize = 10_000;
/// A name for any file in a folder: no pattern is about it.
const ANY_FILE: &str = "\u{1}";

/// One line: a pattern, and who owns what matches it; nobody, when no name follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// From 1.
    pub line: usize,
    pub owners: Vec<String>,
    /// Parts between slashes; empty: every path.
    parts: Vec<String>,
    /// From the root, not at any depth.
    anchored: bool,
    /// A folder with all that is in it, not a file.
    folder: bool,
}

/// The rules, and lines that are none: GitHub would skip these, too.
#[must_use]
pub fn parse(text: &str) -> (Vec<Rule>, Vec<(usize, &'static str)>) {
    let (mut rules, mut skipped) = (Vec::new(), Vec::new());
    for (line, written) in (1..).zip(text.lines()) {
        let words = words(written);
        let Some((pattern, owners)) = words.split_first() else { continue };
        if rules.len() == MAX_RULES {
            skipped.push((line, "more patterns than are read"));
            break;
        }
        // A section of GitLab, a negation, a class of characters: GitHub knows none of them here.
        if pattern.starts_with(['!', '[', '^']) || pattern.contains(['[', ']']) {
            skipped.push((line, "GitHub has no `!` and no `[ ]` in CODEOWNERS"));
        } else {
            rules.push(rule(line, pattern, owners));
        }
    }
    (rules, skipped)
}

/// Words of a line up to a comment; `\ ` and `\#` stand for themselves.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn rule(line: usize, pattern: &str, owners: &[String]) -> Rule {
    let folder = pattern.ends_with('/');
    let inner = pattern.trim_end_matches('/');
    let anchored = inner.contains('/');
    let parts: Vec<String> = inner.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    Rule { line, owners: owners.to_vec(), parts, anchored, folder }
}

/// The last rule that is for what lies in `folder` (`services/checkout/`), whatever the file is called.
#[must_use]
pub fn owner_of<'r>(rules: &'r [Rule], folder: &str) -> Option<&'r Rule> {
    let path: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).chain([ANY_FILE]).collect();
    rules.iter().rev().find(|rule| rule.matches(&path))
}

impl Rule {
    /// Part by part, keeping which beginnings of the pattern fit so far: as many steps as parts times parts, whatever the pattern.
    fn matches(&self, path: &[&str]) -> bool {
        let mut pattern: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        if !self.anchored {
            pattern.insert(0, "**");
        }
        // `fits[p]`: the first `p` parts of the pattern fit what was walked of the path.
        let mut fits = vec![false; pattern.len() + 1];
        if let Some(none) = fits.first_mut() {
            *none = true;
        }
        skip_stars(&pattern, &mut fits);
        for (at, name) in path.iter().enumerate() {
            if at > 0 && fits.last() == Some(&true) && self.holds_what_is_deeper() {
                return true;
            }
            let mut next = vec![false; pattern.len() + 1];
            for (p, part) in pattern.iter().enumerate().filter(|(p, _)| fits.get(*p) == Some(&true)) {
                let to = if *part == "**" { p } else { p + 1 };
                if (*part == "**" || like(part, name))
                    && let Some(fit) = next.get_mut(to)
                {
                    *fit = true;
                }
            }
            skip_stars(&pattern, &mut next);
            fits = next;
        }
        !self.folder && fits.last() == Some(&true)
    }

    /// A folder does; so does a name, which may be one; `docs/*` means what is right there.
    fn holds_what_is_deeper(&self) -> bool {
        self.folder || self.parts.len() < 2 || self.parts.last().is_none_or(|last| last != "*")
    }
}

/// `**` may be nothing at all.
fn skip_stars(pattern: &[&str], fits: &mut [bool]) {
    for (p, part) in pattern.iter().enumerate() {
        if *part == "**"
            && fits.get(p) == Some(&true)
            && let Some(after) = fits.get_mut(p + 1)
        {
            *after = true;
        }
    }
}

/// `*` is any run of characters, `?` any one.
fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star was, and what it took.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(text: &str, folder: &str) -> Vec<String> {
        owner_of(&parse(text).0, folder).map(|r| r.owners.clone()).unwrap_or_default()
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let text = "# everybody\n* @org/all\n/services/ @org/platform @ana  # inline\nservices/checkout/ @org/payments\n\
                    *.js @org/web\n/services/checkout/docs/ @org/docs\n/services/free/\n";
        for (folder, who) in [
            ("lib/", vec!["@org/all"]),
            ("services/mail/", vec!["@org/platform", "@ana"]),
            ("services/checkout/", vec!["@org/payments"]),
            ("/services/checkout", vec!["@org/payments"]),
            ("services/checkout/docs/", vec!["@org/docs"]),
            ("services/free/", vec![]),
        ] {
            assert_eq!(owners(text, folder), who, "{folder}");
        }
    }

    #[test]
    fn patterns_are_githubs() {
        for (pattern, folder, is) in [
            ("checkout/", "services/checkout/", true),
            ("checkout", "services/checkout/", true),
            ("/checkout/", "services/checkout/", false),
            ("services/*", "services/checkout/", false),
            ("services/*/", "services/checkout/", true),
            ("services/**", "services/checkout/", true),
            ("**/checkout/", "a/b/checkout/", true),
            ("services/**/api/", "services/checkout/v1/api/", true),
            ("services/check*/", "services/checkout/", true),
            ("services/che?kout/", "services/checkout/", true),
            ("services/pay*/", "services/checkout/", false),
            ("*.go", "services/checkout/", false),
            ("*", "services/checkout/", true),
        ] {
            assert_eq!(!owners(&format!("{pattern} @a"), folder).is_empty(), is, "{pattern} {folder}");
        }
        assert_eq!(owners("my\\ service/ @a", "my service/"), ["@a"]);
        let (rules, skipped) = parse("!x @a\n[Section] @b\na/[bc]/ @c\n");
        assert_eq!((rules.len(), skipped.iter().map(|s| s.0).collect::<Vec<_>>()), (0, vec![1, 2, 3]));
    }

    #[test]
    fn hostile_patterns_end_soon() {
        let text = format!("{}b @x\n{}/ @y\n", "**/a/".repeat(300), "*a*".repeat(500));
        assert_eq!(owners(&text, &"a/".repeat(400)), Vec::<String>::new());
    }
}
