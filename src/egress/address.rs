//! Judges addresses of the internet protocol: which of them a request of ours may reach. Pure; knows neither names nor HTTP.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Where clouds keep the credentials of the machine: nothing of ours has business there, whoever named it.
const METADATA: [IpAddr; 9] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), // AWS, Azure, Google, OpenStack and others
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),   // AWS: containers
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),  // AWS: pods
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),   // Azure's wire server, a public address
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), // Alibaba
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),     // Oracle, older
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), // AWS
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)), // AWS: pods
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), // Google
];

/// What an address is, as far as it matters who may reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anybody's, on the internet.
    Public,
    /// This machine.
    Loopback,
    /// A network behind the same door: RFC 1918, unique local, carrier-grade NAT, and what transition schemes hide.
    Private,
    /// This link only (RFC 3927, RFC 4291).
    LinkLocal,
    /// A cloud's metadata service.
    Metadata,
    /// Nobody's: unspecified, multicast, broadcast, documentation, reserved.
    Nobody,
}

impl Reach {
    /// After the IANA special-purpose address registries. An IPv6 address that only carries an IPv4 one is what that one is.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        let ip = plain(ip);
        if METADATA.contains(&ip) {
            return Self::Metadata;
        }
        match ip {
            IpAddr::V4(ip) => v4(ip),
            IpAddr::V6(ip) => v6(ip),
        }
    }

    /// In words, for an error.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "an address of this machine",
            Self::Private => "a private address",
            Self::LinkLocal => "an address of the local link",
            Self::Metadata => "a cloud's metadata service",
            Self::Nobody => "an address nobody can have",
        }
    }
}

/// The IPv4 address a mapped, compatible, NAT64 or 6to4 address stands for; otherwise the address itself.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [one, two, three, four, five, six, seven, eight] = v6.segments();
    let joined = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [one, two, three, four, five, six] {
        // ::ffff:a.b.c.d, ::ffff:0:a.b.c.d (translated, RFC 2765), 64:ff9b::a.b.c.d (RFC 6052)
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => joined(seven, eight),
        // ::a.b.c.d (compatible, long deprecated), but neither :: nor ::1
        [0, 0, 0, 0, 0, 0] if !(seven == 0 && eight <= 1) => joined(seven, eight),
        // 2002:aabb:ccdd::/48 (RFC 3056)
        [0x2002, ..] => joined(two, three),
        _ => ip,
    }
}

const fn v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [127, ..] => Reach::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        [169, 254, ..] => Reach::LinkLocal,
        // This network, multicast and all above; protocol assignments; documentation; 6to4 relays; benchmarks.
        [0 | 224..=255, ..]
        | [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..] => Reach::Nobody,
        _ => Reach::Public,
    }
}

const fn v6(ip: Ipv6Addr) -> Reach {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Loopback,
        // Unique local; NAT64 of a network's own (RFC 8215): what is behind it nobody outside can tell.
        [0xfc00..=0xfdff, ..] | [0x64, 0xff9b, 1, ..] => Reach::Private,
        // Link-local, and site-local of old.
        [0xfe80..=0xfeff, ..] => Reach::LinkLocal,
        // IETF protocol assignments with Teredo, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] => Reach::Nobody,
        // Global unicast is what has been handed out so far.
        [0x2000..=0x3ffe, ..] => Reach::Public,
        _ => Reach::Nobody,
    }
}

/// A network as people write it: `10.0.0.0/8`, `fd00::/8`; one address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

/// What is wrong with a network as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a network: write it like 10.1.0.0/16 or fd00:1::/32")]
pub struct NotANetwork;

impl FromStr for Cidr {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let network: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().map_err(|_| NotANetwork)?,
            Some(_) => return Err(NotANetwork),
        };
        if bits > most { Err(NotANetwork) } else { Ok(Self { network, bits }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

impl Cidr {
    /// A mapped address is in the network of the one it stands for.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.network, plain(ip)) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let off = 32 - u32::from(self.bits.min(32));
                u32::from(net).checked_shr(off) == u32::from(ip).checked_shr(off)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let off = 128 - u32::from(self.bits.min(128));
                u128::from(net).checked_shr(off) == u128::from(ip).checked_shr(off)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_the_registries_say() {
        let table: [(Reach, &[&str]); 6] = [
            (Reach::Public, &["1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"]),
            (
                Reach::Loopback,
                &["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::1"],
            ),
            (
                Reach::Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "192.168.1.1",
                    "100.64.0.1",
                    "fd12::1",
                    "64:ff9b::10.0.0.1",
                    "64:ff9b:1::1",
                ],
            ),
            (Reach::LinkLocal, &["169.254.1.1", "fe80::1", "fec0::1", "::ffff:169.254.7.7"]),
            (
                Reach::Metadata,
                &[
                    "169.254.169.254",
                    "::ffff:169.254.169.254",
                    "64:ff9b::169.254.169.254",
                    "100.100.100.200",
                    "fd00:ec2::254",
                ],
            ),
            (
                Reach::Nobody,
                &[
                    "0.0.0.0",
                    "0.1.2.3",
                    "::",
                    "192.0.2.1",
                    "198.18.0.1",
                    "203.0.113.9",
                    "224.0.0.1",
                    "255.255.255.255",
                    "240.0.0.1",
                    "ff02::1",
                    "2001:db8::1",
                    "2001::1",
                    "100::1",
                    "4000::1",
                ],
            ),
        ];
        for (reach, addresses) in table {
            for address in addresses {
                assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
            }
        }
    }

    #[test]
    fn networks_are_read_and_hold_their_addresses() {
        let holds = |network: &str, ip: &str| network.parse::<Cidr>().unwrap().contains(ip.parse().unwrap());
        assert!(holds("10.1.0.0/16", "10.1.2.3") && !holds("10.1.0.0/16", "10.2.0.1"));
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("fd00:1::/32", "fd00:1::7") && !holds("fd00:1::/32", "10.0.0.1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && holds("::/0", "2606:4700::1111"));
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "10.0.0/8", "host", "10.0.0.0/8/8"] {
            assert_eq!(wrong.parse::<Cidr>(), Err(NotANetwork), "{wrong}");
        }
    }
}
