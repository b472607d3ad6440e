//! Building the `tocsin` binary and handing the terminal over to it.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{Workspace, shown, succeeded};

/// How the binary is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

/// Builds `tocsin` and runs `tocsin demo`.
///
/// The first build of a newcomer should be short, so it is the dev build unless `--release` is
/// the first argument or a release binary has been built here before.
pub(crate) fn demo(workspace: &Workspace, mut arguments: Vec<String>) -> Result<ExitCode> {
    let is_release_asked = arguments.first().is_some_and(|argument| argument == "--release");
    if is_release_asked {
        arguments.remove(0);
    }
    let profile = if is_release_asked || has_release_binary(workspace)? {
        Profile::Release
    } else {
        eprintln!("building Tocsin; the first time this takes a few minutes");
        Profile::Dev
    };
    let binary = build(workspace, profile)?;
    hand_over(Command::new(binary).arg("demo").args(arguments))
}

/// Builds the release binary and runs `tocsin bench`, which measures and writes the figures.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let binary = build(workspace, Profile::Release)?;
    hand_over(Command::new(binary).arg("bench").args(arguments).current_dir(workspace.root()))
}

/// Builds `tocsin` and returns where the binary lies, wherever cargo's settings put it.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut command = workspace.cargo(&["build", "--package", "tocsin-cli", "--bin", "tocsin"]);
    command.arg("--message-format=json-render-diagnostics");
    if profile == Profile::Release {
        command.arg("--release");
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(&command)))?;
    succeeded(&command, output.status)?;
    match executable_in(&String::from_utf8_lossy(&output.stdout)) {
        Some(path) => Ok(path),
        None => bail!("{} succeeded but named no executable", shown(&command)),
    }
}

/// Returns the executable that cargo's messages, one JSON value a line, name last.
fn executable_in(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
}

fn has_release_binary(workspace: &Workspace) -> Result<bool> {
    let name = format!("tocsin{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target()?.join("release").join(name).is_file())
}

/// Becomes the command, so that every signal reaches it and its exit code is ours.
#[cfg(unix)]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", shown(command)))
}

/// Runs the command and ends as it ends; Ctrl-C reaches both because they share the console.
#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(code) => ExitCode::from(code),
        None => ExitCode::FAILURE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_read_from_cargos_messages() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"executable\":null}\n",
            "not json\n",
            "{\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/tocsin\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(executable_in(messages), Some(PathBuf::from("/t/debug/tocsin")));
        assert_eq!(executable_in("{\"reason\":\"build-finished\"}"), None);
    }
}
