//! `tocsin scenario`: stories about alerts, played in virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use tocsin_core::matcher::ParseMode;
use tocsin_core::policy::Policy;
use tocsin_testkit::scenario::{self, Mode, ScenarioError};

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, count, note};

/// What scenario files in directories are called.
const EXTENSION: &str = "scenario";

/// How deep directories may lie in one another; what is deeper is not found.
const MAX_DEPTH: usize = 16;

/// Play stories about alerts in virtual time.
#[derive(Args, Clone, Debug)]
pub(crate) struct ScenarioArgs {
    #[command(subcommand)]
    command: ScenarioCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum ScenarioCommand {
    /// Run scenario files and show where something else happened than they expect.
    ///
    /// Nothing is sent and nothing has to run. With UPDATE_EXPECT=1 in the environment, what
    /// happened is written into the files; look at the difference before you keep it.
    #[command(after_help = EXIT_CODES)]
    Run(Run),
}

#[derive(Args, Clone, Debug)]
struct Run {
    /// Scenario files, or directories with *.scenario files, at any depth.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The configuration for scenarios that have none of their own: a file or a directory.
    #[arg(long, visible_alias = "config.file", value_name = "PATH")]
    config: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &ScenarioArgs) -> Result<()> {
    let ScenarioCommand::Run(run) = &args.command;
    let policy = run.config.as_deref().map(policy).transpose()?;
    let mode = Mode::from_env();
    let mut files = Vec::new();
    for path in &run.files {
        find(path, MAX_DEPTH, &mut files)?;
    }
    let mut tally = Tally::default();
    for file in &files {
        tally.add(file, scenario::run_file(file, policy.clone(), mode))?;
    }
    tally.finish(files.len())
}

/// Adds the file, or the scenario files of the directory in the order of their names.
fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    let cannot = || format!("cannot read the directory {}", path.display());
    let entries = std::fs::read_dir(path).with_context(cannot)?;
    let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    inside.sort();
    for path in inside {
        if path.is_dir() {
            // A link that leads back up ends here.
            if depth > 0 {
                find(&path, depth - 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    if depth == MAX_DEPTH && files.len() == before {
        let text = format!("{} has no *.{EXTENSION} files", path.display());
        return Err(Failure::usage(text).into());
    }
    Ok(())
}

fn policy(path: &Path) -> Result<Arc<Policy>> {
    let loaded = super::config::load(path, ParseMode::Fallback)?;
    Ok(Arc::clone(&loaded.policy))
}

#[derive(Default)]
struct Tally {
    different: usize,
    unusable: usize,
}

impl Tally {
    fn add(&mut self, file: &Path, result: Result<scenario::Report, ScenarioError>) -> Result<()> {
        match result {
            Ok(report) => {
                let verdict = if report.is_ok() { "ok" } else { "DIFFERENT" };
                let steps = count(report.steps, "step", "steps");
                let messages = count(report.notifications, "message", "messages");
                output::print(&format!("{verdict}  {}: {steps}, {messages}", file.display()))?;
                if !report.is_ok() {
                    self.different += 1;
                    output::print(&report.to_string())?;
                }
            }
            Err(error) => {
                self.unusable += 1;
                note(&format!("tocsin: {error}"));
            }
        }
        Ok(())
    }

    fn finish(&self, total: usize) -> Result<()> {
        let of = count(total, "scenario", "scenarios");
        if self.unusable > 0 {
            let text = format!("{} of {of} cannot be run; the reasons are above", self.unusable);
            return Err(Failure::usage(text).into());
        }
        if self.different > 0 {
            let text = format!(
                "{} of {of} went otherwise than expected; if that is right, \
                 UPDATE_EXPECT=1 writes what happened into the files",
                self.different
            );
            return Err(Failure::no(text).into());
        }
        Ok(())
    }
}
