//! `tocsin explain`: why somebody was told of an alert, or was not.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use tocsin_wire::v1::{AlertExplanation, AlertState, GroupStanding, IntegrationStanding};

use crate::args;
use crate::client::shapes::Alert;
use crate::client::{Answer, Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, clean, count, instant, note};

/// Digits of a fingerprint.
const FINGERPRINT_DIGITS: usize = 16;

/// Say why somebody was told of an alert, or was not.
///
/// Name an alert by its fingerprint, also one that is over, or firing alerts by matchers:
/// `tocsin explain 6c4d0d558f7061a9`, `tocsin explain DiskFull 'host=~"db.*"'`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExplainArgs {
    /// A fingerprint, or matchers that must all hold; a first one without an operator is the
    /// alertname.
    #[arg(required = true, value_name = "FINGERPRINT|MATCHER")]
    what: Vec<String>,

    /// How many matching alerts are explained at most.
    #[arg(
        long,
        default_value_t = 5,
        value_parser = clap::value_parser!(u16).range(1..=1000),
        value_name = "N"
    )]
    limit: u16,

    #[command(flatten)]
    client: ClientArgs,
}

/// Explains one alert or several.
pub(crate) async fn run(args: ExplainArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let is_json = args.client.output == Format::Json;
    if let [only] = args.what.as_slice()
        && is_fingerprint(only)
    {
        let answer = explanation(&client, only).await?;
        if answer.status() == 404 {
            return Err(Failure::no(format!(
                "no alert with the fingerprint {only} is known; `tocsin alert query -a -s -i` \
                 lists those that fire"
            ))
            .into());
        }
        let answer = answer.into_success()?;
        return output::print(&if is_json {
            answer.text()?.to_owned()
        } else {
            text(&answer.json()?)
        });
    }
    explain_matching(&client, &args, is_json).await
}

async fn explanation(client: &Client, fingerprint: &str) -> Result<Answer> {
    client.find(&format!("/api/v1/alerts/{}/explain", fingerprint.to_ascii_lowercase())).await
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == FINGERPRINT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

async fn explain_matching(client: &Client, args: &ExplainArgs, is_json: bool) -> Result<()> {
    let filters: Vec<(&str, String)> =
        args::with_alertname(&args.what).into_iter().map(|text| ("filter", text)).collect();
    let alerts: Vec<Alert> = client.get("/api/v2/alerts", &filters).await?.json()?;
    if alerts.is_empty() {
        let text = "no alert that fires matches; one that is over is found by its fingerprint";
        return Err(Failure::no(text).into());
    }
    let mut texts = Vec::new();
    for alert in alerts.iter().take(args.limit.into()) {
        let answer = explanation(client, &alert.fingerprint).await?.into_success()?;
        texts.push(if is_json { answer.text()?.trim().to_owned() } else { text(&answer.json()?) });
    }
    output::print(&if is_json { format!("[{}]", texts.join(",")) } else { texts.join("\n\n") })?;
    let more = alerts.len().saturating_sub(args.limit.into());
    if more > 0 {
        let alerts = count(more, "more alert matches", "more alerts match");
        note(&format!("{alerts}; narrow the matchers, or raise --limit"));
    }
    Ok(())
}

/// Returns an explanation as sentences for people.
fn text(explanation: &AlertExplanation) -> String {
    let mut out = heading(explanation);
    if !explanation.groups.is_empty() {
        out.push_str("\n\nnow:");
    }
    for group in &explanation.groups {
        standing(group, &mut out);
    }
    if !explanation.escalations.is_empty() {
        out.push_str("\n\nescalations:");
    }
    for run in &explanation.escalations {
        let (severity, title) = (&run.severity, clean(&run.title));
        let _ = write!(out, "\n  {} {severity} {title}: {}", run.number, spoken(&run.standing));
        let people =
            if run.people.is_empty() { "nobody".to_owned() } else { run.people.join(", ") };
        let _ = write!(out, "\n    paged {} by policy {}", clean(&people), clean(&run.policy));
    }
    if !explanation.history.is_empty() {
        out.push_str("\n\nhistory:");
    }
    if explanation.is_history_cut {
        out.push_str("\n  … what was before that is in GET /api/v1/events");
    }
    for event in &explanation.history {
        let at = instant(event.at);
        let _ = write!(out, "\n  {at}  {}: {}", clean(&event.subject.name), spoken(&event.text));
    }
    out
}

fn heading(explanation: &AlertExplanation) -> String {
    let alert = &explanation.alert;
    let name = alert.labels.get(tocsin_core::labels::ALERTNAME).unwrap_or("an alert");
    let mut out = format!("{}  {}", clean(name), alert.fingerprint);
    for (kind, pairs) in [("labels", &alert.labels), ("annotations", &alert.annotations)] {
        let texts: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", tocsin_core::quote::go(value)))
            .collect();
        if !texts.is_empty() {
            let _ = write!(out, "\n  {kind}: {}", clean(&texts.join(" ")));
        }
    }
    let since = instant(alert.starts_at);
    let until = instant(alert.ends_at);
    if alert.state == AlertState::Resolved {
        let _ = write!(out, "\n  over: fired from {since} to {until}");
    } else {
        let _ = write!(out, "\n  fires since {since}, {}", held_back(explanation));
        let end =
            if alert.is_timeout { "ends unless told again" } else { "ends, says its source," };
        let times =
            count(usize::try_from(explanation.received).unwrap_or(usize::MAX), "time", "times");
        let _ = write!(
            out,
            "; {end} at {until}; told to us {times}, last at {}",
            instant(alert.updated_at)
        );
    }
    out
}

/// Says in how many of its groups the alert is held back; intervals may mute some and not others.
fn held_back(explanation: &AlertExplanation) -> String {
    let all = explanation.groups.len();
    match explanation.groups.iter().filter(|group| group.is_muted).count() {
        0 if explanation.alert.state == AlertState::Suppressed => "held back".to_owned(),
        0 => "nothing holds it back".to_owned(),
        held if held == all => "held back".to_owned(),
        held => format!("held back in {held} of {all} groups"),
    }
}

/// Returns a sentence of the server for a terminal: instants to the second, which is as exact as
/// a person needs them; `-o json` has them in full.
fn spoken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(point) = rest.find('.') {
        let (before, after) = rest.split_at(point);
        out.push_str(before);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        let is_instant =
            digits > 0 && after[1 + digits..].starts_with('Z') && ends_with_clock_time(before);
        let kept = if is_instant { &after[1 + digits..] } else { &after[1..] };
        if !is_instant {
            out.push('.');
        }
        rest = kept;
    }
    out.push_str(rest);
    clean(&out)
}

