//! What people say about an incident beside its title: whom it harms and what that costs, which
//! other services, tags, a ticket elsewhere, and the cause.

use std::collections::BTreeSet;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{Incident, MAX_TEXT_CHARS};

/// The most services, regions and tags of one incident, each.
pub const MAX_LISTED: usize = 50;

/// The most characters of one of them.
pub const MAX_LISTED_CHARS: usize = 100;

/// The most characters of a ticket's name or address.
pub const MAX_TICKET_CHARS: usize = 500;

/// Whom an incident harms, and how much, as somebody estimates; `None` for what nobody said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Impact {
    /// How many users are concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Where.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<CompactString>,
    /// How much revenue is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<f64>,
    /// In which currency; may be empty.
    #[serde(skip_serializing_if = "CompactString::is_empty")]
    pub currency: CompactString,
    /// Whether what was promised to customers is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_breach: Option<bool>,
    /// How many messages customers were sent about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_notifications: Option<u64>,
}

/// A ticket about an incident in another system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ticket {
    /// How it is called there.
    pub id: String,
    /// Where it can be seen; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// What is to be said about an incident; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParticularsEdit {
    /// How many users are concerned.
    pub users: Option<u64>,
    /// Where.
    pub regions: Option<BTreeSet<CompactString>>,
    /// How much revenue is lost.
    pub revenue: Option<f64>,
    /// In which currency.
    pub currency: Option<CompactString>,
    /// Whether what was promised to customers is broken.
    pub sla_breach: Option<bool>,
    /// How many messages customers were sent.
    pub customer_notifications: Option<u64>,
    /// The services that it is about, beside the main one.
    pub services: Option<BTreeSet<CompactString>>,
    /// Words by which it is found.
    pub tags: Option<BTreeSet<CompactString>>,
    /// A ticket elsewhere; an empty one for none.
    pub ticket: Option<Ticket>,
    /// What caused it, in Markdown.
    pub root_cause: Option<String>,
}

