//! `tocsin oncall swap`.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_wire::v1::{Identity, ShiftSwap, ShiftSwaps};
use uuid::Uuid;

use super::schedule;
use super::when::{Clock, When, ZoneArgs, when};
use crate::client::{Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean};

#[derive(Subcommand, Clone, Debug)]
pub(super) enum Swap {
    /// List swaps that are not over.
    #[command(after_help = EXIT_CODES)]
    List {
        /// Of which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
    },
    /// Offer a part of your time; you stay on call until somebody accepts it.
    #[command(after_help = EXIT_CODES)]
    Request(Request),
    /// Take somebody's time, or a part of it.
    #[command(after_help = EXIT_CODES)]
    Accept(Accept),
    /// Say no to time that is offered to you.
    #[command(after_help = EXIT_CODES)]
    Decline(Which),
    /// Take an offer back.
    #[command(after_help = EXIT_CODES)]
    Cancel {
        /// Of which schedule.
        #[arg(value_name = "SCHEDULE")]
        schedule: String,
        /// Which one, as `list` shows it.
        #[arg(value_name = "ID")]
        id: Uuid,
    },
}

#[derive(Args, Clone, Debug)]
pub(super) struct Request {
    /// Of which schedule.
    #[arg(value_name = "SCHEDULE")]
    schedule: String,

    /// When the time begins.
    #[arg(long, value_parser = when, value_name = "TIME")]
    from: When,

    /// When it ends.
    #[arg(long, value_parser = when, value_name = "TIME")]
    to: When,

    /// Who may take it; anybody unless given.
    #[arg(long, value_name = "HANDLE")]
    offer: Option<String>,

    /// When a time begins that you would take in return.
    #[arg(long, value_parser = when, requires = "return_to", value_name = "TIME")]
    return_from: Option<When>,

    /// When that time ends.
    #[arg(long, value_parser = when, requires = "return_from", value_name = "TIME")]
    return_to: Option<When>,

    /// Whose time it is; yours unless given.
    #[arg(long, value_name = "HANDLE")]
    owner: Option<String>,

    /// Why.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Which {
    /// Of which schedule.
    #[arg(value_name = "SCHEDULE")]
    schedule: String,

    /// Which one, as `list` shows it.
    #[arg(value_name = "ID")]
    id: Uuid,

    /// For whom; you unless given.
    #[arg(long, value_name = "HANDLE")]
    by: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Accept {
    #[command(flatten)]
    which: Which,

    /// Only from here on.
    #[arg(long, value_parser = when, value_name = "TIME")]
    from: Option<When>,

    /// Only until here.
    #[arg(long, value_parser = when, value_name = "TIME")]
    to: Option<When>,
}

/// Runs the command.
pub(super) async fn run(args: &ClientArgs, zone: &ZoneArgs, swap: Swap) -> Result<()> {
    let client = Client::new(&args.server)?;
    let (path, body) = match swap {
        Swap::List { schedule: name } => return list(&client, args, zone, &name).await,
        Swap::Cancel { schedule: name, id } => {
            let path = schedule(&name, &format!("/swaps/{id}"));
            client.delete(&path).await?.into_success()?;
            return if args.output == Format::Json {
                output::print(&json!({ "id": id }).to_string())
            } else {
                output::print(&format!("swap {id} is cancelled"))
            };
        }
        Swap::Request(it) => {
            let clock = Clock::of(&client, zone).await?;
            let from = clock.begin(it.from, clock.now);
            let return_from = it.return_from.map(|when| clock.begin(when, clock.now));
            let return_to =
                it.return_to.map(|when| clock.end(when, return_from.unwrap_or(clock.now)));
            let body = json!({
                "owner": person(&client, it.owner, "--owner").await?,
                "from": from,
                "to": clock.end(it.to, from),
                "offered_to": it.offer,
                "return_from": return_from,
                "return_to": return_to,
                "reason": it.reason,
            });
            (schedule(&it.schedule, "/swaps"), body)
        }
        Swap::Accept(it) => {
            let mut body = json!({ "by": person(&client, it.which.by, "--by").await? });
            if it.from.is_some() || it.to.is_some() {
                let clock = Clock::of(&client, zone).await?;
                let from = it.from.map(|when| clock.begin(when, clock.now));
                body["from"] = json!(from);
                let since = from.unwrap_or(clock.now);
                body["to"] = json!(it.to.map(|when| clock.end(when, since)));
            }
            (schedule(&it.which.schedule, &format!("/swaps/{}/take", it.which.id)), body)
        }
        Swap::Decline(it) => {
            let body = json!({ "by": person(&client, it.by, "--by").await? });
            (schedule(&it.schedule, &format!("/swaps/{}/decline", it.id)), body)
        }
    };
    let answer = client.post(&path, &body).await?.into_success()?;
    if args.output == Format::Json {
        return output::print(answer.text()?);
    }
    let clock = Clock::of(&client, zone).await?;
    let swap: ShiftSwap = answer.json()?;
    let (from, to) = (clock.show(swap.from), clock.show(swap.to));
    output::print(&format!("swap {}: {}, {from} to {to}", swap.id, standing(&swap)))
}

/// Returns who is meant: whoever is named, or else whoever asks.
async fn person(client: &Client, given: Option<String>, flag: &str) -> Result<String> {
    if let Some(given) = given {
        return Ok(given);
    }
    let me: Identity = client.get("/api/v1/me", &[]).await?.json()?;
    if me.kind != "person" {
        let who = format!("{} is no person; say who is meant with {flag}", clean(&me.name));
        return Err(Failure::usage(who).into());
    }
    Ok(me.name)
}

fn standing(swap: &ShiftSwap) -> String {
    let owner = clean(&swap.owner);
    let name = |name: &Option<String>| name.as_deref().map_or_else(String::new, clean);
    match swap.state.as_str() {
        "open" if swap.offered_to.is_some() => {
            format!("{owner} offers it to {}", name(&swap.offered_to))
        }
        "open" => format!("{owner} offers it"),
        "taken" => format!("{} takes it from {owner}", name(&swap.taker)),
        "declined" => format!("{} declined; {owner} stays on call", name(&swap.offered_to)),
        state => format!("{} of {owner}", clean(&state.replace('_', " "))),
    }
}

async fn list(client: &Client, args: &ClientArgs, zone: &ZoneArgs, name: &str) -> Result<()> {
    let answer = client.get(&schedule(name, "/swaps"), &[]).await?;
    if args.output == Format::Json {
        return output::print(answer.text()?);
    }
    let all: ShiftSwaps = answer.json()?;
    let clock = Clock::of(client, zone).await?;
    let mut rows =
        Rows::new(&["ID", "FROM", "TO", "STATE", "WHO", "REASON"], output::is_coloured());
    for swap in &all.items {
        let tone = if swap.state == "open" { Tone::Held } else { Tone::Plain };
        rows.add([
            (swap.id.to_string(), Tone::Plain),
            (clock.show(swap.from), Tone::Plain),
            (clock.show(swap.to), Tone::Plain),
            (swap.state.replace('_', " "), tone),
            (standing(swap), Tone::Plain),
            (swap.reason.clone(), Tone::Faint),
        ]);
    }
    output::print(&rows.text())
}
