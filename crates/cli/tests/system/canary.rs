//! Secrets stay where they are: a canary stands in every place that holds one, the server is put
//! through its paces, and none of them may be found in anything it wrote or said.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::hook::{Hook, Manner};
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::within;

/// Begins every secret of this test.
const CANARY: &str = "canary";

/// A receiver of every type, each secret a canary of its own. What they are sent to does not
/// answer, so that every attempt fails and says why.
const CONFIG: &str = r#"
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
integrations:
  - { name: grafana, type: grafana, key: canary-integration-30 }
"#;

/// Everything the server and its commands said, by where it was found.
#[derive(Default)]
struct Said(BTreeMap<String, Vec<u8>>);

impl Said {
    fn hear(&mut self, place: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.0.insert(place.into(), text.into());
    }

    /// Returns where a secret was heard.
    fn leaks(&self, secrets: &[String]) -> Vec<String> {
        let mut leaks = Vec::new();
        for (place, bytes) in &self.0 {
            let holds = |secret: &&String| {
                bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
            };
            leaks.extend(secrets.iter().filter(holds).map(|it| format!("{it} in {place}")));
        }
        leaks
    }
}

async fn ask(tocsin: &Tocsin, said: &mut Said, method: &str, path: &str, body: Value) -> Value {
    let method = method.parse().unwrap();
    let mut request = tocsin.client().request(method, tocsin.url(path));
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let place = format!("{path} ({})", answer.status());
    let text = answer.text().await.unwrap();
    said.hear(format!("{place} {}", said.0.len()), text.clone());
    serde_json::from_str(&text).unwrap_or_default()
}

async fn command(said: &mut Said, words: &[&str]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tocsin")).args(words).stdin(Stdio::null()).output();
    let output = within("the command ends", output).await.unwrap();
    said.hear(format!("tocsin {}", words.join(" ")), [output.stdout, output.stderr].concat());
}

