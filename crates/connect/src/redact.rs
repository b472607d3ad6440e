//! Keeps secrets out of what people read: error texts name scheme and host, never more.

use reqwest::Url;

/// What stands where a secret stood.
const HIDDEN: &str = "<secret>";

/// The shortest text that is treated as a secret; hiding less would only garble messages.
const MIN_SECRET_CHARS: usize = 4;

/// The shortest part of a URL that is hidden on its own: tokens are longer, words are not.
const MIN_URL_PART_CHARS: usize = 8;

/// Collects the secrets that one attempt used and takes them out of texts.
///
/// The other side may echo what it was sent, so leaving secrets out of our own sentences is not
/// enough.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Vec<String>);

impl Redactor {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Hides `secret` in every text from now on.
    pub(crate) fn hide(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.chars().count() >= MIN_SECRET_CHARS && !self.0.iter().any(|s| s == secret) {
            self.0.push(secret.to_owned());
            // The longest first: a secret may contain another.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// Hides everything of `url` that may identify the caller: all but scheme and host.
    pub(crate) fn hide_url(&mut self, url: &Url) {
        self.hide(url.as_str());
        let path_and_query = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        if path_and_query.len() >= MIN_URL_PART_CHARS {
            self.hide(&path_and_query);
        }
        self.hide(url.username());
        self.hide(url.password().unwrap_or(""));
        let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        for part in segments.chain(values).collect::<Vec<_>>() {
            if part.len() >= MIN_URL_PART_CHARS {
                self.hide(&part);
            }
        }
    }

    /// Returns `text` without the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

/// Returns what of a URL may be shown: `https://host:port`.
pub(crate) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_url_but_its_host_is_hidden() {
        let url: Url =
            "https://user:pa55word@hooks.example/services/T0000/canary-path?key=canary-query"
                .parse()
                .unwrap();
        let mut redactor = Redactor::new();
        redactor.hide_url(&url);
        let text = redactor.redact(&format!("{url} said: no canary-path, canary-query, pa55word"));
        assert!(!text.contains("canary") && !text.contains("pa55word"), "{text}");
        assert_eq!(origin(&url), "https://hooks.example");
        assert_eq!(origin(&"http://[::1]:8080/x".parse().unwrap()), "http://[::1]:8080");
    }

    #[test]
    fn short_texts_are_left_alone() {
        let mut redactor = Redactor::new();
        redactor.hide("no");
        redactor.hide("");
        redactor.hide_url(&"http://h/x".parse().unwrap());
        assert_eq!(redactor.redact("nobody at /x"), "nobody at /x");
    }
}
