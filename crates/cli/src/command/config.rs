//! `tocsin config`: check and show the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use tocsin_config::{DEFAULT_TENANT, Loaded, NotStored, Report};
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

        /// The data directory, to see whether the secrets that are referred to are stored.
        #[arg(long = "storage.path", value_name = "DIR")]
        storage_path: Option<PathBuf>,
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

        /// That of a tenant which the configuration lists.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,

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
        ConfigCommand::Check { paths, storage_path } => {
            let stored = storage_path.as_deref().map(stored_secrets).transpose()?;
            let default = [default_path()];
            check(if paths.is_empty() { &default } else { paths }, mode, stored.as_ref())
        }
        ConfigCommand::Show { path, tenant, original } => {
            let path = path.clone().unwrap_or_else(default_path);
            let mut loaded = load(&path, mode)?;
            if let Some(name) = tenant.as_deref().filter(|name| *name != DEFAULT_TENANT) {
                loaded = load_tenant(&path, &loaded, name, mode)?;
            }
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
    noted(path, tocsin_config::load(path, &load_options(mode)))
}

/// Reads the configuration of a tenant that `main`, which was read from `path`, lists.
fn load_tenant(path: &Path, main: &Loaded, name: &str, mode: ParseMode) -> Result<Loaded> {
    let tenants = &main.config.tenants;
    if let Some(tenant) = tenants.iter().find(|tenant| tenant.name.as_str() == name) {
        return noted(&tenant.config, tenant.load(&load_options(mode)));
    }
    let names: Vec<_> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    let known = match names.is_empty() {
        true => "it lists none".to_owned(),
        false => format!("it lists {}", names.join(", ")),
    };
    let path = path.display();
    Err(Failure::usage(format!("{path} has no tenant `{name}`; {known}")).into())
}

/// Says what is wrong on standard error.
fn noted(path: &Path, read: Result<Loaded, Report>) -> Result<Loaded> {
    match read {
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

/// The names of the stored secrets of each tenant, by its name.
type Stored = BTreeMap<String, Vec<String>>;

/// Returns the names of the secrets that are stored in a data directory.
fn stored_secrets(directory: &Path) -> Result<Stored> {
    let found = tocsin_store::inspect(directory)
        .map_err(|error| Failure::usage(format!("{}: {error}", directory.display())))?;
    Ok(found.map(|found| found.secrets).unwrap_or_default())
}

/// Says which secret a tenant's configuration refers to that is not stored.
fn missing_secret(
    loaded: &Loaded,
    tenant: Option<&str>,
    stored: Option<&Stored>,
) -> Option<NotStored> {
    let names = stored?.get(tenant.unwrap_or(DEFAULT_TENANT));
    let names = names.map(Vec::as_slice).unwrap_or_default();
    let missing = loaded.secrets.iter().find(|name| !names.contains(name))?;
    Some(NotStored::Missing(missing.clone()))
}

fn check(paths: &[PathBuf], mode: ParseMode, stored: Option<&Stored>) -> Result<()> {
    let (mut unusable, mut checked) = (0, 0);
    for path in paths {
        let read = tocsin_config::load(path, &load_options(mode));
        let tenants = read.as_ref().map(|loaded| loaded.config.tenants.clone()).unwrap_or_default();
        let of_tenants = tenants.iter().map(|tenant| {
            (tenant.config.as_path(), tenant.load(&load_options(mode)), Some(tenant.name.as_str()))
        });
        for (path, read, tenant) in std::iter::once((path.as_path(), read, None)).chain(of_tenants)
        {
            if checked > 0 {
                output::print("")?;
            }
            checked += 1;
            unusable += usize::from(!check_one(path, read, tenant, stored)?);
        }
    }
    if unusable == 0 {
        return Ok(());
    }
    let of = count(checked, "configuration", "configurations");
    Err(Failure::no(format!("{unusable} of {of} cannot be used; mend what is said above")).into())
}

/// Prints what there is to say about a configuration; returns whether it can be used.
fn check_one(
    path: &Path,
    read: Result<Loaded, Report>,
    tenant: Option<&str>,
    stored: Option<&Stored>,
) -> Result<bool> {
    let whose = tenant.map_or_else(String::new, |name| format!("tenant `{name}`: "));
    match read {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                output::print(&warning.to_string())?;
            }
            if let Some(why) = missing_secret(&loaded, tenant, stored) {
                output::print(&format!("{whose}{}: not usable: {why}", path.display()))?;
                return Ok(false);
            }
            if let Err(why) = can_be_reached(&loaded) {
                output::print(&format!("{whose}{}: not usable: {why}", path.display()))?;
                return Ok(false);
            }
            output::print(&format!("{whose}{}", summary(path, &loaded)))?;
            Ok(true)
        }
        Err(report) => {
            output::print(&report.to_string())?;
            output::print(&format!("{whose}{}: {}", path.display(), verdict(&report)))?;
            Ok(false)
        }
    }
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
    if !loaded.config.tenants.is_empty() {
        found.push(count(loaded.config.tenants.len(), "tenant", "tenants"));
    }
    if !loaded.secrets.is_empty() {
        let names: Vec<_> = loaded.secrets.iter().map(String::as_str).collect();
        let secrets = count(names.len(), "stored secret", "stored secrets");
        found.push(format!("{secrets} ({})", names.join(", ")));
    }
    if !loaded.warnings.is_empty() {
        found.push(count(loaded.warnings.len(), "warning", "warnings"));
    }
    format!("{}: usable; {}", path.display(), found.join(", "))
}
