//! Debian's amtool, word for word.

use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;
use tokio::process::Command;

use crate::support::program;
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::within;

const CONFIG: &str = r#"
route:
  receiver: hook
  group_by: [alertname]
  routes:
  - matchers: [team="db"]
    receiver: db.hook
    continue: true
  - matchers: [severity=~"info|debug"]
    receiver: 'null'
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [cluster]
receivers:
- name: hook
  webhook_configs:
  - url: http://127.0.0.1:9/secret
- name: db.hook
- name: 'null'
"#;

/// A server, and amtool pointed at it.
struct Bench {
    amtool: PathBuf,
    tocsin: Tocsin,
    /// So that no settings of whoever runs the tests are read.
    home: TempDir,
}

impl Bench {
    /// Starts the server; `None` when there is no amtool.
    async fn start() -> Option<Self> {
        let amtool = program::find("amtool")?;
        let version = version(&amtool).await;
        let setup = Setup::default().flag(format!("--compat.version={version}"));
        let tocsin = setup.start(CONFIG).await;
        Some(Self { amtool, tocsin, home: tempfile::tempdir().unwrap() })
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let url = format!("--alertmanager.url={}", self.tocsin.url(""));
        let mut command = Command::new(&self.amtool);
        command.arg(url).args(arguments).env_clear().env("HOME", self.home.path());
        within(&format!("amtool {arguments:?}"), command.output()).await.unwrap()
    }

    /// Runs amtool, which must succeed and complain about nothing; returns what it prints,
    /// without the blanks that fill its tables.
    async fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{arguments:?}: {complaints}");
        text(&output.stdout)
    }

    /// Runs amtool, which must fail; returns everything it prints.
    async fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stdout) + &text(&output.stderr)
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn add_disk_full(&self) {
        let alert = [
            "alert",
            "add",
            "DiskFull",
            "cluster=eu1",
            "instance=a:9100",
            "severity=critical",
            "--annotation=summary=full disk",
            "--start=2026-01-01T00:00:00Z",
            "--end=2126-01-01T00:00:00Z",
        ];
        assert_eq!(self.says(&alert).await, "");
    }
}

/// `amtool, version 0.25.0 (branch: …`
async fn version(amtool: &Path) -> String {
    let output = Command::new(amtool).arg("--version").output().await.unwrap();
    // It has been printed on either stream over the years.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.split_whitespace().nth(2).expect("a version").to_owned()
}

