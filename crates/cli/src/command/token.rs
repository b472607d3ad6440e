//! `tocsin token`: what programs show to say who they are.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_wire::v1::{NewToken, Tokens};

use crate::client::{Client, ClientArgs};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, clean, instant};

/// Make, list and revoke tokens and integration keys.
#[derive(Args, Clone, Debug)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum TokenCommand {
    /// Make a token and print its secret, this once.
    ///
    /// For Prometheus: `tocsin token create prometheus --service prometheus --permission
    /// alert.ingest`, and give it as the password of basic authentication or as credentials.
    #[command(after_help = EXIT_CODES)]
    Create(Create),
    /// List tokens and integration keys, without their secrets.
    #[command(after_help = EXIT_CODES)]
    List,
    /// Revoke a token by its id.
    #[command(after_help = EXIT_CODES)]
    Revoke {
        /// As `tocsin token list` shows it.
        #[arg(value_name = "ID")]
        id: uuid::Uuid,
    },
}

#[derive(Args, Clone, Debug)]
struct Create {
    /// What people call it.
    #[arg(value_name = "NAME")]
    name: String,

    /// The service it stands for.
    #[arg(long, value_name = "NAME", conflicts_with = "integration")]
    service: Option<String>,

    /// The integration whose key it is; each has at most two.
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,

    /// A role whose permissions it has: viewer, responder, manager or admin.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// A permission it has; may be repeated.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,

    /// Where: `team:NAME` or `service:NAME`; may be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// A network from which it may be used; may be repeated.
    #[arg(long = "from", value_name = "NETWORK")]
    allowed_from: Vec<String>,

    /// When it ends.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<jiff::Timestamp>,
}

/// Runs the command.
pub(crate) async fn run(args: TokenArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let is_json = args.client.output == Format::Json;
    match args.command {
        TokenCommand::Create(create) => {
            let body = json!({
                "name": create.name, "service": create.service,
                "integration": create.integration, "role": create.role,
                "permissions": create.permissions, "scopes": create.scopes,
                "allowed_from": create.allowed_from, "expires_at": create.expires_at,
            });
            let answer = client.post("/api/v1/tokens", &body).await?.into_success()?;
            if is_json {
                return output::print(answer.text()?);
            }
            let made: NewToken = answer.json()?;
            output::note(&format!(
                "token {} is made; this is the only time it is shown",
                made.token.id
            ));
            output::print(&format!("{}\n", made.secret))
        }
        TokenCommand::List => {
            let answer = client.get("/api/v1/tokens", &[]).await?;
            if is_json {
                return output::print(answer.text()?);
            }
            let tokens: Tokens = answer.json()?;
            let headings = ["ID", "NAME", "FOR", "PERMISSIONS", "LAST USED", "ENDS"];
            let mut rows = Rows::new(&headings, output::is_coloured());
            for token in &tokens.items {
                rows.add([
                    (token.id.to_string(), Tone::Plain),
                    (clean(&token.name), Tone::Plain),
                    (clean(&format!("{} {}", token.owner_kind, token.owner)), Tone::Plain),
                    (token.permissions.len().to_string(), Tone::Plain),
                    (token.last_used_at.map(instant).unwrap_or_default(), Tone::Plain),
                    (token.expires_at.map(instant).unwrap_or_default(), Tone::Plain),
                ]);
            }
            output::print(&rows.text())
        }
        TokenCommand::Revoke { id } => {
            client.delete(&format!("/api/v1/tokens/{id}")).await?.into_success()?;
            Ok(())
        }
    }
}
