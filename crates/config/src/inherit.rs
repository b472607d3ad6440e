//! What receivers take over from `global`, as Alertmanager does.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document::{Document, ReceiverDocument};
use crate::global::GlobalConfig;
use crate::http::HttpConfig;
use crate::reader::Reader;
use crate::route::RouteConfig;

const GROUP_WAIT: Duration = Duration::from_secs(30);
const GROUP_INTERVAL: Duration = Duration::from_secs(5 * 60);
const REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);

/// Fills in the defaults of the root of the routes.
pub(crate) fn fill_root(document: &mut Document) {
    if let Some(root) = &mut document.route {
        root.group_wait.get_or_insert(GROUP_WAIT);
        root.group_interval.get_or_insert(GROUP_INTERVAL);
        root.repeat_interval.get_or_insert(REPEAT_INTERVAL);
    }
}

/// Fills in what receivers inherit and complains where neither says it. Returns for every value
/// that was taken over, by its path, the key of `global` it comes from.
pub(crate) fn inherit(
    document: &mut Document,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    let Document { global, receivers, route, .. } = document;
    if let Some(root) = route {
        inherit_routes(root, ".route", &mut taken);
    }
    for (index, receiver) in receivers.iter_mut().enumerate() {
        Heir {
            global,
            reader: &mut *reader,
            taken: &mut taken,
            receiver: index,
            path: String::new(),
        }
        .receiver(receiver);
    }
    taken
}

/// Fills in what the routes below `parent` take over from it.
fn inherit_routes(parent: &mut RouteConfig, path: &str, taken: &mut BTreeMap<String, String>) {
    let mut routes = std::mem::take(&mut parent.routes);
    for (index, route) in routes.iter_mut().enumerate() {
        let own = format!("{path}.routes[{index}]");
        let mut note = |key: &str| taken.insert(format!("{own}.{key}"), format!("{path}.{key}"));
        macro_rules! take {
            ($($key:ident)*) => {$(
                if route.$key.is_none() && parent.$key.is_some() {
                    route.$key = parent.$key.clone();
                    note(stringify!($key));
                }
            )*};
        }
        take!(receiver group_by group_wait group_interval repeat_interval group_wait_by_severity);
        for (name, value) in &parent.labels {
            if !route.labels.contains_key(name) {
                route.labels.insert(name.clone(), value.clone());
                note(&format!("labels.{name}"));
            }
        }
        inherit_routes(route, &own, taken);
    }
    parent.routes = routes;
}

/// One receiver that takes over what it does not say itself.
struct Heir<'a, 'f> {
    global: &'a GlobalConfig,
    reader: &'a mut Reader<'f>,
    taken: &'a mut BTreeMap<String, String>,
    receiver: usize,
    /// The path of the integration that is being filled in.
    path: String,
}

impl Heir<'_, '_> {
    fn at(&mut self, list: &str, index: usize) {
        self.path = format!(".receivers[{}].{list}[{index}]", self.receiver);
    }

    /// Takes `from` when nothing is there.
    fn take<T: Clone>(&mut self, to: &mut Option<T>, key: &str, from: Option<&T>, global: &str) {
        if to.is_none()
            && let Some(value) = from
        {
            *to = Some(value.clone());
            self.taken.insert(format!("{}.{key}", self.path), format!(".global.{global}"));
        }
    }

    fn http(&mut self, to: &mut Option<HttpConfig>) {
        self.take(to, "http_config", Some(&self.global.http_config), "http_config");
    }

    /// Takes a pair of a value and its file together, so that neither hides the other.
    fn pair<T: Clone>(
        &mut self,
        (value, file): (&mut Option<T>, &mut Option<std::path::PathBuf>),
        key: &str,
        (from, from_file): (Option<&T>, Option<&std::path::PathBuf>),
        global: &str,
    ) {
        if value.is_none() && file.is_none() {
            self.take(value, key, from, global);
            self.take(file, &format!("{key}_file"), from_file, &format!("{global}_file"));
        }
    }

    fn need(&mut self, is_there: bool, key: &str, global: &str) {
        if !is_there {
            let span = self.reader.place(&self.path);
            let message = format!("`{key}` is missing, here and in `global` (`{global}`)");
            self.reader.error_span(span, message);
        }
    }

    fn receiver(&mut self, receiver: &mut ReceiverDocument) {
        self.mail(receiver);
        self.slack(receiver);
        self.paging(receiver);
        self.chat(receiver);
        self.only_http(receiver);
    }

