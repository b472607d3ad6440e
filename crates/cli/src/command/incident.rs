//! `tocsin incident`: see incidents, declare them, and work on them.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::json;
use tocsin_wire::v1::{
    Incident, IncidentDetail, IncidentMentionPage, IncidentPage, IncidentResult, IncidentStatus,
    IncidentTimeline,
};

use super::incident_people::{self, PeopleCommand};
use super::incident_relations::{self, RelationCommand};
use super::incident_rows::RowCommand;
use super::postmortem::{self, ActionArgs, PostmortemArgs};
use crate::client::{Answer, Client, ClientArgs};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, clean, instant, note};

/// See incidents, declare them, and work on them.
#[derive(Args, Clone, Debug)]
pub(crate) struct IncidentArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: IncidentCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum IncidentCommand {
    /// List incidents, the newest first.
    #[command(after_help = EXIT_CODES)]
    List(List),
    /// Show how an incident stands, what belongs to it, how long things took, and what comes next.
    #[command(after_help = EXIT_CODES)]
    Show(Which),
    /// List all alerts of an incident, the first that joined first.
    #[command(after_help = EXIT_CODES)]
    Alerts(super::incident_alerts::Alerts),
    /// Say what an alert is in its incident.
    #[command(after_help = EXIT_CODES)]
    AlertRole {
        #[command(flatten)]
        which: Which,

        /// Its fingerprint, as `alerts` has it.
        #[arg(value_name = "FINGERPRINT")]
        alert: String,

        /// root, symptom or duplicate.
        #[arg(value_name = "ROLE", value_parser = ["root", "symptom", "duplicate"])]
        role: String,
    },
    /// Declare an incident.
    #[command(after_help = EXIT_CODES)]
    New(New),
    /// Say that you work on it: nobody else is paged.
    #[command(after_help = EXIT_CODES)]
    Ack(Said),
    /// Give it back: paging goes on.
    #[command(after_help = EXIT_CODES)]
    Unack(Said),
    /// Give it to somebody, or to nobody.
    #[command(after_help = EXIT_CODES)]
    Assign {
        #[command(flatten)]
        which: Which,

        /// Whom; nobody when left out.
        #[arg(value_name = "HANDLE")]
        owner: Option<String>,
    },
    /// Write into its timeline.
    #[command(after_help = EXIT_CODES)]
    Comment {
        #[command(flatten)]
        which: Which,

        /// What, in Markdown.
        #[arg(value_name = "TEXT")]
        text: String,

        /// When it happened, if not now, as in 2026-01-31T09:00:00Z.
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// Move it to another status; `show` says where it may go.
    #[command(after_help = EXIT_CODES)]
    Status {
        #[command(flatten)]
        which: Which,

        /// detected, acknowledged, investigating, identified, mitigating, monitoring, resolved or
        /// closed.
        #[arg(value_name = "STATUS")]
        to: String,

        /// What you say; needed to go back, and to resolve.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        note: String,
    },
    /// Say what it is called and about, or set its times right.
    #[command(after_help = EXIT_CODES)]
    Edit(Box<super::incident_edit::Edit>),
    /// Say how bad it is.
    #[command(after_help = EXIT_CODES)]
    Severity {
        #[command(flatten)]
        which: Which,

        /// sev1 to sev5, or a word such as critical.
        #[arg(value_name = "SEVERITY")]
        severity: String,

        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say that it is over, and how it ended.
    #[command(after_help = EXIT_CODES)]
    Resolve {
        #[command(flatten)]
        which: Which,

        /// How it ended.
        #[arg(value_name = "NOTE")]
        note: String,

        /// fixed, mitigated, self_recovered, false_positive, duplicate, cancelled, wont_fix or
        /// expected.
        #[arg(long, default_value = "fixed", value_name = "CODE")]
        code: String,
    },
    /// Open it again; what it took before is kept.
    #[command(after_help = EXIT_CODES)]
    Reopen {
        #[command(flatten)]
        which: Which,

        /// Why.
        #[arg(value_name = "REASON")]
        reason: String,
    },
    /// Say that nothing is left to do about it.
    #[command(after_help = EXIT_CODES)]
    Close {
        #[command(flatten)]
        said: Said,

        /// Although something is missing; --note says why.
        #[arg(long)]
        force: bool,
    },
    /// Tell others how it goes; may move and rate it in the same step.
    #[command(after_help = EXIT_CODES)]
    Update(super::incident_update::Update),
    /// List what messages about incidents can be made from.
    #[command(after_help = EXIT_CODES)]
    Templates,
    /// Show what each severity means and asks for.
    #[command(after_help = EXIT_CODES)]
    Severities,
    /// Say how bad something is by its effects; nothing is declared or changed.
    #[command(after_help = EXIT_CODES)]
    Classify(super::incident_severities::Classify),
    /// Show how long incidents took, and how many there were.
    #[command(after_help = EXIT_CODES)]
    Metrics(super::incident_metrics::Metrics),
    /// List the comments that name you, the latest first.
    #[command(after_help = EXIT_CODES)]
    Mentions {
        /// How many at most.
        #[arg(
            long,
            default_value_t = 20,
            value_parser = clap::value_parser!(u16).range(1..=1000),
            value_name = "N"
        )]
        limit: u16,
    },
    /// Ask to see a restricted incident that you were told of. Whoever has it answers.
    #[command(after_help = EXIT_CODES)]
    AskAccess {
        #[command(flatten)]
        which: Which,

        /// Why.
        #[arg(value_name = "REASON")]
        reason: String,
    },
    #[command(flatten)]
    People(PeopleCommand),
    #[command(flatten)]
    Relation(RelationCommand),
    #[command(flatten)]
    Row(RowCommand),
    /// Show what happened, in the order in which it did.
    #[command(after_help = EXIT_CODES)]
    Timeline {
        #[command(flatten)]
        which: Which,

        /// Print it as `md`, `json` or `csv` to take along.
        #[arg(long, value_parser = ["md", "json", "csv"], value_name = "FORMAT")]
        export: Option<String>,
    },
    /// See what is learned from an incident, begin that, move it on, or take it along.
    #[command(after_help = EXIT_CODES)]
    Postmortem(PostmortemArgs),
    /// See what was promised after incidents, and say how far it is.
    Action(ActionArgs),
    /// Show earlier incidents like one, and why they are.
    #[command(after_help = EXIT_CODES)]
    Similar(Which),
}

