//! When incidents begin, reopen and end by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use jiff::SignedDuration;

use super::{
    Category, Duty, MessageTarget, MessageTemplate, SeverityTable, Targets, built_in_templates,
    template_by_alias,
};
use crate::severity::Severity;

/// When incidents begin, reopen and end by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentSettings {
    /// How bad an alert has to be to open an incident when any receiver is told of it; `None` for
    /// only those of receivers with an escalation policy.
    pub open_from: Option<Severity>,
    /// What comes back so soon after the end is the same incident.
    pub reopen_window: SignedDuration,
    /// How long nothing may fire until an incident that nobody works on is over.
    pub resolve_delay: SignedDuration,
    /// How long nothing may fire or be done until one that somebody worked on is over.
    pub resolve_after: SignedDuration,
    /// How long after the end an incident is closed.
    pub close_after: SignedDuration,
    /// So many incidents may begin by alerts within [`Self::STORM_WINDOW`]; what comes after that
    /// is one incident.
    pub storm_limit: usize,
    /// What has to be done before an incident is closed.
    pub close_requires: Vec<Duty>,
    /// Incidents of these categories are restricted from the beginning.
    pub restrict_categories: BTreeSet<Category>,
    /// Whether anybody is reminded of anything.
    pub remind: bool,
    /// How long nobody may do anything about an open incident until they are asked how it goes.
    pub inactive_after: SignedDuration,
    /// How bad an incident has to be that a postmortem begins once it is over; `None` for none.
    pub postmortem_from: Option<Severity>,
    /// How long after the end a postmortem that has to be written may be missing.
    pub postmortem_after: SignedDuration,
    /// What happens by itself of what is learned.
    pub automation: Automation,
    /// What every severity asks for.
    pub severities: SeverityTable,
    /// From what messages are made, by name; the built-in ones among them.
    pub templates: BTreeMap<CompactString, Arc<MessageTemplate>>,
    /// Lists of those who are told, by name.
    pub lists: BTreeMap<Arc<str>, Vec<MessageTarget>>,
    /// Values of variables in messages where neither the incident nor the sender gives one.
    pub variables: BTreeMap<String, String>,
}

/// What happens by itself of what is learned from incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Automation {
    /// A postmortem begins when an incident ends that needs one.
    pub begins_postmortems: bool,
    /// A postmortem drafts itself.
    pub drafts_postmortems: bool,
    /// Drafts recommend what to change.
    pub recommends_actions: bool,
    /// People are reminded of action items, and those still open are noted when the same comes back.
    pub tracks_actions: bool,
    /// Earlier incidents are looked for when one begins and when it is drafted.
    pub uses_knowledge: bool,
}

impl Default for Automation {
    fn default() -> Self {
        Self {
            begins_postmortems: true,
            drafts_postmortems: true,
            recommends_actions: true,
            tracks_actions: true,
            uses_knowledge: true,
        }
    }
}

impl IncidentSettings {
    /// In which time incidents are counted that begin by alerts.
    pub const STORM_WINDOW: SignedDuration = SignedDuration::from_mins(5);

    /// Returns a template by its name, or by another name of a built-in one.
    pub fn template(&self, name: &str) -> Option<&Arc<MessageTemplate>> {
        self.templates.get(name).or_else(|| self.templates.get(template_by_alias(name)?))
    }

    /// Returns what a severity asks for.
    pub fn targets(&self, severity: Severity) -> &Targets {
        self.severities.of(severity)
    }

    /// Returns whether an incident of this severity needs a postmortem.
    pub fn requires_postmortem(&self, severity: Severity) -> bool {
        self.postmortem_from.is_some_and(|from| severity <= from)
    }
}

impl Default for IncidentSettings {
    fn default() -> Self {
        Self {
            open_from: None,
            reopen_window: SignedDuration::from_hours(4),
            resolve_delay: SignedDuration::from_mins(5),
            resolve_after: SignedDuration::from_hours(4),
            close_after: SignedDuration::from_hours(7 * 24),
            storm_limit: 50,
            close_requires: vec![Duty::Tasks, Duty::Postmortem],
            restrict_categories: BTreeSet::new(),
            remind: true,
            inactive_after: SignedDuration::from_hours(7 * 24),
            postmortem_from: Some(Severity::Sev2),
            postmortem_after: SignedDuration::from_hours(48),
            automation: Automation::default(),
            severities: SeverityTable::default(),
            templates: built_in_templates()
                .into_iter()
                .map(|it| (it.name.clone(), Arc::new(it)))
                .collect(),
            lists: BTreeMap::new(),
            variables: BTreeMap::new(),
        }
    }
}