fn files(said: &mut Said, directory: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().is_some_and(|name| name != "secrets.key") {
            said.hear(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test]
async fn no_secret_is_found_in_anything_that_is_said_or_written() {
    let hook = Hook::start().await;
    // The other side repeats nothing, and refuses everything.
    hook.behave(Manner::Refuse(400));
    let base = hook.url("");
    let config = CONFIG.replace("HOOK", base.trim_end_matches('/'));
    let mut tocsin = Setup::default().flag("--log.level=debug").start(&config).await;
    let mut said = Said::default();
    let mut secrets: Vec<String> = config
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.starts_with(CANARY) && *word != "canary-no-secret")
        .map(str::to_owned)
        .collect();
    assert!(secrets.len() >= 30, "{secrets:?}");

    // Stored secrets, a token, a person with a password and a second factor.
    let stored = "canary-stored-31";
    secrets.push(stored.to_owned());
    let value = json!({ "value": format!("{base}/{stored}") });
    ask(&tocsin, &mut said, "PUT", "/api/v1/secrets/hook", value).await;
    ask(&tocsin, &mut said, "PUT", "/api/v1/secrets/hook", json!({ "value": [stored] })).await;
    ask(&tocsin, &mut said, "PUT", "/api/v1/secrets/hook", json!(stored)).await;
    let draft = json!({ "name": "t", "service": "s", "role": "admin" });
    // What makes a token shows it, this once.
    let made = ask(&tocsin, &mut Said::default(), "POST", "/api/v1/tokens", draft).await;
    secrets.push(made["secret"].as_str().unwrap().to_owned());
    let person = json!({ "handle": "ada", "roles": ["responder"] });
    ask(&tocsin, &mut said, "POST", "/api/v1/people", person).await;
    let link = "/api/v1/people/ada/sign-in-link";
    let link = ask(&tocsin, &mut Said::default(), "POST", link, Value::Null).await;
    let link = link["url"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
    let password = "canary-password-32";
    secrets.extend([link.clone(), password.to_owned()]);
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let signed_in = browser
        .post(tocsin.url("/api/v1/session/link"))
        .json(&json!({ "token": link, "password": password }))
        .send()
        .await
        .unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let cookie = cookie.to_owned();
    secrets.push(cookie.split_once('=').unwrap().1.to_owned());
    said.hear("signing in", signed_in.text().await.unwrap());
    let begun = browser
        .post(tocsin.url("/api/v1/account/second-factor"))
        .header("cookie", &cookie)
        .header("origin", tocsin.url(""))
        .json(&Value::Null)
        .send()
        .await
        .unwrap();
    let begun: Value = begun.json().await.unwrap();
    secrets.push(begun["secret"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned());
    let key = std::fs::read_to_string(tocsin.data().join("secrets.key")).unwrap();
    secrets.push(key.trim().to_owned());

    // Wrong passwords, wrong tokens, wrong keys.
    let wrong = json!({ "name": "ada", "password": "canary-wrong-33" });
    secrets.push("canary-wrong-33".to_owned());
    ask(&tocsin, &mut said, "POST", "/api/v1/session", wrong).await;
    ask(&tocsin, &mut said, "POST", "/api/v1/session", json!({ "password": "canary-wrong-33" }))
        .await;
    let answer = tocsin
        .client()
        .get(tocsin.url("/api/v1/alerts"))
        .bearer_auth("canary-wrong-33")
        .send()
        .await;
    said.hear("a wrong token", answer.unwrap().text().await.unwrap());

    // Every receiver fails, by a drill and by an alert.
    let drill = "/api/v1/receivers/all/test";
    let told = ask(&tocsin, &mut said, "POST", drill, json!({})).await;
    assert!(told.to_string().contains("failed") || told.to_string().contains("refused"), "{told}");
    let alerts = json!([{ "labels": { "alertname": "A" } }]);
    ask(&tocsin, &mut said, "POST", "/api/v1/alerts", alerts).await;
    tocsin.logged("not sent to all/webhook").await;

    // Reloads: a good one, and one that complains about a value that is a secret.
    tocsin.signal("HUP").await;
    tocsin.logged("configuration reloaded").await;
    let broken = config.replace("url: HOOK/x", "url: 7").replace(
        "basic_auth: { username: u, password: canary-basic-2 }",
        "basic_auth: canary-basic-2",
    );
    tocsin.configure(&broken);
    ask(&tocsin, &mut said, "POST", "/-/reload", Value::Null).await;
    let file = tocsin.data().parent().unwrap().join("tocsin.yaml");
    let file = file.to_str().unwrap().to_owned();
    command(&mut said, &["config", "check", &file]).await;
    tocsin.configure(&config);

    for path in [
        "/",
        "/metrics",
        "/-/ready",
        "/sign-in",
        "/api/v2/status",
        "/api/v2/receivers",
        "/api/v2/alerts",
        "/api/v2/alerts/groups",
        "/api/v1/status",
        "/api/v1/alerts",
        "/api/v1/groups",
        "/api/v1/events?limit=500",
        "/api/v1/notifications",
        "/api/v1/receivers",
        "/api/v1/routes",
        "/api/v1/people",
        "/api/v1/tokens",
        "/api/v1/secrets",
        "/api/v1/audit?limit=500",
        "/api/v1/audit/export",
        "/api/v1/nothing",
    ] {
        ask(&tocsin, &mut said, "GET", path, Value::Null).await;
    }
    let (url, data) = (tocsin.url(""), tocsin.data().to_str().unwrap().to_owned());
    let backup = tocsin.data().parent().unwrap().join("backup.db");
    let to = backup.to_str().unwrap().to_owned();
    command(&mut said, &["config", "check", &file, "--storage.path", &data]).await;
    command(&mut said, &["config", "show", &file]).await;
    command(&mut said, &["config", "show", "--original", &file]).await;
    command(&mut said, &["doctor", "--config.file", &file, "--storage.path", &data, "--url", &url])
        .await;
    command(&mut said, &["secret", "--url", &url, "list"]).await;
    command(&mut said, &["token", "--url", &url, "list"]).await;
    command(&mut said, &["backup", "--storage.path", &data, &to]).await;
    said.hear("the backup", std::fs::read(&backup).unwrap_or_default());
    assert!(tocsin.stop().await.success());
    said.hear("the log", tocsin.log());
    files(&mut said, tocsin.data());

    // What is looked for is really found where it is: in the configuration.
    let mut control = Said::default();
    control.hear("the configuration", config);
    assert!(control.leaks(&secrets).len() >= 30);
    assert!(said.0.len() > 40, "{:?}", said.0.keys());
    assert_eq!(said.leaks(&secrets), Vec::<String>::new());
}
