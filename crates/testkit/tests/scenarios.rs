//! Every file under `scenarios/` happens as it says. `UPDATE_EXPECT=1` rewrites what they expect.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use tocsin_testkit::scenario::{Mode, run_file};

/// Fewer would mean that the files are not found.
const AT_LEAST: usize = 380;

#[test]
fn every_scenario_happens_as_it_says() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").canonicalize().unwrap();
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut failures = String::new();
    for file in &files {
        match run_file(file, None, Mode::from_env()) {
            Ok(report) if report.is_ok() => {}
            Ok(report) => failures.push_str(&report.to_string()),
            Err(error) => failures.push_str(&format!("{error}\n")),
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files.len() >= AT_LEAST, "only {} scenarios were found", files.len());
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "scenario") {
            files.push(path);
        }
    }
}
