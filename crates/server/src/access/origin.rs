//! Where a request of a browser really comes from.
//!
//! Whoever is let in by a cookie, or because they work on this machine, is let in whatever page
//! makes their browser ask. So what such a browser asks must come from our own pages, and under a
//! name that is ours: a foreign name that was made to lead here is refused.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use ipnet::IpNet;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Headers that a proxy adds: whoever asks is not on this machine, though the proxy may be.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-host"),
];

/// Returns the host a request was sent to, with the port as it was written.
pub(crate) fn authority(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let of_uri = || uri.authority().map(|it| it.as_str().to_owned());
    // What is no text is a name, too, and none of ours.
    let given = headers.get(header::HOST);
    let given = given.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    given.or_else(of_uri).map(|text| text.to_ascii_lowercase())
}

/// Returns the host without its port.
pub(crate) fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// Returns the host of an address such as `https://tocsin.example.org:9093/path`.
pub(super) fn host_of_url(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    host_of(rest.split('/').next().unwrap_or(rest))
}

/// Returns whether a name is ours: an address, this machine's own, the external one, or listed.
pub(super) fn is_our_name(authority: &str, external_url: &str, hosts: &[String]) -> bool {
    let host = host_of(authority);
    if !is_well_formed(authority, host) {
        return false;
    }
    host.parse::<IpAddr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || host.eq_ignore_ascii_case(host_of_url(external_url))
        || hosts.iter().any(|known| known == host)
}

/// Returns whether nothing but a port stands beside the host.
fn is_well_formed(authority: &str, host: &str) -> bool {
    let bare = authority.strip_prefix('[').map_or(authority, |rest| rest);
    let rest = bare.strip_prefix(host).unwrap_or(bare);
    let rest = if bare.len() < authority.len() { rest.strip_prefix(']') } else { Some(rest) };
    !host.is_empty()
        && rest.is_some_and(|rest| {
            let port = rest.strip_prefix(':').unwrap_or(rest);
            port.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Returns the address of whoever asks: the peer's, or what proxies that are trusted say.
///
/// Each proxy adds the address it was asked from at the end of `X-Forwarded-For`, so the list is
/// read from there, up to the first address that is no proxy of ours; what stands before it is what
/// somebody claims.
pub(crate) fn client_address(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    proxies: &[IpNet],
) -> Option<IpAddr> {
    let is_proxy = |address: IpAddr| proxies.iter().any(|net| net.contains(&address));
    let mut client = peer?.to_canonical();
    let lines = headers.get_all(&FORWARDED[1]).iter().filter_map(|line| line.to_str().ok());
    let passed: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    for text in passed.iter().rev() {
        if !is_proxy(client) {
            break;
        }
        let Ok(address) = text.parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    Some(client)
}

/// Returns whether the request passed a proxy.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(name))
}

/// Returns whether a page of somebody else made the browser ask. Following a link here is fine.
pub(super) fn is_foreign(
    method: &Method,
    headers: &HeaderMap,
    authority: Option<&str>,
    hosts: &[String],
) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if method == Method::OPTIONS {
        return false;
    }
    if let Some(site) = text(&FETCH_SITE) {
        if matches!(site, "same-origin" | "none") {
            return false;
        }
        let follows_link = method.is_safe() && text(&FETCH_MODE) == Some("navigate");
        if follows_link {
            return false;
        }
    }
    match text(&header::ORIGIN) {
        None => text(&FETCH_SITE).is_some(),
        Some(origin) => {
            let of_origin = origin.split_once("://").map_or(origin, |(_, rest)| rest);
            let is_ours = authority.is_some_and(|ours| ours.eq_ignore_ascii_case(of_origin));
            !is_ours && !hosts.iter().any(|known| known == host_of(of_origin))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(method: &str, pairs: &[(&str, &str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
        });
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        is_foreign(&method, &headers.collect(), Some("tocsin:9093"), &["ui.example".to_owned()])
    }

    #[test]
    fn programs_and_our_own_pages_are_not_foreign() {
        assert!(!foreign("POST", &[]));
        assert!(!foreign("POST", &[("origin", "http://tocsin:9093")]));
        assert!(!foreign("POST", &[("origin", "https://TOCSIN:9093")]));
        assert!(!foreign("POST", &[("origin", "https://ui.example")]));
        assert!(!foreign("POST", &[("sec-fetch-site", "same-origin")]));
        assert!(!foreign("GET", &[("sec-fetch-site", "none")]));
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert!(!foreign("GET", &link));
    }

    #[test]
    fn pages_of_others_are_foreign_whatever_they_do() {
        assert!(foreign("POST", &[("origin", "http://evil.example")]));
        assert!(foreign("POST", &[("origin", "http://tocsin:80")]));
        assert!(foreign("POST", &[("origin", "null")]));
        assert!(foreign("GET", &[("origin", "http://evil.example")]));
        assert!(foreign("POST", &[("sec-fetch-site", "same-site")]));
        assert!(foreign("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")]));
        let form = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert!(foreign("POST", &form));
    }

    #[test]
    fn only_proxies_that_are_trusted_say_who_asks() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let client = |peer: &str, lines: &[&str]| {
            let headers = lines.iter().map(|line| (FORWARDED[1].clone(), line.parse().unwrap()));
            let client = client_address(peer.parse().ok(), &headers.collect(), &proxies);
            client.unwrap().to_string()
        };
        assert_eq!(client("192.0.2.1", &["1.1.1.1"]), "192.0.2.1", "anybody can claim that");
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::1", &["1.1.1.1", "203.0.113.9, 10.0.0.7"]), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_name_that_was_made_to_lead_here_is_not_ours() {
        let ours = |authority: &str| {
            is_our_name(authority, "https://tocsin.example.org/base", &["alias".to_owned()])
        };
        for name in [
            "127.0.0.1:9093",
            "[::1]:9093",
            "[::1]",
            "localhost",
            "x.localhost:1",
            "tocsin.example.org",
            "tocsin.example.org:443",
            "alias:80",
            "10.2.3.4",
        ] {
            assert!(ours(name), "{name}");
        }
        for name in ["evil.example", "localhost.evil.example:9093", "tocsin.example.org.evil"] {
            assert!(!ours(name), "{name}");
        }
    }
}
