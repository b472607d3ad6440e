//! What a schedule is made of: layers, their versions, and what each says.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::cadence::Cadence;
use super::clock::{ClockTime, Zone};
use super::fair::Ledger;
use crate::identity::{Handle, PersonOrigin, TeamName};

/// A schedule's name, unique in the tenant.
pub type ScheduleName = Arc<str>;
/// A layer's name, unique in its schedule.
pub type LayerName = Arc<str>;

/// Who is on call when, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// Unique in the tenant.
    pub name: ScheduleName,
    /// Whose it is; `None` for the whole tenant's.
    #[serde(default)]
    pub team: Option<TeamName>,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// The zone of every layer that names no other.
    pub zone: Zone,
    /// Names of the calendars whose days are holidays here.
    #[serde(default)]
    pub holidays: Vec<Arc<str>>,
    /// Who is asked when nobody is on call.
    #[serde(default)]
    pub fallback: Fallback,
    /// How many have to be on call at once; fewer is a gap.
    #[serde(default = "one")]
    pub min_coverage: u32,
    /// Whom the schedule tells of handoffs, and when.
    #[serde(default)]
    pub notices: Notices,
    /// The layers, in the order of people on call together.
    #[serde(default)]
    pub layers: Vec<LayerSpec>,
    /// Calendars elsewhere that say who is on call.
    #[serde(default)]
    pub imports: Vec<ImportSpec>,
}

fn one() -> u32 {
    1
}

/// Who is asked when nobody is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Fallback {
    /// Nobody: an escalation goes on to its next step.
    #[default]
    Skip,
    /// A person.
    Person(Handle),
    /// Whoever is on call in another schedule.
    Schedule(ScheduleName),
}

/// What is told of handoffs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// Whether those who begin and end are told at the handoff.
    #[serde(default = "yes")]
    pub at_handoff: bool,
    /// How long before a shift its people are told, in minutes.
    #[serde(default)]
    pub minutes_before: Vec<u32>,
}

fn yes() -> bool {
    true
}

impl Default for Notices {
    fn default() -> Self {
        Self { at_handoff: true, minutes_before: Vec::new() }
    }
}

/// One layer as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// Unique in its schedule.
    pub name: LayerName,
    /// The higher one wins; equal ones are on call together.
    #[serde(default)]
    pub rank: u32,
    /// What happens to those of lower rank.
    #[serde(default)]
    pub combine: Combine,
    /// Its zone; `None` for the schedule's.
    #[serde(default)]
    pub zone: Option<Zone>,
    /// How it is drawn; may be empty.
    #[serde(default)]
    pub colour: String,
    /// Who takes turns, in order.
    pub members: Vec<Slot>,
    /// How the next one is found.
    #[serde(default)]
    pub mode: Mode,
    /// When turns pass.
    pub cadence: Cadence,
    /// The local time of the first handoff; every other is counted from it.
    pub handoff: DateTime,
    /// Which member begins, counted from 0.
    #[serde(default)]
    pub first: u32,
    /// How many consecutive members are on call at once.
    #[serde(default = "one")]
    pub per_shift: u32,
    /// For how many turns in a row a member stays.
    #[serde(default = "one")]
    pub shifts_per_member: u32,
    /// The times of the week it covers; empty for all.
    #[serde(default)]
    pub windows: Vec<ShiftWindow>,
    /// What happens on holidays.
    #[serde(default)]
    pub holiday_mode: HolidayMode,
    /// When a change of it takes effect.
    #[serde(default)]
    pub rollout: Rollout,
}

/// What a layer does to those of lower rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Where it has somebody, everybody below is off.
    #[default]
    Replace,
    /// Its people are on call beside those below.
    Add,
}

/// One place in the order of turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "who")]
pub enum Slot {
    /// One person.
    Person(Handle),
    /// Several, all on call together.
    Group(Vec<Handle>),
    /// Nobody, on purpose.
    Empty,
}

