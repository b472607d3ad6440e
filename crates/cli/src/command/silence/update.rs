//! `tocsin silence update`.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::{path, set, table, unknown};
use crate::args;
use crate::client::shapes::Silence;
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format};

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Update {
    /// Which silences.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    /// How long they last, counted from their start.
    #[arg(
        short,
        long,
        value_parser = args::duration,
        conflicts_with = "end",
        value_name = "DURATION"
    )]
    duration: Option<SignedDuration>,

    /// When they begin.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    start: Option<Timestamp>,

    /// When they end.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    end: Option<Timestamp>,

    /// Why the alerts are muted.
    #[arg(short, long, value_name = "TEXT")]
    comment: Option<String>,

    /// Print ids only.
    #[arg(short, long)]
    quiet: bool,
}

/// Changes silences one after another and prints them as they are then.
///
/// A silence that cannot be changed in place is ended and made anew, so ids may be new.
pub(super) async fn run(client_args: &ClientArgs, update: Update) -> Result<()> {
    let is_empty = update.duration.is_none()
        && update.start.is_none()
        && update.end.is_none()
        && update.comment.is_none();
    if is_empty {
        let text = "nothing to change; give --duration, --start, --end or --comment";
        return Err(Failure::usage(text).into());
    }
    let paths = update.ids.iter().map(|id| path(id)).collect::<Result<Vec<_>, _>>()?;
    let client = Client::new(&client_args.server)?;
    let mut raw = Vec::new();
    let mut updated: Vec<Silence> = Vec::new();
    for (id, path) in update.ids.iter().zip(&paths) {
        let answer = client.find(path).await?;
        if answer.status() == 404 {
            return Err(unknown(&format!("with the id {id}")).into());
        }
        let mut silence: Silence = answer.into_success()?.json()?;
        update.apply(&mut silence)?;
        let id = set(&client, &silence).await?;
        // What the server made of it, its new state included.
        let answer = client.find(&self::path(&id)?).await?.into_success()?;
        updated.push(answer.json()?);
        raw.push(answer.text()?.trim().to_owned());
    }
    if update.quiet {
        let ids: Vec<&str> = updated.iter().map(|silence| silence.id.as_str()).collect();
        return output::print(&ids.join("\n"));
    }
    if client_args.output == Format::Json {
        return output::print(&format!("[{}]", raw.join(",")));
    }
    output::print(&table(&updated, client_args.output, output::is_coloured()).text())
}

impl Update {
    fn apply(&self, silence: &mut Silence) -> Result<(), Failure> {
        if let Some(start) = self.start {
            silence.starts_at = start;
        }
        match (self.end, self.duration) {
            (Some(end), _) => silence.ends_at = end,
            (None, Some(duration)) if !duration.is_positive() => {
                return Err(Failure::usage("--duration must be longer than zero, like 2h"));
            }
            (None, Some(duration)) => {
                silence.ends_at = silence.starts_at.checked_add(duration).map_err(|_| {
                    Failure::usage("--duration reaches beyond the year 9999; give a shorter one")
                })?;
            }
            (None, None) => {}
        }
        if silence.ends_at <= silence.starts_at {
            let text = format!("silence {} would end before it begins; change --end", silence.id);
            return Err(Failure::usage(text));
        }
        if let Some(comment) = &self.comment {
            silence.comment.clone_from(comment);
        }
        Ok(())
    }
}
