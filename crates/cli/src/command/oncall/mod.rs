//! `tocsin oncall`: whom a problem would reach.

mod simulate;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::client::ClientArgs;
use crate::failure::EXIT_CODES;

/// See whom a problem would reach.
#[derive(Args, Clone, Debug)]
pub(crate) struct OncallArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: OncallCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum OncallCommand {
    /// Say whom a problem would page, when, by what and why, if nobody answered.
    ///
    /// Nothing is sent. With `--config.file` no server is asked: people, policies and rules are
    /// those of the file.
    #[command(after_help = EXIT_CODES)]
    Simulate(simulate::SimulateArgs),
}

/// Runs the command.
pub(crate) async fn run(args: OncallArgs) -> Result<()> {
    match args.command {
        OncallCommand::Simulate(simulate) => simulate::run(&args.client, simulate).await,
    }
}