impl Slot {
    /// Returns everybody in it.
    pub fn people(&self) -> &[Handle] {
        match self {
            Self::Person(handle) => std::slice::from_ref(handle),
            Self::Group(handles) => handles,
            Self::Empty => &[],
        }
    }
}

/// How the next one is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In order, whoever is away.
    #[default]
    Sequential,
    /// Whoever had the least time on call so far; who is away misses a turn and owes none.
    Fair,
    /// In order; while somebody is away, the next in order stands in.
    SkipUnavailable,
}

/// Days of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Weekdays(u8);

const DAY_NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// Returns whether a day is among them.
    pub fn has(self, day: jiff::civil::Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }

    /// Reads names such as `monday` or `mon`, and ranges such as `mon-fri`; none for every day.
    ///
    /// # Errors
    /// The name that is none.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        let mut days = 0;
        for name in names {
            let name = name.as_ref().trim().to_ascii_lowercase();
            let (from, to) = name.split_once(['-', ':']).unwrap_or((&name, &name));
            let place = |text: &str| {
                let fits = |day: &&str| text.len() >= 3 && day.starts_with(text);
                DAY_NAMES.iter().position(fits)
            };
            let (Some(from), Some(to)) = (place(from.trim()), place(to.trim())) else {
                return Err(name);
            };
            let mut day = from;
            days |= 1 << day;
            while day != to {
                day = (day + 1) % 7;
                days |= 1 << day;
            }
        }
        Ok(if days == 0 { Self::ALL } else { Self(days) })
    }
}

impl TryFrom<Vec<String>> for Weekdays {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        Self::parse(&names).map_err(|name| format!("`{name}` is no day of the week"))
    }
}

impl From<Weekdays> for Vec<String> {
    fn from(days: Weekdays) -> Self {
        let names = DAY_NAMES.iter().enumerate();
        names.filter(|(place, _)| days.0 & (1 << place) != 0).map(|(_, n)| (*n).into()).collect()
    }
}

/// A time of the week in which a layer is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftWindow {
    /// On which days it begins.
    pub days: Weekdays,
    /// When it begins.
    pub from: ClockTime,
    /// When it ends; on the next day unless after the beginning.
    pub to: ClockTime,
}

/// What happens on holidays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "layer")]
pub enum HolidayMode {
    /// Nothing.
    #[default]
    Ignore,
    /// The layer is off.
    Off,
    /// Whoever has the turn in another layer stands in.
    MembersOf(LayerName),
}

/// When a change of a layer takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// At once.
    Immediate,
    /// At the next handoff.
    #[default]
    AfterCurrentShift,
    /// When the order begins anew.
    AfterFullRotation,
}

/// A calendar elsewhere that says who is on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSpec {
    /// Unique in its schedule.
    pub name: Arc<str>,
    /// Where it lies.
    pub location: ImportLocation,
    /// What its events mean.
    #[serde(default)]
    pub kind: ImportKind,
    /// The higher one wins, among layers and imports.
    #[serde(default)]
    pub rank: u32,
    /// What it does to those of lower rank.
    #[serde(default)]
    pub combine: Combine,
    /// How often it is read, in minutes.
    #[serde(default = "ten")]
    pub refresh_minutes: u32,
    /// People under names that nobody goes by here.
    #[serde(default)]
    pub names: BTreeMap<String, Handle>,
}

fn ten() -> u32 {
    10
}

/// Where a calendar lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "at")]
pub enum ImportLocation {
    /// A web address that somebody set; it may hold a secret and is shown without it.
    Url(String),
    /// An address or a file that the configuration names, where secrets stay.
    Settings,
    /// Nowhere: it is sent in.
    Pushed,
}

/// What stands in the place of a secret address.
pub(super) const HIDDEN: &str = "<secret>";

