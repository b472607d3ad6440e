//! `--help` of every command.

use crate::stage::Stage;

#[test]
fn every_command_explains_itself() {
    let stage = Stage::new(Vec::new());
    let page = stage.command(&["generate", "cli"]).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    let names: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `tocsin ")?.strip_suffix('`'))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in std::iter::once("").chain(names) {
        let mut arguments: Vec<&str> = name.split_whitespace().collect();
        arguments.push("--help");
        let output = stage.command(&arguments).output().unwrap();
        assert!(output.status.success(), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        insta::assert_snapshot!(format!("help {name}").trim().replace(' ', "_"), text);
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    let stage = Stage::new(Vec::new());
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = stage.command(&["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("silence"), "{shell}");
    }
}

#[test]
fn manual_pages_are_printed_or_written() {
    let stage = Stage::new(Vec::new());
    let output = stage.command(&["man"]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains(".TH tocsin"));
    assert!(stage.command(&["man", "--dir", "pages"]).status().unwrap().success());
    let page = stage.directory.path().join("pages/tocsin-silence-add.1");
    assert!(std::fs::read_to_string(page).unwrap().contains("comment"));
}
