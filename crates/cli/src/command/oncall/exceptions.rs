//! `tocsin oncall override`.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde_json::json;
use tocsin_wire::v1::{ShiftOverride, ShiftOverrides};
use uuid::Uuid;

use super::when::{Clock, When, ZoneArgs, when};
use super::{schedule, time_of};
use crate::args;
use crate::client::{Client, ClientArgs};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, clean};

#[derive(Subcommand, Clone, Debug)]
pub(super) enum Change {
    /// List overrides that are not over.
    #[command(after_help = EXIT_CODES)]
    List {
        /// Of which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
    },
    /// Put somebody on call beside those who are.
    #[command(after_help = EXIT_CODES)]
    Add {
        /// In which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
        /// Who comes.
        #[arg(value_name = "HANDLE")]
        person: String,
        #[command(flatten)]
        time: Time,
    },
    /// Put somebody on call in the place of another.
    #[command(after_help = EXIT_CODES)]
    Replace {
        /// In which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
        /// Who goes.
        #[arg(value_name = "OUT")]
        out: String,
        /// Who comes.
        #[arg(value_name = "IN")]
        r#in: String,
        #[command(flatten)]
        time: Time,
    },
    /// Take somebody off call.
    #[command(after_help = EXIT_CODES)]
    Remove {
        /// In which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
        /// Who goes.
        #[arg(value_name = "HANDLE")]
        person: String,
        #[command(flatten)]
        time: Time,
    },
    /// End an override: now when it has begun, altogether before.
    #[command(after_help = EXIT_CODES)]
    End {
        /// Of which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
        /// Which one, as `list` shows it.
        #[arg(value_name = "ID")]
        id: Uuid,
    },
}

/// From when to when, and why.
#[derive(Args, Clone, Debug)]
pub(super) struct Time {
    /// When it begins.
    #[arg(long, value_parser = when, default_value = "now", value_name = "TIME")]
    from: When,

    /// When it ends.
    #[arg(
        long,
        value_parser = when,
        required_unless_present = "span",
        conflicts_with = "span",
        value_name = "TIME"
    )]
    to: Option<When>,

    /// How long it lasts, in the place of --to.
    #[arg(long = "for", value_parser = args::duration, value_name = "DURATION")]
    span: Option<SignedDuration>,

    /// Only in this layer.
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,

    /// Why.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    reason: String,
}

/// Runs the command.
pub(super) async fn run(args: &ClientArgs, zone: &ZoneArgs, change: Change) -> Result<()> {
    let client = Client::new(&args.server)?;
    let (name, out, into, time) = match change {
        Change::List { schedule: name } => return list(&client, args, zone, &name).await,
        Change::End { schedule: name, id } => {
            let path = schedule(&name, &format!("/overrides/{id}"));
            client.delete(&path).await?.into_success()?;
            let said = format!("override {id} has ended");
            return if args.output == Format::Json {
                output::print(&json!({ "id": id }).to_string())
            } else {
                output::print(&said)
            };
        }
        Change::Add { schedule, person, time } => (schedule, None, Some(person), time),
        Change::Replace { schedule, out, r#in, time } => (schedule, Some(out), Some(r#in), time),
        Change::Remove { schedule, person, time } => (schedule, Some(person), None, time),
    };
    let clock = Clock::of(&client, zone).await?;
    let (from, to) = time_of(&clock, time.from, time.to, time.span)?;
    let body = json!({
        "user_out": out, "user_in": into, "from": from, "to": to,
        "layer": time.layer, "reason": time.reason,
    });
    let answer = client.post(&schedule(&name, "/overrides"), &body).await?.into_success()?;
    if args.output == Format::Json {
        return output::print(answer.text()?);
    }
    let made: ShiftOverride = answer.json()?;
    output::print(&format!(
        "override {}: {} in {} from {} to {}",
        made.id,
        what(&made),
        clean(&name),
        clock.show(made.from),
        clock.show(made.to)
    ))
}

fn what(it: &ShiftOverride) -> String {
    let clean = |name: &Option<String>| name.as_deref().map(clean);
    match (clean(&it.user_out), clean(&it.user_in)) {
        (Some(out), Some(into)) => format!("{into} for {out}"),
        (None, Some(into)) => format!("{into} too"),
        (Some(out), None) => format!("without {out}"),
        (None, None) => String::new(),
    }
}

async fn list(client: &Client, args: &ClientArgs, zone: &ZoneArgs, name: &str) -> Result<()> {
    let answer = client.get(&schedule(name, "/overrides"), &[]).await?;
    if args.output == Format::Json {
        return output::print(answer.text()?);
    }
    let all: ShiftOverrides = answer.json()?;
    let clock = Clock::of(client, zone).await?;
    let headings = ["ID", "FROM", "TO", "WHO", "LAYER", "BY", "REASON"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in &all.items {
        rows.add([
            (it.id.to_string(), Tone::Plain),
            (clock.show(it.from), Tone::Plain),
            (clock.show(it.to), Tone::Plain),
            (what(it), Tone::Plain),
            (it.layer.clone().unwrap_or_default(), Tone::Plain),
            (it.author.clone(), Tone::Faint),
            (it.reason.clone(), Tone::Faint),
        ]);
    }
    output::print(&rows.text())
}
