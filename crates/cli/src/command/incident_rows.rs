//! `tocsin incident task`, `pin`, `revise`, `redact`, `import`, `restrict`: what has to be done, what
//! is done with rows of a timeline, and who may see it.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde_json::{Value, json};

use super::incident::Which;
use crate::failure::EXIT_CODES;

/// The most bytes of a chat that is imported.
const MAX_CHAT_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Subcommand, Clone, Debug)]
pub(super) enum RowCommand {
    /// Add a task; whoever does it is told.
    #[command(after_help = EXIT_CODES)]
    Task {
        #[command(flatten)]
        which: Which,

        /// What.
        #[arg(value_name = "TITLE")]
        title: String,

        /// Who does it.
        #[arg(long = "for", value_name = "HANDLE")]
        assignee: Option<String>,

        /// Until when, as in 2026-01-31T09:00:00Z.
        #[arg(long, value_name = "TIME")]
        due: Option<jiff::Timestamp>,

        /// p0 to p3.
        #[arg(long, default_value = "p2", value_name = "PRIORITY")]
        priority: String,

        /// The incident cannot be closed before it is done.
        #[arg(long)]
        blocking: bool,
    },
    /// Say that a task is done, or how far it is.
    #[command(after_help = EXIT_CODES)]
    TaskDone {
        #[command(flatten)]
        which: Which,

        /// Its number, as `show` has it.
        #[arg(value_name = "TASK")]
        task: u32,

        /// open, in_progress, done or wont_do.
        #[arg(long, default_value = "done", value_name = "STATUS")]
        status: String,
    },
    /// Pin a row of the timeline, or make it a key moment of the story.
    #[command(after_help = EXIT_CODES)]
    Mark {
        #[command(flatten)]
        which: Which,

        /// Its place, as `timeline -o json` has it.
        #[arg(value_name = "ROW")]
        row: u64,

        /// Whether it is shown above all others.
        #[arg(long, value_name = "BOOL")]
        pinned: Option<bool>,

        /// Whether it belongs to the story as it is told afterwards.
        #[arg(long, value_name = "BOOL")]
        key_moment: Option<bool>,

        /// How it is told there.
        #[arg(long, value_name = "TEXT")]
        caption: Option<String>,

        /// Where it is told there; 0 for by its time.
        #[arg(long, value_name = "N")]
        position: Option<u32>,
    },
    /// Correct a comment; what it said before is kept.
    #[command(after_help = EXIT_CODES)]
    Revise {
        #[command(flatten)]
        which: Which,

        /// Its place.
        #[arg(value_name = "ROW")]
        row: u64,

        /// What it says now.
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Black a row out: nobody reads it any more.
    #[command(after_help = EXIT_CODES)]
    Redact {
        #[command(flatten)]
        which: Which,

        /// Its place.
        #[arg(value_name = "ROW")]
        row: u64,

        /// Why.
        #[arg(value_name = "REASON")]
        reason: String,
    },
    /// Put what was said in a chat into the timeline, each message at its own time.
    #[command(after_help = EXIT_CODES)]
    Import {
        #[command(flatten)]
        which: Which,

        /// A file with lines `HH:MM name: text`, or of a Slack export; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: String,

        /// It is a file of a Slack export.
        #[arg(long)]
        slack: bool,

        /// On which day lines begin, as in 2026-01-31; the day the incident was detected when left
        /// out.
        #[arg(long, value_name = "DATE")]
        date: Option<String>,

        /// In which zone the times of lines are; UTC when left out.
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// Let only few see it: those named, those who have it or a role in it.
    #[command(after_help = EXIT_CODES)]
    Restrict {
        #[command(flatten)]
        which: Which,

        /// Why.
        #[arg(value_name = "REASON")]
        reason: String,

        /// Who else may see it; may be repeated.
        #[arg(long, value_name = "HANDLE")]
        person: Vec<String>,

        /// Whose members may see it; may be repeated.
        #[arg(long, value_name = "TEAM")]
        team: Vec<String>,
    },
    /// Answer somebody who asked to see a restricted incident.
    #[command(after_help = EXIT_CODES)]
    AnswerAccess {
        #[command(flatten)]
        which: Which,

        /// The number of the request, as `show` has it.
        #[arg(value_name = "REQUEST")]
        request: u32,

        /// grant or deny.
        #[arg(value_name = "ANSWER", value_parser = ["grant", "deny"])]
        answer: String,
    },
    /// Let everybody see it again who may see incidents.
    #[command(after_help = EXIT_CODES)]
    Unrestrict {
        #[command(flatten)]
        which: Which,

        /// Why.
        #[arg(value_name = "REASON")]
        reason: String,
    },
}

impl RowCommand {
    /// Returns the incident, the action, what goes along with it, and whether something is changed
    /// rather than added.
    pub(super) fn request(self) -> Result<(Which, String, Value, bool)> {
        Ok(match self {
            Self::Task { which, title, assignee, due, priority, blocking } => {
                let body = json!({
                    "title": title, "assignee": assignee, "due_at": due, "priority": priority,
                    "is_blocking": blocking,
                });
                (which, "tasks".to_owned(), body, false)
            }
            Self::TaskDone { which, task, status } => {
                (which, format!("tasks/{task}"), json!({ "status": status }), true)
            }
            Self::Mark { which, row, pinned, key_moment, caption, position } => {
                let body = json!({
                    "pinned": pinned, "key_moment": key_moment, "caption": caption,
                    "position": position,
                });
                (which, format!("timeline/{row}"), body, true)
            }
            Self::Revise { which, row, text } => {
                (which, format!("timeline/{row}/revise"), json!({ "text": text }), false)
            }
            Self::Redact { which, row, reason } => {
                (which, format!("timeline/{row}/redact"), json!({ "reason": reason }), false)
            }
            Self::Import { which, file, slack, date, time_zone } => {
                let body = json!({
                    "format": if slack { "slack" } else { "lines" },
                    "text": read(&file)?, "date": date, "time_zone": time_zone,
                });
                (which, "timeline/import".to_owned(), body, false)
            }
            Self::Restrict { which, reason, person, team } => {
                let body = json!({ "reason": reason, "people": person, "teams": team });
                (which, "restrict".to_owned(), body, false)
            }
            Self::AnswerAccess { which, request, answer } => {
                let body = json!({ "grant": answer == "grant" });
                (which, format!("access-requests/{request}/answer"), body, false)
            }
            Self::Unrestrict { which, reason } => {
                (which, "unrestrict".to_owned(), json!({ "reason": reason }), false)
            }
        })
    }
}

/// Reads a file, or standard input for `-`; what is longer than the bound is refused by the server
/// as a message that is cut.
fn read(file: &str) -> Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    if file == "-" {
        std::io::stdin()
            .take(MAX_CHAT_BYTES)
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
    } else {
        std::fs::File::open(file)
            .and_then(|opened| opened.take(MAX_CHAT_BYTES).read_to_string(&mut text))
            .with_context(|| format!("cannot read {file}"))?;
    }
    Ok(text)
}
