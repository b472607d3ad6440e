//! Templates and what comes of them, as text.
//!
//! A case is a heading `=== what it shows`, a template, a line `>>>`, and the output, or `error:`
//! with what is wrong. A heading may end with settings: `| html`, `| steps 100`, `| output 100`,
//! `| depth 5`. What stands before the first case of a file in a section `=== file NAME` is a file
//! of templates that the cases below it can call.
//!
//! `UPDATE_EXPECT=1` writes what comes out into the files; read the difference.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use support::data;
use tocsin_template::{Conditions, Escaping, Limits, Templates};

struct Case {
    heading: String,
    template: String,
    expected: String,
}

fn read(text: &str) -> (String, Vec<Case>) {
    let (before, rest) = text.split_once("=== ").unwrap_or((text, ""));
    let cases = rest.split("\n=== ").map(|case| {
        let (heading, body) = case.split_once('\n').unwrap_or((case, ""));
        let (template, expected) = match body.split_once("\n>>>\n") {
            Some(parts) => parts,
            None => {
                (body.trim_end_matches('\n').trim_end_matches(">>>").trim_end_matches('\n'), "")
            }
        };
        Case {
            heading: heading.to_owned(),
            template: template.to_owned(),
            expected: expected.strip_suffix('\n').unwrap_or(expected).to_owned(),
        }
    });
    (before.to_owned(), cases.collect())
}

fn number(setting: &str) -> usize {
    setting.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn run(set: &Templates, case: &Case) -> String {
    let mut limits = Limits { output_bytes: 100_000, steps: 100_000, depth: 20 };
    let mut escaping = Escaping::None;
    for setting in case.heading.split(" | ").skip(1) {
        match setting.split(' ').next() {
            Some("html") => escaping = Escaping::Html,
            Some("steps") => limits.steps = number(setting),
            Some("output") => limits.output_bytes = number(setting),
            Some("depth") => limits.depth = number(setting),
            // What real Alertmanager of an older version does not know.
            Some("newer") => {}
            _ => panic!("unknown setting in {}", case.heading),
        }
    }
    let conditions = Conditions { now: support::now(), limits };
    match set.render("case", &case.template, escaping, &data(), conditions) {
        Ok(output) => output,
        Err(error) => format!("error: {error}"),
    }
}

/// Runs every case of a file; returns the file as it would be right.
fn check(path: &Path) -> (String, Vec<String>) {
    let text = fs::read_to_string(path).expect("a readable file");
    let (before, cases) = read(&text);
    let mut set = Templates::builtin();
    let mut right = before;
    let mut wrong = Vec::new();
    for case in &cases {
        if let Some(name) = case.heading.strip_prefix("file ") {
            set.add_file(name, &case.template).expect("a readable file of templates");
            let _ = write!(right, "=== {}\n{}\n>>>\n\n", case.heading, case.template);
            continue;
        }
        let output = run(&set, case);
        if output.trim_end_matches('\n') != case.expected.trim_end_matches('\n') {
            wrong.push(format!(
                "{}: {}\ntemplate: {}\nexpected: {}\n     got: {output}\n",
                path.display(),
                case.heading,
                case.template,
                case.expected
            ));
        }
        let _ = write!(
            right,
            "=== {}\n{}\n>>>\n{}\n\n",
            case.heading,
            case.template,
            output.trim_end_matches('\n')
        );
    }
    (right, wrong)
}

#[test]
fn every_case_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut wrong = Vec::new();
    for path in paths {
        let (right, mistakes) = check(&path);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, right.trim_end().to_owned() + "\n").expect("a writable file");
        } else {
            wrong.extend(mistakes);
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n\n{}", wrong.len(), wrong.join("\n"));
}