impl ImportLocation {
    /// Returns the location as it may be shown: of an address scheme and host.
    #[must_use]
    pub fn shown(&self) -> Self {
        let Self::Url(url) = self else { return self.clone() };
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", ""));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        Self::Url(format!("{scheme}://{host}/{HIDDEN}"))
    }
}

impl ScheduleSpec {
    /// Returns what was asked for without secrets.
    #[must_use]
    pub fn shown(&self) -> Self {
        let mut shown = self.clone();
        for import in &mut shown.imports {
            import.location = import.location.shown();
        }
        shown
    }

    /// Puts addresses that are known back where they are asked for as they are shown.
    pub fn keep_addresses(&mut self, known: &Self) {
        for import in &mut self.imports {
            let same = known.imports.iter().find(|it| it.name == import.name);
            if let Some(same) = same.filter(|it| it.location.shown() == import.location) {
                import.location = same.location.clone();
            }
        }
    }
}

/// What the events of a calendar mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Shifts of a layer.
    #[default]
    Shifts,
    /// Shifts above all layers.
    Overrides,
    /// Days that are holidays.
    Holidays,
    /// Times in which people are away.
    OutOfOffice,
}

/// A schedule with its history of layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Unique in the tenant.
    pub name: ScheduleName,
    /// Whose it is.
    pub team: Option<TeamName>,
    /// What it is for; may be empty.
    pub description: String,
    /// The zone it is shown in.
    pub zone: Zone,
    /// Names of calendars.
    pub holidays: Vec<Arc<str>>,
    /// Who is asked when nobody is on call.
    pub fallback: Fallback,
    /// How many have to be on call at once.
    pub min_coverage: u32,
    /// What is told of handoffs.
    pub notices: Notices,
    /// The layers, in the order of people on call together.
    pub layers: Vec<Layer>,
    /// Calendars elsewhere.
    pub imports: Vec<ImportSpec>,
    /// Where it comes from.
    pub origin: PersonOrigin,
    /// From when on it is known who really was on call.
    pub recorded_since: Timestamp,
}

/// A layer with its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Unique in its schedule.
    pub name: LayerName,
    /// Ascending by the time from which they hold; only ever added to.
    pub versions: Vec<LayerVersion>,
}

/// What a layer says from some instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerVersion {
    /// From when on.
    pub effective_from: Timestamp,
    /// Who made it so.
    pub author: String,
    /// The zone of its clock.
    pub zone: Zone,
    /// What it says; without members when the layer was removed.
    pub spec: LayerSpec,
    /// Which member begins at the first handoff. It differs from what was asked for where a change
    /// keeps the order of turns.
    pub first: u32,
    /// Who was on call how long, for [`Mode::Fair`].
    #[serde(default)]
    pub ledger: Option<Ledger>,
}

impl Schedule {
    /// Returns the layer of that name.
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| &*layer.name == name)
    }

    /// Returns everybody whom the present and coming versions name, in order, each once.
    pub fn members_at(&self, at: Timestamp) -> Vec<Handle> {
        let mut found: Vec<Handle> = Vec::new();
        for version in self.layers.iter().flat_map(|layer| layer.versions_from(at)) {
            for handle in version.spec.members.iter().flat_map(Slot::people) {
                if !found.contains(handle) {
                    found.push(handle.clone());
                }
            }
        }
        found
    }
}

impl Layer {
    /// Returns the version in effect and its place.
    pub fn version_at(&self, at: Timestamp) -> Option<(usize, &LayerVersion)> {
        let later = self.versions.partition_point(|version| version.effective_from <= at);
        let place = later.checked_sub(1)?;
        Some((place, self.versions.get(place)?))
    }

    /// Returns the version in effect and all later ones.
    pub fn versions_from(&self, at: Timestamp) -> &[LayerVersion] {
        let from = self.version_at(at).map_or(0, |(place, _)| place);
        self.versions.get(from..).unwrap_or_default()
    }
}
