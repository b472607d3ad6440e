//! `tocsin silence`: mute alerts for a time, and look at what is muted.

mod add;
mod expire;
mod import;
mod query;
mod update;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::client::shapes::{PostedSilence, Silence};
use crate::client::{Answer, Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{Format, Rows, Tone, instant};

/// Mute alerts for a time, and look at what is muted.
#[derive(Args, Clone, Debug)]
pub(crate) struct SilenceArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: SilenceCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum SilenceCommand {
    /// Mute alerts and print the silence's id.
    ///
    /// An alert is muted when all matchers hold. A first matcher without an operator is the
    /// alertname: `tocsin silence add DiskFull 'host=~"db.*"' -d 2h -c "new disks"`.
    #[command(after_help = EXIT_CODES)]
    Add(add::Add),
    /// List silences that mute now or will.
    ///
    /// With matchers, only silences that contain each of them as it is written.
    #[command(after_help = EXIT_CODES)]
    Query(query::Query),
    /// Change when silences end or what they say.
    #[command(after_help = EXIT_CODES)]
    Update(update::Update),
    /// End silences now.
    #[command(after_help = EXIT_CODES)]
    Expire(expire::Expire),
    /// Set the silences of a file that `tocsin silence query -o json` or amtool wrote.
    ///
    /// A silence whose id the server knows is changed, any other gets a new id. The ids are
    /// printed; what cannot be set is told and counted, and the exit code is 1 then.
    #[command(after_help = EXIT_CODES)]
    Import(import::Import),
}

/// Runs the command.
pub(crate) async fn run(args: SilenceArgs) -> Result<()> {
    let SilenceArgs { client, command } = args;
    match command {
        SilenceCommand::Add(args) => add::run(&client, args).await,
        SilenceCommand::Query(args) => query::run(&client, &args).await,
        SilenceCommand::Update(args) => update::run(&client, args).await,
        SilenceCommand::Expire(args) => expire::run(&client, &args).await,
        SilenceCommand::Import(args) => import::run(&client, &args).await,
    }
}

/// Sets a silence and returns its id.
async fn set(client: &Client, silence: &Silence) -> Result<String> {
    posted(client.post("/api/v2/silences", silence).await?)
}

fn posted(answer: Answer) -> Result<String> {
    if answer.status() == 404 {
        return Err(unknown("with that id").into());
    }
    let posted: PostedSilence = answer.into_success()?.json()?;
    Ok(posted.silence_id)
}

/// Returns the path of one silence; an id that is none must not become another path.
fn path(id: &str) -> Result<String, Failure> {
    let id = id.parse::<uuid::Uuid>().map_err(|_| {
        Failure::usage(format!(
            "`{id}` is not the id of a silence; `tocsin silence query` lists them"
        ))
    })?;
    Ok(format!("/api/v2/silence/{id}"))
}

fn unknown(which: &str) -> Failure {
    Failure::refused(format!(
        "there is no silence {which}; `tocsin silence query` and `tocsin silence query --expired` \
         list them"
    ))
}

fn table(silences: &[Silence], format: Format, is_coloured: bool) -> Rows {
    match format {
        Format::Extended => extended(silences, is_coloured),
        Format::Simple | Format::Json => simple(silences, is_coloured),
    }
}

fn simple(silences: &[Silence], is_coloured: bool) -> Rows {
    let mut rows = Rows::new(&["ID", "Matchers", "Ends At", "Created By", "Comment"], is_coloured);
    for silence in silences {
        rows.add([
            (silence.id.clone(), Tone::Plain),
            (silence.matchers(), Tone::Plain),
            (instant(silence.ends_at), Tone::Plain),
            (silence.created_by.clone(), Tone::Plain),
            (silence.comment.clone(), Tone::Plain),
        ]);
    }
    rows
}

fn extended(silences: &[Silence], is_coloured: bool) -> Rows {
    let headings =
        ["ID", "Matchers", "Starts At", "Ends At", "Updated At", "Created By", "State", "Comment"];
    let mut rows = Rows::new(&headings, is_coloured);
    for silence in silences {
        let tone = if silence.state() == "active" { Tone::Held } else { Tone::Faint };
        rows.add([
            (silence.id.clone(), Tone::Plain),
            (silence.matchers(), Tone::Plain),
            (instant(silence.starts_at), Tone::Plain),
            (instant(silence.ends_at), Tone::Plain),
            (silence.updated_at.map(instant).unwrap_or_default(), Tone::Faint),
            (silence.created_by.clone(), Tone::Plain),
            (silence.state().to_owned(), tone),
            (silence.comment.clone(), Tone::Plain),
        ]);
    }
    rows
}
