//! Judges where a request may go: the address as written, and each address of the internet protocol behind a name.
//!
//! Two postures: what the operator wrote in the configuration may be private, because they named it; what came in a payload
//! goes to listed hosts and public addresses only.

use super::Refused;
use super::address::{Cidr, Reach};
use reqwest::Url;
use std::net::IpAddr;
use std::str::FromStr;

/// Bytes of an address: what servers and proxies take in a request's first line.
pub const MAX_URL: usize = 8_000;

/// Who named the address.
#[derive(Clone, Debug)]
pub enum Outside {
    /// The operator, in the configuration. Private addresses are good. `allow_plaintext`: `http` beyond this machine, too.
    Vendor { allow_plaintext: bool },
    /// Whoever sent a payload.
    Influenced(Allowed),
}

/// Where addresses from payloads may lead; empty: nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    pub hosts: Vec<HostPattern>,
    /// `allow_private_cidrs`: addresses that are good although they are not public.
    pub private: Vec<Cidr>,
    /// `http` beyond this machine, too.
    pub allow_plaintext: bool,
}

/// A host with its port: `api.example.com`, `127.0.0.1:8080`, `sns.*.amazonaws.com`, where `*` is exactly one label of
/// letters, digits and hyphens. Without a port it is the usual one of the scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    port: Option<u16>,
}

impl FromStr for HostPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a host like sns.*.amazonaws.com or 127.0.0.1:8080, without scheme and path".to_owned();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| wrong())?))
            }
            _ => (text, None),
        };
        // What the parser of addresses makes of it is what will be compared.
        let probe = Url::parse(&format!("http://{}/", host.replace('*', "star"))).map_err(|_| wrong())?;
        let same = probe.host_str().is_some_and(|h| h == host.replace('*', "star").to_ascii_lowercase());
        if host.is_empty() || !same || host.split('.').any(|label| label.contains('*') && label != "*") {
            return Err(wrong());
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl HostPattern {
    fn covers_host(&self, host: &str) -> bool {
        let labels = (self.host.split('.'), host.split('.'));
        let fits = |(wanted, label): (&str, &str)| {
            let plain = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            wanted == label || (wanted == "*" && plain)
        };
        labels.0.clone().count() == labels.1.clone().count() && labels.0.zip(labels.1).all(fits)
    }

    fn covers(&self, url: &Url) -> bool {
        let port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        port && url.host_str().is_some_and(|host| self.covers_host(host))
    }
}

impl Outside {
    /// The address, if a request may go there as far as can be told before its name is looked up.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn judge(&self, written: &str) -> Result<Url, Refused> {
        let refused = |why: &str| Err(Refused::new(written, why));
        if written.len() > MAX_URL {
            return refused("it is longer than 8,000 bytes");
        }
        // The parser drops tabs and line breaks, reads `\` as `/` and repairs much else: what is sent must be what was written.
        if written.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || !c.is_ascii()) {
            return refused("it holds a character that does not belong in an address");
        }
        let Some(rest) = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://")) else {
            return refused("only http:// and https:// are good");
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return refused("an address with a user or a password in it is not followed");
        }
        if authority.contains('%') || authority.is_empty() {
            return refused("its host is not plain");
        }
        if written.contains('#') {
            return refused("an address with a fragment (#…) is not followed");
        }
        let url = Url::parse(written).map_err(|e| Refused::new(written, &e.to_string()))?;
        // `http://2130706433/` is 127.0.0.1 to the parser, and a number to whoever reads it.
        if !url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(bare(authority))) {
            return refused("its host is read in another way than it is written");
        }
        self.judge_url(&url).map_err(|why| Refused::new(written, &why))?;
        Ok(url)
    }

    fn judge_url(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        match literal(host) {
            Some(ip) => self.judge_literal(host, ip)?,
            None if host.is_empty() || host.ends_with('.') || host.contains("..") => {
                return Err("its host is not plain".to_owned());
            }
            None => {}
        }
        if let Self::Influenced(allowed) = self
            && !allowed.hosts.iter().any(|host| host.covers(url))
        {
            return Err("its host is not one that is allowed for this".to_owned());
        }
        let plaintext = match self {
            Self::Vendor { allow_plaintext } => *allow_plaintext,
            Self::Influenced(allowed) => allowed.allow_plaintext,
        };
        if url.scheme() == "http" && !plaintext && !on_this_machine(url) {
            return Err("plain http is for this machine only; use https, or set allow_plaintext".to_owned());
        }
        Ok(())
    }

    /// An address in the place of a name is not looked up: this is its only judge.
    fn judge_literal(&self, host: &str, ip: IpAddr) -> Result<(), String> {
        let reach = Reach::of(ip);
        match self {
            Self::Vendor { .. } if is_for_vendors(reach) => Ok(()),
            Self::Influenced(_) => self.judge_address(host, ip),
            Self::Vendor { .. } => Err(format!("{ip} is {}", reach.words())),
        }
    }

    /// One address behind `name`, at the moment of connecting: the last word, whatever the name meant a moment ago.
    ///
    /// # Errors
    /// Why it is not connected to.
    pub fn judge_address(&self, name: &str, ip: IpAddr) -> Result<(), String> {
        let reach = Reach::of(ip);
        // RFC 6761: what leaves the machine under this name is not what anybody meant.
        let local = is_localhost(name);
        let good = match self {
            Self::Vendor { .. } if local => reach == Reach::Loopback,
            Self::Vendor { .. } => is_for_vendors(reach),
            Self::Influenced(allowed) => {
                let listed = allowed.hosts.iter().any(|host| host.covers_host(&name.to_ascii_lowercase()));
                let private = allowed.private.iter().any(|cidr| cidr.contains(ip));
                let reachable = match reach {
                    Reach::Public => !local,
                    Reach::Loopback => private,
                    Reach::Private | Reach::LinkLocal => private && !local,
                    Reach::Metadata | Reach::Nobody => false,
                };
                listed && reachable
            }
        };
        if good { Ok(()) } else { Err(format!("{name} leads to {ip}, {}", reach.words())) }
    }
}

/// Where an address that the operator wrote may lead, as a name or as a number.
const fn is_for_vendors(reach: Reach) -> bool {
    matches!(reach, Reach::Public | Reach::Private | Reach::Loopback)
}

fn is_localhost(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    literal(host).map_or_else(|| is_localhost(host), |ip| ip.is_loopback())
}

/// The address that stands in the place of a name, as the parser writes it.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Without its port.
fn bare(authority: &str) -> &str {
    let end = if authority.starts_with('[') { authority.find(']').map(|at| at + 1) } else { authority.find(':') };
    end.and_then(|end| authority.get(..end)).unwrap_or(authority)
}
