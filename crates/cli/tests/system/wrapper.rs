//! `contrib/alertmanager`: what starts an `alertmanager` starts us, and notices no difference.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::support::api::{answer, firing};
use crate::support::hook::Hook;
use crate::support::log::Log;
use crate::support::until;

/// How long Alertmanager's own tests wait for the first sign of life, and for the second.
const READY_WITHIN: Duration = Duration::from_secs(5);

const TIMERS: &str = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s";

/// Returns where the script is.
pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib/alertmanager")
}

/// Returns a command that runs the script with the binary under test.
pub(crate) fn alertmanager() -> Command {
    let mut command = Command::new(script());
    command
        .env("TOCSIN", env!("CARGO_BIN_EXE_tocsin"))
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    alertmanager().args(arguments).current_dir(directory.path()).output().await.unwrap()
}

/// Starts it as the acceptance tests of Alertmanager do, word for word.
fn start(directory: &Path, extra: &[&str]) -> (Child, Log) {
    let mut child = alertmanager()
        .arg("--config.file")
        .arg(directory.join("config.yml"))
        .args(["--log.level", "debug", "--web.listen-address", "127.0.0.1:0", "--storage.path"])
        .arg(directory)
        .args(["--cluster.listen-address", "127.0.0.1:0", "--cluster.settle-timeout", "0s"])
        .args(extra)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Log::follow(child.stderr.take().unwrap());
    (child, log)
}

fn client() -> reqwest::Client {
    tocsin_connect::install_crypto();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn signal(child: &Child, name: &str) {
    let script = format!("kill -s {name} {}", child.id().expect("it runs"));
    assert!(Command::new("sh").args(["-c", &script]).status().await.unwrap().success());
}

#[tokio::test]
async fn a_harness_that_starts_alertmanager_starts_us() {
    let (old, new) = (Hook::start().await, Hook::start().await);
    for (prefix, extra) in [
        ("", vec!["--cluster.peer=127.0.0.1:9"]),
        ("/foo", vec!["--enable-feature", "classic-mode", "--web.route-prefix", "/foo"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.yml");
        std::fs::write(&config, old.config(TIMERS)).unwrap();
        let (mut child, log) = start(directory.path(), &extra);
        let client = client();

        // Readiness 1: a line on standard error names the address, without quotes.
        let address = tokio::time::timeout(READY_WITHIN, log.address()).await.expect("in time");
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        let url = |path: &str| format!("http://{address}{prefix}{path}");

        // Readiness 2: the status shows a cluster of one.
        let asked = tokio::time::timeout(READY_WITHIN, answer(client.get(url("/api/v2/status"))));
        let status: Value = asked.await.expect("in time").unwrap().json();
        let peers = status["cluster"]["peers"].as_array().unwrap();
        assert_eq!(peers.len(), 1, "{status}");
        assert!(peers[0]["address"].is_string(), "{status}");
        assert_eq!(status["cluster"]["status"], "ready");

        let tell = async |name: &str| {
            let body = serde_json::json!([firing(&[("alertname", name)])]);
            let post = client.post(url("/api/v2/alerts")).json(&body);
            assert_eq!(answer(post).await.unwrap().status, 200);
        };
        let told_before = old.deliveries().len();
        tell("A").await;
        old.wait("a message about A", |all| (all.len() > told_before).then_some(())).await;

        // Reload: from now on somebody else is told.
        std::fs::write(&config, new.config(TIMERS)).unwrap();
        signal(&child, "HUP").await;
        log.line("configuration reloaded").await;
        let told_before = new.deliveries().len();
        tell("B").await;
        new.wait("a message about B", |all| {
            all[told_before..].iter().find(|delivery| delivery.tells(&["B firing"])).map(|_| ())
        })
        .await;

        signal(&child, "TERM").await;
        let ended = tokio::time::timeout(READY_WITHIN * 2, child.wait()).await.expect("it stops");
        assert_eq!(ended.unwrap().code(), Some(0), "{}", log.text());
    }
}

#[tokio::test]
async fn all_improvements_are_off_whatever_the_file_says() {
    let hook = Hook::start().await;
    let directory = tempfile::tempdir().unwrap();
    let config = format!("{}compat: native\n", hook.config(TIMERS));
    std::fs::write(directory.path().join("config.yml"), config).unwrap();
    let (mut child, log) = start(directory.path(), &[]);
    let address = log.address().await;
    let client = client();
    let url = format!("http://{address}/api/v2/alerts");
    let body = serde_json::json!([firing(&[("alertname", "A")])]);
    assert_eq!(answer(client.post(&url).json(&body)).await.unwrap().status, 200);
    signal(&child, "TERM").await;
    child.wait().await.unwrap();

    // Alertmanager forgets its alerts; that is what `durable_alerts` is about.
    let (_child, log) = start(directory.path(), &[]);
    let url = format!("http://{}/api/v2/alerts", log.address().await);
    let alerts = answer(client.get(url)).await.unwrap().json();
    assert_eq!(alerts, serde_json::json!([]));
}

#[tokio::test]
async fn files_have_their_usual_names_and_places() {
    let hook = Hook::start().await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("alertmanager.yml"), hook.config(TIMERS)).unwrap();
    // Ours is not asked for when Alertmanager is.
    std::fs::write(directory.path().join("tocsin.yaml"), "nonsense: true\n").unwrap();
    let mut child = alertmanager()
        .arg("--web.listen-address=127.0.0.1:0")
        .current_dir(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Log::follow(child.stderr.take().unwrap());
    log.address().await;
    until("the data directory is there", async || {
        directory.path().join("data").is_dir().then_some(())
    })
    .await;
}

#[tokio::test]
async fn wrong_flags_and_files_end_it_with_1() {
    for (arguments, said) in [
        (&["--no-such-flag"][..], "alertmanager: error: unknown long flag '--no-such-flag'"),
        (&["word"], "alertmanager: error: unexpected word, try --help"),
        (&["--data.retention", "forever"], "forever"),
        (&["--config.file=/does/not/exist.yml"], "/does/not/exist.yml"),
        (&[], "alertmanager.yml"),
    ] {
        let output = run(arguments).await;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn it_names_itself_alertmanager() {
    let output = run(&["--version"]).await;
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("alertmanager, version 0.34.0 (branch: "), "{text}");
    let output = run(&["--help"]).await;
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("usage: alertmanager [<flags>]"), "{text}");
    assert!(text.contains("--storage.path"), "{text}");
}
