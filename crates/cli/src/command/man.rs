//! `tocsin man`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use crate::output;

/// Print the manual page, or write the pages of all commands into a directory.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// Write one page for each command here, in the place of printing the first; made when it is
    /// missing.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints or writes pages.
pub(crate) fn run(args: &ManArgs) -> Result<()> {
    let command = crate::Cli::command();
    if let Some(dir) = &args.dir {
        let cannot = || format!("cannot write manual pages into {}", dir.display());
        std::fs::create_dir_all(dir).with_context(cannot)?;
        return clap_mangen::generate_to(command, dir).with_context(cannot);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    output::print(&String::from_utf8_lossy(&page))
}
