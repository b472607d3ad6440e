//! Pages and schemas that the binary knows best: written from it, and proved to be current.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::binary::{self, Profile};
use crate::workspace::{Workspace, output_of};

/// Each generated file with the topic of `tocsin generate <topic>` that prints it.
pub(crate) const GENERATED: [(&str, &str); 5] = [
    ("docs/openapi.json", "openapi"),
    ("docs/configuration-schema.json", "schema"),
    ("docs/configuration.md", "configuration"),
    ("docs/permissions.md", "permissions"),
    ("docs/cli.md", "cli"),
];

/// Help texts are wrapped at this width, whatever the terminal.
const COLUMNS: &str = "100";

/// Writes all generated files; with `is_check` only tells which would change, as an error.
pub(crate) fn run(workspace: &Workspace, is_check: bool) -> Result<()> {
    let binary = binary::build(workspace, Profile::Dev)?;
    let mut stale = String::new();
    for (path, topic) in GENERATED {
        let fresh = print(&binary, topic)?;
        let file = workspace.root().join(path);
        let present = std::fs::read_to_string(&file).ok();
        if present.as_deref() == Some(&fresh) {
            println!("{path} is current");
            continue;
        }
        if is_check {
            let difference = first_difference(present.as_deref(), &fresh);
            writeln!(stale, "\n  {path}: {difference}").expect("writing to a string");
        } else {
            std::fs::write(&file, fresh).with_context(|| format!("cannot write {path}"))?;
            println!("{path} written");
        }
    }
    if !stale.is_empty() {
        bail!("generated files are not current; run `cargo xtask generate` and commit:{stale}");
    }
    Ok(())
}

/// Returns what the binary prints on `topic`, the same on every machine.
fn print(binary: &Path, topic: &str) -> Result<String> {
    let mut command = Command::new(binary);
    command.args(["generate", topic]).env("COLUMNS", COLUMNS).env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOCSIN_") {
            command.env_remove(name);
        }
    }
    let text = output_of(&mut command)?;
    if text.trim().is_empty() {
        bail!("`tocsin generate {topic}` printed nothing");
    }
    Ok(format!("{}\n", text.trim_end()))
}

/// Says in a line where two texts part.
fn first_difference(present: Option<&str>, fresh: &str) -> String {
    let Some(present) = present else {
        return "does not exist".to_owned();
    };
    let (mut old, mut new) = (present.lines(), fresh.lines());
    let mut line = 1_usize;
    loop {
        match (old.next(), new.next()) {
            (Some(old), Some(new)) if old == new => line += 1,
            (None, None) => return "differs only in line endings".to_owned(),
            (old, new) => {
                let quote = |side: Option<&str>| match side {
                    Some(text) => format!("`{}`", text.trim()),
                    None => "the end".to_owned(),
                };
                let (was, is) = (present.lines().count(), fresh.lines().count());
                return format!(
                    "{was} lines, would be {is}; line {line} is {}, would be {}",
                    quote(old),
                    quote(new)
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_told_with_the_first_line_that_differs() {
        let told = first_difference(Some("a\nb\n"), "a\nc\nd\n");
        assert_eq!(told, "2 lines, would be 3; line 2 is `b`, would be `c`");
        let told = first_difference(Some("a\nb\n"), "a\n");
        assert_eq!(told, "2 lines, would be 1; line 2 is `b`, would be the end");
        assert_eq!(first_difference(None, "a\n"), "does not exist");
        assert_eq!(first_difference(Some("a\r\n"), "a\n"), "differs only in line endings");
    }
}
