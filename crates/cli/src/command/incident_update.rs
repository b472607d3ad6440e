//! `tocsin incident update` and `tocsin incident templates`: others are told how it goes.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use tocsin_wire::v1::{IncidentMessagePreview, IncidentResult, MessageTemplateList};

use crate::client::Client;
use crate::output::{self, Format, Rows, Tone, clean, note};

#[derive(Args, Clone, Debug)]
pub(super) struct Update {
    /// Its number or reference, such as 142 or INC-20260131-1f2e3d4c.
    #[arg(value_name = "INCIDENT")]
    pub(super) incident: String,

    /// Move it to this status, too.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,

    /// Say how bad it is, too.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,

    /// What you say about the status and the severity.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    note: String,

    /// How it ended, with --status resolved.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,

    /// Tell this; `tocsin incident templates` lists what there is.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,

    /// The subject, in place of the template's.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,

    /// What is told, in place of the template's.
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,

    /// Who is told: list:NAME, participants, subscribers, or a target such as ada, team:db or slack:#db; may be
    /// repeated.
    #[arg(long, value_name = "WHO")]
    to: Vec<String>,

    /// A value of a variable; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,

    /// Only show what would be told, and to whom.
    #[arg(long)]
    preview: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write NAME=VALUE".to_owned());
    };
    Ok((name.to_owned(), value.to_owned()))
}

/// Carries it out; `path` is that of the incident.
pub(super) async fn run(
    client: &Client,
    format: Format,
    path: &str,
    asked: Update,
) -> Result<Option<IncidentResult>> {
    let variables: BTreeMap<String, String> = asked.set.into_iter().collect();
    let tells = asked.template.is_some() || asked.body.is_some() || !asked.to.is_empty();
    let message = tells.then(|| {
        serde_json::json!({
            "template": asked.template,
            "subject": asked.subject,
            "body": asked.body,
            "variables": variables,
            "to": asked.to,
        })
    });
    let body = serde_json::json!({
        "status": asked.status,
        "severity": asked.severity,
        "note": asked.note,
        "code": asked.code,
        "message": message,
    });
    let verb = if asked.preview { "updates/preview" } else { "updates" };
    let answer = client.post(&format!("{path}/{verb}"), &body).await?.into_success()?;
    if format == Format::Json {
        output::print(answer.text()?)?;
        return Ok(None);
    }
    if !asked.preview {
        return Ok(Some(answer.json()?));
    }
    let it: IncidentMessagePreview = answer.json()?;
    let lines: Vec<String> = it.body.lines().map(clean).collect();
    let (to, subject) = (clean(&it.to.join(", ")), clean(&it.subject));
    output::print(&format!("To: {to}\nSubject: {subject}\n\n{}", lines.join("\n")))?;
    note("nothing was sent; leave out --preview to send it");
    Ok(None)
}

/// Lists what messages can be made from.
pub(super) async fn templates(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/incidents/message-templates", &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let list: MessageTemplateList = answer.json()?;
    let mut rows = Rows::new(&["NAME", "FOR", "SUBJECT", "TO BE GIVEN"], output::is_coloured());
    for it in list.items {
        let audience = tocsin_core::incident::Audience::from(it.audience).as_str();
        let cells = [it.name, audience.to_owned(), it.subject, it.to_be_given.join(", ")];
        rows.add(cells.map(|text| (text, Tone::Plain)));
    }
    output::print(&rows.text())?;
    if !list.lists.is_empty() {
        note(&format!("lists: {}", list.lists.join(", ")));
    }
    Ok(())
}
