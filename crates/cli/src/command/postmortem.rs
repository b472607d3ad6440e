//! `tocsin incident postmortem` and `tocsin incident action`: what is learned, and what was
//! promised.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_wire::v1::{
    ActionItem, ActionPage, ActionResult, PostmortemDetail, PostmortemPage, PostmortemResult,
    SimilarIncidents,
};

use crate::client::{Client, segment};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, clean, instant, note};

/// See the postmortem of an incident, begin it, or take it along.
#[derive(Args, Clone, Debug)]
pub(crate) struct PostmortemArgs {
    /// The incident, by number or reference; without one all postmortems are listed.
    #[arg(value_name = "INCIDENT")]
    incident: Option<String>,

    /// Print it as `md`, `html`, `confluence` or `json` to take along.
    #[arg(
        long,
        value_parser = ["md", "html", "confluence", "json"],
        value_name = "FORMAT",
        requires = "incident"
    )]
    export: Option<String>,

    /// Begin it, where none has begun by itself.
    #[arg(long, requires = "incident", conflicts_with = "export")]
    begin: bool,

    /// Draft it again from the data; what people wrote stays.
    #[arg(long, requires = "incident", conflicts_with_all = ["export", "begin"])]
    draft: bool,

    /// Move it to another state: draft, scheduled, in_review, completed, published or waived.
    #[arg(
        long,
        value_name = "STATE",
        requires = "incident",
        conflicts_with_all = ["export", "begin", "draft"]
    )]
    to: Option<String>,

    /// Why; needed to waive it and to open it again.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT",
        requires = "to"
    )]
    reason: String,

    /// List only those that should have been published by now.
    #[arg(long, conflicts_with = "incident")]
    overdue: bool,
}

/// See what was promised after incidents, and say how far it is.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActionArgs {
    #[command(subcommand)]
    command: ActionCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum ActionCommand {
    /// List action items, the most urgent and earliest due first.
    #[command(after_help = EXIT_CODES)]
    List {
        /// Done ones, too.
        #[arg(long)]
        all: bool,

        /// Only those that this person does.
        #[arg(long, value_name = "HANDLE")]
        owner: Option<String>,

        /// Only those of this incident.
        #[arg(long, value_name = "INCIDENT")]
        incident: Option<String>,

        /// Only those that should be done by now.
        #[arg(long)]
        overdue: bool,
    },
    /// Promise to change something after an incident.
    #[command(after_help = EXIT_CODES)]
    Add {
        /// The incident, by number or reference.
        #[arg(value_name = "INCIDENT")]
        incident: String,

        /// What to do, in one line.
        #[arg(value_name = "TITLE", required_unless_present = "rule")]
        title: Option<String>,

        /// The rule of a recommendation of the postmortem, instead of all that follows.
        #[arg(long, value_name = "RULE")]
        rule: Option<String>,

        /// P0 to P3; follows from the severity of the incident unless it is said.
        #[arg(long, value_name = "PRIORITY")]
        priority: Option<String>,

        /// process, tooling, monitoring or documentation.
        #[arg(long, value_name = "CATEGORY")]
        category: Option<String>,

        /// Who does it.
        #[arg(long, value_name = "HANDLE")]
        owner: Option<String>,

        /// Until when, as in 2026-03-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        due: Option<jiff::Timestamp>,

        /// Where else it is tracked.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "URL")]
        link: String,
    },
    /// Say how far an action item is: open, in_progress, completed or deferred.
    #[command(after_help = EXIT_CODES)]
    Set {
        /// Its name, such as AI-142-1.
        #[arg(value_name = "ACTION")]
        action: String,

        /// How far it is.
        #[arg(value_name = "STATUS")]
        status: String,

        /// Why it is put off.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,

        /// Until when instead.
        #[arg(long, value_name = "TIME")]
        due: Option<jiff::Timestamp>,
    },
}

