//! Schedules and who is on call.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tocsin_core::identity::{Handle, PersonOrigin};
use tocsin_core::maintenance::Recurrence;
use tocsin_core::oncall as core;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FieldError, ScheduleImport};

/// A schedule as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDraft {
    /// Whose it is; absent for the whole tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The IANA name of the zone of every layer that names no other.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin", default = "UTC")]
    pub time_zone: String,
    /// Names of calendars of holidays.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// A person who is asked when nobody is on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_person: Option<String>,
    /// A schedule whose people are asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_schedule: Option<String>,
    /// How many have to be on call at once; fewer is a gap.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub min_coverage: u32,
    /// Whether those whose time begins or ends are told.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub notify_at_handoff: bool,
    /// How long before their time people are told, in minutes.
    #[serde(default)]
    pub notify_minutes_before: Vec<u32>,
    /// The layers. People on call together are in this order.
    #[serde(default)]
    pub layers: Vec<ScheduleLayer>,
    /// Calendars elsewhere that say who is on call, who is away, or which days are holidays.
    #[serde(default)]
    pub imports: Vec<ScheduleImport>,
}

/// Turns of some people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleLayer {
    /// Unique in the schedule.
    pub name: String,
    /// The higher one wins; equal ones are on call together.
    #[serde(default)]
    pub rank: u32,
    /// `replace`: everybody below is off where it has somebody; `add`: they stay.
    #[serde(default)]
    #[schema(value_type = String, example = "replace")]
    pub combine: core::Combine,
    /// Its zone; absent for the schedule's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How it is drawn.
    #[serde(default)]
    pub colour: String,
    /// Who takes turns, in order: several in one place are on call together, none is nobody.
    #[schema(example = json!([["ada"], ["grace", "linus"], []]))]
    pub members: Vec<Vec<String>>,
    /// `sequential`, `fair` or `skip_unavailable`.
    #[serde(default)]
    #[schema(value_type = String, example = "sequential")]
    pub mode: core::Mode,
    /// How long turns last; several alternate.
    pub turns: Vec<TurnLength>,
    /// When turns begin by a rule of RFC 5545; then there is one length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    /// The local time of the first handoff.
    #[schema(value_type = String, example = "2026-11-02T09:00:00")]
    pub start: DateTime,
    /// Which member begins, counted from 0.
    #[serde(default)]
    pub first: u32,
    /// How many consecutive members are on call at once.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub per_shift: u32,
    /// For how many turns in a row a member stays.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub shifts_per_member: u32,
    /// The times of the week it covers; none means all.
    #[serde(default)]
    pub windows: Vec<LayerWindow>,
    /// `ignore`, `off`, or the name of a layer that stands in.
    #[serde(default = "ignore")]
    #[schema(default = "ignore")]
    pub on_holidays: String,
    /// `immediate`, `after_current_shift` or `after_full_rotation`.
    #[serde(default)]
    #[schema(value_type = String, example = "after_current_shift")]
    pub rollout: core::Rollout,
}

/// How long a turn lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnLength {
    /// How many.
    pub count: u32,
    /// `hours`, `days`, `weeks` or `months`.
    #[schema(value_type = String, example = "weeks")]
    pub unit: core::Unit,
}

/// A time of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerWindow {
    /// On which days it begins, such as `monday` or `mon-fri`; none means all.
    #[serde(default)]
    pub days: Vec<String>,
    /// When it begins.
    #[schema(example = "09:00")]
    pub from: String,
    /// When it ends; on the next day unless after the beginning.
    #[schema(example = "17:00")]
    pub to: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn ignore() -> String {
    "ignore".to_owned()
}

/// A new schedule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Unique in the tenant.
    pub name: String,
    /// Whose it is; absent for the whole tenant's.
    #[serde(default)]
    pub team: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The IANA name of the zone of every layer that names no other.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin", default = "UTC")]
    pub time_zone: String,
    /// Names of calendars of holidays.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// A person who is asked when nobody is on call.
    #[serde(default)]
    pub fallback_person: Option<String>,
    /// A schedule whose people are asked then.
    #[serde(default)]
    pub fallback_schedule: Option<String>,
    /// How many have to be on call at once; fewer is a gap.
    #[serde(default = "one")]
    #[schema(default = 1)]
    pub min_coverage: u32,
    /// Whether those whose time begins or ends are told.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub notify_at_handoff: bool,
    /// How long before their time people are told, in minutes.
    #[serde(default)]
    pub notify_minutes_before: Vec<u32>,
    /// The layers. People on call together are in this order.
    #[serde(default)]
    pub layers: Vec<ScheduleLayer>,
    /// Calendars elsewhere that say who is on call, who is away, or which days are holidays.
    #[serde(default)]
    pub imports: Vec<ScheduleImport>,
}

