//! Where the project lies, which files it has, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The project's root directory.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Asks cargo which workspace the current directory belongs to.
    pub(crate) fn find() -> Result<Self> {
        let mut command = Command::new(cargo_program());
        command.args(["locate-project", "--workspace", "--message-format", "plain"]);
        let manifest = output_of(&mut command)?;
        let root = Path::new(manifest.trim())
            .parent()
            .with_context(|| format!("`{manifest}` has no directory"))?;
        Ok(Self { root: root.to_owned() })
    }

    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Returns the root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns cargo with `arguments`, to be run in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_program());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Returns what `cargo metadata` says with `arguments`.
    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = self.cargo(&["metadata", "--format-version", "1"]);
        command.args(arguments);
        let text = output_of(&mut command)?;
        serde_json::from_str(&text).context("cannot read what `cargo metadata` printed")
    }

    /// Returns where cargo builds.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let metadata = self.metadata(&["--no-deps", "--offline"])?;
        let target = metadata["target_directory"].as_str();
        Ok(target.context("cargo does not say where it builds")?.into())
    }

    /// Returns the text of a file of the project.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// Returns all files of the project, relative to the root, with `/`, in order.
    ///
    /// What git ignores is left out. In a tree without git, build output is left out by name.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut files = match self.files_by_git() {
            Some(files) => files,
            None => self.files_by_walking()?,
        };
        // git names files that were deleted but not yet committed.
        files.retain(|path| self.root.join(path).is_file());
        files.sort();
        Ok(files)
    }

    fn files_by_git(&self) -> Option<Vec<String>> {
        let mut command = Command::new("git");
        command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = command.current_dir(&self.root).stderr(Stdio::null()).output().ok()?;
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.split_terminator('\0').map(str::to_owned).collect())
    }

    fn files_by_walking(&self) -> Result<Vec<String>> {
        const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "dist"];
        let mut files = Vec::new();
        let mut pending = vec![self.root.clone()];
        while let Some(directory) = pending.pop() {
            let entries = std::fs::read_dir(&directory)
                .with_context(|| format!("cannot list {}", directory.display()))?;
            for entry in entries {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    if !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                        pending.push(path);
                    }
                } else if let Ok(relative) = path.strip_prefix(&self.root) {
                    files.push(relative.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        Ok(files)
    }
}

/// Runs a command with our own output, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    succeeded(command, status)
}

/// Fails when `status` is not success.
pub(crate) fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed; fails with its complaint.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", shown(command), output.status, complaint.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not UTF-8", shown(command)))
}

/// Returns the command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let mut words = vec![name.into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}

/// Returns whether a program can be run at all.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_git_is_walked_without_its_build_output() {
        let directory = tempfile::tempdir().expect("temporary directory");
        for path in ["a.md", "crates/x/src/lib.rs", "target/debug/x", "web/node_modules/y/z.js"] {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("directory");
            std::fs::write(path, "").expect("file");
        }
        let files = Workspace::at(directory.path()).files_by_walking();
        let mut files = files.expect("a list");
        files.sort();
        assert_eq!(files, ["a.md", "crates/x/src/lib.rs"]);
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/some/bin/cargo");
        command.args(["fmt", "--check"]);
        assert_eq!(shown(&command), "`cargo fmt --check`");
    }
}
