//! Where requests may go: nobody gets the server to talk to addresses that are none of theirs.
//!
//! A name is resolved once, its addresses are judged, and one of those is connected to; a name
//! that leads elsewhere a moment later gains nothing. Addresses written as such are judged before
//! a connection is made, and every redirect is judged anew.

mod reach;
mod resolver;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::Url;
use tocsin_config::{OutboundRules, Place};
use url::Host;

use self::reach::{Reach, plain, reach};
pub(crate) use self::resolver::{Resolver, environment_proxies, proxy_host};

/// How names become addresses.
pub trait Lookup: Send + Sync {
    /// Returns the addresses of a name; ports mean nothing.
    fn lookup(&self, name: String) -> LookupFuture;
}

/// The addresses of a name, soon.
pub type LookupFuture = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Asks the operating system.
#[derive(Debug)]
struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> LookupFuture {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Why an address is not connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    host: String,
    why: String,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not connected to: {}", self.host, self.why)
    }
}

impl std::error::Error for Blocked {}

/// Says where requests may go.
#[derive(Clone)]
pub struct Guard {
    rules: Arc<OutboundRules>,
    may_be_private: bool,
    lookup: Arc<dyn Lookup>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("rules", &self.rules)
            .field("may_be_private", &self.may_be_private)
            .finish_non_exhaustive()
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::of_file(&OutboundRules::default())
    }
}

impl Guard {
    /// Guards requests to addresses that the configuration file names.
    pub fn of_file(rules: &OutboundRules) -> Self {
        Self {
            rules: Arc::new(rules.clone()),
            may_be_private: rules.may_be_private,
            lookup: Arc::new(System),
        }
    }

    /// Guards requests to addresses that people or programs set, or that another server named:
    /// private networks and this machine are refused, whatever the file may name.
    #[must_use]
    pub fn strict(&self) -> Self {
        Self { may_be_private: false, ..self.clone() }
    }

