//! `tocsin completions`.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::output;

/// Print a script that completes commands and flags in a shell.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "tocsin", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
