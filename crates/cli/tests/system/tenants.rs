//! Tenants in one process: each as if it had a server of its own.

use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::stream::Follower;
use crate::support::api::{answer, firing, silence_of};
use crate::support::hook::Hook;
use crate::support::program;
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::within;

const NOW: &str = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s";
const OPEN: &str = "access: { loopback: open }\n";

/// A folder with the configurations of all tenants.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Writes the main configuration with these tenants.
    fn list(&self, main: &str, tenants: &[&str]) {
        let entry = |name: &&str| {
            format!("- {{ name: {name}, config: {name}.yaml, hosts: [{name}.example] }}\n")
        };
        let tenants: String = tenants.iter().map(entry).collect();
        let list = if tenants.is_empty() { String::new() } else { format!("tenants:\n{tenants}") };
        self.write("tocsin.yaml", &format!("{main}{list}"));
    }

    fn setup(&self) -> Setup {
        Setup::default().config(self.0.path().join("tocsin.yaml"))
    }
}

/// Posts to a path with a header, and returns status, cookie and body.
async fn post(
    tocsin: &Tocsin,
    path: &str,
    header: (&str, &str),
    body: &Value,
) -> (u16, String, String) {
    let request = tocsin.client().post(tocsin.url(path)).header(header.0, header.1).json(body);
    let response = request.send().await.unwrap();
    let cookie = response.headers().get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, cookie.unwrap_or_default(), response.text().await.unwrap())
}

async fn names(tocsin: &Tocsin, path: &str) -> Vec<String> {
    let alerts = tocsin.get(&format!("{path}/api/v2/alerts")).await.json();
    let alerts = alerts.as_array().unwrap().iter();
    alerts.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
}

async fn tell(tocsin: &Tocsin, path: &str, name: &str) {
    let body = json!([firing(&[("alertname", name)])]);
    assert_eq!(tocsin.post(&format!("{path}/api/v2/alerts"), &body).await.pair(), (200, ""));
}