impl Impact {
    /// Returns whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the lost revenue for people, as in `12,000 EUR`.
    pub fn revenue_text(&self) -> Option<String> {
        let amount = format!("{:.0}", self.revenue?);
        let mut grouped = String::new();
        for (place, digit) in amount.chars().enumerate() {
            if place > 0 && (amount.len() - place) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        Some(format!("{grouped} {}", self.currency).trim_end().to_owned())
    }
}

impl ParticularsEdit {
    /// Says so in an incident.
    ///
    /// # Errors
    /// The first field that cannot be, and what it has to be; nothing changes.
    pub fn apply(&self, it: &mut Incident) -> Result<(), (&'static str, String)> {
        self.check()?;
        let impact = &mut it.impact;
        impact.users = self.users.or(impact.users);
        impact.revenue = self.revenue.or(impact.revenue);
        impact.sla_breach = self.sla_breach.or(impact.sla_breach);
        impact.customer_notifications =
            self.customer_notifications.or(impact.customer_notifications);
        for (said, kept) in [
            (&self.regions, &mut impact.regions),
            (&self.services, &mut it.services),
            (&self.tags, &mut it.tags),
        ] {
            if let Some(said) = said {
                *kept = said.iter().map(|word| word.trim().into()).collect();
            }
        }
        if let Some(currency) = &self.currency {
            impact.currency = currency.trim().to_uppercase().into();
        }
        if let Some(ticket) = &self.ticket {
            it.ticket = Some(ticket.clone()).filter(|ticket| *ticket != Ticket::default());
        }
        if let Some(cause) = &self.root_cause {
            cause.trim().clone_into(&mut it.root_cause);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        for (name, list) in
            [("impact/regions", &self.regions), ("services", &self.services), ("tags", &self.tags)]
        {
            let Some(list) = list else { continue };
            if list.len() > MAX_LISTED {
                return Err((name, format!("must be at most {MAX_LISTED}")));
            }
            if list.iter().any(|word| !is_line(word, MAX_LISTED_CHARS) || word.trim().is_empty()) {
                let message =
                    format!("must each be one line of 1 to {MAX_LISTED_CHARS} characters");
                return Err((name, message));
            }
        }
        if self.revenue.is_some_and(|it| !(0.0..=1e15).contains(&it)) {
            return Err(("impact/revenue", "must be a number that is not negative".to_owned()));
        }
        let is_currency = |it: &CompactString| {
            it.trim().is_empty() || it.trim().len() == 3 && it.trim().is_ascii()
        };
        if self.currency.as_ref().is_some_and(|it| !is_currency(it)) {
            return Err(("impact/currency", "must be three letters such as EUR".to_owned()));
        }
        if let Some(ticket) = &self.ticket {
            if !is_line(&ticket.id, MAX_TICKET_CHARS) || !is_line(&ticket.url, MAX_TICKET_CHARS) {
                let message = format!("must be one line of at most {MAX_TICKET_CHARS} characters");
                return Err(("ticket", message));
            }
            let is_web = ["", "https://", "http://"];
            let is_web = ticket.url.is_empty()
                || is_web[1..].iter().any(|scheme| ticket.url.starts_with(scheme));
            if !is_web {
                return Err(("ticket/url", "must begin with https:// or http://".to_owned()));
            }
        }
        if self.root_cause.as_ref().is_some_and(|it| it.chars().count() > MAX_TEXT_CHARS) {
            let message = format!("must have at most {MAX_TEXT_CHARS} characters");
            return Err(("root_cause", message));
        }
        Ok(())
    }
}

fn is_line(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

impl Incident {
    /// Returns all services that it is about, the main one first.
    pub fn all_services(&self) -> Vec<&str> {
        let main = Some(self.service.as_str()).filter(|service| !service.is_empty());
        let others = self.services.iter().map(CompactString::as_str);
        main.into_iter().chain(others.filter(|it| Some(*it) != main)).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{Author, IncidentNumber};
    use super::*;
    use crate::severity::Severity;

    fn incident() -> Incident {
        let (number, title) = (IncidentNumber(1), "x".to_owned());
        Incident::new(number, Timestamp::UNIX_EPOCH, Author::system(), title, Severity::Sev2)
    }

    #[test]
    fn what_is_not_said_stays() {
        let mut it = incident();
        let first = ParticularsEdit {
            users: Some(1_200),
            currency: Some("eur".into()),
            tags: Some(["disk".into()].into()),
            ..Default::default()
        };
        first.apply(&mut it).unwrap();
        let second = ParticularsEdit { revenue: Some(1_234_567.4), ..Default::default() };
        second.apply(&mut it).unwrap();
        assert_eq!((it.impact.users, it.tags.len()), (Some(1_200), 1));
        assert_eq!(it.impact.revenue_text().as_deref(), Some("1,234,567 EUR"));
        let none = ParticularsEdit { tags: Some(BTreeSet::new()), ..Default::default() };
        none.apply(&mut it).unwrap();
        assert!(it.tags.is_empty());
    }

    #[test]
    fn what_cannot_be_is_named() {
        let ticket = |id: &str, url: &str| Some(Ticket { id: id.to_owned(), url: url.to_owned() });
        let many = (0..=MAX_LISTED).map(|n| CompactString::from(n.to_string())).collect();
        for (edit, field) in [
            (ParticularsEdit { tags: Some(["a\nb".into()].into()), ..Default::default() }, "tags"),
            (ParticularsEdit { tags: Some(many), ..Default::default() }, "tags"),
            (ParticularsEdit { revenue: Some(f64::NAN), ..Default::default() }, "impact/revenue"),
            (
                ParticularsEdit { currency: Some("euros".into()), ..Default::default() },
                "impact/currency",
            ),
            (
                ParticularsEdit { ticket: ticket("A-1", "javascript:x"), ..Default::default() },
                "ticket/url",
            ),
        ] {
            let before = incident();
            let mut it = before.clone();
            assert_eq!(edit.apply(&mut it).unwrap_err().0, field);
            assert_eq!(it, before);
        }
    }
}
