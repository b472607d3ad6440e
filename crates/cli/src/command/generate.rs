//! `tocsin generate`: what the binary knows best, for the manual. Hidden, because only
//! `cargo xtask generate` needs it.

use anyhow::{Context as _, Result};

use crate::{output, reference};

/// Print a page or schema of the manual.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct GenerateArgs {
    #[arg(value_enum, value_name = "TOPIC")]
    topic: Topic,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Topic {
    /// The OpenAPI document of the native API.
    Openapi,
    /// The JSON Schema of the configuration.
    Schema,
    /// The reference of the configuration.
    Configuration,
    /// The reference of all commands and flags.
    Cli,
    /// The table of permissions, roles and routes.
    Permissions,
}

/// Prints it.
pub(crate) fn run(args: &GenerateArgs) -> Result<()> {
    output::print(&match args.topic {
        Topic::Openapi => serde_json::to_string_pretty(&tocsin_server::v1::openapi())
            .context("the OpenAPI document is no JSON")?,
        Topic::Schema => super::config::schema()?,
        Topic::Configuration => tocsin_config::reference_markdown(),
        Topic::Cli => reference::markdown(),
        Topic::Permissions => tocsin_server::access::permissions_markdown(),
    })
}
