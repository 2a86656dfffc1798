//! Whether GitHub would take what we bring, found out without changing anything: for `doctor`.

use super::wire::Ask;
use super::{GitHub, Shown, is_repository};
use crate::ports::Undelivered;

impl GitHub {
    /// Login under which our issues are made, and what kind of access that is.
    ///
    /// # Errors
    /// GitHub is not there, or does not know us.
    pub async fn identity(&self) -> Result<String, Undelivered> {
        Ok(format!("{} ({})", self.login().await?, self.access.kind()))
    }

    /// Issues of `owner/name` can be read, so there are some to be had. `Some(false)`: but none may be made; `None`: whether
    /// they may shows with the first.
    ///
    /// # Errors
    /// Why not, and who can do what about it.
    pub async fn inspect(&self, repository: &str) -> Result<Option<bool>, Undelivered> {
        if !is_repository(repository) {
            return Err(Undelivered::Never { why: "write owner/name".to_owned() });
        }
        let answer = self.read(Ask::get(&format!("/repos/{repository}/issues?state=all&per_page=1"))).await?;
        let _: Vec<Shown> = self.readable(&answer)?;
        Ok(self.access.writes().await)
    }
}
