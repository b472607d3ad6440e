//! Whether a dependency was taken back by its authors, as far as this machine knows without asking
//! anybody: cargo keeps what the registry said of each crate.
//!
//! Known vulnerabilities are another list, RustSec's. It is looked at where `cargo deny` and its
//! copy of that list are installed, and said not to have been looked at where they are not.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{Workspace, answers, run as run_command};

/// Where cargo-deny keeps its copies of RustSec's list, under cargo's home.
const ADVISORIES: [&str; 2] = ["advisory-dbs", "advisory-db"];

/// One locked crate.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Locked {
    name: String,
    version: String,
}

/// Checks every crate of the lock file.
///
/// # Errors
/// When one was yanked, or is on RustSec's list where that is there.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let locked = locked(&workspace.read("Cargo.lock")?)?;
    let caches = caches(&cargo_home()?);
    let mut yanked = Vec::new();
    let mut unknown = 0;
    for entry in &locked {
        match caches.iter().find_map(|cache| is_yanked(cache, entry)) {
            Some(true) => yanked.push(format!("{} {}", entry.name, entry.version)),
            Some(false) => {}
            None => unknown += 1,
        }
    }
    if !yanked.is_empty() {
        bail!("taken back by their authors, choose other versions: {}", yanked.join(", "));
    }
    let known = locked.len() - unknown;
    println!("{known} of {} locked crates: none was yanked when cargo asked last", locked.len());
    if unknown > 0 {
        println!("of {unknown} crates cargo keeps nothing; `cargo fetch --locked` asks for them");
    }
    advisories(workspace)
}

fn advisories(workspace: &Workspace) -> Result<()> {
    let home = cargo_home()?;
    let has_list = ADVISORIES.iter().any(|name| home.join(name).is_dir());
    if has_list && answers(&mut workspace.cargo(&["deny", "--version"])) {
        return run_command(&mut workspace.cargo(&[
            "deny",
            "check",
            "advisories",
            "--disable-fetch",
        ]));
    }
    println!("RustSec's list is not on this machine, so known vulnerabilities were not looked for");
    Ok(())
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::var_os("HOME").context("neither CARGO_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cargo"))
}

/// Returns the crates of a lock file that come from a registry.
fn locked(text: &str) -> Result<Vec<Locked>> {
    let table: toml::Table = text.parse().context("Cargo.lock")?;
    let packages = table.get("package").and_then(toml::Value::as_array);
    let packages = packages.context("Cargo.lock has no packages")?;
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let from_registry = packages.iter().filter(|package| package.get("source").is_some());
    Ok(from_registry
        .filter_map(|package| {
            Some(Locked { name: text(package, "name")?, version: text(package, "version")? })
        })
        .collect())
}

/// Returns the directories in which cargo keeps what registries said.
fn caches(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.join("registry/index")) else { return Vec::new() };
    let caches = entries.filter_map(Result::ok).map(|entry| entry.path().join(".cache"));
    caches.filter(|path| path.is_dir()).collect()
}

/// Returns whether a version was yanked; `None` when the cache does not know it.
fn is_yanked(cache: &Path, locked: &Locked) -> Option<bool> {
    let bytes = std::fs::read(cache.join(place_of(&locked.name))).ok()?;
    // After a head come pairs of a version and what was said of it, each ended by a zero.
    let said = bytes.split(|byte| *byte == 0).filter(|part| part.starts_with(b"{"));
    said.filter_map(|part| serde_json::from_slice::<Value>(part).ok())
        .find(|entry| entry["vers"] == locked.version.as_str())
        .map(|entry| entry["yanked"] == true)
}

/// Returns where a registry's index has a crate.
///
/// Source: The Cargo Book, "Registry Index", Index files.
fn place_of(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let part = |range: std::ops::Range<usize>| name.get(range).unwrap_or_default();
    match name.len() {
        0..=2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", part(0..1)),
        _ => format!("{}/{}/{name}", part(0..2), part(2..4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_lie_where_the_index_has_them() {
        for (name, place) in
            [("a", "1/a"), ("rc", "2/rc"), ("syn", "3/s/syn"), ("Serde_json", "se/rd/serde_json")]
        {
            assert_eq!(place_of(name), place);
        }
    }

    #[test]
    fn what_was_taken_back_is_seen_and_what_is_not_known_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("se/rd/serde_json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let said = "\u{3}\u{2}\0\0\0head\x001.0.0\0{\"vers\":\"1.0.0\",\"yanked\":true}\x00\
                    1.0.1\0{\"vers\":\"1.0.1\",\"yanked\":false}\0";
        std::fs::write(&file, said).unwrap();
        let asked = |name: &str, version: &str| {
            let locked = Locked { name: name.to_owned(), version: version.to_owned() };
            is_yanked(directory.path(), &locked)
        };
        assert_eq!(asked("serde_json", "1.0.0"), Some(true));
        assert_eq!(asked("serde_json", "1.0.1"), Some(false));
        assert_eq!(asked("serde_json", "2.0.0"), None);
        assert_eq!(asked("serde", "1.0.0"), None);
    }

    #[test]
    fn our_own_crates_are_not_asked_for() {
        let text = "[[package]]\nname = \"ours\"\nversion = \"1.0.0\"\n\
                    [[package]]\nname = \"theirs\"\nversion = \"2.0.0\"\nsource = \"registry+x\"\n";
        let expected = Locked { name: "theirs".to_owned(), version: "2.0.0".to_owned() };
        assert_eq!(locked(text).unwrap(), [expected]);
    }
}