/// Returns whether the text ends like `T04:55:37`.
fn ends_with_clock_time(text: &str) -> bool {
    let pattern = b"T00:00:00";
    let bytes = text.as_bytes();
    bytes.len() >= pattern.len()
        && bytes[bytes.len() - pattern.len()..]
            .iter()
            .zip(pattern)
            .all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like })
}

fn standing(group: &GroupStanding, out: &mut String) {
    let _ = write!(out, "\n  {}: {}", clean(&group.receiver), spoken(&group.text));
    let _ = write!(out, "\n    group {}", clean(&group.key));
    for known in &group.integrations {
        let _ = write!(out, "\n    {}: {}", clean(&known.integration), knowledge(known));
    }
}

fn knowledge(known: &IntegrationStanding) -> String {
    let mut text = match (known.was_told, known.told_at) {
        (true, Some(at)) => format!("told at {}", instant(at)),
        (true, None) => "told".to_owned(),
        (false, Some(at)) => {
            format!("not told of this alert; last told of the group at {}", instant(at))
        }
        (false, None) => "not told".to_owned(),
    };
    if let Some(pending) = &known.pending {
        let tries = count(pending.attempts as usize, "attempt", "attempts");
        let due = instant(pending.due_at);
        let _ = write!(
            text,
            "; message {} on its way after {tries}, next at {due}",
            pending.notification
        );
    } else if let Some(at) = known.repeat_at.filter(|_| known.was_told) {
        let _ = write!(text, "; repeated at {}", instant(at));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_to_the_second_and_nothing_else_is_touched() {
        assert_eq!(
            spoken("from 2026-11-21T04:55:37.759138876Z to 2026-11-21T05:00:00Z, v1.5Z. End."),
            "from 2026-11-21T04:55:37Z to 2026-11-21T05:00:00Z, v1.5Z. End."
        );
    }
}
