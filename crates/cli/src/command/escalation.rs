//! `tocsin escalation` and `tocsin page`: whom a problem paged, answers, and pages by hand.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde_json::json;
use tocsin_wire::v1::{
    AnswerResult, Escalation, EscalationAudit, EscalationDetail, EscalationHistory, EscalationPage,
    EscalationState,
};

use crate::args;
use crate::client::{Answer, Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean, count, instant, note};

/// See whom problems page, and answer.
#[derive(Args, Clone, Debug)]
pub(crate) struct EscalationArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: EscalationCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum EscalationCommand {
    /// List escalations, the newest first.
    #[command(after_help = EXIT_CODES)]
    List(List),
    /// Show the steps of an escalation, who was paged and why, and what comes next.
    #[command(after_help = EXIT_CODES)]
    Show {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: u64,
    },
    /// Say whether every due step ran, by what was written and not by what the engine believes.
    #[command(after_help = EXIT_CODES)]
    Audit,
    /// Say that somebody works on it: nobody else is paged.
    #[command(after_help = EXIT_CODES)]
    Ack(Reply),
    /// Give it back: it goes on with the step it was at.
    #[command(after_help = EXIT_CODES)]
    Unack(Reply),
    /// Page by the next step at once.
    #[command(after_help = EXIT_CODES)]
    Escalate(Reply),
    /// Say that it is over: nobody is paged for it any more.
    #[command(after_help = EXIT_CODES)]
    Resolve(Reply),
    /// Page nobody for a while.
    #[command(after_help = EXIT_CODES)]
    Snooze(Snooze),
}

#[derive(Args, Clone, Debug)]
struct List {
    /// Past ones, too.
    #[arg(long)]
    all: bool,

    /// Only those that paged this person.
    #[arg(long, value_name = "HANDLE")]
    person: Option<String>,

    /// Only those of this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those that page by this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

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
struct Reply {
    /// The number of the escalation.
    #[arg(value_name = "NUMBER")]
    number: u64,

    /// What you say.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    comment: String,

    /// For whom, where it does not follow from the token.
    #[arg(long, value_name = "HANDLE")]
    by: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct Snooze {
    #[command(flatten)]
    reply: Reply,

    /// How long, from a minute to 7 days.
    #[arg(long, default_value = "30m", value_parser = args::duration, value_name = "DURATION")]
    r#for: SignedDuration,
}

/// Page somebody by hand.
///
/// By a policy, or people all at once. Without either, the policy that serves the service pages.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct PageArgs {
    /// What for, in one line.
    #[arg(value_name = "TITLE")]
    title: String,

    /// Whom; may be repeated.
    #[arg(long, value_name = "HANDLE", conflicts_with = "policy")]
    person: Vec<String>,

    /// By which policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// The service that it is about.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    service: String,

    /// How bad it is: sev1 to sev5, or a word such as critical.
    #[arg(long, default_value = "sev2", value_name = "SEVERITY")]
    severity: String,

    /// A UUID that makes asking twice harmless.
    #[arg(long, value_name = "UUID")]
    idempotency_key: Option<uuid::Uuid>,

