//! Where the server and its tenants are found.

use std::sync::Arc;

use tocsin_config::{Limits, Tenant};
use tocsin_server::Options;

use super::flags::ServeFlags;

/// Returns how this machine itself reaches the server, unless it was said how everybody does.
pub(super) fn local_url(flags: &ServeFlags, speaks_tls: bool) -> Option<String> {
    if flags.web_external_url.is_some() || speaks_tls {
        return None;
    }
    let port = flags.web_listen_address.first()?.rsplit(':').next()?;
    Some(format!("http://localhost:{port}"))
}

/// Returns the address of the server when nobody said one.
pub(super) fn default_external_url(listen: &[String], speaks_tls: bool) -> String {
    let scheme = if speaks_tls { "https" } else { "http" };
    let port = listen.first().and_then(|a| a.rsplit(':').next()).unwrap_or("9093");
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "localhost" } else { host.trim() };
    format!("{scheme}://{host}:{port}")
}

/// Returns the path of an address.
pub(super) fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("", |slash| &after_scheme[slash..])
}

/// Returns the host name of an address.
pub(super) fn host_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme.split('/').next().unwrap_or(after_scheme);
    authority.split(':').next().unwrap_or(authority)
}

/// Returns what holds for a tenant beside the default one, whose options are `base`: it has a host
/// name of its own, or a path under the default tenant's.
pub(super) fn options_of(base: &Options, tenant: &Tenant, limits: &Limits) -> Options {
    let name = tenant.name.as_str();
    let (external_url, route_prefix) = match tenant.hosts.first() {
        Some(host) => (with_host(&base.external_url, host), base.route_prefix.clone()),
        None => (format!("{}/t/{name}", base.external_url), format!("{}/t/{name}", base.prefix())),
    };
    Options {
        tenant: Arc::from(name),
        external_url,
        route_prefix,
        max_request_bytes: limits.max_request_bytes,
        requests_per_second: limits.requests_per_second,
        ..base.clone()
    }
}

/// Returns an address with another host name, and the same scheme, port and path.
fn with_host(url: &str, host: &str) -> String {
    let own = host_of(url);
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{host}{}", &rest[own.len()..]),
        None => format!("{host}{}", &url[own.len()..]),
    }
}

#[cfg(test)]
mod tests {
    use tocsin_core::identity::Handle;

    use super::*;

    fn options(hosts: &[&str], external_url: &str, route_prefix: &str) -> (String, String) {
        let base = Options {
            external_url: external_url.to_owned(),
            route_prefix: route_prefix.to_owned(),
            ..Options::default()
        };
        let tenant = Tenant {
            name: Handle::parse("acme").unwrap(),
            config: "acme.yaml".into(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let limits = Limits { max_request_bytes: 1, requests_per_second: 0 };
        let options = options_of(&base, &tenant, &limits);
        (options.external_url.clone(), options.prefix())
    }

    #[test]
    fn a_tenant_is_under_the_path_or_at_its_own_host() {
        let pair = |url: &str, prefix: &str| (url.to_owned(), prefix.to_owned());
        assert_eq!(
            options(&[], "http://tocsin:9093", ""),
            pair("http://tocsin:9093/t/acme", "/t/acme")
        );
        assert_eq!(
            options(&[], "https://example.org/am", "/am/"),
            pair("https://example.org/am/t/acme", "/am/t/acme")
        );
        assert_eq!(
            options(&["acme.example.org", "b"], "https://example.org:8443/am", "/am"),
            pair("https://acme.example.org:8443/am", "/am")
        );
    }
}
