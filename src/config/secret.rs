//! A value nobody may see: it has no `Debug` or `Display` of its content, no serde, and is compared in constant time.

/// Shown instead of the value.
const HIDDEN: &str = "[secret]";

#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the moment it is used: never to be stored, logged, or put into an argument.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this value, in time that depends on lengths only.
    #[must_use]
    pub fn matches(&self, given: &str) -> bool {
        let (a, b) = (self.0.as_bytes(), given.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_compared_but_not_shown() {
        let secret = Secret::new("hunter2-canary");
        assert!(secret.matches("hunter2-canary"));
        assert!(!secret.matches("hunter2-canarY") && !secret.matches("hunter2") && !secret.matches(""));
        assert_eq!(format!("{secret:?}"), "[secret]");
    }
}
