//! Which crate may know which, and which outside crates stay out of which room.

use serde_json::Value;

use super::Problem;

/// Each of our crates with those of ours that it may import. Tests may use `testkit` besides.
///
/// The reasons stand in ARCHITECTURE.md and docs/adr.
const ARROWS: [(&str, &[&str]); 12] = [
    ("analysis", &[]),
    ("core", &["analysis"]),
    ("wire", &["core"]),
    ("template", &["core"]),
    ("config", &["core", "template"]),
    ("store", &["core"]),
    ("connect", &["core", "wire", "config", "template"]),
    ("engine", &["core", "store", "connect", "config", "template"]),
    ("server", &["analysis", "core", "wire", "config", "template", "store", "connect", "engine"]),
    ("testkit", &["core", "wire", "config", "template", "store", "engine"]),
    (
        "cli",
        &[
            "analysis", "core", "wire", "config", "template", "store", "connect", "engine",
            "server", "testkit",
        ],
    ),
    ("xtask", &[]),
];

/// Outside crates that may not be imported, by the room they must stay out of.
const OUTSIDERS: [(&[&str], &[&str], &str); 6] = [
    (
        &["analysis", "core", "template"],
        &["tokio", "tokio-util", "async-trait", "futures-util", "rand", "getrandom", "tracing"],
        "decisions know no async, randomness or output; take values as arguments",
    ),
    (
        &["analysis", "core", "template", "wire", "config", "store"],
        &["reqwest", "hyper", "axum", "lettre", "tower", "tower-http"],
        "no sockets here; they belong in `connect` (outbound) or `server` (inbound)",
    ),
    (&["wire", "config"], &["tokio"], "formats and settings know no running service"),
    (&["connect", "engine"], &["axum", "tower-http"], "HTTP routes belong in `server`"),
    (&["server"], &["lettre"], "provider details belong in `connect`"),
    (
        &[
            "analysis", "core", "template", "wire", "config", "connect", "engine", "server", "cli",
            "testkit", "xtask",
        ],
        &["rusqlite", "sqlx", "diesel", "tokio-postgres"],
        "databases belong in `store`",
    ),
];

/// Checks the dependencies that `cargo metadata --no-deps` names.
pub(super) fn check(metadata: &Value) -> Vec<Problem> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<Problem> {
    let name = short(package["name"].as_str().unwrap_or_default());
    let place = format!("crate `{name}`");
    let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == name) else {
        return vec![Problem::at(
            place,
            "is not in the table of arrows; write an ADR and add it to xtask/src/tidy/arrows.rs",
        )];
    };
    let mut problems = Vec::new();
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    for dependency in dependencies {
        let is_for_tests = dependency["kind"] == "dev";
        let full_name = dependency["name"].as_str().unwrap_or_default();
        let other = short(full_name);
        if dependency["path"].is_string() {
            let is_allowed = allowed.contains(&other) || (is_for_tests && other == "testkit");
            if !is_allowed {
                problems.push(Problem::at(
                    &place,
                    format!(
                        "imports `{other}`, an arrow that is not in the table (it may import: {}); \
                         turn the dependency round, or write an ADR and add the arrow to \
                         xtask/src/tidy/arrows.rs and ARCHITECTURE.md",
                        if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") }
                    ),
                ));
            }
        } else if !is_for_tests {
            let bans = OUTSIDERS
                .iter()
                .filter(|(rooms, crates, _)| rooms.contains(&name) && crates.contains(&full_name));
            problems.extend(bans.map(|(_, _, reason)| {
                Problem::at(&place, format!("depends on `{full_name}`: {reason}"))
            }));
        }
    }
    problems
}

fn short(name: &str) -> &str {
    name.strip_prefix("tocsin-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_one(name: &str, dependency: &Value) -> Vec<Problem> {
        check(&json!({ "packages": [{ "name": name, "dependencies": [dependency] }] }))
    }

    #[test]
    fn arrows_of_the_table_pass_and_others_are_told() {
        let core = json!({ "name": "tocsin-core", "path": "/p", "kind": null });
        assert!(check_one("tocsin-wire", &core).is_empty());
        let problems = check_one("tocsin-analysis", &core);
        assert!(problems[0].message.contains("imports `core`"), "{problems:?}");
    }

    #[test]
    fn only_tests_may_use_the_testkit() {
        let mut testkit = json!({ "name": "tocsin-testkit", "path": "/p", "kind": "dev" });
        assert!(check_one("tocsin-server", &testkit).is_empty());
        testkit["kind"] = Value::Null;
        assert_eq!(check_one("tocsin-server", &testkit).len(), 1);
        assert!(check_one("tocsin-cli", &testkit).is_empty());
    }

    #[test]
    fn outsiders_stay_out_of_their_rooms() {
        let tokio = json!({ "name": "tokio", "path": null, "kind": null });
        assert_eq!(check_one("tocsin-core", &tokio).len(), 1);
        assert!(check_one("tocsin-engine", &tokio).is_empty());
        let rusqlite = json!({ "name": "rusqlite", "path": null, "kind": null });
        assert_eq!(check_one("tocsin-cli", &rusqlite).len(), 1);
        assert!(check_one("tocsin-store", &rusqlite).is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_told() {
        let core = json!({ "name": "tocsin-core", "path": "/p", "kind": null });
        assert!(check_one("tocsin-shed", &core)[0].message.contains("table of arrows"));
    }
}
