//! `tocsin doctor`: is everything well, and would a page arrive?

mod config;
mod data;
mod exposure;
mod peers;
mod receivers;
mod report;

pub(crate) use data::lessons;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::client::ClientArgs;
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, count};
use crate::source::{default_path, parse_mode};
use report::{Findings, Verdict};

/// Look at the configuration, the data directory, the clock, the server, its receivers and its
/// Prometheus, and say what is not well.
///
/// Nothing is changed. With --send every receiver gets a test message.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DoctorArgs {
    /// Configuration: a file, or a directory of *.yml and *.yaml files; by default tocsin.yaml, or
    /// alertmanager.yml where there is none.
    #[arg(long = "config.file", value_name = "PATH")]
    config_file: Option<PathBuf>,

    /// The data directory.
    #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
    storage_path: PathBuf,

    /// Features, comma-separated: classic-mode and utf8-strict-mode choose how matchers are read.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    enable_feature: Vec<String>,

    /// The Prometheus that sends alerts here: is it up, does it know this server, has it rules?
    #[arg(long = "prometheus.url", value_name = "URL")]
    prometheus_url: Option<String>,

    /// Send a test message to the receivers: all, or those named.
    #[arg(long, value_name = "RECEIVER", num_args = 0.., default_missing_value = "")]
    send: Option<Vec<String>>,

    #[command(flatten)]
    client: ClientArgs,
}

/// Runs the command.
pub(crate) async fn run(args: DoctorArgs) -> Result<()> {
    let mode = parse_mode(&args.enable_feature)?;
    let path = args.config_file.clone().unwrap_or_else(default_path);
    let mut findings = Findings::default();
    let loaded = config::examine(&path, mode, &mut findings);
    let url = &args.client.server.url;
    let stored = data::examine(&args.storage_path, url, loaded.as_ref(), &mut findings);
    let server = peers::examine_server(&args.client.server, loaded.as_ref(), &mut findings).await?;
    peers::examine_prometheus(args.prometheus_url.as_deref(), &server, &mut findings).await?;
    if let Some(loaded) = &loaded {
        receivers::examine(loaded, "", args.send.as_deref(), &mut findings).await;
        for tenant in &loaded.config.tenants {
            let Some(own) = config::examine_tenant(tenant, mode, &mut findings) else { continue };
            let whose = format!("tenant `{}`: ", tenant.name);
            if let Some(stored) = &stored {
                data::examine_secrets(stored, &own, tenant.name.as_str(), &whose, &mut findings);
            }
            peers::examine_tenant(&args.client.server, tenant, &mut findings).await?;
            // Names of receivers mean those of the default tenant.
            let send = args.send.as_deref().filter(|names| names.iter().all(String::is_empty));
            receivers::examine(&own, &whose, send, &mut findings).await;
        }
    }
    match args.client.output {
        Format::Json => output::print(&serde_json::to_string_pretty(&findings)?)?,
        Format::Simple | Format::Extended => output::print(&findings.lines())?,
    }
    match findings.count(Verdict::Failed) {
        0 => Ok(()),
        failed => {
            Err(Failure::no(format!("{} not well", count(failed, "thing is", "things are"))).into())
        }
    }
}
