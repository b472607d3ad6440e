//! `tocsin incident role`, `join`, `handover`, `request`: who does what in an incident.

use clap::Subcommand;
use serde_json::{Value, json};
use tocsin_wire::v1::IncidentPeople;

use super::incident::Which;
use crate::failure::EXIT_CODES;
use crate::output::clean;

#[derive(Subcommand, Clone, Debug)]
pub(super) enum PeopleCommand {
    /// Give a role to somebody; they are told.
    #[command(after_help = EXIT_CODES)]
    Role {
        #[command(flatten)]
        which: Which,

        /// commander, lead, communications, scribe, expert or responder.
        #[arg(value_name = "ROLE")]
        role: String,

        /// Who gets it.
        #[arg(value_name = "HANDLE")]
        person: String,

        /// What they are told.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        note: String,
    },
    /// Join as responder, or in a role that is nobody's.
    #[command(after_help = EXIT_CODES)]
    Join(Taking),
    /// Give back a role.
    #[command(after_help = EXIT_CODES)]
    Leave(Taking),
    /// Hand a role over, with how things stand.
    #[command(after_help = EXIT_CODES)]
    Handover {
        #[command(flatten)]
        which: Which,

        /// commander, lead, communications, scribe, expert or responder.
        #[arg(value_name = "ROLE")]
        role: String,

        /// Who takes over.
        #[arg(value_name = "HANDLE")]
        to: String,

        /// How things stand.
        #[arg(value_name = "NOTE")]
        note: String,
    },
    /// Ask people for help; they are told, and have some time to answer.
    #[command(after_help = EXIT_CODES)]
    Request {
        #[command(flatten)]
        which: Which,

        /// Whom.
        #[arg(value_name = "HANDLE", required = true)]
        people: Vec<String>,

        /// As what.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,

        /// What they are told.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        message: String,

        /// How long they have to answer, in minutes; by severity when left out.
        #[arg(long, value_name = "N")]
        minutes: Option<u32>,
    },
    /// Answer to a request for help.
    #[command(after_help = EXIT_CODES)]
    Answer {
        #[command(flatten)]
        which: Which,

        /// The number of the request, as `show` has it.
        #[arg(value_name = "REQUEST")]
        request: u32,

        /// accept or decline.
        #[arg(value_name = "ANSWER", value_parser = ["accept", "decline"])]
        answer: String,

        /// What you say.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        message: String,
    },
    /// Hear of every change of status and severity.
    #[command(after_help = EXIT_CODES)]
    Follow {
        #[command(flatten)]
        which: Which,

        /// Who; you when left out.
        #[arg(long, value_name = "HANDLE")]
        person: Option<String>,
    },
    /// Hear of a reminder later; others hear of it as before.
    #[command(after_help = EXIT_CODES)]
    Snooze {
        #[command(flatten)]
        which: Which,

        /// Of which, as `show` names it, such as update_due.
        #[arg(value_name = "REMINDER")]
        reminder: String,

        /// After how many minutes; 30 days at most.
        #[arg(long, value_name = "N")]
        minutes: u32,

        /// The number of the task, for task_due.
        #[arg(long, value_name = "N")]
        task: Option<u32>,
    },
    /// Hear no more of it.
    #[command(after_help = EXIT_CODES)]
    Unfollow {
        #[command(flatten)]
        which: Which,

        /// Who; you when left out.
        #[arg(long, value_name = "HANDLE")]
        person: Option<String>,
    },
}

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Taking {
    #[command(flatten)]
    which: Which,

    /// As what; responder when left out.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// Who; you when left out.
    #[arg(long, value_name = "HANDLE")]
    person: Option<String>,
}

impl PeopleCommand {
    /// Returns the incident, the action and what goes along with it.
    pub(super) fn request(self) -> (Which, String, Value) {
        let short = |role: Option<String>| role.as_deref().map(word);
        match self {
            Self::Role { which, role, person, note } => {
                let body = json!({ "role": word(&role), "person": person, "note": note });
                (which, "roles".to_owned(), body)
            }
            Self::Join(Taking { which, role, person }) => {
                let body = json!({ "role": short(role), "person": person });
                (which, "join".to_owned(), body)
            }
            Self::Leave(Taking { which, role, person }) => {
                let body = json!({ "role": short(role), "person": person });
                (which, "leave".to_owned(), body)
            }
            Self::Handover { which, role, to, note } => {
                let body = json!({ "role": word(&role), "to": to, "note": note });
                (which, "handover".to_owned(), body)
            }
            Self::Request { which, people, role, message, minutes } => {
                let body = json!({
                    "people": people, "role": short(role), "message": message, "minutes": minutes,
                });
                (which, "responders".to_owned(), body)
            }
            Self::Answer { which, request, answer, message } => {
                let body = json!({ "comes": answer == "accept", "message": message });
                (which, format!("responders/{request}/answer"), body)
            }
            Self::Follow { which, person } => {
                (which, "subscribe".to_owned(), json!({ "person": person }))
            }
            Self::Snooze { which, reminder, minutes, task } => {
                // As `show` writes it for people.
                let reminder = reminder.trim().replace([' ', '-'], "_");
                let body = json!({ "reminder": reminder, "minutes": minutes, "task": task });
                (which, "snooze".to_owned(), body)
            }
            Self::Unfollow { which, person } => {
                (which, "unsubscribe".to_owned(), json!({ "person": person }))
            }
        }
    }
}

/// Returns the whole name of a role; what is none is refused by the server.
fn word(role: &str) -> String {
    let known = tocsin_core::incident::Role::parse(role);
    known.map_or_else(|| role.to_owned(), |role| role.as_str().to_owned())
}

/// Returns who does what, as lines for people.
pub(super) fn lines(people: &IncidentPeople) -> Vec<String> {
    let name = |role: tocsin_wire::v1::IncidentRole| {
        tocsin_core::incident::Role::from(role).as_str().replace('_', " ")
    };
    let mut lines = Vec::new();
    for holding in people.roles.iter().filter(|it| it.renounced_at.is_none()) {
        lines.push(format!("{}: {}", name(holding.role), clean(&holding.person)));
    }
    if !people.vacant_roles.is_empty() {
        let vacant: Vec<String> = people.vacant_roles.iter().map(|it| name(*it)).collect();
        lines.push(format!("wanted: {}", vacant.join(", ")));
    }
    for request in people.requests.iter().filter(|it| it.answer.is_none()) {
        let (number, person) = (request.number, clean(&request.person));
        lines.push(format!("request {number}: {person} has not answered"));
    }
    lines
}
