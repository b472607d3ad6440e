//! Every place that holds a secret, and where each could be found again.

use std::collections::BTreeMap;
use std::path::Path;

/// Begins every secret that is written down here.
const CANARY: &str = "canary";

/// What looks like one and is none: the address that a token is fetched from.
const NO_SECRET: &str = "canary-no-secret";

/// A receiver of every type, each secret a canary of its own. What they are sent to does not
/// answer, so that every attempt fails and says why.
pub(super) const CONFIG: &str = r#"
route: { receiver: all, group_by: [alertname], group_wait: 0s }
global: { smtp_smarthost: "127.0.0.1:9", smtp_from: t@example.org, smtp_require_tls: false }
receivers:
  - name: all
    webhook_configs:
      - url: HOOK/canary-webhook-path-1
        http_config: { basic_auth: { username: u, password: canary-basic-2 } }
      - url: http://127.0.0.1:9/canary-webhook-path-3
        http_config: { authorization: { credentials: canary-bearer-4 } }
      - url: HOOK/x
        http_config:
          http_headers: { X-Key: { secrets: [canary-header-5] } }
      - url: HOOK/x
        http_config:
          oauth2: { client_id: c, client_secret: canary-oauth-6, token_url: HOOK/canary-no-secret }
      - url: http://127.0.0.1:9/
        http_config:
          proxy_url: http://u:canary-proxy-7@127.0.0.1:9
          proxy_connect_header: { X-Proxy: [canary-proxy-8] }
      - url: "${secret:hook}"
    email_configs:
      - { to: a@example.org, auth_username: u, auth_password: canary-mail-9, auth_secret: canary-mail-10 }
    slack_configs:
      - { api_url: http://127.0.0.1:9/canary-slack-11 }
      - { app_token: canary-slack-12, app_url: HOOK/, channel: c }
    pagerduty_configs: [{ routing_key: canary-pagerduty-13, url: HOOK/ }]
    opsgenie_configs: [{ api_key: canary-opsgenie-14, api_url: HOOK/ }]
    wechat_configs: [{ api_secret: canary-wechat-15, corp_id: c, api_url: HOOK/ }]
    pushover_configs: [{ user_key: canary-pushover-16, token: canary-pushover-17 }]
    victorops_configs: [{ api_key: canary-victorops-18, routing_key: r, api_url: HOOK/ }]
    sns_configs:
      - sigv4: { region: eu-west-1, access_key: a, secret_key: canary-sns-19 }
        api_url: HOOK/
        topic_arn: "arn:aws:sns:eu-west-1:1:t"
    telegram_configs: [{ bot_token: canary-telegram-20, chat_id: 1, api_url: HOOK/ }]
    discord_configs: [{ webhook_url: HOOK/canary-discord-21 }]
    webex_configs:
      - { room_id: r, api_url: HOOK/, http_config: { authorization: { credentials: canary-webex-22 } } }
    msteams_configs: [{ webhook_url: HOOK/canary-msteams-23 }]
    msteamsv2_configs: [{ webhook_url: HOOK/canary-msteamsv2-24 }]
    jira_configs:
      - { api_url: HOOK/, project: P, issue_type: Bug, http_config: { basic_auth: { username: u, password: canary-jira-25 } } }
    rocketchat_configs: [{ token: canary-rocketchat-26, token_id: canary-rocketchat-27, api_url: HOOK/ }]
    mattermost_configs: [{ webhook_url: HOOK/canary-mattermost-28 }]
    incidentio_configs: [{ url: HOOK/, alert_source_token: canary-incidentio-29 }]
    escalation_policy: pages
integrations:
  - { name: grafana, type: grafana, key: canary-integration-30 }
outbound: { allow: [127.0.0.1] }
access:
  oidc: { issuer: "http://127.0.0.1:9/", client_id: c, client_secret: canary-provider-31 }
people: [{ handle: ada, email: a@example.org, roles: [responder] }]
escalation_policies:
  - name: pages
    steps:
      - page: [ada, "webhook:HOOK/canary-place-32", "discord:HOOK/canary-place-33", "ntfy:HOOK/canary-place-34"]
channels:
  email: { smarthost: "127.0.0.1:9", auth_username: u, auth_password: canary-page-35 }
  twilio:
    account_sid: AC0123456789abcdef0123456789abcdef
    auth_token: canary-page-36
    alternate_auth_token: canary-page-37
    from_number: "+15005550006"
    api_url: HOOK/
  slack: { bot_token: canary-page-38, signing_secret: canary-page-39, api_url: HOOK/ }
  telegram: { bot_token: canary-page-40, webhook_secret: canary-page-41, api_url: HOOK/ }
  mattermost: { token: canary-page-42, url: HOOK/ }
  ntfy: { token: canary-page-43, url: HOOK/ }
  webhook: { signing_secret: whsec_Y2FuYXJ5LXBhZ2UtNDQtY2FuYXJ5LXBhZ2UtNDQ= }
  opsgenie: { api_key: canary-page-45, api_url: HOOK/ }
  pagerduty: { url: HOOK/ }
"#;

/// Returns the secrets of a configuration.
pub(super) fn secrets_of(config: &str) -> Vec<String> {
    let words = config.split(|c: char| !c.is_ascii_alphanumeric() && !"-_=".contains(c));
    let is_secret =
        |word: &&str| word.starts_with(CANARY) && *word != NO_SECRET || word.starts_with("whsec_");
    words.filter(is_secret).map(str::to_owned).collect()
}

/// Everything the server and its commands said, by where it was found.
#[derive(Default)]
pub(super) struct Said(pub(super) BTreeMap<String, Vec<u8>>);

impl Said {
    pub(super) fn hear(&mut self, place: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.0.insert(place.into(), text.into());
    }

    /// Hears every file of the directory but the key file, whose content is the secret itself.
    pub(super) fn read(&mut self, when: &str, directory: &Path) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.file_name().is_some_and(|name| name != "secrets.key") {
                let place = format!("{} {when}", path.display());
                self.hear(place, std::fs::read(&path).unwrap());
            }
        }
    }

    /// Returns where a secret was heard.
    pub(super) fn leaks(&self, secrets: &[Vec<u8>]) -> Vec<String> {
        let mut leaks = Vec::new();
        for (place, bytes) in &self.0 {
            let text = String::from_utf8_lossy(bytes);
            for secret in secrets {
                let is_there = match std::str::from_utf8(secret) {
                    Ok(secret) => text.contains(secret),
                    Err(_) => bytes.windows(secret.len()).any(|window| window == secret),
                };
                if is_there {
                    let around = String::from_utf8_lossy(secret);
                    leaks.push(format!("{around} in {place}"));
                }
            }
        }
        leaks
    }
}
