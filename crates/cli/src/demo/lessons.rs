//! What the shop learns: its deploys are told, and the incident of a bad one ends with a
//! postmortem.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::json;
use tocsin_core::postmortem::SectionName;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_wire::v1::{IncidentPage, PostmortemResult};

use super::screen::Screen;

/// What the title of the incident has in it that the bad release causes.
const CAUSED: &str = "HighErrorRate";

/// The sections whose first sentence is shown.
const SHOWN: [SectionName; 3] =
    [SectionName::Summary, SectionName::ContributingFactors, SectionName::CouldImprove];

/// Tells of an act of the story what Tocsin should know of it, beside the story.
pub(super) fn follow(
    client: &reqwest::Client,
    address: SocketAddr,
    screen: &Arc<Screen>,
    (now, title): (Timestamp, &str),
) {
    let (is_out, is_back) = (title.contains("rolled out"), title.contains("rolled back"));
    if !is_out && !is_back {
        return;
    }
    let (client, screen, title) = (client.clone(), Arc::clone(screen), title.to_owned());
    tokio::spawn(async move {
        let told = tell(&client, address, (now, &title)).await;
        let learned = match (told, is_back) {
            (Ok(()), true) => learn(&client, address, &screen, &title).await,
            (told, _) => told,
        };
        if let Err(why) = learned {
            screen.trouble(&format!("nothing was learned: {why:#}"));
        }
    });
}

async fn tell(
    client: &reqwest::Client,
    address: SocketAddr,
    (now, title): (Timestamp, &str),
) -> Result<()> {
    let body = json!({ "summary": title, "source": "deploys", "occurred_at": now });
    let url = format!("http://{address}/api/v1/changes");
    client.post(url).json(&body).send().await?.error_for_status().context("the change")?;
    Ok(())
}

/// Says that the incident is over and why, and shows what its postmortem says.
async fn learn(
    client: &reqwest::Client,
    address: SocketAddr,
    screen: &Screen,
    title: &str,
) -> Result<()> {
    let url = format!("http://{address}/api/v1/incidents");
    let query = [("q", CAUSED), ("limit", "1")];
    let found = client.get(&url).query(&query).send().await?.error_for_status()?;
    let page: IncidentPage = found.json().await?;
    let incident = page.items.first().context("there is no incident")?.number;
    let steps = [
        ("transition", json!({ "to": "identified", "note": "the new release fails" })),
        ("resolve", json!({ "note": title })),
    ];
    for (verb, body) in steps {
        let answer = client.post(format!("{url}/{incident}/{verb}")).json(&body).send().await?;
        answer.error_for_status().with_context(|| format!("{verb} incident {incident}"))?;
    }
    // A moment later it would be drafted by itself; this waits for it.
    let url = format!("http://{address}/api/v1/postmortems/{incident}/draft");
    let drafted = client.post(url).json(&json!({})).send().await?.error_for_status()?;
    let drafted: PostmortemResult = drafted.json().await?;
    let it = &drafted.postmortem;
    let sections = it.sections.iter().filter(|section| SHOWN.contains(&section.name));
    let lines: Vec<String> = sections
        .filter_map(|section| {
            Some(format!("{}: {}", section.heading, section.drafted.first()?.text))
        })
        .collect();
    screen.learned(SystemClock.now(), &it.postmortem.reference, &lines, it.recommendations.len());
    Ok(())
}