impl NewSchedule {
    /// Returns the name, and the rest as a draft. `flatten` would read both at once, but then
    /// unknown fields could not be refused, and nobody would be told where a mistake is.
    pub fn into_draft(self) -> (String, ScheduleDraft) {
        let draft = ScheduleDraft {
            team: self.team,
            description: self.description,
            time_zone: self.time_zone,
            holidays: self.holidays,
            fallback_person: self.fallback_person,
            fallback_schedule: self.fallback_schedule,
            min_coverage: self.min_coverage,
            notify_at_handoff: self.notify_at_handoff,
            notify_minutes_before: self.notify_minutes_before,
            layers: self.layers,
            imports: self.imports,
        };
        (self.name, draft)
    }
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// Whether the configuration file provisions it, so that it can only be changed there.
    pub is_provisioned: bool,
    /// From when on it is recorded who was on call.
    pub recorded_since: Timestamp,
    /// The version of the time-zone database that it is worked out with.
    pub time_zone_database: String,
    /// A hash of what it says and of that database.
    pub config_hash: String,
    /// What it says.
    #[serde(flatten)]
    pub draft: ScheduleDraft,
}

/// A page of schedules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePage {
    /// Ascending by name.
    pub items: Vec<Schedule>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl ScheduleDraft {
    /// Reads the schedule.
    ///
    /// # Errors
    /// What cannot be read, with its places.
    pub fn into_spec(self, name: &str) -> Result<core::ScheduleSpec, Vec<FieldError>> {
        let mut errors = Vec::new();
        let zone = zone_at("/time_zone", &self.time_zone, &mut errors);
        let person = self.fallback_person.as_deref();
        let fallback = match (person, self.fallback_schedule) {
            (Some(_), Some(_)) => {
                let why = "a fallback is either a person or a schedule";
                errors.push(FieldError::at("/fallback_schedule", why));
                core::Fallback::Skip
            }
            (Some(person), None) => match handle_at("/fallback_person", person, &mut errors) {
                Some(person) => core::Fallback::Person(person),
                None => core::Fallback::Skip,
            },
            (None, Some(schedule)) => core::Fallback::Schedule(schedule.into()),
            (None, None) => core::Fallback::Skip,
        };
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.into_iter().enumerate() {
            layers.extend(layer.into_spec(&format!("/layers/{index}"), &mut errors));
        }
        let mut imports = Vec::with_capacity(self.imports.len());
        for (index, import) in self.imports.into_iter().enumerate() {
            imports.extend(import.into_spec(&format!("/imports/{index}"), &mut errors));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(core::ScheduleSpec {
            name: name.into(),
            team: self.team.map(Arc::from),
            description: self.description,
            zone: zone.unwrap_or_else(core::Zone::utc),
            holidays: self.holidays.into_iter().map(Arc::from).collect(),
            fallback,
            min_coverage: self.min_coverage,
            notices: core::Notices {
                at_handoff: self.notify_at_handoff,
                minutes_before: self.notify_minutes_before,
            },
            layers,
            imports,
        })
    }
}

fn zone_at(pointer: &str, name: &str, errors: &mut Vec<FieldError>) -> Option<core::Zone> {
    match core::Zone::named(name) {
        Ok(zone) => Some(zone),
        Err(error) => {
            errors.push(FieldError::at(pointer, error.to_string()));
            None
        }
    }
}

fn handle_at(pointer: &str, text: &str, errors: &mut Vec<FieldError>) -> Option<Handle> {
    match Handle::parse(text) {
        Ok(handle) => Some(handle),
        Err(error) => {
            errors.push(FieldError::at(pointer, error.to_string()));
            None
        }
    }
}

impl ScheduleLayer {
    fn into_spec(self, at: &str, errors: &mut Vec<FieldError>) -> Option<core::LayerSpec> {
        let mut members = Vec::with_capacity(self.members.len());
        for (index, place) in self.members.iter().enumerate() {
            let pointer = format!("{at}/members/{index}");
            let handles = place.iter().filter_map(|it| handle_at(&pointer, it, errors));
            let handles: Vec<Handle> = handles.collect();
            members.push(match <[Handle; 1]>::try_from(handles) {
                Ok([only]) => core::Slot::Person(only),
                Err(none) if none.is_empty() => core::Slot::Empty,
                Err(several) => core::Slot::Group(several),
            });
        }
        let lengths = self.turns.iter();
        let lengths: Vec<core::Length> =
            lengths.map(|it| core::Length { count: it.count, unit: it.unit }).collect();
        let cadence = match (self.recurrence, lengths.as_slice()) {
            (Some(rule), [length]) => match Recurrence::new(&rule) {
                Ok(rule) => Some(core::Cadence::Rule {
                    rule,
                    length: *length,
                    except: Vec::new(),
                    also: Vec::new(),
                }),
                Err(error) => {
                    errors.push(FieldError::at(format!("{at}/recurrence"), error.to_string()));
                    None
                }
            },
            (None, [only]) => Some(core::Cadence::Every(*only)),
            (None, [_, _, ..]) => Some(core::Cadence::Alternating { lengths }),
            _ => {
                let why = "say how long a turn lasts; with a recurrence there is one length";
                errors.push(FieldError::at(format!("{at}/turns"), why));
                None
            }
        };
        let zone = self.time_zone.as_deref();
        let zone = zone.and_then(|it| zone_at(&format!("{at}/time_zone"), it, errors));
        let mut windows = Vec::with_capacity(self.windows.len());
        for (index, window) in self.windows.iter().enumerate() {
            match window.read() {
                Ok(window) => windows.push(window),
                Err(why) => {
                    errors.push(FieldError::at(format!("{at}/windows/{index}"), why));
                }
            }
        }
        Some(core::LayerSpec {
            name: self.name.into(),
            rank: self.rank,
            combine: self.combine,
            zone,
            colour: self.colour,
            members,
            mode: self.mode,
            cadence: cadence?,
            handoff: self.start,
            first: self.first,
            per_shift: self.per_shift,
            shifts_per_member: self.shifts_per_member,
            windows,
            holiday_mode: match self.on_holidays.as_str() {
                "ignore" => core::HolidayMode::Ignore,
                "off" => core::HolidayMode::Off,
                layer => core::HolidayMode::MembersOf(layer.into()),
            },
            rollout: self.rollout,
        })
    }
}

impl LayerWindow {
    fn read(&self) -> Result<core::ShiftWindow, String> {
        let days = core::Weekdays::parse(&self.days);
        let clock = |text: &str| core::ClockTime::parse(text).map_err(|error| error.to_string());
        Ok(core::ShiftWindow {
            days: days.map_err(|name| format!("`{name}` is no day of the week"))?,
            from: clock(&self.from)?,
            to: clock(&self.to)?,
        })
    }
}

impl From<&core::Schedule> for Schedule {
    fn from(schedule: &core::Schedule) -> Self {
        Self {
            name: schedule.name.to_string(),
            is_provisioned: schedule.origin == PersonOrigin::Provisioned,
            recorded_since: schedule.recorded_since,
            time_zone_database: core::time_zone_database().to_owned(),
            config_hash: core::config_hash(schedule),
            draft: ScheduleDraft::from(schedule.spec()),
        }
    }
}

impl From<core::ScheduleSpec> for ScheduleDraft {
    fn from(spec: core::ScheduleSpec) -> Self {
        let (fallback_person, fallback_schedule) = match spec.fallback {
            core::Fallback::Skip => (None, None),
            core::Fallback::Person(person) => (Some(person.to_string()), None),
            core::Fallback::Schedule(name) => (None, Some(name.to_string())),
        };
        Self {
            team: spec.team.map(|team| team.to_string()),
            description: spec.description,
            time_zone: spec.zone.name().to_owned(),
            holidays: spec.holidays.iter().map(ToString::to_string).collect(),
            fallback_person,
            fallback_schedule,
            min_coverage: spec.min_coverage,
            notify_at_handoff: spec.notices.at_handoff,
            notify_minutes_before: spec.notices.minutes_before,
            layers: spec.layers.into_iter().map(ScheduleLayer::from).collect(),
            imports: spec.imports.iter().map(ScheduleImport::from).collect(),
        }
    }
}

impl From<core::LayerSpec> for ScheduleLayer {
    fn from(spec: core::LayerSpec) -> Self {
        let length = |it: &core::Length| TurnLength { count: it.count, unit: it.unit };
        let (turns, recurrence) = match &spec.cadence {
            core::Cadence::Every(it) => (vec![length(it)], None),
            core::Cadence::Alternating { lengths } => (lengths.iter().map(length).collect(), None),
            core::Cadence::Rule { rule, length: it, .. } => {
                (vec![length(it)], Some(rule.as_str().to_owned()))
            }
        };
        let place =
            |slot: &core::Slot| slot.people().iter().map(ToString::to_string).collect::<Vec<_>>();
        let window = |it: &core::ShiftWindow| LayerWindow {
            days: if it.days == core::Weekdays::ALL { Vec::new() } else { it.days.into() },
            from: it.from.to_string(),
            to: it.to.to_string(),
        };
        Self {
            name: spec.name.to_string(),
            rank: spec.rank,
            combine: spec.combine,
            time_zone: spec.zone.as_ref().map(|zone| zone.name().to_owned()),
            colour: spec.colour.clone(),
            members: spec.members.iter().map(place).collect(),
            mode: spec.mode,
            turns,
            recurrence,
            start: spec.handoff,
            first: spec.first,
            per_shift: spec.per_shift,
            shifts_per_member: spec.shifts_per_member,
            windows: spec.windows.iter().map(window).collect(),
            on_holidays: match &spec.holiday_mode {
                core::HolidayMode::Ignore => "ignore".to_owned(),
                core::HolidayMode::Off => "off".to_owned(),
                core::HolidayMode::MembersOf(layer) => layer.to_string(),
            },
            rollout: spec.rollout,
        }
    }
}

/// Why somebody is on call, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnCallCause {
    /// Who; absent when nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What kind of reason, such as `layer`, `override`, `swap`, `block`, `fallback` or `gap`.
    pub kind: String,
    /// The override, swap or block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The reason as a sentence.
    pub sentence: String,
}

