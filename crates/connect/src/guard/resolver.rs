//! Resolves names for HTTP clients, and gives them only addresses they may connect to.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Guard;

/// Variables that name proxies.
const PROXY_VARIABLES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Resolves names as a [`Guard`] says.
pub(crate) struct Resolver {
    guard: Guard,
    /// Proxies, which the operator chose and which may be anywhere. What lies behind one is for
    /// the proxy to resolve.
    proxies: Vec<String>,
}

impl Resolver {
    pub(crate) fn new(guard: Guard, proxies: Vec<String>) -> Self {
        Self { guard, proxies }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let name = name.as_str().to_owned();
        let is_proxy = self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(&name));
        Box::pin(async move {
            let found = if is_proxy {
                guard.lookup.lookup(name).await?
            } else {
                guard.resolve(&name).await?
            };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Returns the hosts of the proxies that the environment names.
pub(crate) fn environment_proxies() -> Vec<String> {
    PROXY_VARIABLES.iter().filter_map(|name| proxy_host(&std::env::var(name).ok()?)).collect()
}

/// Returns the host of a proxy, which may be written without a scheme.
pub(crate) fn proxy_host(text: &str) -> Option<String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    Url::parse(&with_scheme).ok()?.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_may_be_written_without_a_scheme() {
        for text in ["http://u:p@proxy.corp:3128", "proxy.corp:3128", "https://proxy.corp/"] {
            assert_eq!(proxy_host(text).as_deref(), Some("proxy.corp"), "{text}");
        }
        assert_eq!(proxy_host(""), None);
    }
}
