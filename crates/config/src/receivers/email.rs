//! `email_configs`: mail over SMTP.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::http::TlsConfig;
use crate::reader::{Fields, Reader};
use crate::section::{section, words};
use crate::values::{HostPort, Secret, SecretSource, Template};

section! {
    /// Sends mail. What is not given comes from the `smtp_*` keys of `global`.
    EmailConfig, check = check => {
        /// Whether resolved alerts are told.
        send_resolved: bool = false;
        /// The recipients, separated by commas.
        to: Template;
        /// The sender; `smtp_from` when it is not given.
        from: Option<Template>;
        /// The host name to say hello with; `smtp_hello` when it is not given.
        hello: Option<String>;
        /// The server; `smtp_smarthost` when it is not given.
        smarthost: Option<HostPort>;
        /// The user for LOGIN, PLAIN and CRAM-MD5.
        auth_username: Option<String>;
        /// The password for LOGIN and PLAIN.
        auth_password: Option<Secret>;
        /// A file that holds the password, read when it is used.
        auth_password_file: Option<PathBuf>;
        /// The secret for CRAM-MD5.
        auth_secret: Option<Secret>;
        /// A file that holds the secret for CRAM-MD5, read when it is used.
        @Newer auth_secret_file: Option<PathBuf>;
        /// The identity to act as, for PLAIN.
        auth_identity: Option<String>;
        /// Further headers; they replace the usual ones of the same name.
        headers: BTreeMap<String, Template>;
        /// The body in HTML; unset means the built-in one.
        html: Option<Template>;
        /// The body as plain text.
        text: Option<Template>;
        /// Whether the server must offer STARTTLS; `smtp_require_tls` when it is not given.
        require_tls: Option<bool>;
        /// How the server is verified; `smtp_tls_config` when it is not given.
        tls_config: Option<TlsConfig>;
        /// Speaks TLS from the first byte; unset means: on port 465 only.
        @Newer force_implicit_tls: Option<bool>;
        /// Gathers the mails of a group in one thread.
        @Newer threading: EmailThreading;
    }
}

section! {
    /// How mails of one group are gathered in a thread.
    EmailThreading => {
        /// Whether they are.
        @Newer enabled: bool;
        /// Whether every day begins a thread of its own.
        @Newer thread_by_date: DateThreading = DateThreading::Daily;
    }
}

words! {
    /// When a group of alerts begins a new thread.
    DateThreading {
        /// Every day.
        Daily = "daily",
        /// Never.
        None = "none",
    }
    default = Daily
}

impl EmailConfig {
    /// Returns where the password for LOGIN and PLAIN comes from.
    pub fn password(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.auth_password.as_ref(), self.auth_password_file.as_deref())
    }

    /// Returns where the secret for CRAM-MD5 comes from.
    pub fn cram_md5_secret(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.auth_secret.as_ref(), self.auth_secret_file.as_deref())
    }

    /// Returns whether TLS is spoken from the first byte.
    pub fn is_implicit_tls(&self) -> bool {
        const SMTPS: u16 = 465;
        let is_smtps = self.smarthost.as_ref().is_some_and(|server| server.port == SMTPS);
        self.force_implicit_tls.unwrap_or(is_smtps)
    }
}

fn check(config: &mut EmailConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["to"]);
    reader.exclusive(fields, &["auth_password", "auth_password_file"]);
    reader.exclusive(fields, &["auth_secret", "auth_secret_file"]);
    let mut seen = BTreeSet::new();
    for name in config.headers.keys() {
        if !seen.insert(name.to_ascii_lowercase()) {
            let message = format!("the header `{name}` is given twice in different spelling");
            reader.error_at(fields, "headers", message);
        }
    }
}