#[derive(Args, Clone, Debug)]
pub(super) struct Which {
    /// Its number or reference, such as 142 or INC-20260131-1f2e3d4c.
    #[arg(value_name = "INCIDENT")]
    incident: String,
}

#[derive(Args, Clone, Debug)]
struct Said {
    #[command(flatten)]
    which: Which,

    /// What you say.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    note: String,
}

#[derive(Args, Clone, Debug)]
struct List {
    /// Past ones, too.
    #[arg(long)]
    all: bool,

    /// Only those that stand like this; may be repeated.
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,

    /// Only those of this severity; may be repeated.
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<String>,

    /// Only those that are about this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those of this kind of harm.
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,

    /// Only those with this label `team`.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// Only those with this tag; may be repeated, and then all of them.
    #[arg(long, value_name = "WORD")]
    tag: Vec<String>,

    /// Only those that this person has, or `me`.
    #[arg(long, value_name = "HANDLE")]
    owner: Option<String>,

    /// Only those that this person has, works on or was named in, or `me`.
    #[arg(long, value_name = "HANDLE")]
    participant: Option<String>,

    /// Only those in which this person has a role, or `me`.
    #[arg(long, value_name = "HANDLE")]
    role: Option<String>,

    /// Only those with words that begin like these in the title, the summary or the names of alerts.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// How many at most.
    #[arg(
        long,
        default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=1000),
        value_name = "N"
    )]
    limit: u16,
}

#[derive(Args, Clone, Debug)]
struct New {
    /// What it is about, in one line.
    #[arg(value_name = "TITLE")]
    title: String,

    /// How bad it is: sev1 to sev5, or a word such as critical.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,

    /// The service that it is about.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    service: String,

    /// The team whose it is; that of the service's policy when left out.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    team: String,

    /// Page people about it by this escalation policy.
    #[arg(long, value_name = "POLICY")]
    page: Option<String>,

    /// More about it, in Markdown.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    summary: String,

    /// Who has it.
    #[arg(long, value_name = "HANDLE")]
    owner: Option<String>,

    /// real, test, drill or backfilled.
    #[arg(long, default_value = "real", value_name = "MODE")]
    mode: String,

    /// When it was detected, if not now, as in 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    detected_at: Option<jiff::Timestamp>,