    #[command(flatten)]
    client: ClientArgs,
}

/// Runs the command.
pub(crate) async fn run(args: EscalationArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let format = args.client.output;
    match args.command {
        EscalationCommand::List(list) => show_list(&client, format, list).await,
        EscalationCommand::Show { number } => show(&client, format, number).await,
        EscalationCommand::Audit => audit(&client, format).await,
        EscalationCommand::Ack(reply) => answer(&client, format, "acknowledge", reply, None).await,
        EscalationCommand::Unack(reply) => {
            answer(&client, format, "unacknowledge", reply, None).await
        }
        EscalationCommand::Escalate(reply) => {
            answer(&client, format, "escalate", reply, None).await
        }
        EscalationCommand::Resolve(reply) => answer(&client, format, "resolve", reply, None).await,
        EscalationCommand::Snooze(snooze) => {
            answer(&client, format, "snooze", snooze.reply, Some(snooze.r#for)).await
        }
    }
}

/// Runs `tocsin page`.
pub(crate) async fn run_page(args: PageArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let body = json!({
        "title": args.title,
        "people": args.person,
        "policy": args.policy,
        "service": args.service,
        "severity": args.severity,
        "idempotency_key": args.idempotency_key,
    });
    let answer = client.post("/api/v1/escalations", &body).await?.into_success()?;
    if args.client.output == Format::Json {
        return output::print(answer.text()?);
    }
    let run: Escalation = answer.json()?;
    output::print(&format!("escalation {}: {}", run.number, paged(&run)))
}

fn paged(run: &Escalation) -> String {
    if run.people.is_empty() {
        return "nobody is paged yet".to_owned();
    }
    format!("{} paged by policy {}", clean(&run.people.join(", ")), clean(&run.policy))
}

async fn show_list(client: &Client, format: Format, list: List) -> Result<()> {
    let mut query = vec![("limit", list.limit.to_string())];
    if !list.all {
        let open = ["open", "acknowledged", "snoozed"];
        query.extend(open.map(|state| ("state", state.to_owned())));
    }
    let given = [("person", list.person), ("service", list.service), ("policy", list.policy)];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let answer = client.get("/api/v1/escalations", &query).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: EscalationPage = answer.json()?;
    let headings = ["NUMBER", "SEVERITY", "STATE", "BY", "STARTED", "POLICY", "PAGED", "TITLE"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for run in &page.items {
        let (word, tone) = match run.state {
            EscalationState::Open => ("open", Tone::Alarm),
            EscalationState::Acknowledged => ("acknowledged", Tone::Held),
            EscalationState::Snoozed => ("snoozed", Tone::Held),
            EscalationState::Resolved => ("resolved", Tone::Faint),
        };
        rows.add([
            (run.number.to_string(), Tone::Plain),
            (run.severity.clone(), Tone::Plain),
            (word.to_owned(), tone),
            (run.by.clone().unwrap_or_default(), Tone::Plain),
            (instant(run.started_at), Tone::Plain),
            (run.policy.clone(), Tone::Plain),
            (run.people.join(", "), Tone::Plain),
            (run.title.clone(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())?;
    if page.next_cursor.is_some() {
        note("there are more; raise --limit or narrow the filters");
    }
    Ok(())
}

async fn show(client: &Client, format: Format, number: u64) -> Result<()> {
    let answer = client.get(&format!("/api/v1/escalations/{number}"), &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let detail: EscalationDetail = answer.json()?;
    let path = format!("/api/v1/escalations/{number}/events");
    let history: EscalationHistory =
        client.get(&path, &[("limit", "1000".to_owned())]).await?.json()?;
    output::print(&text(&detail, &history))
}

/// Returns an escalation as sentences for people.
fn text(detail: &EscalationDetail, history: &EscalationHistory) -> String {
    let run = &detail.escalation;
    let mut out = format!("escalation {}  {} {}", run.number, run.severity, clean(&run.title));
    let _ = write!(out, "\n  {}", clean(&run.standing));
    let _ = write!(out, "\n  policy {}: {}", clean(&run.policy), clean(&run.why));
    if detail.has_policy_changed {
        out.push_str("\n  the policy has changed since; this escalation keeps to the old one");
    }
    if !detail.paged.is_empty() {
        out.push_str("\n\npaged:");
    }
    for paged in &detail.paged {
        let person = clean(&paged.person);
        let since = instant(paged.since);
        let _ = write!(out, "\n  {since}  {person}, step {}: {}", paged.step, clean(&paged.why));
        if let Some(at) = paged.acknowledged_at {
            let _ = write!(out, "; acknowledged at {}", instant(at));
        }
    }
    if !detail.planned.is_empty() || run.next.is_some() || !detail.waiting.is_empty() {
        out.push_str("\n\nnext, if nobody answers:");
    }
    for planned in &detail.planned {
        let (person, method) = (clean(&planned.person), clean(&planned.method));
        let _ = write!(out, "\n  {}  {person} by {method}", instant(planned.at));
    }
    for waiting in &detail.waiting {
        let recipient = clean(&waiting.recipient);
        let _ = write!(out, "\n  waits since {}  {recipient}", instant(waiting.since));
    }
    if let Some(next) = run.next {
        let _ = write!(out, "\n  {}  step {} of {}", instant(next.due_at), next.step, run.steps);
    }
    if !history.items.is_empty() {
        out.push_str("\n\nhistory:");
    }
    for event in &history.items {
        let _ = write!(out, "\n  {}  {}", instant(event.at), clean(&event.text));
    }
    out
}

/// The exit code is 1 when a step is missing, as for every question that is answered with no.
async fn audit(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/escalations/audit", &[]).await?;
    let audit: EscalationAudit = answer.json()?;
    if format == Format::Json {
        output::print(answer.text()?)?;
    } else {
        output::print(&audit_text(&audit))?;
    }
    if audit.missed.is_empty() {
        return Ok(());
    }
    let missing = count(audit.missed.len(), "due step did not run", "due steps did not run");
    Err(Failure::no(missing).into())
}

fn audit_text(audit: &EscalationAudit) -> String {
    let mut out = match audit.at {
        None => "the history was not looked through yet".to_owned(),
        Some(at) => {
            let open = count(audit.followed, "open escalation", "open escalations");
            format!("looked through at {}, {open} followed", instant(at))
        }
    };
    if let Some(trouble) = &audit.trouble {
        let _ = write!(out, "\nthe last look did not work: {}", clean(trouble));
    }
    if audit.missed.is_empty() {
        out.push_str("\nevery due step ran");
    }
    for event in &audit.missed {
        let subject = clean(&event.subject.name);
        let _ = write!(out, "\n  {}  {subject}: {}", instant(event.at), clean(&event.text));
    }
    out
}

async fn answer(
    client: &Client,
    format: Format,
    verb: &str,
    reply: Reply,
    span: Option<SignedDuration>,
) -> Result<()> {
    let mut body = json!({ "comment": reply.comment, "by": reply.by });
    if let Some(span) = span {
        body["duration_seconds"] = json!(span.as_secs());
    }
    let path = format!("/api/v1/escalations/{}/{verb}", reply.number);
    let answer: Answer = client.post(&path, &body).await?.into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let result: AnswerResult = answer.json()?;
    output::print(&clean(&result.text))
}
