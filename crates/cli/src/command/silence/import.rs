//! `tocsin silence import`: sets what `silence query -o json` wrote, ours or amtool's.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::posted;
use crate::client::shapes::Silence;
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, count, note};

/// The largest file that is read; a silence takes some hundred bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// From this many silences on, a terminal shows how far the import is.
const MIN_FOR_PROGRESS: usize = 50;

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Import {
    /// The file; `-` reads standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    file: String,

    /// Give every silence a new id, also when the server knows the old one.
    #[arg(short, long)]
    force: bool,

    /// How many requests are under way at once.
    #[arg(
        short,
        long,
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..=64),
        value_name = "N"
    )]
    workers: u16,
}

/// Imports all that can be imported and counts the rest.
pub(super) async fn run(client_args: &ClientArgs, import: &Import) -> Result<()> {
    let mut silences = read(&import.file)?;
    if import.force {
        silences.iter_mut().for_each(|silence| silence.id.clear());
    }
    let client = Client::new(&client_args.server)?;
    let total = silences.len();
    let progress = progress(total);
    let mut results = futures_util::stream::iter(silences)
        .map(|silence| set_one(&client, silence))
        .buffered(import.workers.into());
    let mut failed = 0_usize;
    while let Some((id, result)) = results.next().await {
        progress.inc(1);
        match result {
            Ok(new) => progress.suspend(|| output::print(&new))?,
            // Nobody is there for the others either.
            Err(error) if crate::failure::exit_code(&error) == 3 => return Err(error),
            Err(error) => {
                failed += 1;
                let which = if id.is_empty() { "a silence without id" } else { &id };
                progress.suspend(|| note(&format!("tocsin: {which} is not imported: {error:#}")));
            }
        }
    }
    progress.finish_and_clear();
    if failed == 0 {
        return Ok(());
    }
    let of = count(total, "silence", "silences");
    Err(Failure::no(format!("{failed} of {of} could not be imported; the reasons are above"))
        .into())
}

/// Sets one silence: the one with its id when the server has it, a new one otherwise.
async fn set_one(client: &Client, mut silence: Silence) -> (String, Result<String>) {
    let id = silence.id.clone();
    let result = async {
        let answer = client.post("/api/v2/silences", &silence).await?;
        if answer.status() == 404 && !silence.id.is_empty() {
            silence.id.clear();
            return posted(client.post("/api/v2/silences", &silence).await?);
        }
        posted(answer)
    };
    let result = result.await;
    (id, result)
}

fn read(file: &str) -> Result<Vec<Silence>> {
    let mut text = Vec::new();
    let (name, read) = if file == "-" {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            note("reading silences from standard input; end with Ctrl-D");
        }
        ("standard input", stdin.lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut text))
    } else {
        let opened = std::fs::File::open(file)
            .map_err(|error| Failure::usage(format!("cannot open {file}: {error}")))?;
        (file, opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut text))
    };
    let length = read.with_context(|| format!("cannot read {name}"))?;
    if length as u64 > MAX_FILE_BYTES {
        let text = format!("{name} is larger than {MAX_FILE_BYTES} bytes; split it");
        return Err(Failure::usage(text).into());
    }
    serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(format!(
            "{name} is not a list of silences: {error}; write one with `tocsin silence query -o json`"
        ))
        .into()
    })
}

fn progress(total: usize) -> ProgressBar {
    if total < MIN_FOR_PROGRESS || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {pos}/{len} silences, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