    /// Replaces how names become addresses.
    #[must_use]
    pub fn with_lookup(self, lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup, ..self }
    }

    /// Judges what can be judged before a name is resolved: addresses written as such, in
    /// whatever notation, and names that are listed.
    ///
    /// # Errors
    /// [`Blocked`] when nothing there is connected to.
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.check(&address.to_string(), address.into()),
            Some(Host::Domain(name)) => match self.listed(name) {
                Some(false) => Err(blocked(name, denied())),
                _ => Ok(()),
            },
            None => Err(blocked("", "it has no host".to_owned())),
        }
    }

    /// Judges one address; `host` is what it was found under.
    fn check(&self, host: &str, address: IpAddr) -> Result<(), Blocked> {
        let named = self.listed(host);
        let is_in = |places: &[Place]| {
            places.iter().any(|place| {
                matches!(place, Place::Network(net)
                    if net.contains(&address) || net.contains(&plain(address)))
            })
        };
        if named == Some(false) || is_in(&self.rules.deny) {
            return Err(blocked(host, denied()));
        }
        if named == Some(true) || is_in(&self.rules.allow) {
            return Ok(());
        }
        let what = match reach(address) {
            Reach::Public => return Ok(()),
            Reach::Private(_) if self.may_be_private => return Ok(()),
            Reach::Private(what) | Reach::Never(what) => what,
        };
        let shown = if host == address.to_string() { "it".to_owned() } else { address.to_string() };
        Err(blocked(host, format!("{shown} is {what}; `outbound.allow` may list it")))
    }

    /// Returns whether a name is allowed or denied; `None` when it is not listed.
    fn listed(&self, name: &str) -> Option<bool> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_in = |places: &[Place]| {
            places.iter().any(|place| match place {
                Place::Network(_) => false,
                Place::Host(host) => *host == name,
                Place::Below(domain) => {
                    name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
                }
            })
        };
        if is_in(&self.rules.deny) {
            return Some(false);
        }
        is_in(&self.rules.allow).then_some(true)
    }

    /// Resolves a name and returns those of its addresses that may be connected to.
    async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, Failed> {
        if self.listed(name) == Some(false) {
            return Err(blocked(name, denied()).into());
        }
        let all = self.lookup.lookup(name.to_owned()).await?;
        let mut refusal = None;
        let mut fine = Vec::new();
        for address in all {
            match self.check(name, address.ip()) {
                Ok(()) => fine.push(address),
                Err(blocked) => refusal = Some(blocked),
            }
        }
        match refusal {
            Some(blocked) if fine.is_empty() => Err(blocked.into()),
            _ => Ok(fine),
        }
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn blocked(host: &str, why: String) -> Blocked {
    Blocked { host: host.to_owned(), why }
}

fn denied() -> String {
    "`outbound.deny` lists it".to_owned()
}

/// Returns the refusal that an error comes from, if it is one.
pub(crate) fn refusal<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Blocked> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(blocked) = error.downcast_ref::<Blocked>() {
            return Some(blocked);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> OutboundRules {
        let places = |list: &[&str]| {
            list.iter()
                .map(|text| match (text.parse(), text.strip_prefix("*.")) {
                    (Ok(network), _) => Place::Network(network),
                    (Err(_), Some(domain)) => Place::Below(domain.to_owned()),
                    (Err(_), None) => Place::Host((*text).to_owned()),
                })
                .collect()
        };
        OutboundRules { may_be_private: true, allow: places(allow), deny: places(deny) }
    }

    fn is_fine(guard: &Guard, url: &str) -> bool {
        guard.check_url(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn an_address_is_the_same_in_every_notation() {
        let guard = Guard::default().strict();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://hooks.example.org@127.0.0.1/",
            "http://hooks.example.org:80@127.0.0.1/",
            "http://hooks.example.org%2f@127.0.0.1/",
            "http://127.0.0.1\\@hooks.example.org/",
            "http://127.0.0.1#@hooks.example.org/",
            "http://127.0.0.1?@hooks.example.org/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "http://127\u{3002}0\u{3002}0\u{3002}1/",
            "http://0/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://[fe80::1]/",
            "http://10.0.0.1/",
        ] {
            assert!(!is_fine(&guard, url), "{url}");
        }
        assert!(is_fine(&guard, "https://93.184.215.14/"));
        assert!(is_fine(&guard, "https://127.0.0.1@93.184.215.14/"));
    }

    #[test]
    fn the_file_may_name_private_networks_and_never_those_of_the_cloud() {
        let guard = Guard::default();
        for url in ["http://127.0.0.1/", "http://10.1.2.3/", "http://[fd00::1]/"] {
            assert!(is_fine(&guard, url), "{url}");
        }
        for url in ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0.0.0.0/"] {
            assert!(!is_fine(&guard, url), "{url}");
        }
        let refusing = OutboundRules { may_be_private: false, ..OutboundRules::default() };
        assert!(!is_fine(&Guard::of_file(&refusing), "http://10.1.2.3/"));
    }

    #[test]
    fn what_is_listed_comes_first_and_what_is_denied_before_all() {
        let guard = Guard::of_file(&rules(
            &["10.0.0.0/8", "169.254.7.7/32", "hooks.internal"],
            &["10.9.0.0/16", "93.184.215.0/24", "*.evil.example"],
        ));
        let strict = guard.strict();
        for url in ["http://10.1.2.3/", "http://169.254.7.7/", "http://[::ffff:10.1.2.3]/"] {
            assert!(is_fine(&strict, url), "{url}");
        }
        for url in ["http://10.9.1.1/", "http://93.184.215.14/", "http://A.Evil.Example./"] {
            assert!(!is_fine(&guard, url), "{url}");
        }
        assert!(is_fine(&strict, "http://evil.example/"), "only what is below it is denied");
    }

    #[tokio::test]
    async fn a_name_leads_to_those_of_its_addresses_that_are_fine() {
        struct Fake;
        impl Lookup for Fake {
            fn lookup(&self, _: String) -> LookupFuture {
                let all = ["93.184.215.14:0", "127.0.0.1:0", "[fe80::1]:0"];
                Box::pin(async move { Ok(all.map(|it| it.parse().unwrap()).to_vec()) })
            }
        }
        let guard = |allow| Guard::of_file(&rules(allow, &[])).with_lookup(Arc::new(Fake));
        let count = async |guard: Guard| guard.resolve("hooks.internal").await.unwrap().len();
        assert_eq!(count(guard(&[])).await, 2);
        assert_eq!(count(guard(&[]).strict()).await, 1);
        assert_eq!(count(guard(&["hooks.internal"]).strict()).await, 3);
        assert_eq!(count(guard(&["fe80::/10"]).strict()).await, 2);
    }
}