    /// Makes asking twice harmless, for a day.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(args: IncidentArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let format = args.client.output;
    let does = async |which: Which, verb: &str, body: serde_json::Value| {
        post(&client, format, &which, verb, &body).await
    };
    match args.command {
        IncidentCommand::List(list) => show_list(&client, format, list).await,
        IncidentCommand::Show(which) => show(&client, format, &which).await,
        IncidentCommand::Alerts(asked) => {
            let path = path(&asked.which);
            super::incident_alerts::run(&client, format, &path, asked).await
        }
        IncidentCommand::AlertRole { which, alert, role } => {
            let named: String = alert.chars().filter(char::is_ascii_alphanumeric).collect();
            let path = format!("{}/alerts/{named}", path(&which));
            let body = json!({ "role": role });
            told(format, &client.patch(&path, &body).await?.into_success()?)
        }
        IncidentCommand::New(new) => declare(&client, format, new).await,
        IncidentCommand::Ack(said) => {
            does(said.which, "acknowledge", json!({ "note": said.note })).await
        }
        IncidentCommand::Unack(said) => {
            does(said.which, "unacknowledge", json!({ "note": said.note })).await
        }
        IncidentCommand::Assign { which, owner } => {
            does(which, "assign", json!({ "owner": owner })).await
        }
        IncidentCommand::Comment { which, text, at } => {
            does(which, "comments", json!({ "text": text, "occurred_at": at })).await
        }
        IncidentCommand::Status { which, to, note } => {
            does(which, "transition", json!({ "to": to, "note": note })).await
        }
        IncidentCommand::Severity { which, severity, reason } => {
            does(which, "severity", json!({ "severity": severity, "reason": reason })).await
        }
        IncidentCommand::Edit(edit) => {
            let answer = client.patch(&path(&edit.which), &edit.body()?).await?;
            told(format, &answer.into_success()?)
        }
        IncidentCommand::Resolve { which, note, code } => {
            does(which, "resolve", json!({ "note": note, "code": code })).await
        }
        IncidentCommand::Reopen { which, reason } => {
            does(which, "reopen", json!({ "note": reason })).await
        }
        IncidentCommand::Close { said, force } => {
            does(said.which, "close", json!({ "note": said.note, "force": force })).await
        }
        IncidentCommand::Update(asked) => {
            let path = path(&Which { incident: asked.incident.clone() });
            match super::incident_update::run(&client, format, &path, asked).await? {
                Some(result) => output::print(&line(&result.incident)),
                None => Ok(()),
            }
        }
        IncidentCommand::Templates => super::incident_update::templates(&client, format).await,
        IncidentCommand::Severities => super::incident_severities::run(&client, format).await,
        IncidentCommand::Classify(asked) => {
            super::incident_severities::classify(&client, format, asked).await
        }
        IncidentCommand::Metrics(asked) => {
            super::incident_metrics::run(&client, format, asked).await
        }
        IncidentCommand::Mentions { limit } => mentions(&client, format, limit).await,
        IncidentCommand::AskAccess { which, reason } => {
            let path = format!("{}/access-requests", path(&which));
            client.post(&path, &json!({ "reason": reason })).await?.into_success()?;
            note("Whoever keeps it hears of that, if there is such an incident.");
            Ok(())
        }
        IncidentCommand::People(command) => {
            let (which, verb, body) = command.request();
            does(which, &verb, body).await
        }
        IncidentCommand::Relation(command) => {
            let (which, verb, body) = command.request();
            does(which, &verb, body).await
        }
        IncidentCommand::Row(command) => {
            let (which, verb, body, is_change) = command.request()?;
            if is_change {
                let path = format!("{}/{verb}", path(&which));
                return told(format, &client.patch(&path, &body).await?.into_success()?);
            }
            does(which, &verb, body).await
        }
        IncidentCommand::Timeline { which, export } => {
            timeline(&client, format, &which, export).await
        }
        IncidentCommand::Postmortem(args) => postmortem::run(&client, format, args).await,
        IncidentCommand::Action(args) => postmortem::run_action(&client, format, args).await,
        IncidentCommand::Similar(which) => {
            postmortem::run_similar(&client, format, &which.incident).await
        }
    }
}

/// Returns the path of an incident. What is no number or reference is refused by the server.
fn path(which: &Which) -> String {
    let named: String =
        which.incident.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("/api/v1/incidents/{named}")
}

async fn post(
    client: &Client,
    format: Format,
    which: &Which,
    verb: &str,
    body: &impl Serialize,
) -> Result<()> {
    let answer = client.post(&format!("{}/{verb}", path(which)), body).await?.into_success()?;
    told(format, &answer)
}

/// Says what a request did.
fn told(format: Format, answer: &Answer) -> Result<()> {
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let result: IncidentResult = answer.json()?;
    let text = line(&result.incident);
    output::print(&if result.has_changed { text } else { format!("{text} (as before)") })
}

/// Returns how an incident stands, in one line.
fn line(it: &Incident) -> String {
    let owner = it.owner.as_deref().unwrap_or("nobody");
    let (status, severity) = (word(it.status), &it.severity);
    format!("incident {} {status}, {severity}, {}: {}", it.number, clean(owner), clean(&it.title))
}

