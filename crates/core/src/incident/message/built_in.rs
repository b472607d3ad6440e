//! The templates that are there without any configuration.

use super::{Audience, MessageTemplate, Pattern};

/// Name, audience, subject and body.
const TEMPLATES: [(&str, Audience, &str, &str); 5] = [
    (
        "internal_alert",
        Audience::Internal,
        "[{severity}] {title}",
        "Incident {incident_number} ({incident_id}) is {status}.\n\n\
         What: {title}\n\
         How bad: {severity} ({severity_word})\n\
         Concerned: {affected_services}\n\
         Since: {detected_at}, {duration} so far\n\
         In command: {incident_commander}\n\
         Runbook: {runbook_url}\n\
         People talk in: {incident_channel}\n\n\
         {description}",
    ),
    (
        "customer_start",
        Audience::Customer,
        "We are looking into a problem with {affected_services}",
        "Hello,\n\n\
         since {started_at} there has been a problem with {affected_services}.\n\n\
         What you may notice: {impact_description}\n\n\
         We are working on it and will write again. How it stands can always be seen at \
         {status_page_url}.\n\n\
         We are sorry for the trouble.\n\
         {company_name}",
    ),
    (
        "customer_update",
        Audience::Customer,
        "Update on the problem with {affected_services}",
        "Hello,\n\n\
         here is how the problem with {affected_services} stands: {public_status}.\n\n\
         {update_message}\n\n\
         What comes next: {next_steps}\n\n\
         We will write again by {next_update_time}; until then see {status_page_url}.\n\
         {company_name}",
    ),
    (
        "customer_resolved",
        Audience::Customer,
        "The problem with {affected_services} is over",
        "Hello,\n\n\
         the problem with {affected_services} is over.\n\n\
         It began at {started_at}, ended at {resolved_at} and took {duration}.\n\n\
         What was done: {resolution_summary}\n\
         So that it does not come back: {preventive_measures}\n\n\
         We are sorry for the trouble, and glad to answer what you want to know about it.\n\
         {company_name}",
    ),
    (
        "executive_briefing",
        Audience::Executive,
        "[{severity}] Briefing: {title}",
        "{title}: {severity} ({severity_word}), {status} for {time_in_status}.\n\n\
         Customers concerned: {affected_customers}\n\
         Revenue: {revenue_impact}\n\
         Promises of this severity: {sla_breach}\n\n\
         What is being done: {current_actions}\n\n\
         How it went so far:\n{timeline_summary}\n\n\
         In command: {incident_commander}\n\
         People talk in: {incident_channel}\n\
         Next word by {next_update_time}.",
    ),
];

/// Other names of built-in templates, as other tools write them.
const ALIASES: [(&str, &str); 3] = [
    ("customer_notification_start", "customer_start"),
    ("customer_notification_update", "customer_update"),
    ("customer_notification_resolved", "customer_resolved"),
];

/// Which template tells whom what.
const KINDS: [(Audience, &str, &str); 5] = [
    (Audience::Internal, "alert", "internal_alert"),
    (Audience::Customer, "start", "customer_start"),
    (Audience::Customer, "update", "customer_update"),
    (Audience::Customer, "resolved", "customer_resolved"),
    (Audience::Executive, "briefing", "executive_briefing"),
];

/// Returns the built-in template that has another name, too.
pub fn template_by_alias(name: &str) -> Option<&'static str> {
    ALIASES.into_iter().find(|(alias, _)| *alias == name).map(|(_, name)| name)
}

/// Returns the template that tells an audience this.
///
/// # Errors
/// What that audience can be told.
pub fn template_of_kind(audience: Audience, kind: &str) -> Result<&'static str, String> {
    let of_audience = || KINDS.into_iter().filter(move |(known, ..)| *known == audience);
    let found = of_audience().find(|(_, known, _)| *known == kind);
    found.map(|(.., template)| template).ok_or_else(|| {
        let kinds: Vec<&str> = of_audience().map(|(_, kind, _)| kind).collect();
        let (who, kinds) = (audience.as_str(), kinds.join(", "));
        format!("`{kind}` is nothing that a message of audience {who} can be; it can be {kinds}")
    })
}

/// Returns the templates that are there without any configuration, by name.
#[expect(clippy::missing_panics_doc, reason = "a test reads all of them")]
pub fn built_in_templates() -> Vec<MessageTemplate> {
    let read = |text: &str| Pattern::parse(text).expect("what is built in is whole");
    let templates = TEMPLATES.iter().map(|(name, audience, subject, body)| MessageTemplate {
        name: (*name).into(),
        audience: *audience,
        subject: read(subject),
        body: read(body),
    });
    templates.collect()
}
