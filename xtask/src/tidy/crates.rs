//! What every crate of the workspace has in common.

use anyhow::Result;
use serde_json::Value;

use super::Problem;
use crate::workspace::Workspace;

/// Package settings that come from the workspace.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// Checks each crate's manifest and the first line of its documentation.
pub(super) fn check(
    workspace: &Workspace,
    paths: &[String],
    metadata: &Value,
) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in paths.iter().filter(|path| is_member_manifest(path)) {
        problems.extend(check_manifest(path, &workspace.read(path)?));
    }
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let file = target["src_path"].as_str().unwrap_or_default();
            let Ok(text) = std::fs::read_to_string(file) else { continue };
            let place = std::path::Path::new(file);
            let place = place.strip_prefix(workspace.root()).unwrap_or(place).to_string_lossy();
            problems.extend(check_documentation(&place, &text));
        }
    }
    Ok(problems)
}

fn is_member_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && (path.starts_with("crates/") || path.starts_with("xtask/"))
}

fn check_manifest(path: &str, text: &str) -> Vec<Problem> {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Problem::at(path, format!("cannot be read: {error}"))],
    };
    let inherits = |value: Option<&toml::Value>| {
        value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    let package = table.get("package");
    let mut problems = Vec::new();
    for key in INHERITED {
        if !inherits(package.and_then(|package| package.get(key))) {
            let message = format!("write `{key}.workspace = true` under `[package]`");
            problems.push(Problem::at(path, message));
        }
    }
    if !inherits(table.get("lints")) {
        problems.push(Problem::at(path, "write `workspace = true` under `[lints]`"));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = table.get(section).and_then(toml::Value::as_table);
        for (name, value) in dependencies.into_iter().flatten() {
            if !inherits(Some(value)) {
                let message = format!(
                    "`{name}`: name its version once, under `[workspace.dependencies]` in the root, \
                     and write `{name}.workspace = true` here"
                );
                problems.push(Problem::at(path, message));
            }
        }
    }
    problems
}

fn check_documentation(path: &str, text: &str) -> Option<Problem> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!"));
    let has_documentation = first.is_some_and(|line| line.starts_with("//!"));
    let message = "begin the file with `//! …`: what the crate is for, in a sentence";
    (!has_documentation).then(|| Problem::at(path, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        [package]
        name = \"a\"
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true
        publish.workspace = true
        [lints]
        workspace = true
        [dependencies]
        serde.workspace = true
        tokio = { workspace = true, features = [\"test-util\"] }
    ";

    #[test]
    fn a_crate_inherits_what_is_common() {
        assert!(check_manifest("crates/a/Cargo.toml", GOOD).is_empty());
        let bad = GOOD
            .replace("license.workspace = true", "license = \"MIT\"")
            .replace("[lints]\n        workspace = true", "")
            .replace("serde.workspace = true", "serde = \"1\"");
        let problems = check_manifest("crates/a/Cargo.toml", &bad);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].message.contains("`license.workspace = true`"));
        assert_eq!(check_manifest("crates/a/Cargo.toml", "[").len(), 1);
    }

    #[test]
    fn a_crate_says_what_it_is_for() {
        assert!(check_documentation("a", "//! Does it.\nfn a() {}").is_none());
        assert!(check_documentation("a", "\n#![expect(x)]\n//! Does it.").is_none());
        assert!(check_documentation("a", "fn a() {}").is_some());
        assert!(check_documentation("a", "").is_some());
    }
}
