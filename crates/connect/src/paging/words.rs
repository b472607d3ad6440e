//! What a page says, short and useful at 3 a.m.: how bad, what, where, why you, and how to answer.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::labels::Labels;
use tocsin_core::paging::{Answerer, Content, Page, PageAlert, PageItem, Recipient, StateWord};
use tocsin_core::severity::Severity;

use super::paths;
use crate::links::Link;
use crate::message::{cut, one_line};
use crate::outbound::Context;

/// How long a link can be answered.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(48);

/// The most characters of a title.
pub(super) const MAX_TITLE_CHARS: usize = 200;

/// The most characters of any other sentence.
const MAX_SENTENCE_CHARS: usize = 300;

/// The most alerts that are listed of one item; the rest is counted.
const MAX_ALERTS: usize = 5;

/// Regions where the day has two times twelve hours.
const TWELVE_HOURS: [&str; 6] = ["en-US", "en-CA", "en-AU", "en-NZ", "en-IN", "en-PH"];

/// Everything that a page says, ready to be put into a form.
pub(crate) struct Words<'a> {
    page: &'a Page,
    context: &'a Context,
    zone: TimeZone,
    has_noon: bool,
}

/// One escalation in words.
pub(super) struct ItemWords {
    /// `SEV1`.
    pub(super) level: String,
    /// What is wrong, and where if that does not say it.
    pub(super) title: String,
    /// How it stands and since when, in one sentence; empty for a page about what is open.
    pub(super) state: String,
    /// Name and value of what is worth knowing.
    pub(super) facts: Vec<(&'static str, String)>,
    /// One line for each of the first alerts.
    pub(super) alerts: Vec<String>,
    /// Where the runbook of the first alert is.
    pub(super) runbook: Option<String>,
    /// Where it can be answered.
    pub(super) link: String,
}

impl<'a> Words<'a> {
    pub(super) fn new(page: &'a Page, context: &'a Context) -> Self {
        Self {
            page,
            context,
            zone: TimeZone::get(&page.time_zone).unwrap_or(TimeZone::UTC),
            has_noon: TWELVE_HOURS.iter().any(|tag| tag.eq_ignore_ascii_case(&page.locale)),
        }
    }

    /// Returns one line that says it all, as a subject or a title.
    pub(super) fn subject(&self) -> String {
        let text = match &self.page.content {
            Content::Page { items } => match items.as_slice() {
                [] => "Somebody is needed".to_owned(),
                [only] => format!("[{}] {}", level(only.severity), title(only)),
                [first, rest @ ..] => {
                    let (level, title) = (level(first.severity), title(first));
                    format!("[{level}] {} need you: {title} and {} more", items.len(), rest.len())
                }
            },
            Content::Update { item } => format!("{}: {}", self.state(item), title(item)),
            Content::Verification { code } => format!("Your code for Tocsin is {code}"),
            Content::Test => "A test of Tocsin".to_owned(),
            Content::Handoff { schedule, .. } => format!("On call: {schedule}"),
            Content::Notice { incident, title, .. } => format!("Incident {incident}: {title}"),
        };
        cut(&one_line(&text), MAX_TITLE_CHARS)
    }

    /// Returns what it says that is not about an escalation; `None` when it is.
    pub(super) fn notice(&self) -> Option<Vec<String>> {
        match &self.page.content {
            Content::Page { .. } | Content::Update { .. } => None,
            Content::Verification { code } => Some(vec![
                format!("Your code is {code}. Enter it where you added this address."),
                "If you did not ask for it, somebody mistyped an address: do nothing.".to_owned(),
            ]),
            Content::Test => {
                let to = &self.page.recipient;
                let at = self.time(self.page.decided_at);
                Some(vec![
                    format!("This is a test for {to}, sent at {at}. Nothing is wrong."),
                    format!("It came from {}", self.context.external_url),
                ])
            }
            Content::Handoff { text, open, .. } => {
                let mut lines = vec![sentence(text)];
                let count = open.len();
                lines.push(match count {
                    0 => "Nothing is open.".to_owned(),
                    1 => "One is open:".to_owned(),
                    _ => format!("{count} are open:"),
                });
                lines.extend(open.iter().map(|line| format!("- {}", sentence(line))));
                Some(lines)
            }
            Content::Notice { lines, .. } => {
                Some(lines.iter().map(|line| sentence(line)).collect())
            }
        }
    }

