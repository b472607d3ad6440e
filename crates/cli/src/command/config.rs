//! `tocsin config`: check and show the configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use tocsin_config::{Loaded, Report};
use tocsin_connect::Outbound;
use tocsin_core::matcher::ParseMode;

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, count, note};
use crate::source::{default_path, load_options, parse_mode};

/// Check and show configurations; nothing has to run.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigArgs {
    /// Features, comma-separated: classic-mode and utf8-strict-mode choose how matchers are read.
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAMES")]
    enable_feature: Vec<String>,

    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum ConfigCommand {
    /// Say everything that is wrong with configurations, with place and remedy.
    #[command(after_help = EXIT_CODES)]
    Check {
        /// Files, or directories of *.yml and *.yaml files that make one configuration each; by
        /// default tocsin.yaml, or alertmanager.yml where there is none.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Print the configuration in effect, and where each of its values comes from.
    ///
    /// Defaults and what routes inherit are filled in, the environment is applied, secrets are
    /// masked.
    #[command(after_help = EXIT_CODES)]
    Show {
        /// A file, or a directory of *.yml and *.yaml files; by default tocsin.yaml, or
        /// alertmanager.yml where there is none.
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,

        /// Print it as Alertmanager's API shows it: only what Alertmanager knows.
        #[arg(long)]
        original: bool,
    },
    /// Print the JSON Schema of the configuration, for editors.
    Schema,
}

/// Runs the command.
pub(crate) fn run(args: &ConfigArgs) -> Result<()> {
    let mode =
        parse_mode(&args.enable_feature).map_err(|error| Failure::usage(format!("{error:#}")))?;
    match &args.command {
        ConfigCommand::Check { paths } if paths.is_empty() => check(&[default_path()], mode),
        ConfigCommand::Check { paths } => check(paths, mode),
        ConfigCommand::Show { path, original } => {
            let loaded = load(&path.clone().unwrap_or_else(default_path), mode)?;
            output::print(&if *original { loaded.original_yaml() } else { loaded.show() })
        }
        ConfigCommand::Schema => output::print(&schema()?),
    }
}

/// Returns the JSON Schema of the configuration.
pub(crate) fn schema() -> Result<String> {
    serde_json::to_string_pretty(&tocsin_config::json_schema()).context("the schema is no JSON")
}

/// Reads a configuration that another command needs; what is wrong goes to standard error.
pub(crate) fn load(path: &Path, mode: ParseMode) -> Result<Loaded> {
    match tocsin_config::load(path, &load_options(mode)) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                note(&warning.to_string());
            }
            Ok(loaded)
        }
        Err(report) => {
            note(&report.to_string());
            Err(Failure::usage(format!("{}: {}", path.display(), verdict(&report))).into())
        }
    }
}

fn verdict(report: &Report) -> String {
    format!("not usable: {}", count(report.errors().count(), "error", "errors"))
}

fn check(paths: &[PathBuf], mode: ParseMode) -> Result<()> {
    let mut unusable = 0;
    for (index, path) in paths.iter().enumerate() {
        if index > 0 {
            output::print("")?;
        }
        match tocsin_config::load(path, &load_options(mode)) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    output::print(&warning.to_string())?;
                }
                if let Err(why) = can_be_reached(&loaded) {
                    unusable += 1;
                    output::print(&format!("{}: not usable: {why}", path.display()))?;
                } else {
                    output::print(&summary(path, &loaded))?;
                }
            }
            Err(report) => {
                unusable += 1;
                output::print(&report.to_string())?;
                output::print(&format!("{}: {}", path.display(), verdict(&report)))?;
            }
        }
    }
    if unusable == 0 {
        return Ok(());
    }
    let of = count(paths.len(), "configuration", "configurations");
    Err(Failure::no(format!("{unusable} of {of} cannot be used; mend what is said above")).into())
}

/// Opens what sending needs, such as certificates, without sending anything.
fn can_be_reached(loaded: &Loaded) -> Result<()> {
    tocsin_connect::install_crypto();
    let context = tocsin_connect::Context::new("http://localhost", env!("CARGO_PKG_VERSION"));
    Outbound::new(&loaded.config, &context)?;
    Ok(())
}

fn summary(path: &Path, loaded: &Loaded) -> String {
    let policy = &loaded.policy;
    let mut found = vec![
        count(policy.receivers.len(), "receiver", "receivers"),
        count(policy.routes.nodes.len(), "route", "routes"),
        count(policy.inhibit_rules.len(), "inhibit rule", "inhibit rules"),
        count(policy.time_intervals.len(), "time interval", "time intervals"),
    ];
    if !policy.maintenance_windows.is_empty() {
        let windows = policy.maintenance_windows.len();
        found.push(count(windows, "maintenance window", "maintenance windows"));
    }
    if !loaded.warnings.is_empty() {
        found.push(count(loaded.warnings.len(), "warning", "warnings"));
    }
    format!("{}: usable; {}", path.display(), found.join(", "))
}