fn text(bytes: &[u8]) -> String {
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    lines.map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Counts the silences that an import could not add. Its exit code tells only since 0.28.
fn complaints(import: &Output) -> usize {
    text(&import.stderr).matches("Error adding silence id=").count()
}

/// Replaces every run of blanks by one.
fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[tokio::test]
async fn alerts_are_added_and_queried_in_every_format() {
    let Some(bench) = Bench::start().await else { return };
    bench.add_disk_full().await;
    bench.says(&["alert", "add", "Other", "cluster=us1"]).await;
    let simple = "Alertname  Starts At                Summary    State\n\
                  DiskFull   2026-01-01 00:00:00 UTC  full disk  active\n";
    for query in ["DiskFull", "alertname=\"DiskFull\"", "cluster=~eu.*", "severity!=\"\""] {
        assert_eq!(bench.says(&["alert", "query", query]).await, simple, "{query}");
    }
    let extended = bench.says(&["alert", "query", "-o", "extended", "DiskFull"]).await;
    assert_eq!(
        squeezed(&extended),
        "Labels Annotations Starts At Ends At Generator URL State\n\
         alertname=\"DiskFull\" cluster=\"eu1\" instance=\"a:9100\" severity=\"critical\" \
         summary=\"full disk\" 2026-01-01 00:00:00 UTC 2126-01-01 00:00:00 UTC active\n"
    );
    let json = bench.says(&["alert", "query", "-o", "json", "DiskFull"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["fingerprint"], "6c4d0d558f7061a9");
    assert_eq!(json[0]["receivers"][0]["name"], "hook");
    assert_eq!(json.as_array().unwrap().len(), 1);
    let none = bench.says(&["alert", "query", "Nothing"]).await;
    assert_eq!(none, "Alertname  Starts At  Summary  State\n");
    let complaint = bench.refuses(&["alert", "query", "a=~\"(\""]).await;
    assert!(complaint.starts_with("amtool: error: "), "{complaint}");
}

#[tokio::test]
async fn silences_are_added_updated_expired_and_imported() {
    let Some(bench) = Bench::start().await else { return };
    bench.add_disk_full().await;
    let add = ["silence", "add", "alertname=DiskFull", "-c", "maint", "-a", "ops", "-d", "1h"];
    let id = bench.says(&add).await.trim().to_owned();
    let listed = squeezed(&bench.says(&["silence", "query"]).await);
    assert!(listed.starts_with("ID Matchers Ends At Created By Comment\n"), "{listed}");
    assert!(listed.contains(&format!("{id} alertname=\"DiskFull\" ")), "{listed}");
    assert!(listed.ends_with(" ops maint\n"), "{listed}");
    // It shows at once, as held back.
    assert!(!bench.says(&["alert", "query"]).await.contains("DiskFull"));
    assert!(bench.says(&["alert", "query", "-s"]).await.trim_end().ends_with("suppressed"));

    let update = ["silence", "update", "-d", "2h", "-c", "longer", &id];
    let updated = squeezed(&bench.says(&update).await);
    assert!(updated.contains(&id) && updated.ends_with(" ops longer\n"), "{updated}");
    let exported = bench.says(&["silence", "query", "-o", "json"]).await;
    assert_eq!(bench.says(&["silence", "query", "-q"]).await, format!("{id}\n"));

    assert_eq!(bench.says(&["silence", "expire", &id]).await, "");
    assert_eq!(bench.says(&["silence", "query", "-q"]).await, "");
    assert_eq!(bench.says(&["silence", "query", "-q", "--expired"]).await, format!("{id}\n"));
    assert!(bench.says(&["alert", "query"]).await.contains("active"));

    // An expired silence that is imported becomes a new one.
    let file = bench.write("silences.json", &exported);
    let imported = bench.says(&["silence", "import", &file]).await.trim().to_owned();
    assert_ne!(imported, id);
    assert_eq!(bench.says(&["silence", "query", "-q"]).await, format!("{imported}\n"));

    let complaint = bench.refuses(&["silence", "add", "alertname=x"]).await;
    assert_eq!(complaint, "amtool: error: comment required by config\n\n");
    let unknown = "0f2ac0de-0000-4000-8000-000000000000";
    assert!(bench.refuses(&["silence", "expire", unknown]).await.contains("404"));
}

#[tokio::test]
async fn silences_are_listed_by_their_end_and_filtered_by_matcher() {
    let Some(bench) = Bench::start().await else { return };
    let mut ids = Vec::new();
    for (name, duration) in [("B", "2h"), ("C", "3h"), ("A", "1h")] {
        let matcher = format!("alertname={name}");
        let add = ["silence", "add", &matcher, "team=db", "-c", "x", "-a", "ops", "-d", duration];
        ids.push(bench.says(&add).await);
    }
    let by_end = format!("{}{}{}", ids[2], ids[0], ids[1]);
    assert_eq!(bench.says(&["silence", "query", "-q"]).await, by_end);
    assert_eq!(bench.says(&["silence", "query", "-q", "team=db"]).await, by_end);
    assert_eq!(bench.says(&["silence", "query", "-q", "alertname=B"]).await, ids[0]);
    assert_eq!(bench.says(&["silence", "query", "-q", "alertname=~B"]).await, "");
}

#[tokio::test]
async fn an_import_reports_what_is_wrong_and_takes_the_rest() {
    let Some(bench) = Bench::start().await else { return };
    let silence = |name: &str, start: &str, end: &str| {
        serde_json::json!({
            "matchers": [{ "name": "alertname", "value": name, "isRegex": false, "isEqual": true }],
            "startsAt": start, "endsAt": end, "createdBy": "ops", "comment": "x",
        })
    };
    let (good, late) = ("2100-01-01T00:00:00Z", "2100-01-02T00:00:00Z");
    let bad = serde_json::json!([silence("A", late, good)]).to_string();
    let file = bench.write("bad.json", &bad);
    assert_eq!(complaints(&bench.run(&["silence", "import", &file]).await), 1);
    let mixed = serde_json::json!([
        silence("A", good, late),
        silence("B", late, good),
        silence("C", good, late),
        silence("D", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        silence("E", good, late),
    ]);
    let file = bench.write("mixed.json", &mixed.to_string());
    assert_eq!(complaints(&bench.run(&["silence", "import", &file]).await), 2);
    let kept = bench.says(&["silence", "query", "-q"]).await;
    assert_eq!(kept.lines().count(), 3, "{kept}");
    let file = bench.write("nonsense.json", "nonsense");
    assert!(bench.refuses(&["silence", "import", &file]).await.contains("invalid character"));
}

#[tokio::test]
async fn the_configuration_and_its_routes_are_read_back() {
    let Some(bench) = Bench::start().await else { return };
    let shown = bench.says(&["config", "show"]).await;
    assert!(shown.contains("receiver: db.hook") && !shown.contains("127.0.0.1:9/"), "{shown}");
    assert_eq!(
        bench.says(&["config", "routes", "show"]).await,
        "Routing tree:\n\
         .\n\
         └── default-route  receiver: hook\n\
         \u{20}   ├── {team=\"db\"}  continue: true  receiver: db.hook\n\
         \u{20}   └── {severity=~\"info|debug\"}  receiver: null\n\n"
    );
    let test = async |labels: &[&str]| {
        let arguments: Vec<_> =
            ["config", "routes", "test"].iter().chain(labels).copied().collect();
        bench.says(&arguments).await
    };
    assert_eq!(test(&["team=db", "severity=info"]).await, "db.hook,null\n");
    assert_eq!(test(&["team=db"]).await, "db.hook\n");
    assert_eq!(test(&["foo=bar"]).await, "hook\n");
    assert_eq!(test(&["--verify.receivers=hook", "foo=bar"]).await, "hook\n");
    let wrong = ["config", "routes", "test", "--verify.receivers=nope", "foo=bar"];
    let refused = bench.refuses(&wrong).await;
    let warning = "WARNING: Expected receivers did not match resolved receivers.\n";
    assert_eq!(refused, format!("hook\n{warning}"));
}

#[tokio::test]
async fn what_the_status_shows_passes_amtools_own_check() {
    let Some(bench) = Bench::start().await else { return };
    let status = bench.tocsin.get("/api/v2/status").await.json();
    let file = bench.write("shown.yml", status["config"]["original"].as_str().unwrap());
    let said = bench.says(&["check-config", &file]).await;
    for part in ["SUCCESS", " - route", " - 1 inhibit rules", " - 3 receivers"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(bench.says(&["cluster", "show"]).await.contains("ready"));
}

#[tokio::test]
async fn amtool_warns_of_another_version_only() {
    let Some(amtool) = program::find("amtool") else { return };
    let tocsin = Setup::default().flag("--compat.version=9.8.7").start(CONFIG).await;
    let bench = Bench { amtool, tocsin, home: tempfile::tempdir().unwrap() };
    let output = bench.run(&["alert", "query"]).await;
    assert!(output.status.success());
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with("Warning: amtool version") && warning.contains("9.8.7"),
        "{warning}"
    );
}
