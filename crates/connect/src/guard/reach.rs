//! What lies behind an address: the internet, a private network, or something nobody's message is
//! meant for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What lies behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The internet.
    Public,
    /// A private network or this machine; the text says which.
    Private(&'static str),
    /// Nobody that takes messages; the text says what.
    Never(&'static str),
}

/// Where clouds hand out credentials, beside the link-local addresses: AWS by IPv6, Alibaba,
/// and the host of an Azure machine.
const METADATA: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Returns the address that is reached in the end: IPv4 in the forms that IPv6 carries it in.
///
/// Sources: RFC 4291 (mapped and compatible), 6052 (NAT64), 3056 (6to4), 4380 (Teredo), 5214
/// (ISATAP).
pub(super) fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let parts = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        // Translated addresses (RFC 2765), which some systems still turn into IPv4.
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0, .., high, low] => v4(!high, !low),
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low),
        _ => address,
    }
}

/// Returns what lies behind an address.
pub(super) fn reach(address: IpAddr) -> Reach {
    let plain = plain(address);
    if METADATA.contains(&plain) {
        return Reach::Never("a cloud's metadata address");
    }
    match plain {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

/// Source: IANA IPv4 Special-Purpose Address Registry.
fn reach_v4(v4: Ipv4Addr) -> Reach {
    match v4.octets() {
        [0, ..] => Reach::Never("an unspecified address"),
        [127, ..] => Reach::Private("this machine"),
        [169, 254, ..] => Reach::Never("a link-local address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private("a private address"),
        [100, 64..=127, ..] => Reach::Private("a carrier's private address"),
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Private("an address for special purposes")
        }
        [192, 88, 99, _] => Reach::Never("a relay's address"),
        [224..=239, ..] => Reach::Never("a multicast address"),
        [240..=255, ..] => Reach::Never("a reserved address"),
        _ => Reach::Public,
    }
}

/// Source: IANA IPv6 Special-Purpose Address Registry.
fn reach_v6(v6: Ipv6Addr) -> Reach {
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private("this machine"),
        [0xfe80..=0xfebf, ..] => Reach::Never("a link-local address"),
        [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] => Reach::Private("a private address"),
        [0x64, 0xff9b, 1, ..] => Reach::Private("a private translation of IPv4"),
        [0xff00..=0xffff, ..] => Reach::Never("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reach::Private("an address for documentation")
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(addresses: &[&str], is_right: impl Fn(Reach) -> bool) {
        for text in addresses {
            let found = reach(text.parse().unwrap());
            assert!(is_right(found), "{text}: {found:?}");
        }
    }

    #[test]
    fn private_networks_are_known_in_every_form() {
        let private = [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::192.168.0.1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001:0:1:2:3:4:80ff:fffe",
            "2001:db8::1",
            "2a00:1:2:3:0:5efe:10.0.0.1",
        ];
        all(&private, |found| matches!(found, Reach::Private(_)));
    }

    #[test]
    fn nobody_takes_messages_there_in_any_form() {
        let never = [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "4000::1",
        ];
        all(&never, |found| matches!(found, Reach::Never(_)));
    }

    #[test]
    fn the_internet_is_the_internet() {
        let public = [
            "1.1.1.1",
            "172.15.255.255",
            "172.32.0.1",
            "100.63.255.255",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ];
        all(&public, |found| found == Reach::Public);
    }
}
