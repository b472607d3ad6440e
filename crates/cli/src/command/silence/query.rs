//! `tocsin silence query`.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use tocsin_engine::{Clock as _, SystemClock};

use super::table;
use crate::args;
use crate::client::shapes::Silence;
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format, note};

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Query {
    /// Matchers that a silence must contain.
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,

    /// List silences that are over, in the place of those that are not.
    #[arg(long)]
    expired: bool,

    /// Only silences that end within this time; with --expired, that ended within it.
    #[arg(long, value_parser = args::duration, value_name = "DURATION")]
    within: Option<SignedDuration>,

    /// Only silences of this author.
    #[arg(long, value_name = "NAME")]
    created_by: Option<String>,

    /// Only the silence with this id.
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Print ids only.
    #[arg(short, long)]
    quiet: bool,
}

/// Lists silences.
pub(super) async fn run(client_args: &ClientArgs, query: &Query) -> Result<()> {
    let filters: Vec<(&str, String)> =
        args::with_alertname(&query.matchers).into_iter().map(|text| ("filter", text)).collect();
    let answer = Client::new(&client_args.server)?.get("/api/v2/silences", &filters).await?;
    let raw: Vec<Box<RawValue>> = answer.json()?;
    let all: Vec<Silence> = answer.json()?;
    let now = SystemClock.now();
    let chosen: Vec<(Silence, Box<RawValue>)> =
        all.into_iter().zip(raw).filter(|(silence, _)| query.wants(silence, now)).collect();
    let (silences, raw): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
    if query.quiet {
        let ids: Vec<&str> = silences.iter().map(|silence| silence.id.as_str()).collect();
        return if ids.is_empty() { Ok(()) } else { output::print(&ids.join("\n")) };
    }
    if client_args.output == Format::Json {
        let text = serde_json::to_string(&raw).map_err(|e| Failure::no(e.to_string()))?;
        return output::print(&text);
    }
    if silences.is_empty() {
        note("no silence matches");
        return Ok(());
    }
    output::print(&table(&silences, client_args.output, output::is_coloured()).text())
}

impl Query {
    fn wants(&self, silence: &Silence, now: Timestamp) -> bool {
        let is_near = self.within.is_none_or(|within| {
            let distance = silence.ends_at.duration_since(now).abs();
            distance <= within
        });
        silence.is_expired() == self.expired
            && is_near
            && self.created_by.as_ref().is_none_or(|author| *author == silence.created_by)
            && self.id.as_ref().is_none_or(|id| *id == silence.id)
    }
}
