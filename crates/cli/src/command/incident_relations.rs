//! `tocsin incident merge`, `unmerge`, `split`, `link`: how incidents belong together.

use clap::Subcommand;
use serde_json::{Value, json};
use tocsin_wire::v1::IncidentRelations;

use super::incident::Which;
use crate::failure::EXIT_CODES;

#[derive(Subcommand, Clone, Debug)]
pub(super) enum RelationCommand {
    /// Let other incidents go on as part of one.
    #[command(after_help = EXIT_CODES)]
    Merge {
        #[command(flatten)]
        which: Which,

        /// Which others.
        #[arg(value_name = "SOURCE", required = true)]
        sources: Vec<String>,
    },
    /// Undo a merge, within 24 hours: it goes on by itself, exactly as before.
    #[command(after_help = EXIT_CODES)]
    Unmerge(Which),
    /// Make some of its alerts another incident.
    #[command(after_help = EXIT_CODES)]
    Split {
        #[command(flatten)]
        which: Which,

        /// Which, by fingerprint.
        #[arg(value_name = "FINGERPRINT", required = true)]
        alerts: Vec<String>,

        /// What it is about; follows from the alerts when left out.
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
    },
    /// Say that it is the same as another one; it is over by that.
    #[command(after_help = EXIT_CODES)]
    Duplicate {
        #[command(flatten)]
        which: Which,

        /// As which.
        #[arg(value_name = "OTHER")]
        of: String,
    },
    /// Put another incident above, beneath or beside it.
    #[command(after_help = EXIT_CODES)]
    Link(Linking),
    /// Take a link away.
    #[command(after_help = EXIT_CODES)]
    Unlink(Linking),
    /// Say that it and everything beneath it are over.
    #[command(after_help = EXIT_CODES)]
    ResolveAll {
        #[command(flatten)]
        which: Which,

        /// How it ended.
        #[arg(value_name = "NOTE")]
        note: String,

        /// fixed, mitigated, self_recovered, false_positive, cancelled, wont_fix or expected.
        #[arg(long, default_value = "fixed", value_name = "CODE")]
        code: String,
    },
}

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Linking {
    #[command(flatten)]
    which: Which,

    /// How the other one stands to it: parent, child or related.
    #[arg(value_name = "KIND", value_parser = ["parent", "child", "related"])]
    kind: String,

    /// Which other.
    #[arg(value_name = "OTHER")]
    other: String,
}

impl RelationCommand {
    /// Returns the incident, the action and what goes along with it.
    pub(super) fn request(self) -> (Which, String, Value) {
        match self {
            Self::Merge { which, sources } => {
                (which, "merge".to_owned(), json!({ "sources": sources }))
            }
            Self::Unmerge(which) => (which, "unmerge".to_owned(), json!({})),
            Self::Split { which, alerts, title } => {
                (which, "split".to_owned(), json!({ "alerts": alerts, "title": title }))
            }
            Self::Duplicate { which, of } => (which, "duplicate".to_owned(), json!({ "of": of })),
            Self::Link(it) => it.request("link"),
            Self::Unlink(it) => it.request("unlink"),
            Self::ResolveAll { which, note, code } => {
                (which, "resolve-all".to_owned(), json!({ "note": note, "code": code }))
            }
        }
    }
}

impl Linking {
    fn request(self, verb: &str) -> (Which, String, Value) {
        (self.which, verb.to_owned(), json!({ "kind": self.kind, "other": self.other }))
    }
}

/// Returns how an incident belongs together with others, as lines for people.
pub(super) fn lines(it: &IncidentRelations) -> Vec<String> {
    let list = |what: &str, numbers: &[u64]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| format!("{what} {}", numbers.join(", ")))
    };
    let one = |what: &str, number: Option<u64>| number.map(|it| format!("{what} {it}"));
    [
        one("goes on as part of incident", it.merged_into),
        list("is also about incident", &it.merged),
        one("is the same as incident", it.duplicate_of),
        list("is the same as incident", &it.duplicates),
        one("belongs beneath incident", it.parent),
        list("has beneath it incident", &it.children),
        list("has to do with incident", &it.related),
        one("came out of incident", it.split_from),
        list("let out incident", &it.split_off),
    ]
    .into_iter()
    .flatten()
    .collect()
}
