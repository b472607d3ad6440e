//! Which tenant a request is for: by its path, its host name, what it shows, and else the default.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, Request, Uri, header};
use tocsin_config::DEFAULT_TENANT;
use tocsin_core::identity::SecretHash;

use super::{MAX_REMEMBERED, Member, Others, Tenants};
use crate::access::{SESSION_COOKIE, authority, cookie, host_of, token};

/// What stands before the name of a tenant in a path.
const PATH: &str = "/t/";

/// What stands before the key of an integration in a path.
const HOOKS: &str = "/api/v1/hooks/";

/// The header that may carry the key of an integration.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-tocsin-key");

/// The longest key that is looked for.
const MAX_KEY_BYTES: usize = 256;

/// Which tenant was chosen, and the path that its router knows; `None` for the path as it is.
pub(super) struct Choice {
    pub(super) member: Member,
    pub(super) path: Option<String>,
}

impl Tenants {
    /// Chooses the tenant of a request. What it shows decides only where neither path nor host
    /// names a tenant: a token of another tenant is unknown to the one that is named.
    pub(super) fn choose<B>(&self, request: &Request<B>) -> Choice {
        let main = &self.main;
        let others = self.others.load();
        let uri = request.uri();
        let unchanged = |member: &Member| Choice { member: member.clone(), path: None };
        let rest = uri.path().strip_prefix(main.inner.prefix.as_str());
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some(named) = rest.and_then(|rest| rest.strip_prefix(PATH)) {
            let (name, tail) = named.find('/').map_or((named, ""), |at| named.split_at(at));
            let member = match name {
                DEFAULT_TENANT => main,
                // The default tenant has nothing there, and says so.
                _ => others.by_name.get(name).unwrap_or(main),
            };
            let is_known = member.name() == name;
            return if is_known { under(member, tail) } else { unchanged(main) };
        }
        if others.all.is_empty() {
            return unchanged(main);
        }
        let by_host = || {
            let authority = authority(request.headers(), uri)?;
            others.by_host.get(host_of(&authority).trim_end_matches('.'))
        };
        let member = match by_host() {
            Some(member) => member.clone(),
            None => self.by_credential(&others, request.headers(), uri, rest.unwrap_or_default()),
        };
        match rest {
            Some(rest) => under(&member, rest),
            None => unchanged(&member),
        }
    }

    /// Returns the tenant that knows what is shown, else the default one.
    fn by_credential(&self, others: &Others, headers: &HeaderMap, uri: &Uri, path: &str) -> Member {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let of_hook = || path.strip_prefix(HOOKS).map(|key| decoded(key.trim_end_matches('/')));
        let of_header = || text(&KEY_HEADER).map(|key| Cow::Borrowed(key.trim()));
        // As `GenieKey` or as a bearer; what basic authentication carries is a token or a password.
        let of_authorization = || {
            let (scheme, rest) = text(&header::AUTHORIZATION)?.split_once(' ')?;
            (!scheme.eq_ignore_ascii_case("basic")).then(|| Cow::Borrowed(rest.trim()))
        };
        let of_query = || {
            let query = form_urlencoded::parse(uri.query()?.as_bytes());
            query.into_iter().find(|(name, _)| name == "apiKey").map(|(_, key)| key)
        };
        // In the order in which the handlers look.
        let shown = of_hook()
            .into_iter()
            .chain(token(headers).map(Cow::Owned))
            .chain(of_header())
            .chain(of_authorization())
            .chain(of_query());
        let keys = shown.filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES);
        for key in keys {
            if let Some(member) = self.knowing(others, &SecretHash::of(key.as_bytes())) {
                return member;
            }
        }
        let is_signed_in = |member: &&Member| {
            let secret = cookie(headers, &member.inner.app.options.cookie(SESSION_COOKIE));
            secret.is_some_and(|secret| {
                let hash = SecretHash::of(secret.as_bytes());
                member.inner.app.engine.directory().session_by_hash(&hash).is_some()
            })
        };
        if !headers.contains_key(header::COOKIE) || is_signed_in(&&self.main) {
            return self.main.clone();
        }
        others.all.iter().find(is_signed_in).unwrap_or(&self.main).clone()
    }

    /// Returns the tenant that knows a secret; where an operator gave two the same key, the first.
    fn knowing(&self, others: &Others, hash: &SecretHash) -> Option<Member> {
        if self.main.knows(hash) {
            return Some(self.main.clone());
        }
        let remembered = self.remembered.read().get(hash).cloned();
        let remembered = remembered.and_then(|name| others.by_name.get(&name));
        if let Some(member) = remembered.filter(|member| member.knows(hash)) {
            return Some(member.clone());
        }
        let member = others.all.iter().find(|member| member.knows(hash))?;
        let mut remembered = self.remembered.write();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(*hash, Arc::clone(&member.inner.name));
        Some(member.clone())
    }
}

impl Member {
    /// Returns whether a token or a key of an integration is this tenant's.
    fn knows(&self, hash: &SecretHash) -> bool {
        let app = &self.inner.app;
        app.engine.directory().token_by_hash(hash).is_some()
            || app.reloader.current().inbounds.has_key(hash)
    }
}

/// Returns the choice of a tenant with the path that its router knows `rest` by.
fn under(member: &Member, rest: &str) -> Choice {
    let path = format!("{}{rest}", member.inner.prefix);
    let path = if path.is_empty() { "/".to_owned() } else { path };
    Choice { member: member.clone(), path: Some(path) }
}

/// Decodes what stands in a path; what is not UTF-8 then is no key.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let (bytes, mut at) = (text.as_bytes(), 0);
    let mut decoded = Vec::with_capacity(bytes.len());
    while let Some(byte) = bytes.get(at) {
        let pair = (*byte == b'%').then(|| hex(bytes.get(at + 1)).zip(hex(bytes.get(at + 2))));
        let value = pair.flatten().and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        at += if value.is_some() { 3 } else { 1 };
        decoded.push(value.unwrap_or(*byte));
    }
    Cow::Owned(String::from_utf8(decoded).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_path_is_read_as_the_handler_reads_it() {
        for (text, key) in
            [("a-b+c", "a-b+c"), ("a%2Bb%3d", "a+b="), ("100%", "100%"), ("%zz", "%zz")]
        {
            assert_eq!(decoded(text), key);
        }
        assert_eq!(decoded("%ff"), "", "not UTF-8");
    }
}