    fn mail(&mut self, receiver: &mut ReceiverDocument) {
        let global = self.global;
        for (index, c) in receiver.email_configs.iter_mut().enumerate() {
            self.at("email_configs", index);
            self.take(&mut c.from, "from", global.smtp_from.as_ref(), "smtp_from");
            self.take(
                &mut c.smarthost,
                "smarthost",
                global.smtp_smarthost.as_ref(),
                "smtp_smarthost",
            );
            self.take(&mut c.hello, "hello", Some(&global.smtp_hello), "smtp_hello");
            let user = global.smtp_auth_username.as_ref();
            self.take(&mut c.auth_username, "auth_username", user, "smtp_auth_username");
            self.pair(
                (&mut c.auth_password, &mut c.auth_password_file),
                "auth_password",
                (global.smtp_auth_password.as_ref(), global.smtp_auth_password_file.as_ref()),
                "smtp_auth_password",
            );
            self.pair(
                (&mut c.auth_secret, &mut c.auth_secret_file),
                "auth_secret",
                (global.smtp_auth_secret.as_ref(), global.smtp_auth_secret_file.as_ref()),
                "smtp_auth_secret",
            );
            let identity = global.smtp_auth_identity.as_ref();
            self.take(&mut c.auth_identity, "auth_identity", identity, "smtp_auth_identity");
            let tls = Some(&global.smtp_require_tls);
            self.take(&mut c.require_tls, "require_tls", tls, "smtp_require_tls");
            let tls = global.smtp_tls_config.as_ref();
            self.take(&mut c.tls_config, "tls_config", tls, "smtp_tls_config");
            // Always set afterwards, so that nobody has to ask twice.
            c.tls_config.get_or_insert_default();
            let implicit = global.smtp_force_implicit_tls.as_ref();
            let key = "smtp_force_implicit_tls";
            self.take(&mut c.force_implicit_tls, "force_implicit_tls", implicit, key);
            self.need(c.smarthost.is_some(), "smarthost", "smtp_smarthost");
            self.need(c.from.is_some(), "from", "smtp_from");
        }
    }

    fn slack(&mut self, receiver: &mut ReceiverDocument) {
        let global = self.global;
        let has_token = global.slack_app_token.is_some() || global.slack_app_token_file.is_some();
        let has_url = global.slack_api_url.is_some() || global.slack_api_url_file.is_some();
        for (index, c) in receiver.slack_configs.iter_mut().enumerate() {
            self.at("slack_configs", index);
            self.http(&mut c.http_config);
            let has_own = c.api_url.is_some()
                || c.api_url_file.is_some()
                || c.app_token.is_some()
                || c.app_token_file.is_some();
            // An app has to be told the channel. Where none is given and a webhook is at hand,
            // the webhook is meant.
            let is_app = has_token && (!has_url || !c.channel.text().is_empty());
            if !has_own && is_app {
                self.pair(
                    (&mut c.app_token, &mut c.app_token_file),
                    "app_token",
                    (global.slack_app_token.as_ref(), global.slack_app_token_file.as_ref()),
                    "slack_app_token",
                );
            } else if !has_own {
                self.pair(
                    (&mut c.api_url, &mut c.api_url_file),
                    "api_url",
                    (global.slack_api_url.as_ref(), global.slack_api_url_file.as_ref()),
                    "slack_api_url",
                );
            }
            self.need(has_own || has_token || has_url, "api_url", "slack_api_url");
            if c.app_token().is_some() {
                self.take(
                    &mut c.app_url,
                    "app_url",
                    global.slack_app_url.as_ref(),
                    "slack_app_url",
                );
                if c.channel.text().is_empty() {
                    let span = self.reader.place(&self.path);
                    self.reader.error_span(span, "a Slack app needs `channel`");
                }
            }
        }
    }

    fn paging(&mut self, receiver: &mut ReceiverDocument) {
        let global = self.global;
        for (index, c) in receiver.pagerduty_configs.iter_mut().enumerate() {
            self.at("pagerduty_configs", index);
            self.http(&mut c.http_config);
            self.take(&mut c.url, "url", global.pagerduty_url.as_ref(), "pagerduty_url");
        }
        for (index, c) in receiver.opsgenie_configs.iter_mut().enumerate() {
            self.at("opsgenie_configs", index);
            self.http(&mut c.http_config);
            self.take(
                &mut c.api_url,
                "api_url",
                global.opsgenie_api_url.as_ref(),
                "opsgenie_api_url",
            );
            self.pair(
                (&mut c.api_key, &mut c.api_key_file),
                "api_key",
                (global.opsgenie_api_key.as_ref(), global.opsgenie_api_key_file.as_ref()),
                "opsgenie_api_key",
            );
            let has_key = c.api_key.is_some() || c.api_key_file.is_some();
            self.need(has_key, "api_key", "opsgenie_api_key");
        }
        for (index, c) in receiver.victorops_configs.iter_mut().enumerate() {
            self.at("victorops_configs", index);
            self.http(&mut c.http_config);
            let url = global.victorops_api_url.as_ref();
            self.take(&mut c.api_url, "api_url", url, "victorops_api_url");
            self.pair(
                (&mut c.api_key, &mut c.api_key_file),
                "api_key",
                (global.victorops_api_key.as_ref(), global.victorops_api_key_file.as_ref()),
                "victorops_api_key",
            );
            let has_key = c.api_key.is_some() || c.api_key_file.is_some();
            self.need(has_key, "api_key", "victorops_api_key");
        }
    }

