//! Calendars elsewhere that schedules import.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::identity::Handle;
use tocsin_core::oncall as core;
use utoipa::ToSchema;

use super::FieldError;

/// A calendar elsewhere that says who is on call, who is away, or which days are holidays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleImport {
    /// Unique in the schedule.
    pub name: String,
    /// From where it comes: `url`, `pushed` for one that is sent in, or `settings` for one that the
    /// configuration file names, which cannot be asked for.
    #[serde(default)]
    #[schema(value_type = String, example = "url")]
    pub source: ImportSource,
    /// The address of one that is fetched; `webcal://` is the same as `https://`. It is shown with
    /// scheme and host only, and what is shown may be sent back to keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://calendar.example/private-1f2e3d/basic.ics")]
    pub url: Option<String>,
    /// What its events mean: `shifts`, `overrides`, which are above all layers, `holidays` or
    /// `out_of_office`.
    #[serde(default)]
    #[schema(value_type = String, example = "shifts")]
    pub kind: core::ImportKind,
    /// The higher one wins, among layers and calendars.
    #[serde(default)]
    pub rank: u32,
    /// `replace`: everybody below is off where it has somebody; `add`: they stay.
    #[serde(default)]
    #[schema(value_type = String, example = "replace")]
    pub combine: core::Combine,
    /// How often it is read, in minutes.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 1440, default = 10)]
    pub refresh_minutes: u32,
    /// People under names that the calendar calls them by and nobody else does.
    #[serde(default)]
    #[schema(example = json!({"Ada L.": "ada"}))]
    pub names: BTreeMap<String, String>,
}

fn ten() -> u32 {
    10
}

/// From where a calendar comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportSource {
    /// It is fetched.
    #[default]
    Url,
    /// It is sent in.
    Pushed,
    /// As the configuration file says.
    Settings,
}

impl ScheduleImport {
    pub(super) fn into_spec(
        self,
        at: &str,
        errors: &mut Vec<FieldError>,
    ) -> Option<core::ImportSpec> {
        let location = match (self.source, self.url) {
            (ImportSource::Url, Some(url)) => core::ImportLocation::Url(url),
            (ImportSource::Pushed, None) => core::ImportLocation::Pushed,
            (ImportSource::Url, None) => {
                let why = "say where it is fetched, or `\"source\": \"pushed\"` to send it in";
                errors.push(FieldError::at(format!("{at}/url"), why));
                return None;
            }
            (ImportSource::Pushed, Some(_)) => {
                let why = "what is sent in has no address";
                errors.push(FieldError::at(format!("{at}/url"), why));
                return None;
            }
            (ImportSource::Settings, _) => {
                let why = "only the configuration file can say so; it is `url` or `pushed`";
                errors.push(FieldError::at(format!("{at}/source"), why));
                return None;
            }
        };
        let mut names = BTreeMap::new();
        for (name, person) in self.names {
            match Handle::parse(&person) {
                Ok(person) => drop(names.insert(name, person)),
                Err(error) => {
                    let place = name.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{at}/names/{place}");
                    errors.push(FieldError::at(pointer, error.to_string()));
                }
            }
        }
        Some(core::ImportSpec {
            name: self.name.into(),
            location,
            kind: self.kind,
            rank: self.rank,
            combine: self.combine,
            refresh_minutes: self.refresh_minutes,
            names,
        })
    }
}

impl From<&core::ImportSpec> for ScheduleImport {
    fn from(spec: &core::ImportSpec) -> Self {
        let (source, url) = match spec.location.shown() {
            core::ImportLocation::Url(url) => (ImportSource::Url, Some(url)),
            core::ImportLocation::Pushed => (ImportSource::Pushed, None),
            core::ImportLocation::Settings => (ImportSource::Settings, None),
        };
        let names = spec.names.iter();
        Self {
            name: spec.name.to_string(),
            source,
            url,
            kind: spec.kind,
            rank: spec.rank,
            combine: spec.combine,
            refresh_minutes: spec.refresh_minutes,
            names: names.map(|(name, person)| (name.clone(), person.to_string())).collect(),
        }
    }
}

/// How a calendar stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportState {
    /// What was asked for.
    #[serde(flatten)]
    pub import: ScheduleImport,
    /// When it was read last; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// How many events it has, each repetition counted.
    pub events: usize,
    /// Since when it cannot be read; absent while it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Until when what it said last holds while it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_until: Option<Timestamp>,
    /// What of it could not be understood, one sentence each.
    pub trouble: Vec<String>,
    /// What its events say where nobody goes by it.
    pub unknown: Vec<String>,
    /// How many more of those there are.
    pub more_unknown: usize,
}

impl ImportState {
    /// Says how a calendar stands; `None` when the schedule imports no such one.
    pub fn of(entry: &core::Entry, import: &str) -> Option<Self> {
        let spec = entry.schedule.imports.iter().find(|it| *it.name == *import)?;
        let none = core::Imported::default();
        let imported = entry.imports.get(&spec.name).unwrap_or(&none);
        let (unknown, more_unknown) = imported.unknown();
        let failing = imported.failing.as_ref();
        let holds_until = imported
            .fetched_at
            .filter(|_| failing.is_some() && !imported.is_lost)
            .and_then(|at| at.checked_add(core::LAST_GOOD_COPY_KEPT).ok());
        Some(Self {
            import: ScheduleImport::from(spec),
            read_at: imported.fetched_at,
            events: imported.events().len(),
            failing_since: failing.map(|it| it.since),
            failure: failing.map(|it| it.why.clone()),
            holds_until,
            trouble: imported.trouble.clone(),
            unknown: unknown.to_vec(),
            more_unknown,
        })
    }

    /// Says how all calendars of a schedule stand.
    pub fn all(entry: &core::Entry) -> Vec<Self> {
        let names = entry.schedule.imports.iter().map(|it| Arc::clone(&it.name));
        names.filter_map(|name| Self::of(entry, &name)).collect()
    }
}

/// How the calendars of a schedule stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportStates {
    /// In the order of the schedule.
    pub items: Vec<ImportState>,
}
