//! Whether Go's `url.ParseRequestURI` would take a text; API v2 demands it of `generatorURL`.

/// Returns whether `text` is an absolute URI, an absolute path, or `*`.
pub(super) fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !path.starts_with('/') {
        // `mailto:someone` is fine, `not a url` is not.
        return !scheme.is_empty();
    }
    // Without a scheme even `//host/x` is only a path here.
    let Some(after) = path.strip_prefix("//").filter(|_| !scheme.is_empty()) else {
        return has_valid_escapes(path);
    };
    let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    is_authority(authority) && has_valid_escapes(path)
}

/// Splits `scheme:rest`; the scheme is empty when there is none. `None` when the text starts with
/// a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return None,
            b':' => return Some((&text[..i], &text[i + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn is_authority(authority: &str) -> bool {
    let host = match authority.rsplit_once('@') {
        None => authority,
        Some((user, host)) => {
            let is_user = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
            if !user.bytes().all(is_user) || !has_valid_escapes(user) {
                return false;
            }
            host
        }
    };
    if let Some(inner) = host.strip_prefix('[') {
        let Some((address, port)) = inner.rsplit_once(']') else { return false };
        return is_host(address) && is_port(port);
    }
    match host.rfind(':') {
        Some(colon) => is_host(&host[..colon]) && is_port(&host[colon..]),
        None => is_host(host),
    }
}

fn is_host(host: &str) -> bool {
    let is_allowed =
        |b: u8| b >= 0x80 || b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&b);
    host.bytes().all(is_allowed) && has_valid_escapes(host)
}

/// Returns whether `port` is empty or a colon with digits only.
fn is_port(port: &str) -> bool {
    port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns whether every `%` is followed by two hexadecimal digits.
fn has_valid_escapes(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match rest.get(at + 1..at + 3) {
            Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                rest = &rest[at + 3..];
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_request_uri;

    #[test]
    fn what_go_takes_is_taken() {
        for uri in [
            "http://prom.example/graph?g0.expr=up",
            "http://prom:9090/graph?g0.expr=%zz",
            "https://user:pass@[::1]:9090/x",
            "http://prom.example",
            "http://prom.example:",
            "/relative/path",
            "//host/path",
            "mailto:ops@example.org",
            "urn:x",
            "http://prom.example/a b",
            "*",
        ] {
            assert!(is_request_uri(uri), "{uri}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for uri in [
            "",
            "not a url",
            "relative/path",
            ":no-scheme",
            "http://a b/",
            "http://host:port/",
            "http://[::1/",
            "http://host/%zz",
            "http://host/\u{1}",
            "1http://x",
        ] {
            assert!(!is_request_uri(uri), "{uri}");
        }
    }
}