fn word(status: IncidentStatus) -> &'static str {
    tocsin_core::incident::Status::from(status).as_str()
}

async fn declare(client: &Client, format: Format, new: New) -> Result<()> {
    let body = json!({
        "title": new.title,
        "severity": new.severity,
        "service": new.service,
        "team": new.team,
        "page": new.page,
        "summary": new.summary,
        "owner": new.owner,
        "mode": new.mode,
        "detected_at": new.detected_at,
    });
    let key = new.idempotency_key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let answer: Answer = client
        .post_with("/api/v1/incidents", ("Idempotency-Key", &key), &body)
        .await?
        .into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let it: Incident = answer.json()?;
    output::print(&format!("{} ({})", line(&it), it.reference))
}

async fn show_list(client: &Client, format: Format, list: List) -> Result<()> {
    let mut query = vec![("limit", list.limit.to_string())];
    if !list.all && list.status.is_empty() {
        let open = ["open", "acknowledged", "investigating"];
        query.extend(open.map(|state| ("state", state.to_owned())));
    }
    query.extend(list.status.into_iter().map(|status| ("status", status)));
    query.extend(list.severity.into_iter().map(|severity| ("severity", severity)));
    query.extend(list.tag.into_iter().map(|tag| ("tag", tag)));
    let given = [
        ("service", list.service),
        ("category", list.category),
        ("team", list.team),
        ("owner", list.owner),
        ("participant", list.participant),
        ("role", list.role),
        ("q", list.search),
    ];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let answer = client.get("/api/v1/incidents", &query).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: IncidentPage = answer.json()?;
    let headings = ["NUMBER", "SEVERITY", "STATUS", "OWNER", "DETECTED", "SERVICE", "TITLE"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in &page.items {
        let tone = match it.status {
            IncidentStatus::Detected => Tone::Alarm,
            IncidentStatus::Resolved | IncidentStatus::Closed => Tone::Faint,
            _ => Tone::Held,
        };
        rows.add([
            (it.number.to_string(), Tone::Plain),
            (it.severity.clone(), Tone::Plain),
            (word(it.status).to_owned(), tone),
            (it.owner.clone().unwrap_or_default(), Tone::Plain),
            (instant(it.detected_at), Tone::Plain),
            (it.service.clone(), Tone::Plain),
            (it.title.clone(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())?;
    if page.next_cursor.is_some() {
        note("there are more; raise --limit or narrow the filters");
    }
    Ok(())
}

async fn show(client: &Client, format: Format, which: &Which) -> Result<()> {
    let answer = client.get(&path(which), &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    output::print(&text(&answer.json()?))
}

/// Returns an incident as sentences for people.
fn text(detail: &IncidentDetail) -> String {
    let it = &detail.incident;
    let mut out = format!("{}\n  {}", line(it), it.reference);
    let _ = write!(out, ", {} since {}", word(it.status), instant(it.status_since));
    if !it.summary.is_empty() {
        let _ = write!(out, "\n  {}", clean(&it.summary));
    }
    if let Some(it) = &detail.classification {
        let _ = write!(out, "\n  by its effects {}", super::incident_severities::sentence(it));
    }
    for line in super::incident_edit::lines(detail) {
        let _ = write!(out, "\n  {line}");
    }
    if let Some(of) = it.recurrence_of {
        let _ = write!(out, "\n  comes back: incident {of} was about the same");
    }
    for line in incident_relations::lines(&detail.relations) {
        let _ = write!(out, "\n  {line}");
    }
    if let Some(restricted) = &detail.restricted {
        let teams = restricted.teams.iter().map(|it| format!("team {it}"));
        let named: Vec<String> = restricted.people.iter().cloned().chain(teams).collect();
        let named = if named.is_empty() { "nobody by name".to_owned() } else { named.join(", ") };
        let _ = write!(out, "\n  restricted to {}: {}", clean(&named), clean(&restricted.reason));
        for request in restricted.requests.iter().filter(|it| it.is_granted.is_none()) {
            let (number, person) = (request.number, clean(&request.person));
            let reason = clean(&request.reason);
            let _ = write!(out, "\n  request for access {number}: {person}: {reason}");
        }
    }
    let people = incident_people::lines(&detail.people);
    if !people.is_empty() {
        let _ = write!(out, "\n\npeople:\n  {}", people.join("\n  "));
    }
    if detail.alerts_total > 0 {
        let firing = detail.alerts.iter().filter(|alert| alert.is_firing).count();
        let _ = write!(out, "\n\nalerts: {}, {firing} of those listed fire", detail.alerts_total);
    }
    if detail.alerts_total > detail.alerts.len() as u64 {
        let _ = write!(out, " (`incident alerts {}` lists all)", it.number);
    }
    for alert in &detail.alerts {
        let name = match &alert.labels {
            Some(labels) => tocsin_wire::v1::sentence::alert_name(labels),
            None => alert.fingerprint.to_string(),
        };
        let state = if alert.is_firing { "fires" } else { "over " };
        let _ = write!(out, "\n  {state}  {}", clean(&name));
    }
    if !detail.escalations.is_empty() {
        let numbers: Vec<String> = detail.escalations.iter().map(ToString::to_string).collect();
        let _ = write!(out, "\n\nescalations: {}", numbers.join(", "));
    }
    out.push_str("\n\ntook:");
    for metric in detail.metrics.iter().filter(|metric| metric.cycle.is_none()) {
        if let Some(seconds) = metric.seconds {
            let span = SignedDuration::from_secs(seconds);
            let _ = write!(out, "\n  {}  {span:#}", clean(&metric.name));
        }
    }
    if detail.metrics.iter().all(|metric| metric.seconds.is_none()) {
        out.push_str(" nothing is recorded yet");
    }
    for (position, task) in detail.tasks.iter().enumerate() {
        let head = if position == 0 { "\n\ntasks:" } else { "" };
        let status = tocsin_core::incident::TaskStatus::from(task.status).as_str();
        let to = task.assignee.as_deref().map(|it| format!(" ({})", clean(it)));
        let due = task.due_at.map(|at| format!(", due {}", instant(at))).unwrap_or_default();
        let (number, title) = (task.number, clean(&task.title));
        let _ = write!(out, "{head}\n  {number} {status}{}: {title}{due}", to.unwrap_or_default());
    }
    let waiting = detail.reminders.iter().filter_map(|it| Some((it.due_at?, it)));
    for (position, (due_at, reminder)) in waiting.enumerate() {
        let head = if position == 0 { "\n\nreminders:" } else { "" };
        let kind = clean(&reminder.kind.replace('_', " "));
        let _ = write!(out, "{head}\n  {kind} at {}", instant(due_at));
    }
    if !detail.allowed_transitions.is_empty() {
        out.push_str("\n\nnext:");
    }
    for next in &detail.allowed_transitions {
        let needs = match next.needs.as_str() {
            "nothing" => String::new(),
            needs => format!(" (takes a {})", clean(&needs.replace('_', " "))),
        };
        let _ = write!(out, "\n  {}{needs}", word(next.to));
    }
    out
}

async fn mentions(client: &Client, format: Format, limit: u16) -> Result<()> {
    let answer = client.get("/api/v1/me/mentions", &[("limit", limit.to_string())]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: IncidentMentionPage = answer.json()?;
    if page.items.is_empty() {
        note("Nobody has named you.");
        return Ok(());
    }
    let mut rows =
        Rows::new(&["INCIDENT", "STATUS", "ROW", "AT", "BY", "TEXT"], output::is_coloured());
    for it in &page.items {
        rows.add([
            (it.incident.to_string(), Tone::Plain),
            (word(it.status).to_owned(), Tone::Faint),
            (it.entry.seq.to_string(), Tone::Faint),
            (instant(it.entry.occurred_at), Tone::Plain),
            (it.entry.by.clone(), Tone::Plain),
            (it.entry.text.clone(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())
}

async fn timeline(
    client: &Client,
    format: Format,
    which: &Which,
    export: Option<String>,
) -> Result<()> {
    if let Some(export) = export {
        let path = format!("{}/timeline/export", path(which));
        let answer = client.get(&path, &[("format", export)]).await?;
        return output::print(answer.text()?);
    }
    let path = format!("{}/timeline", path(which));
    let mut after = None;
    let mut items = Vec::new();
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(after.map(|after: u64| ("after", after.to_string())));
        let answer = client.get(&path, &query).await?;
        if format == Format::Json {
            output::print(answer.text()?)?;
        }
        let page: IncidentTimeline = answer.json()?;
        items.extend(page.items);
        after = page.next_after;
        if after.is_none() {
            break;
        }
    }
    if format == Format::Json {
        return Ok(());
    }
    items.sort_by_key(|entry| (entry.occurred_at, entry.seq));
    let mut out = String::new();
    for entry in &items {
        let (by, text) = (clean(&entry.by), clean(&entry.text));
        let _ = writeln!(out, "{}  {by}: {text}", instant(entry.occurred_at));
    }
    output::print(&out)
}