    fn chat(&mut self, receiver: &mut ReceiverDocument) {
        let global = self.global;
        for (index, c) in receiver.wechat_configs.iter_mut().enumerate() {
            self.at("wechat_configs", index);
            self.http(&mut c.http_config);
            self.take(&mut c.api_url, "api_url", global.wechat_api_url.as_ref(), "wechat_api_url");
            self.pair(
                (&mut c.api_secret, &mut c.api_secret_file),
                "api_secret",
                (global.wechat_api_secret.as_ref(), global.wechat_api_secret_file.as_ref()),
                "wechat_api_secret",
            );
            let corp = global.wechat_api_corp_id.as_ref();
            self.take(&mut c.corp_id, "corp_id", corp, "wechat_api_corp_id");
            let has_secret = c.api_secret.is_some() || c.api_secret_file.is_some();
            self.need(has_secret, "api_secret", "wechat_api_secret");
            self.need(c.corp_id.is_some(), "corp_id", "wechat_api_corp_id");
        }
        for (index, c) in receiver.telegram_configs.iter_mut().enumerate() {
            self.at("telegram_configs", index);
            self.http(&mut c.http_config);
            let url = global.telegram_api_url.as_ref();
            self.take(&mut c.api_url, "api_url", url, "telegram_api_url");
            self.pair(
                (&mut c.bot_token, &mut c.bot_token_file),
                "bot_token",
                (global.telegram_bot_token.as_ref(), global.telegram_bot_token_file.as_ref()),
                "telegram_bot_token",
            );
            let has_token = c.bot_token.is_some() || c.bot_token_file.is_some();
            self.need(has_token, "bot_token", "telegram_bot_token");
        }
        for (index, c) in receiver.webex_configs.iter_mut().enumerate() {
            self.at("webex_configs", index);
            self.http(&mut c.http_config);
            self.take(&mut c.api_url, "api_url", global.webex_api_url.as_ref(), "webex_api_url");
        }
        for (index, c) in receiver.rocketchat_configs.iter_mut().enumerate() {
            self.at("rocketchat_configs", index);
            self.http(&mut c.http_config);
            let url = global.rocketchat_api_url.as_ref();
            self.take(&mut c.api_url, "api_url", url, "rocketchat_api_url");
            self.pair(
                (&mut c.token, &mut c.token_file),
                "token",
                (global.rocketchat_token.as_ref(), global.rocketchat_token_file.as_ref()),
                "rocketchat_token",
            );
            self.pair(
                (&mut c.token_id, &mut c.token_id_file),
                "token_id",
                (global.rocketchat_token_id.as_ref(), global.rocketchat_token_id_file.as_ref()),
                "rocketchat_token_id",
            );
            let has_token = c.token.is_some() || c.token_file.is_some();
            self.need(has_token, "token", "rocketchat_token");
            let has_id = c.token_id.is_some() || c.token_id_file.is_some();
            self.need(has_id, "token_id", "rocketchat_token_id");
        }
        for (index, c) in receiver.mattermost_configs.iter_mut().enumerate() {
            self.at("mattermost_configs", index);
            self.http(&mut c.http_config);
            let file = global.mattermost_webhook_url_file.as_ref();
            self.pair(
                (&mut c.webhook_url, &mut c.webhook_url_file),
                "webhook_url",
                (global.mattermost_webhook_url.as_ref(), file),
                "mattermost_webhook_url",
            );
            let has_url = c.webhook_url.is_some() || c.webhook_url_file.is_some();
            self.need(has_url, "webhook_url", "mattermost_webhook_url");
        }
        for (index, c) in receiver.jira_configs.iter_mut().enumerate() {
            self.at("jira_configs", index);
            self.http(&mut c.http_config);
            self.take(&mut c.api_url, "api_url", global.jira_api_url.as_ref(), "jira_api_url");
            self.need(c.api_url.is_some(), "api_url", "jira_api_url");
        }
    }

    /// Kinds that take over nothing but `http_config`.
    fn only_http(&mut self, receiver: &mut ReceiverDocument) {
        macro_rules! http {
            ($($list:ident)*) => {$(
                for (index, config) in receiver.$list.iter_mut().enumerate() {
                    self.at(stringify!($list), index);
                    self.http(&mut config.http_config);
                }
            )*};
        }
        let proxy = self.global.http_config.proxy_url.as_ref();
        for (index, config) in receiver.msteamsv2_configs.iter_mut().enumerate() {
            // The one kind whose own block still takes the global proxy.
            if let Some(http) = &mut config.http_config {
                self.at("msteamsv2_configs", index);
                self.path.push_str(".http_config");
                self.take(&mut http.proxy_url, "proxy_url", proxy, "http_config.proxy_url");
            }
        }
        http!(webhook_configs pushover_configs sns_configs discord_configs);
        http!(msteams_configs msteamsv2_configs incidentio_configs);
    }
}