    /// Returns the escalations, the worst first.
    pub(super) fn items(&self) -> impl Iterator<Item = (&'a PageItem, ItemWords)> {
        self.page.content.items().iter().map(|item| (item, self.item(item)))
    }

    fn item(&self, item: &PageItem) -> ItemWords {
        let mut facts = Vec::new();
        let is_page = matches!(self.page.content, Content::Page { .. });
        facts.push(("Severity", format!("{} {}", level(item.severity), item.severity.word())));
        if !item.service.is_empty() {
            facts.push(("Service", sentence(&item.service)));
        }
        facts.push(("Since", self.time(item.started_at)));
        let (step, steps) = item.step;
        let on = if item.level.is_empty() { String::new() } else { format!(", {}", item.level) };
        facts.push(("Policy", format!("{}, step {step} of {steps}{on}", sentence(&item.policy))));
        if is_page && !item.why.is_empty() {
            facts.push(("Why you", sentence(&item.why)));
        }
        let counts = match (item.firing, item.resolved) {
            (firing, 0) => format!("{firing} firing"),
            (firing, resolved) => format!("{firing} firing, {resolved} resolved"),
        };
        facts.push(("Alerts", counts));
        let alerts = item.alerts.iter().take(MAX_ALERTS).map(|alert| line(alert, item));
        let mut alerts: Vec<String> = alerts.collect();
        let more = (item.firing + item.resolved).saturating_sub(alerts.len());
        if more > 0 && !alerts.is_empty() {
            alerts.push(format!("and {more} more"));
        }
        ItemWords {
            level: level(item.severity),
            title: cut(&title(item), MAX_TITLE_CHARS),
            state: if is_page && item.state == StateWord::Open {
                String::new()
            } else {
                self.state(item)
            },
            facts,
            alerts,
            runbook: item.alerts.iter().find_map(runbook),
            link: self.link(item),
        }
    }

    /// Returns how an escalation stands: `Acknowledged by ada`.
    fn state(&self, item: &PageItem) -> String {
        let word = match item.state {
            StateWord::Open => "Open again",
            StateWord::Acknowledged => "Acknowledged",
            StateWord::Snoozed => "Snoozed",
            StateWord::Resolved => "Resolved",
        };
        let by = sentence(&item.by);
        if by.is_empty() { word.to_owned() } else { format!("{word} by {by}") }
    }

    /// Returns where an escalation can be answered.
    pub(super) fn link(&self, item: &PageItem) -> String {
        let token = self.context.links.sign(&self.said(item));
        let base = self.context.external_url.trim_end_matches('/');
        format!("{base}/{}/{token}", paths::LINK)
    }

    fn said(&self, item: &PageItem) -> Link {
        let (by, method) = match &self.page.recipient {
            Recipient::Person { person, method } => {
                (Answerer::Person(person.clone()), method.as_str().to_owned())
            }
            Recipient::Place { name } => (Answerer::Outsider(name.to_string()), String::new()),
        };
        let asked_at = self.page.decided_at;
        Link {
            run: item.run,
            by,
            channel: self.page.channel,
            method,
            asked_at,
            expires_at: asked_at.checked_add(LINK_LIFE).unwrap_or(Timestamp::MAX),
        }
    }

    /// Returns a time as the recipient reads it: with the day when that is another than the page's.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.zone.clone());
        let sent = self.page.decided_at.to_zoned(self.zone.clone());
        let clock = if self.has_noon { "%-I:%M %p %Z" } else { "%H:%M %Z" };
        if local.date() == sent.date() {
            return local.strftime(clock).to_string();
        }
        local.strftime(&format!("%a %-d %b %Y, {clock}")).to_string()
    }

