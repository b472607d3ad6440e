//! `tocsin backup` and `tocsin restore`: a copy of everything durable, and the way back.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_store::{BackupSummary, StoreError, back_up, check_backup, restore};

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, count};

/// Copy the database into one file, while the server runs or not.
///
/// The copy is of one instant and is checked before it gets its name. The configuration is not
/// part of it.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct BackupArgs {
    /// The file to write.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The data directory.
    #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
    storage_path: PathBuf,

    /// Replace the file when it exists.
    #[arg(long)]
    force: bool,
}

/// Check a backup and put it into a data directory; the server must be stopped.
///
/// A database that is there is kept beside it under another name.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The data directory.
    #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
    storage_path: PathBuf,

    /// Replace the database that is there; it is kept under another name.
    #[arg(long)]
    force: bool,

    /// Only check the backup and say what it holds.
    #[arg(long)]
    check: bool,
}

/// Runs `tocsin backup`.
pub(crate) fn run(args: &BackupArgs) -> Result<()> {
    let summary = back_up(&args.storage_path, &args.file, args.force)
        .map_err(|error| said(&error, "--force replaces the file"))?;
    output::print(&format!("{}: {}", args.file.display(), words(&summary)))
}

/// Runs `tocsin restore`.
pub(crate) fn run_restore(args: &RestoreArgs) -> Result<()> {
    if args.check {
        let summary = check_backup(&args.file).map_err(|error| said(&error, ""))?;
        return output::print(&format!("{}: whole; {}", args.file.display(), words(&summary)));
    }
    let label = format!("replaced-{}", stamp(SystemClock.now()));
    let restored = restore(&args.file, &args.storage_path, args.force, &label)
        .map_err(|error| said(&error, "--force replaces it and keeps the old one beside it"))?;
    let mut text =
        format!("restored into {}: {}", args.storage_path.display(), words(&restored.summary));
    if let Some(kept) = restored.kept_as {
        text.push_str(&format!("\nthe database that was there is now {}", kept.display()));
    }
    output::print(&text)
}

/// Words an error; `hint` says what helps when something is in the way.
fn said(error: &StoreError, hint: &str) -> Failure {
    let text = error.to_string();
    match error {
        StoreError::Unwritable { message, .. } if message.contains("already") => {
            Failure::no(format!("{text}; {hint}"))
        }
        StoreError::Unwritable { message, .. } if message.contains("has this data directory") => {
            Failure::no(format!("{text}; stop the server first"))
        }
        StoreError::Damaged { .. } | StoreError::TooNew { .. } => Failure::usage(text),
        _ => Failure::no(text),
    }
}

fn words(summary: &BackupSummary) -> String {
    format!(
        "{} bytes, {}, {}, {}, {}, {}",
        summary.bytes,
        count(summary.open_alerts, "open alert", "open alerts"),
        count(summary.silences, "silence", "silences"),
        count(summary.unsent_notifications, "unsent notification", "unsent notifications"),
        count(usize::try_from(summary.events).unwrap_or(usize::MAX), "event", "events"),
        super::doctor::lessons(summary),
    )
}

/// Returns an instant as a part of a file name.
fn stamp(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}
