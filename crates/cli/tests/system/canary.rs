//! Secrets stay where they are: a canary stands in every place that holds one, the server is put
//! through its paces, and none of them may be found in anything it wrote or said.

mod places;

use std::process::Stdio;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tocsin_server::access::ROUTES;
use tocsin_server::secrets::MasterKey;
use tokio::process::Command;
use totp_rs::{Algorithm, Secret, TOTP};

use crate::support::hook::{Hook, Manner};
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::{until, within};
use places::{CONFIG, Said, secrets_of};

const PASSWORD: &str = "canary-password-60";
const WRONG: &str = "canary-wrong-61";
const STORED: &str = "canary-stored-62";
const CONTACT: &str = "canary-contact-63";

/// The server, whoever speaks with it, and what was heard and must not be.
struct Play {
    tocsin: Tocsin,
    base: String,
    token: String,
    said: Said,
    secrets: Vec<Vec<u8>>,
}

impl Play {
    fn hide(&mut self, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "{secret:?} is found everywhere");
        self.secrets.push(secret.to_vec());
    }

    /// Hides bytes however they may be written.
    fn hide_bytes(&mut self, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.hide(bytes);
        self.hide(hex);
        self.hide(BASE64_STANDARD_NO_PAD.encode(bytes));
        self.hide(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> RequestBuilder {
        let request = self.tocsin.client().request(method.parse().unwrap(), self.tocsin.url(path));
        let request = request.header("x-tocsin-token", &self.token);
        if body.is_null() { request } else { request.json(body) }
    }

    /// Sends a request whose answer is heard.
    async fn ask(&mut self, method: &str, path: &str, body: Value) -> Value {
        let request = self.request(method, path, &body);
        self.hear(&format!("{method} {path}"), request).await
    }

    async fn hear(&mut self, what: &str, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let head = format!("{:?}", answer.headers());
        let place = format!("{what}: {} ({})", answer.status(), self.said.0.len());
        let text = answer.text().await.unwrap();
        self.said.hear(place, format!("{head}\n{text}"));
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sends a request whose answer shows a secret, as it should, this once.
    async fn make(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.request(method, path, &body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn command(&mut self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
        command.args(words).env("TOCSIN_TOKEN", &self.token).stdin(Stdio::null());
        let output = within("the command ends", command.output()).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert!(!text.is_empty(), "{words:?} said nothing");
        self.said.hear(format!("tocsin {}", words.join(" ")), text);
    }

    /// Stored secrets, tokens, keys of integrations, calendars, contacts.
    async fn plant(&mut self) {
        let draft = json!({ "name": "t", "service": "s", "role": "admin" });
        let made = self.make("POST", "/api/v1/tokens", draft).await;
        self.token = made["secret"].as_str().unwrap().to_owned();
        self.hide(self.token.clone());
        let draft = json!({ "name": "k", "integration": "shop" });
        let made = self.make("POST", "/api/v1/tokens", draft).await;
        self.hide(made["secret"].as_str().unwrap());
        self.hide(STORED);
        let value = json!({ "value": format!("{}/{STORED}", self.base) });
        self.ask("PUT", "/api/v1/secrets/hook", value).await;
        let made = self.make("POST", "/api/v1/people/ada/calendar-token", Value::Null).await;
        self.hide(made["url"].as_str().unwrap().split("token=").nth(1).unwrap());
        self.hide(CONTACT);
        for channel in ["webhook", "discord", "ntfy", "pagerduty"] {
            let address = match channel {
                "pagerduty" => CONTACT.to_owned(),
                _ => format!("{}/{CONTACT}", self.base),
            };
            let path = format!("/api/v1/people/ada/contacts/{channel}");
            let draft = json!({ "channel": channel, "address": address });
            self.make("PUT", &path, draft).await;
        }
    }

    /// Somebody signs in with a password, a second factor, and a recovery code.
    async fn sign_in(&mut self) -> String {
        let link = "/api/v1/people/ada/sign-in-link";
        let link = self.make("POST", link, Value::Null).await;
        let link = link["url"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
        self.hide(&link);
        self.hide(PASSWORD);
        let browser = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = |path: &str| self.tocsin.url(path);
        let body = json!({ "token": link, "password": PASSWORD });
        let entered = browser.post(url("/api/v1/session/link")).json(&body).send().await.unwrap();
        let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let cookie = cookie.to_owned();
        let (session, path) = (cookie.split_once('=').unwrap().1, "/api/v1/account/second-factor");
        let ask = async |path: &str, body: Value| -> Value {
            let request = browser.post(url(path)).header("cookie", &cookie);
            let request = request.header("origin", url("")).json(&body);
            request.send().await.unwrap().json().await.unwrap_or_default()
        };
        let begun = ask(path, Value::Null).await;
        let secret = begun["secret"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned();
        let bytes = Secret::Encoded(secret.clone()).to_bytes().unwrap();
        let app =
            TOTP::new(Algorithm::SHA1, 6, 1, 30, bytes.clone(), None, "ada".to_owned()).unwrap();
        let seconds = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let code = json!({ "code": app.generate(seconds) });
        let confirmed = ask(&format!("{path}/confirm"), code).await;
        let codes: Vec<String> = serde_json::from_value(confirmed["recovery_codes"].clone())
            .unwrap_or_else(|_| panic!("{confirmed}"));
        let wrong = ask("/api/v1/account/password", json!({ "current": [PASSWORD], "new": 7 }));
        let wrong = [
            wrong.await,
            ask(&format!("{path}/confirm"), json!({ "code": [codes[0]] })).await,
            ask("/api/v1/account/password", json!({ "current": PASSWORD, "new": PASSWORD })).await,
        ];
        let again = json!({ "name": "ada", "password": PASSWORD, "code": codes[0] });
        let again = ask("/api/v1/session", again).await;
        self.said.hear("what somebody signed in is told", format!("{wrong:?} {again}"));
        self.hide(session);
        self.hide(secret);
        self.hide_bytes(&bytes);
        codes.iter().for_each(|code| self.hide(code));
        cookie
    }

    /// The key of the data directory, and what follows from it.
    fn hide_keys(&mut self) {
        let key = std::fs::read_to_string(self.tocsin.data().join("secrets.key")).unwrap();
        self.hide_bytes(&BASE64_STANDARD.decode(key.trim()).unwrap());
        let links = MasterKey::parse(&key, "the file").unwrap().derived("links/default");
        for key in links {
            self.hide_bytes(&key);
        }
    }

    /// Wrong passwords, tokens, keys and bodies, with something that is right among them.
    async fn mistake(&mut self) {
        self.hide(WRONG);
        let link = "/api/v1/session/link";
        for (method, path, body) in [
            ("PUT", "/api/v1/secrets/hook", json!({ "value": [STORED] })),
            ("PUT", "/api/v1/secrets/hook", json!(STORED)),
            ("PUT", "/api/v1/secrets/hook", json!({ "value": STORED, "other": WRONG })),
            ("POST", "/api/v1/session", json!({ "name": "ada", "password": WRONG })),
            ("POST", "/api/v1/session", json!({ "password": WRONG })),
            ("POST", "/api/v1/session", json!({ "name": "ada", "password": [PASSWORD] })),
            ("POST", "/api/v1/session", json!(PASSWORD)),
            ("POST", link, json!({ "token": WRONG, "password": PASSWORD })),
            ("POST", link, json!({ "token": [WRONG], "password": PASSWORD })),
            ("POST", "/v2/enqueue", json!({ "routing_key": WRONG, "event_action": "trigger" })),
            ("POST", &format!("/api/v1/hooks/{WRONG}"), json!({})),
            ("POST", "/api/v1/hooks/canary-integration-30", json!([])),
            ("POST", &format!("/a/{WRONG}"), json!({})),
        ] {
            self.ask(method, path, body).await;
        }
        for (name, value) in [
            ("authorization", format!("Bearer {WRONG}")),
            ("authorization", format!("GenieKey {WRONG}")),
            ("x-tocsin-key", WRONG.to_owned()),
            ("cookie", format!("tocsin={WRONG}")),
        ] {
            for path in ["/api/v1/alerts", "/v2/alerts", "/nothing"] {
                let request = self.tocsin.client().get(self.tocsin.url(path)).header(name, &value);
                self.hear(&format!("GET {path} with a wrong {name}"), request).await;
            }
        }
    }

    /// Asks for everything that can be got, in both forms that somebody may ask for.
    async fn look(&mut self, cookie: &str, link: &str) {
        let known = [
            ("{token}", link),
            ("{handle}", "ada"),
            ("schedules/{name}", "schedules/none"),
            ("escalation-policies/{name}", "escalation-policies/pages"),
            ("{number}", "1"),
        ];
        for (method, route, _) in ROUTES {
            // The stream never ends; the contacts of somebody are what they are.
            if *method != "GET" || route.ends_with("/stream") || route.ends_with("/contacts") {
                continue;
            }
            let mut path = (*route).to_owned();
            for (part, name) in known {
                path = path.replace(part, name);
            }
            self.ask("GET", &path, Value::Null).await;
            let request = self.tocsin.client().get(self.tocsin.url(&path));
            let request = request.header("cookie", cookie).header("accept", "text/html");
            self.hear(&format!("a browser: {path}"), request).await;
        }
        let draft = json!({ "name": "v", "service": "v", "role": "viewer" });
        let viewer = self.make("POST", "/api/v1/tokens", draft).await;
        let viewer = viewer["secret"].as_str().unwrap().to_owned();
        for path in ["/api/v1/people/ada/contacts", "/api/v1/events?limit=500", "/api/v1/pages"] {
            let request = self.tocsin.client().get(self.tocsin.url(path)).bearer_auth(&viewer);
            self.hear(&format!("a viewer: {path}"), request).await;
        }
        for path in ["/api/v1/events?limit=500", "/api/v1/audit?limit=500", "/api/v1/pages/history"]
        {
            self.ask("GET", path, Value::Null).await;
        }
    }

    /// Runs every command that shows something.
    async fn commands(&mut self, config: &str) {
        let file = self.tocsin.data().parent().unwrap().join("tocsin.yaml");
        let file = file.to_str().unwrap().to_owned();
        let broken = config.replace("url: HOOK/x", "url: 7").replace(
            "basic_auth: { username: u, password: canary-basic-2 }",
            "basic_auth: canary-basic-2",
        );
        self.tocsin.configure(&broken);
        self.ask("POST", "/-/reload", Value::Null).await;
        self.command(&["config", "check", &file]).await;
        self.tocsin.configure(config);
        let (url, data) = (self.tocsin.url(""), self.tocsin.data().to_str().unwrap().to_owned());
        let backup = self.tocsin.data().parent().unwrap().join("backup.db");
        let to = backup.to_str().unwrap().to_owned();
        self.command(&["config", "check", &file, "--storage.path", &data]).await;
        self.command(&["config", "show", &file]).await;
        self.command(&["config", "show", "--original", &file]).await;
        let doctor = ["doctor", "--config.file", &file, "--storage.path", &data, "--url", &url];
        self.command(&doctor).await;
        self.command(&["doctor", "--config.file", &file, "--storage.path", &data, "--send"]).await;
        self.command(&["secret", "--url", &url, "list"]).await;
        self.command(&["token", "--url", &url, "list"]).await;
        self.command(&["audit", "--url", &url, "list"]).await;
        self.command(&["audit", "--url", &url, "export"]).await;
        self.command(&["backup", "--storage.path", &data, &to]).await;
        self.said.hear("the backup", std::fs::read(&backup).unwrap());
    }
}

#[tokio::test]
async fn no_secret_is_found_in_anything_that_is_said_or_written() {
    let hook = Hook::start().await;
    let base = hook.url("");
    let base = base.trim_end_matches('/').to_owned();
    let config = CONFIG.replace("HOOK", &base);
    let tocsin = Setup::default().flag("--log.level=debug").start(&config).await;
    let secrets = secrets_of(&config).into_iter().map(String::into_bytes).collect();
    let (token, said) = (String::new(), Said::default());
    let mut play = Play { tocsin, base, token, said, secrets };
    assert!(play.secrets.len() >= 45, "{}", play.secrets.len());
    let planted = play.secrets.clone();
    play.plant().await;
    let cookie = play.sign_in().await;
    play.hide_keys();
    play.mistake().await;

    // Everybody is told, and what they are told brings a link back.
    play.ask("POST", "/api/v1/people/ada/contacts/webhook/test", Value::Null).await;
    let alerts = json!({ "alerts": [{ "labels": { "alertname": "A", "severity": "critical" } }] });
    play.ask("POST", "/api/v1/alerts", alerts).await;
    let link = hook.wait("a message with a link", |deliveries| {
        let bodies = deliveries.iter().map(|it| it.body.to_string());
        let link = |body: String| {
            let rest = body.split("/a/").nth(1)?;
            Some(rest.split(|c: char| "\"\\?".contains(c)).next()?.to_owned())
        };
        bodies.filter_map(link).next()
    });
    let link = link.await;
    play.hide(&link);
    // From now on the other side refuses everything, and repeats nothing.
    hook.behave(Manner::Refuse(400));
    let drill = "/api/v1/receivers/all/test";
    let told = play.ask("POST", drill, json!({})).await;
    assert!(told.to_string().contains("failed") || told.to_string().contains("refused"), "{told}");
    let alerts = json!({ "alerts": [{ "labels": { "alertname": "B", "severity": "critical" } }] });
    play.ask("POST", "/api/v1/alerts", alerts).await;
    play.tocsin.logged("not sent to all/").await;
    until("pages that were not delivered", async || {
        let pages = play.make("GET", "/api/v1/pages/history", Value::Null).await;
        pages.to_string().contains("\"failed\"").then_some(())
    })
    .await;
    play.tocsin.signal("HUP").await;
    play.tocsin.logged("configuration reloaded").await;

    play.look(&cookie, &link).await;
    play.commands(&config).await;
    // Where people and places are reached is kept as it is, and told to nobody else; all other
    // secrets are not in the database either.
    let is_address = |it: &Vec<u8>| it == CONTACT.as_bytes() || it.starts_with(b"canary-place");
    let addresses: Vec<_> = play.secrets.iter().filter(|it| is_address(it)).cloned().collect();
    assert_eq!(addresses.len(), 4);
    let spoken = play.said.leaks(&addresses);
    let spoken: Vec<_> = spoken.iter().filter(|it| !it.ends_with("the backup")).collect();
    assert_eq!(spoken, Vec::<&String>::new());
    let data = play.tocsin.data().to_owned();
    play.said.read("while it ran", &data);
    assert!(play.tocsin.stop().await.success());
    play.said.hear("the log", play.tocsin.log());
    play.said.read("after its end", &data);
    let files = play.said.0.keys().filter(|it| it.contains("-wal")).count();
    assert!(files > 0, "{:?}", play.said.0.keys());

    // What is looked for is really found where it is: in the configuration.
    let mut control = Said::default();
    control.hear("the configuration", config);
    assert!(control.leaks(&planted).len() >= 45);
    assert!(play.said.0.len() > 200, "{:?}", play.said.0.keys());
    play.secrets.retain(|secret| !is_address(secret));
    assert_eq!(play.said.leaks(&play.secrets), Vec::<String>::new());
}
