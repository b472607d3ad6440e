//! `tocsin incident alerts`: all alerts of an incident.

use anyhow::Result;
use clap::Args;
use tocsin_wire::v1::IncidentAlertPage;
use tocsin_wire::v1::sentence::alert_name;

use super::incident::Which;
use crate::client::Client;
use crate::output::{self, Format, Rows, Tone, instant, note};

#[derive(Args, Clone, Debug)]
pub(super) struct Alerts {
    #[command(flatten)]
    pub(super) which: Which,

    /// Only those that fire, or only those that do not.
    #[arg(long, value_name = "BOOL")]
    firing: Option<bool>,

    /// Only those with this in a label.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

/// Prints all pages; as JSON, one page a line.
pub(super) async fn run(client: &Client, format: Format, path: &str, asked: Alerts) -> Result<()> {
    let mut rows =
        Rows::new(&["FINGERPRINT", "STATE", "ROLE", "JOINED", "ALERT"], output::is_coloured());
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(asked.firing.map(|firing| ("firing", firing.to_string())));
        query.extend(asked.search.clone().map(|text| ("q", text)));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let answer = client.get(&format!("{path}/alerts"), &query).await?;
        if format == Format::Json {
            output::print(answer.text()?)?;
        }
        let page: IncidentAlertPage = answer.json()?;
        for it in page.items {
            let (state, tone) =
                if it.is_firing { ("fires", Tone::Alarm) } else { ("over", Tone::Faint) };
            rows.add([
                (it.fingerprint.to_string(), Tone::Plain),
                (state.to_owned(), tone),
                (tocsin_core::incident::AlertRole::from(it.role).as_str().to_owned(), Tone::Plain),
                (instant(it.joined_at), Tone::Plain),
                (it.labels.as_ref().map(alert_name).unwrap_or_default(), Tone::Plain),
            ]);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            if format != Format::Json {
                output::print(&rows.text())?;
            }
            if page.left_out > 0 {
                note(&format!("{} more were too many and are only counted", page.left_out));
            }
            return Ok(());
        }
    }
}
