//! Messages that phones and browsers show by themselves.

use std::path::PathBuf;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{Secret, SecretSource, Url};

section! {
    /// Publishes to topics of ntfy.
    NtfyChannelConfig, check = check_ntfy => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// The server for addresses that are only a topic.
        @Native url: Option<Url> = Url::parse("https://ntfy.sh").ok();
        /// The token at that server, `tk_…`.
        @Native token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Native token_file: Option<PathBuf>;
    }
}

section! {
    /// Pushes to browsers that subscribed, through the services of their makers.
    WebPushChannelConfig, check = check_push => {
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
        /// Whom the services can reach about misuse: `mailto:…` or an `https` address; unset means
        /// the address of this server.
        @Native subject: Option<String>;
        /// A file with the private key as PEM (P-256); unset means one that is made on the first
        /// start, beside the database.
        @Native private_key_file: Option<PathBuf>;
    }
}

fn check_ntfy(_: &mut NtfyChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["token", "token_file"]);
}

fn check_push(push: &mut WebPushChannelConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let is_fine = |subject: &String| {
        subject.starts_with("mailto:") && subject.contains('@') || subject.starts_with("https://")
    };
    if push.subject.as_ref().is_some_and(|subject| !is_fine(subject)) {
        let message = "write `subject` as `mailto:ops@example.org` or `https://example.org`";
        reader.error_at(fields, "subject", message);
    }
}

impl NtfyChannelConfig {
    /// Returns where the token comes from.
    pub fn token(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.token.as_ref(), self.token_file.as_deref())
    }
}
