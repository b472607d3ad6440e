//! What lies in `contrib/`: the rules and the dashboard about Tocsin itself name metrics that it has,
//! and Prometheus can read them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::support::api::firing;
use crate::support::hook::Hook;
use crate::support::tocsin::Tocsin;
use crate::support::{program, within};

/// Stands for Grafana's own variables, which Prometheus does not know.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$instance", ".*")];

fn contrib(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib").join(path)
}

/// Returns every expression of the dashboard, its variables filled in.
fn expressions() -> Vec<String> {
    let text = std::fs::read_to_string(contrib("grafana/tocsin.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    targets
        .map(|target| {
            let text = target["expr"].as_str().unwrap().to_owned();
            VARIABLES.iter().fold(text, |text, (name, value)| text.replace(name, value))
        })
        .collect()
}

/// Returns the words of `text` that look like names of metrics.
fn metric_names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let prefixes = ["alertmanager_", "tocsin_", "process_"];
    text.split(|c| !is_part(c))
        .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

async fn promtool(arguments: &[&str]) -> Option<(bool, String)> {
    let program = program::find("promtool")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command.current_dir(contrib("prometheus"));
    let output = within("promtool", command.output()).await.unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Some((output.status.success(), text))
}

#[tokio::test]
async fn the_rules_are_read_and_fire_when_they_should() {
    for arguments in
        [["check", "rules", "tocsin.rules.yml"], ["test", "rules", "tocsin.rules.test.yml"]]
    {
        let Some((is_well, said)) = promtool(&arguments).await else { return };
        assert!(is_well, "{said}");
    }
}

#[tokio::test]
async fn every_expression_of_the_dashboard_can_be_read() {
    let rules: Vec<Value> = expressions()
        .iter()
        .enumerate()
        .map(|(index, expression)| {
            serde_json::json!({ "record": format!("panel:{index}"), "expr": expression })
        })
        .collect();
    assert!(rules.len() > 20, "{} expressions", rules.len());
    let file = tempfile::Builder::new().suffix(".yml").tempfile().unwrap();
    let text = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    // JSON is YAML.
    std::fs::write(file.path(), text.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let Some((is_well, said)) = promtool(&["check", "rules", path]).await else { return };
    assert!(is_well, "{said}");
}

#[tokio::test]
async fn every_metric_that_is_named_is_exported() {
    let hook = Hook::start().await;
    let tocsin = Tocsin::start(&hook.config("group_wait: 0s")).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    hook.told(&["A firing"]).await;
    tocsin.attempted(1).await;
    let exported = metric_names(&tocsin.get("/metrics").await.body);
    let rules = std::fs::read_to_string(contrib("prometheus/tocsin.rules.yml")).unwrap();
    let mut named = metric_names(&rules);
    named.extend(metric_names(&expressions().join("\n")));
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.difference(&exported).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {exported:?}");
}