#[tokio::test]
async fn tenants_have_alerts_receivers_and_feeds_of_their_own_and_come_back() {
    let (ours, theirs) = (Hook::start().await, Hook::start().await);
    let files = Files::new();
    files.list(&ours.config(NOW), &["acme"]);
    files.write("acme.yaml", &(theirs.config(NOW) + OPEN));
    let mut tocsin = files.setup().start("").await;
    let mut feed = Follower::at(&tocsin, "", None).await;
    let mut their_feed = Follower::at(&tocsin, "/t/acme", None).await;

    tell(&tocsin, "/t/acme", "Theirs").await;
    theirs.told(&["Theirs firing"]).await;
    their_feed.until("alert_fired").await;
    tell(&tocsin, "", "Ours").await;
    ours.told(&["Ours firing"]).await;
    loop {
        let message = feed.next().await;
        assert!(!message.data.to_string().contains("Theirs"), "{message:?}");
        if message.event == "alert_fired" {
            break;
        }
    }
    assert_eq!(
        (names(&tocsin, "").await, names(&tocsin, "/t/acme").await),
        (vec!["Ours".to_owned()], vec!["Theirs".to_owned()])
    );
    assert_eq!((ours.deliveries().len(), theirs.deliveries().len()), (1, 1));
    let metrics = tocsin.get("/t/acme/metrics").await.body;
    assert!(
        metrics.contains(r#"alertmanager_alerts{tenant="acme",state="active"} 1"#),
        "{metrics}"
    );
    let is_labelled = |line: &str| line.starts_with('#') || line.contains(r#"tenant="acme""#);
    assert!(metrics.lines().all(is_labelled) && !metrics.contains("process_"), "{metrics}");
    assert!(!tocsin.get("/metrics").await.body.contains("tenant="));

    assert_eq!(tocsin.stop().await.code(), Some(0));
    tocsin.start_again().await;
    assert_eq!(
        (names(&tocsin, "").await, names(&tocsin, "/t/acme").await),
        (vec!["Ours".to_owned()], vec!["Theirs".to_owned()])
    );
    assert_eq!(tocsin.get("/t/nobody/api/v2/alerts").await.status, 404);
}

#[tokio::test]
async fn sighup_adds_and_removes_tenants_or_changes_nothing() {
    let hook = Hook::start().await;
    let files = Files::new();
    files.list(&hook.config(NOW), &["acme"]);
    files.write("acme.yaml", &(hook.config(NOW) + OPEN));
    files.write("beta.yaml", "route: { receiver: nobody }\nreceivers: [{ name: hook }]\n");
    let tocsin = files.setup().start("").await;
    tell(&tocsin, "/t/acme", "Kept").await;

    files.list(&hook.config(NOW), &["acme", "beta"]);
    tocsin.signal("HUP").await;
    let line = tocsin.logged("configuration not reloaded").await;
    assert!(line.contains("tenant `beta`") && line.contains("beta.yaml:1:"), "{line}");
    assert_eq!(tocsin.get("/t/beta/-/ready").await.status, 404);

    files.write("beta.yaml", &hook.config(NOW));
    let reload = tocsin.post_bytes("/-/reload", "", Vec::new()).await;
    assert_eq!(reload.pair(), (200, ""));
    assert_eq!(tocsin.get("/t/beta/-/ready").await.status, 200);
    assert_eq!(tocsin.get("/t/beta/api/v2/alerts").await.status, 401, "closed unless it says so");
    tocsin.logged("administrator `admin` of the tenant `beta`").await;

    let mut feed = Follower::at(&tocsin, "/t/acme", None).await;
    files.list(&hook.config(NOW), &["beta"]);
    tocsin.signal("HUP").await;
    let line = tocsin.logged("the tenant is not served any more").await;
    assert!(line.contains("tenant=acme"), "{line}");
    within("the feed ends", feed.ends()).await;
    assert_eq!(tocsin.get("/t/acme/api/v2/alerts").await.status, 404);

    files.list(&hook.config(NOW), &["beta", "acme"]);
    assert_eq!(tocsin.post_bytes("/-/reload", "", Vec::new()).await.pair(), (200, ""));
    assert_eq!(names(&tocsin, "/t/acme").await, ["Kept"]);
}

#[tokio::test]
async fn a_tenant_reads_its_own_configuration_anew_and_no_other() {
    let (old, new) = (Hook::start().await, Hook::start().await);
    let files = Files::new();
    files.list(&old.config(NOW), &["acme"]);
    files.write("acme.yaml", &(old.config(NOW) + OPEN));
    let tocsin = files.setup().start("").await;
    files.list(&new.config(NOW), &["acme", "beta"]);
    files.write("acme.yaml", &(new.config(NOW) + OPEN));
    assert_eq!(tocsin.post_bytes("/t/acme/-/reload", "", Vec::new()).await.pair(), (200, ""));
    let line = tocsin.logged("configuration reloaded").await;
    assert!(line.contains("tenant=acme"), "{line}");
    tell(&tocsin, "/t/acme", "Theirs").await;
    new.told(&["Theirs firing"]).await;
    tell(&tocsin, "", "Ours").await;
    old.told(&["Ours firing"]).await;
    assert_eq!(tocsin.get("/t/beta/-/ready").await.status, 404);

    let key = "integrations: [{ name: a, type: generic, key: the-same-key-twice }]\n";
    files.list(&(old.config(NOW) + key), &["acme"]);
    assert_eq!(tocsin.post_bytes("/-/reload", "", Vec::new()).await.status, 200);
    files.write("acme.yaml", &(new.config(NOW) + OPEN + key));
    let refused = tocsin.post_bytes("/t/acme/-/reload", "", Vec::new()).await;
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("the key of the integration `a` is taken"), "{refused:?}");
}

#[tokio::test]
async fn somebody_signs_in_at_a_tenant_and_a_token_leads_there_by_itself() {
    let hook = Hook::start().await;
    let files = Files::new();
    files.list(&hook.config(NOW), &["acme"]);
    files.write("acme.yaml", &hook.config(NOW));
    let tocsin = files.setup().start("").await;
    let line = tocsin.logged("administrator `admin` of the tenant `acme`").await;
    assert!(line.contains("http://acme.example"), "its own host name: {line}");
    let (_, rest) = line.split_once("token=").unwrap();
    let link = rest.split(' ').next().unwrap();

    let draft = json!({ "token": link, "password": "tiny boats sing" });
    let (status, _, body) = post(&tocsin, "/api/v1/session/link", ("x-test", ""), &draft).await;
    assert_eq!(status, 401, "unknown to the default tenant: {body}");
    let at = "/t/acme/api/v1/session/link";
    let (status, cookie, body) = post(&tocsin, at, ("x-test", ""), &draft).await;
    assert_eq!(status, 201, "{body}");
    assert!(cookie.starts_with("__Host-tocsin-t-acme="), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let draft = json!({ "name": "prometheus", "service": "prometheus", "role": "admin" });
    // The cookie is enough to say which tenant is meant.
    let (status, _, body) = post(&tocsin, "/api/v1/tokens", ("cookie", cookie), &draft).await;
    assert_eq!(status, 201, "{body}");
    let made: Value = serde_json::from_str(&body).unwrap();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());

    let body = json!([firing(&[("alertname", "Theirs")])]);
    let (status, ..) = post(&tocsin, "/api/v2/alerts", ("authorization", &bearer), &body).await;
    assert_eq!(status, 200);
    assert!(names(&tocsin, "").await.is_empty());
    let list = |path: &str, host: &str| {
        let request = tocsin.client().get(tocsin.url(path)).header("authorization", &bearer);
        answer(request.header("host", host))
    };
    for (path, host) in [("", "x.example"), ("/t/acme", "x.example"), ("", "acme.example:80")] {
        let alerts = list(&format!("{path}/api/v2/alerts"), host).await.unwrap();
        assert!(alerts.body.contains("Theirs"), "{path} {host}: {alerts:?}");
    }
    assert_eq!(list("/t/default/api/v2/alerts", "x.example").await.unwrap().status, 401);

    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    command.args(["alert", "query", "--tenant=acme"]).env("TOCSIN_URL", tocsin.url(""));
    command.env("TOCSIN_TOKEN", made["secret"].as_str().unwrap());
    let output: Output = within("tocsin alert list", command.output()).await.unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Theirs"), "{output:?}");
}

#[tokio::test]
async fn amtool_works_with_a_tenant() {
    let Some(amtool) = program::find("amtool") else { return };
    let files = Files::new();
    let quiet = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n";
    files.list(quiet, &["acme"]);
    files.write("acme.yaml", &format!("{quiet}{OPEN}"));
    let tocsin = files.setup().start("").await;
    tell(&tocsin, "/t/acme", "Theirs").await;
    tell(&tocsin, "", "Ours").await;
    assert_eq!(tocsin.post("/t/acme/api/v2/silences", &silence_of("Theirs")).await.status, 200);
    let home = tempfile::tempdir().unwrap();
    for (arguments, theirs, ours) in [
        (&["alert", "query", "--silenced"][..], "Theirs", "Ours"),
        (&["silence", "query"][..], "Theirs", "Ours"),
    ] {
        let mut command = Command::new(&amtool);
        command.arg(format!("--alertmanager.url={}", tocsin.url("/t/acme"))).args(arguments);
        command.env_clear().env("HOME", home.path());
        let output = within("amtool", command.output()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert!(text.contains(theirs) && !text.contains(ours), "{text}");
    }
}
