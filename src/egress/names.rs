//! Looks names up, and lets through only addresses that may be connected to: whoever answers differently a moment later wins
//! nothing, for what was judged is what is connected to.

use super::Refused;
use super::rule::Outside;
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Addresses tried of one name; nobody honest has more.
const MAX_ADDRESSES: usize = 16;

/// Where names are looked up.
#[async_trait]
pub trait Names: Send + Sync {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own way: its hosts file, its name servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Sits below every way of looking a name up.
pub struct Judged {
    pub names: Arc<dyn Names>,
    pub outside: Arc<Outside>,
}

impl Judged {
    /// The addresses behind a name that may be connected to; at least one.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        let (mut good, mut bad) = (Vec::new(), None);
        for ip in self.names.lookup(name).await?.into_iter().take(MAX_ADDRESSES) {
            match self.outside.judge_address(name, ip) {
                Ok(()) => good.push(ip),
                Err(why) => bad = Some(why),
            }
        }
        match bad {
            Some(why) if good.is_empty() => Err(Refused::new(name, &why).into()),
            _ if good.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, format!("{name} has no address")).into())
            }
            _ => Ok(good),
        }
    }
}

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let judged = Self { names: Arc::clone(&self.names), outside: Arc::clone(&self.outside) };
        Box::pin(async move {
            let good = judged.addresses(name.as_str()).await?;
            Ok(Box::new(good.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}
