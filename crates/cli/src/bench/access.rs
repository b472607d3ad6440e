//! What it costs to find out who asks: requests that show a token, in this process, through the
//! real front of all tenants and the real router of one.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use axum::body::Body;
use axum::http::Request;
use clap::Parser as _;
use futures_util::future::join_all;
use tocsin_core::command::Command;
use tocsin_core::identity::{Actor, ApiToken, IdentityChange, Permission, TokenOwner};
use tocsin_server::access::FreshSecret;
use tocsin_server::tenants::Front;
use tocsin_server::{App, Peer};
use tower::Service as _;
use uuid::Uuid;

use super::{QUIET, load};
use crate::serve::Server;
use crate::serve::flags::ServeFlags;

/// Tenants beside the default one; the token is the last one's, which is looked for last.
pub(super) const TENANTS: usize = 20;

/// Tokens that the tenant has.
pub(super) const TOKENS: usize = 1_000;

/// How often it is asked.
const RUNS: usize = 50_000;

/// What is asked: who it is that asks. Nothing answers faster that wants to know.
const QUESTION: &str = "/api/v1/me";

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeFlags,
}

/// Returns the median and the 99th percentile of a whole request that shows a token, from the
/// front to the answer: an upper bound of what finding out who asks costs.
pub(super) async fn measure(directory: &Path) -> Result<(Duration, Duration)> {
    let server = Box::pin(Server::assemble(&flags(directory)?)).await?;
    let apps = server.fleet.apps();
    let app = apps.last().context("no tenant is served")?;
    let secret = tokens(app).await?;
    let mut front = Front::new(Arc::clone(&server.fleet.tenants));
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let request = Request::get(QUESTION)
            .header("host", "tocsin.example")
            .header("authorization", format!("Bearer {secret}"))
            .extension(Peer(([192, 0, 2, 7], 40_000).into()))
            .body(Body::empty())?;
        let began = Instant::now();
        let Ok(()) = poll_fn(|context| front.poll_ready(context)).await;
        let Ok(answer) = front.call(request).await;
        times.push(began.elapsed());
        ensure!(answer.status() == 200, "{QUESTION} is answered with {}", answer.status());
    }
    server.fleet.stop().await?;
    times.sort_unstable();
    Ok((load::quantile(&times, 50), load::quantile(&times, 99)))
}

/// Makes the tokens and returns the secret of one of them.
async fn tokens(app: &App) -> Result<String> {
    let secrets: Result<Vec<_>, _> = (0..TOKENS).map(|_| FreshSecret::token()).collect();
    let secrets = secrets.map_err(|why| anyhow!(why))?;
    let making = secrets.iter().enumerate().map(|(number, secret)| {
        let token = ApiToken {
            id: Uuid::from_u128(number as u128),
            name: format!("bench {number}"),
            hash: secret.hash(),
            owner: TokenOwner::Service(format!("service-{number}")),
            permissions: std::iter::once(Permission::AlertIngest).collect(),
            scopes: Vec::new(),
            allowed_from: Vec::new(),
            created_at: app.engine.now(),
            created_by: "bench".to_owned(),
            expires_at: None,
            last_used_at: None,
        };
        let change = IdentityChange::AddToken(Box::new(token));
        app.engine.command(Command::Identity(change).by(Actor::OPERATOR))
    });
    for made in join_all(making).await {
        made?;
    }
    let middle = secrets.get(TOKENS / 2).context("no token was made")?;
    Ok(middle.expose().to_owned())
}

/// Writes the configurations of all tenants and returns the flags that name them.
fn flags(directory: &Path) -> Result<ServeFlags> {
    std::fs::create_dir_all(directory)?;
    let limits = "limits: { requests_per_second: 10000000 }\n";
    std::fs::write(directory.join("other.yaml"), format!("{QUIET}{limits}"))?;
    let mut main = format!("{QUIET}{limits}tenants:\n");
    for number in 0..TENANTS {
        let _ = writeln!(
            main,
            "  - {{ name: tenant-{number:03}, config: other.yaml, hosts: [t{number}.example] }}"
        );
    }
    let file = directory.join("tocsin.yaml");
    std::fs::write(&file, main)?;
    let data = directory.join("data");
    let flags = Flags::try_parse_from([
        "bench".as_ref(),
        "--config.file".as_ref(),
        file.as_os_str(),
        "--storage.path".as_ref(),
        data.as_os_str(),
    ])?;
    Ok(flags.serve)
}