impl OnCallCause {
    pub(super) fn new(person: Option<&Handle>, cause: &core::Cause) -> Self {
        use core::Cause as C;
        let (kind, id) = match cause {
            C::Layer { .. } => ("layer", None),
            C::StandIn { .. } => ("stand_in", None),
            C::Holiday { .. } => ("holiday", None),
            C::Import { .. } => ("import", None),
            C::Override { id, .. } => ("override", Some(*id)),
            C::Swap { id, .. } => ("swap", Some(*id)),
            C::Block { id } => ("block", Some(*id)),
            C::Fallback { .. } => ("fallback", None),
            C::Gap { .. } => ("gap", None),
            C::Corrected { .. } => ("corrected", None),
        };
        let person_name = person.map(ToString::to_string);
        Self { person: person_name, kind: kind.to_owned(), id, sentence: cause.sentence(person) }
    }
}

/// A time in which the same people are on call for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftSegment {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who; empty for nobody.
    pub people: Vec<String>,
    /// Why, one for each of the people, or one that says why nobody is.
    pub cause: Vec<OnCallCause>,
    /// Whether this is the record of what happened rather than a plan.
    pub is_recorded: bool,
}

impl From<&core::Segment> for ShiftSegment {
    fn from(segment: &core::Segment) -> Self {
        let on_call = core::OnCall::new(segment.duties.clone(), segment.gap, None);
        Self {
            from: segment.from,
            to: segment.to,
            people: on_call.people.iter().map(ToString::to_string).collect(),
            cause: causes(&on_call),
            is_recorded: segment.is_recorded,
        }
    }
}

