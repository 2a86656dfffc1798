//! What the configuration takes from around the process: variables and the user's id. Handed in, so that a test can say it.

use std::path::PathBuf;

/// The one reader of the environment.
pub struct Environment<'e> {
    pub variable: &'e dyn Fn(&str) -> Option<String>,
    /// The user this process works for.
    pub uid: u32,
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("uid", &self.uid).finish_non_exhaustive()
    }
}

impl Environment<'static> {
    /// The real one. A variable that is not UTF-8 is as good as missing.
    #[must_use]
    pub fn real() -> Self {
        Self { variable: &|name| std::env::var(name).ok(), uid: rustix::process::geteuid().as_raw() }
    }
}

impl Environment<'_> {
    fn folder(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).map(PathBuf::from).filter(|p| p.is_absolute())
    }

    /// Where data goes unless somebody says otherwise.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        if self.uid == 0 {
            return PathBuf::from("/var/lib/smokejumper");
        }
        self.folder("XDG_DATA_HOME")
            .or_else(|| self.folder("HOME").map(|home| home.join(".local/share")))
            .map_or_else(|| PathBuf::from("smokejumper-data"), |data| data.join("smokejumper"))
    }
}
