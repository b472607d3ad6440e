//! Licences, sources and bans of all dependencies, as `deny.toml` allows them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::spdx;
use crate::workspace::{Workspace, answers, run as run_command};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` says, as far as this check reads it.
#[derive(Debug, Default)]
struct Rules {
    allowed: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
    banned: BTreeMap<String, String>,
}

/// Runs `cargo deny` where it is installed, our own check of the same file where it is not.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    if answers(&mut workspace.cargo(&["deny", "--version"])) {
        return run_command(
            &mut workspace.cargo(&["deny", "check", "licenses", "bans", "sources"]),
        );
    }
    let rules = Rules::read(&workspace.read("deny.toml")?).context("deny.toml")?;
    let metadata = workspace
        .metadata(&["--offline", "--locked"])
        .or_else(|_| workspace.metadata(&["--locked"]))?;
    let packages = metadata["packages"].as_array().context("no packages in the metadata")?;
    let problems: Vec<String> = packages.iter().flat_map(|package| rules.check(package)).collect();
    if problems.is_empty() {
        println!("{} packages: licences, sources and bans are in order", packages.len());
        return Ok(());
    }
    bail!("{} dependencies are not as deny.toml asks:\n  {}", problems.len(), problems.join("\n  "))
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse()?;
        let licences = table.get("licenses").context("`[licenses]` is missing")?;
        let allowed = strings(licences.get("allow"));
        if allowed.is_empty() {
            bail!("`[licenses] allow` is empty");
        }
        let mut rules = Self { allowed, ..Self::default() };
        for exception in tables(licences.get("exceptions")) {
            let name = text_of(exception, "crate").context("an exception names no `crate`")?;
            rules.exceptions.insert(name, strings(exception.get("allow")));
        }
        for ban in tables(table.get("bans").and_then(|bans| bans.get("deny"))) {
            let name = text_of(ban, "crate").context("a ban names no `crate`")?;
            let reason = text_of(ban, "reason").unwrap_or_default();
            rules.banned.insert(name, reason);
        }
        Ok(rules)
    }

    /// Returns what is wrong with one package of `cargo metadata`; our own have no source.
    fn check(&self, package: &Value) -> Vec<String> {
        let text = |key: &str| package[key].as_str();
        let Some(source) = text("source") else {
            return Vec::new();
        };
        let name = text("name").unwrap_or("?");
        let shown = format!("{name} {}", text("version").unwrap_or("?"));
        let mut problems = Vec::new();
        if source != CRATES_IO {
            problems.push(format!("{shown} comes from {source}; only crates.io is a source"));
        }
        if let Some(reason) = self.banned.get(name) {
            problems.push(format!(
                "{shown} is banned: {reason}; `cargo tree -i {name}` shows who asks"
            ));
        }
        let mut allowed = self.allowed.clone();
        allowed.extend(self.exceptions.get(name).into_iter().flatten().cloned());
        match text("license").map(|licence| (licence, spdx::is_allowed(licence, &allowed))) {
            Some((_, Ok(true))) => {}
            Some((licence, Ok(false))) => problems.push(format!(
                "{shown} is under `{licence}`, which is not allowed; choose another crate"
            )),
            Some((_, Err(message))) => problems.push(format!("{shown}: {message}")),
            None => problems.push(format!("{shown} states no licence")),
        }
        problems
    }
}

fn tables(value: Option<&toml::Value>) -> impl Iterator<Item = &toml::Value> {
    value.and_then(toml::Value::as_array).into_iter().flatten()
}

fn strings(value: Option<&toml::Value>) -> BTreeSet<String> {
    tables(value).filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn text_of(table: &toml::Value, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> Rules {
        let text = r#"
            [licenses]
            allow = ["MIT"]
            exceptions = [{ crate = "roots", allow = ["CDLA-Permissive-2.0"] }]
            [bans]
            deny = [{ crate = "openssl", reason = "use rustls" }]
        "#;
        Rules::read(text).expect("rules")
    }

    fn check(name: &str, licence: &str, source: &str) -> Vec<String> {
        rules().check(&json!({
            "name": name, "version": "1.0.0", "license": licence, "source": source,
        }))
    }

    #[test]
    fn allowed_licences_exceptions_and_our_own_crates_pass() {
        assert!(check("a", "MIT OR GPL-3.0", CRATES_IO).is_empty());
        assert!(check("roots", "CDLA-Permissive-2.0", CRATES_IO).is_empty());
        assert!(rules().check(&json!({ "name": "tocsin-core", "source": null })).is_empty());
    }

    #[test]
    fn a_strange_licence_source_or_banned_crate_is_told() {
        assert!(check("a", "GPL-3.0", CRATES_IO)[0].contains("`GPL-3.0`"));
        assert!(check("a", "CDLA-Permissive-2.0", CRATES_IO)[0].contains("not allowed"));
        assert!(check("a", "MIT", "git+https://example.org")[0].contains("only crates.io"));
        assert!(check("openssl", "MIT", CRATES_IO)[0].contains("use rustls"));
    }

    #[test]
    fn rules_without_a_list_are_refused() {
        assert!(Rules::read("[licenses]\nallow = []").is_err());
        assert!(Rules::read("").is_err());
    }
}