fn causes(on_call: &core::OnCall) -> Vec<OnCallCause> {
    let people = on_call.people.iter().map(Some).chain(std::iter::repeat(None));
    people.zip(&on_call.cause).map(|(person, cause)| OnCallCause::new(person, cause)).collect()
}

/// A time in which too few are on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftGap {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// How many are on call by the schedule itself.
    pub people: u32,
    /// How many there have to be.
    pub wanted: u32,
}

impl From<&core::Gap> for ShiftGap {
    fn from(gap: &core::Gap) -> Self {
        Self { from: gap.from, to: gap.to, people: gap.people, wanted: gap.wanted }
    }
}

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleWarning {
    /// What kind.
    #[schema(value_type = String, example = "ineffective_override")]
    pub code: core::WarningCode,
    /// From when on; absent for at all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// What, for people.
    pub message: String,
}

/// Who was and will be on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalView {
    /// Ascending.
    pub segments: Vec<ShiftSegment>,
    /// Ascending.
    pub gaps: Vec<ShiftGap>,
    /// What somebody should look at.
    pub warnings: Vec<ScheduleWarning>,
}

impl From<&core::FinalView> for FinalView {
    fn from(view: &core::FinalView) -> Self {
        let warning = |it: &core::Warning| ScheduleWarning {
            code: it.code,
            from: it.from,
            to: it.to,
            message: it.message.clone(),
        };
        Self {
            segments: view.segments.iter().map(ShiftSegment::from).collect(),
            gaps: view.gaps.iter().map(ShiftGap::from).collect(),
            warnings: view.warnings.iter().map(warning).collect(),
        }
    }
}

/// Who is on call in a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnCallNow {
    /// The schedule.
    pub schedule: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Who; empty for nobody.
    pub people: Vec<String>,
    /// Why.
    pub cause: Vec<OnCallCause>,
    /// When other people are on call, at the earliest; absent for not within sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who comes next.
    pub next: Vec<String>,
}

impl OnCallNow {
    /// Says who is on call in a schedule.
    pub fn new(schedule: &core::Schedule, now: &core::OnCall, next: &core::OnCall) -> Self {
        Self {
            schedule: schedule.name.to_string(),
            team: schedule.team.as_ref().map(ToString::to_string),
            people: now.people.iter().map(ToString::to_string).collect(),
            cause: causes(now),
            until: now.until,
            next: next.people.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Who is on call for everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnCallList {
    /// Ascending by the name of the schedule.
    pub items: Vec<OnCallNow>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