/// Runs `tocsin incident postmortem`.
pub(crate) async fn run(client: &Client, format: Format, args: PostmortemArgs) -> Result<()> {
    let Some(incident) = args.incident else {
        return list(client, format, args.overdue).await;
    };
    let incident = segment(&incident);
    let path = format!("/api/v1/postmortems/{incident}");
    if let Some(export) = args.export {
        let answer = client.get(&format!("{path}/export"), &[("format", export)]).await?;
        return output::print(answer.text()?);
    }
    let (path, body) = if args.begin {
        (format!("/api/v1/incidents/{incident}/postmortem"), json!({}))
    } else if args.draft {
        (format!("{path}/draft"), json!({}))
    } else if let Some(to) = args.to {
        (format!("{path}/transition"), json!({ "to": to, "reason": args.reason }))
    } else {
        let answer = client.get(&path, &[]).await?;
        return match format {
            Format::Json => output::print(answer.text()?),
            _ => output::print(&text(&answer.json()?)),
        };
    };
    let answer = client.post(&path, &body).await?.into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let result: PostmortemResult = answer.json()?;
    let line = line(&result.postmortem);
    output::print(&if result.has_changed { line } else { format!("{line} (as before)") })
}

async fn list(client: &Client, format: Format, overdue: bool) -> Result<()> {
    let mut query = vec![("limit", "100".to_owned())];
    query.extend(overdue.then(|| ("overdue", "true".to_owned())));
    let answer = client.get("/api/v1/postmortems", &query).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: PostmortemPage = answer.json()?;
    let headings = ["INCIDENT", "SEVERITY", "STATE", "OWNER", "DUE", "TITLE"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in &page.items {
        let tone = if it.is_overdue { Tone::Alarm } else { Tone::Plain };
        rows.add([
            (it.incident.to_string(), Tone::Plain),
            (it.severity.clone(), Tone::Plain),
            (it.state.to_string(), Tone::Plain),
            (it.owner.clone().unwrap_or_default(), Tone::Plain),
            (it.due_at.map(instant).unwrap_or_default(), tone),
            (it.title.clone(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())?;
    if page.next_cursor.is_some() {
        note("there are more; `tocsin incident postmortem --overdue` shows those that wait");
    }
    Ok(())
}

/// Returns how a postmortem stands, in one line.
fn line(it: &PostmortemDetail) -> String {
    let head = &it.postmortem;
    let owner = head.owner.as_deref().unwrap_or("nobody");
    format!("{} {}, {}: {}", head.reference, head.state, clean(owner), clean(&head.title))
}

/// Returns a postmortem as text for people.
fn text(it: &PostmortemDetail) -> String {
    let head = &it.postmortem;
    let mut out = line(it);
    if let Some(due) = head.due_at.filter(|_| head.published_at.is_none()) {
        let _ = write!(out, "\n  due {}", instant(due));
    }
    if it.is_draft_outdated {
        out.push_str("\n  the incident has changed since it was drafted");
    }
    for section in &it.sections {
        let _ = write!(out, "\n\n{}", section.heading);
        match &section.text {
            Some(text) => {
                for line in text.lines() {
                    let _ = write!(out, "\n  {}", clean(line));
                }
            }
            None if section.drafted.is_empty() => {
                let _ = write!(out, "\n  ({})", section.prompt);
            }
            None => {
                for sentence in &section.drafted {
                    let sources = sentence.sources.join(", ");
                    let _ = write!(out, "\n  {}  [{}]", clean(&sentence.text), clean(&sources));
                }
            }
        }
        for hint in &section.hints {
            let _ = write!(out, "\n  ! \"{}\": {}", clean(&hint.phrase), hint.instead);
        }
    }
    let open: Vec<_> = it.recommendations.iter().filter(|it| it.action.is_none()).collect();
    if !open.is_empty() {
        out.push_str("\n\nThe data suggest");
    }
    for it in open {
        let _ = write!(out, "\n  {}  {}  ({})", it.priority, clean(&it.title), clean(&it.rule));
    }
    if !it.actions.is_empty() {
        out.push_str("\n\nPromised");
    }
    for it in &it.actions {
        let _ = write!(out, "\n  {}", action_line(it));
    }
    if !head.missing.is_empty() {
        let missing: Vec<&str> = head.missing.iter().map(|it| it.as_str()).collect();
        let _ = write!(out, "\n\nstill empty: {}", missing.join(", "));
    }
    out
}

fn action_line(it: &ActionItem) -> String {
    let owner = it.owner.as_deref().unwrap_or("nobody");
    let late = if it.is_overdue { " (overdue)" } else { "" };
    let (status, due) = (it.status, instant(it.due_at));
    let title = clean(&it.title);
    format!("{} {} {status}, {}, due {due}{late}: {title}", it.id, it.priority, clean(owner))
}

/// Runs `tocsin incident action`.
pub(crate) async fn run_action(client: &Client, format: Format, args: ActionArgs) -> Result<()> {
    let answer = match args.command {
        ActionCommand::List { all, owner, incident, overdue } => {
            let mut query = vec![("limit", "1000".to_owned())];
            if !all {
                let open = ["open", "in_progress", "deferred"];
                query.extend(open.map(|status| ("status", status.to_owned())));
            }
            query.extend(owner.map(|owner| ("owner", owner)));
            query.extend(incident.map(|incident| ("incident", incident)));
            query.extend(overdue.then(|| ("overdue", "true".to_owned())));
            let answer = client.get("/api/v1/actions", &query).await?;
            if format == Format::Json {
                return output::print(answer.text()?);
            }
            return list_actions(&answer.json()?);
        }
        ActionCommand::Add { incident, title, rule, priority, category, owner, due, link } => {
            let path = format!("/api/v1/incidents/{}/actions", segment(&incident));
            let body = json!({
                "title": title,
                "rule": rule,
                "priority": priority,
                "category": category,
                "owner": owner,
                "due_at": due,
                "link": link,
            });
            client.post(&path, &body).await?
        }
        ActionCommand::Set { action, status, reason, due } => {
            let path = format!("/api/v1/actions/{}", segment(&action));
            let body = json!({ "status": status, "reason": reason, "due_at": due });
            client.patch(&path, &body).await?
        }
    };
    let answer = answer.into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let result: ActionResult = answer.json()?;
    let line = action_line(&result.action);
    output::print(&if result.has_changed { line } else { format!("{line} (as before)") })
}

fn list_actions(page: &ActionPage) -> Result<()> {
    let headings = ["ACTION", "PRIORITY", "STATUS", "OWNER", "DUE", "CAME BACK", "TITLE"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in &page.items {
        let tone = if it.is_overdue { Tone::Alarm } else { Tone::Plain };
        let recurred: Vec<String> = it.recurred.iter().map(ToString::to_string).collect();
        rows.add([
            (it.id.clone(), Tone::Plain),
            (it.priority.to_string(), Tone::Plain),
            (it.status.to_string(), Tone::Plain),
            (it.owner.clone().unwrap_or_default(), Tone::Plain),
            (instant(it.due_at), tone),
            (recurred.join(" "), Tone::Plain),
            (it.title.clone(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())?;
    if page.next_cursor.is_some() {
        note("there are more; narrow the filters");
    }
    Ok(())
}

/// Runs `tocsin incident similar`.
pub(crate) async fn run_similar(client: &Client, format: Format, incident: &str) -> Result<()> {
    let path = format!("/api/v1/incidents/{}/similar", segment(incident));
    let answer = client.get(&path, &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let found: SimilarIncidents = answer.json()?;
    let (novelty, alike, of) = (found.novelty.as_str(), found.alike, found.of);
    let mut out = format!("{novelty}: {alike} of {of} incidents in the 30 days before are alike");
    for it in &found.items {
        let (day, title) = (instant(it.detected_at), clean(&it.title));
        let _ = write!(out, "\n\nincident {}, {day}, {:.2}: {title}", it.incident, it.score);
        for reason in &it.reasons {
            let _ = write!(out, "\n  {}", clean(reason));
        }
        if let Some(runbook) = &it.runbook {
            let _ = write!(out, "\n  runbook {}", clean(runbook));
        }
    }
    output::print(&out)
}