    /// Returns all of it as plain text of several lines. `how` says for one item how to answer
    /// beside its link.
    pub(super) fn plain(&self, how: impl Fn(&PageItem) -> Option<String>) -> String {
        if let Some(lines) = self.notice() {
            return lines.join("\n");
        }
        let mut out = String::new();
        for (place, (item, words)) in self.items().enumerate() {
            if place > 0 {
                out.push('\n');
            }
            let _ = writeln!(out, "[{}] {}", words.level, words.title);
            if !words.state.is_empty() {
                let _ = writeln!(out, "{}", words.state);
            }
            for (name, value) in &words.facts {
                let _ = writeln!(out, "{name}: {value}");
            }
            for line in &words.alerts {
                let _ = writeln!(out, "- {line}");
            }
            if let Some(url) = &words.runbook {
                let _ = writeln!(out, "Runbook: {url}");
            }
            if item.state != StateWord::Resolved {
                if let Some(how) = how(item) {
                    let _ = writeln!(out, "{how}");
                }
                let _ = writeln!(out, "Answer: {}", words.link);
            }
        }
        out.trim_end().to_owned()
    }
}

/// Returns the number of a severity as people write it: `SEV1`.
pub(super) fn level(severity: Severity) -> String {
    severity.as_str().to_ascii_uppercase()
}

/// Returns what is wrong, and where if the title does not say it.
pub(super) fn title(item: &PageItem) -> String {
    let title = sentence(&item.title);
    let service = sentence(&item.service);
    if service.is_empty() || title.to_lowercase().contains(&service.to_lowercase()) {
        return title;
    }
    format!("{title} ({service})")
}

/// Returns the colour of an item: that of its severity while nobody has answered, then that of how
/// it stands.
pub(super) fn colour(item: &PageItem) -> &'static str {
    match item.state {
        StateWord::Open => match item.severity {
            Severity::Sev1 => "#b3261e",
            Severity::Sev2 => "#d9480f",
            Severity::Sev3 => "#b7791f",
            Severity::Sev4 => "#3b6fd4",
            Severity::Sev5 => "#667085",
        },
        StateWord::Acknowledged => "#8a6d1d",
        StateWord::Snoozed => "#667085",
        StateWord::Resolved => "#2e7d32",
    }
}

/// Returns a colour as the number that some chats want.
pub(super) fn colour_number(item: &PageItem) -> u32 {
    u32::from_str_radix(colour(item).trim_start_matches('#'), 16).unwrap_or_default()
}

/// Makes one line of bounded length of a text from outside.
pub(super) fn sentence(text: &str) -> String {
    cut(one_line(text.trim()).trim(), MAX_SENTENCE_CHARS)
}

fn line(alert: &PageAlert, item: &PageItem) -> String {
    let state = if alert.is_resolved { "resolved: " } else { "" };
    let said = first_of(&alert.annotations, &["summary", "message", "description"]);
    let own: Vec<String> = alert
        .labels
        .iter()
        .filter(|(name, _)| *name != "severity" && item.group_labels.get(name).is_none())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = match said {
        Some(said) if own.is_empty() => said.to_owned(),
        Some(said) => format!("{said} ({})", own.join(" ")),
        None => own.join(" "),
    };
    sentence(&format!("{state}{text}"))
}

fn runbook(alert: &PageAlert) -> Option<String> {
    let url = first_of(&alert.annotations, &["runbook_url", "runbook"])?.trim();
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (is_web && !url.contains(char::is_whitespace) && url.len() <= 1_000).then(|| url.to_owned())
}

fn first_of<'l>(annotations: &'l Labels, names: &[&str]) -> Option<&'l str> {
    names.iter().map(|name| annotations.value(name)).find(|value| !value.trim().is_empty())
}
