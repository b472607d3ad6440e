//! `webhook_configs`: the group as JSON to an address of your own.

use std::path::PathBuf;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{Any, SecretUrl};

section! {
    /// Posts the group as JSON (Alertmanager's body, version 4) to an address.
    WebhookConfig, check = check => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// Where the body is posted.
        url: Option<SecretUrl>;
        /// A file that holds the address, read when it is used.
        @Newer url_file: Option<PathBuf>;
        /// The most alerts in one body; the rest is counted in `truncatedAlerts`. 0 means all.
        max_alerts: u64;
        /// The longest that one request may take; 0 means as long as the group waits.
        @Newer timeout: Duration;
        /// A body of your own, built from templates.
        @Newer payload: Option<Any>;
    }
}

fn check(_: &mut WebhookConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exactly_one(fields, &["url", "url_file"]);
}
