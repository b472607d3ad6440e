//! `tocsin alert ack` and `tocsin alert unack`: somebody works on alerts, or no longer does.

use anyhow::Result;
use clap::Args;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tocsin_wire::v1::{AlertPage, ChangedAlerts};

use super::Workers;
use crate::args;
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format, count};

/// Which alerts, and who says so.
#[derive(Args, Clone, Debug)]
pub(super) struct Who {
    /// Conditions that must all hold, such as severity=critical; a first one without an operator
    /// is the alertname.
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,

    /// Who works on it, or says that nobody does.
    #[arg(short, long, env = "USER", hide_env_values = true, value_name = "NAME")]
    by: Option<String>,

    /// What to say with it.
    #[arg(short, long, default_value = "", value_name = "TEXT")]
    comment: String,
}

/// What `tocsin alert ack` takes.
#[derive(Args, Clone, Debug)]
pub(super) struct Acknowledge {
    #[command(flatten)]
    who: Who,

    /// How long it holds; until the alerts end unless given.
    #[arg(long = "for", value_parser = args::duration, value_name = "DURATION")]
    duration: Option<SignedDuration>,
}

impl Who {
    fn body(&self) -> Result<Value> {
        let matchers = args::matchers(&self.matchers)?;
        let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
        let Some(by) = self.by.as_ref().filter(|by| !by.trim().is_empty()) else {
            return Err(Failure::usage("nobody is named; say who with --by NAME").into());
        };
        Ok(json!({ "matchers": texts, "by": by, "comment": self.comment }))
    }
}

/// Runs `tocsin alert ack`.
pub(super) async fn acknowledge(client: &ClientArgs, args: &Acknowledge) -> Result<()> {
    let mut body = args.who.body()?;
    if let Some(duration) = args.duration {
        let seconds = u64::try_from(duration.as_secs()).unwrap_or_default();
        body["duration_seconds"] = seconds.into();
    }
    change(client, "/api/v1/alerts/acknowledge", &body, "acknowledged").await
}

/// Runs `tocsin alert unack`.
pub(super) async fn unacknowledge(client: &ClientArgs, who: &Who) -> Result<()> {
    change(client, "/api/v1/alerts/unacknowledge", &who.body()?, "no longer acknowledged").await
}

/// Returns who works on which alert, the first thousand. A server that knows no acknowledgements,
/// such as an Alertmanager, has none.
pub(super) async fn workers(client: &ClientArgs) -> Result<Workers> {
    let path = "/api/v1/alerts?acknowledged=true&limit=1000";
    let answer = Client::new(&client.server)?.find(path).await?;
    if answer.status() != 200 {
        return Ok(Workers::new());
    }
    let page: AlertPage = answer.json()?;
    let by = |alert: tocsin_wire::v1::Alert| {
        Some((alert.fingerprint.to_string(), alert.acknowledgement?.by))
    };
    Ok(page.items.into_iter().filter_map(by).collect())
}

async fn change(client: &ClientArgs, path: &str, body: &Value, what: &str) -> Result<()> {
    let answer = Client::new(&client.server)?.post(path, body).await?.into_success()?;
    if client.output == Format::Json {
        return output::print(answer.text()?);
    }
    let changed: ChangedAlerts = answer.json()?;
    output::print(&format!("{} {what}", count(changed.alerts.len(), "alert is", "alerts are")))
}
