//! Runs the binary and writes down what was seen, as a transcript for snapshots.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::fake::{Fake, Recorded};

pub(crate) struct Stage {
    pub(crate) server: Fake,
    pub(crate) directory: TempDir,
    transcript: String,
}

impl Stage {
    /// Sets up an empty working directory and a fake server.
    pub(crate) fn new(answers: Vec<Recorded>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { server: Fake::start(answers), directory, transcript: String::new() }
    }

    /// Writes a file into the working directory.
    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Prepares the binary with an environment that is the same everywhere.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("COLUMNS", "100")
            .env("USER", "ada")
            .env("TOCSIN_URL", format!("http://{}", self.server.address));
        command
    }

    /// Runs the binary, writes down what it printed and asked, and returns the exit code.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> i32 {
        self.run_with(arguments, "")
    }

    /// Like [`Stage::run`], with something on standard input.
    pub(crate) fn run_with(&mut self, arguments: &[&str], input: &str) -> i32 {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        self.note(arguments, &output);
        output.status.code().unwrap()
    }

    fn note(&mut self, arguments: &[&str], output: &Output) {
        let shown: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        let mut text = format!("$ tocsin {}\n", shown.join(" "));
        text.push_str(&String::from_utf8_lossy(&output.stdout));
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            writeln!(text, "stderr: {line}").unwrap();
        }
        for line in self.server.asked() {
            writeln!(text, "asked: {line}").unwrap();
        }
        let address = self.server.address.to_string();
        writeln!(
            self.transcript,
            "{}exit {}\n",
            text.replace(&address, "SERVER"),
            output.status.code().unwrap()
        )
        .unwrap();
    }

    /// Returns everything that was seen.
    pub(crate) fn transcript(&self) -> &str {
        &self.transcript
    }
}

fn quoted(argument: &str) -> String {
    let is_plain = !argument.is_empty()
        && argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,%".contains(c));
    if is_plain { argument.to_owned() } else { format!("'{argument}'") }
}
