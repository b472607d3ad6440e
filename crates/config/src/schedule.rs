//! Who is on call when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tocsin_core::identity::{Handle, Person, Team};
use tocsin_core::oncall::{
    self as model, Cadence, ClockTime, Combine, Fallback, Holiday, HolidayCalendar, HolidayMode,
    LayerSpec, Length, Mode, Notices, OnCallRejection, Rollout, ScheduleSpec, ShiftWindow, Slot,
    Unit, Weekdays,
};

use crate::calendar::CalendarConfig;
use crate::document::Document;
use crate::identity::{HandleText, text_value};
use crate::interval::Zone;
use crate::native::{LocalTime, Rule};
use crate::reader::{Fields, Reader, Value, nearest};
use crate::section::{Out, Shape, Text, section, words};
use crate::yaml::Node;

section! {
    /// Who is on call when: layers of turns, of which the highest wins.
    ScheduleConfig, check = check_schedule => {
        /// The name.
        @Native name: String;
        /// Whose it is.
        @Native team: String;
        /// What it is for.
        @Native description: String;
        /// The zone of its layers; unset means UTC. Handoffs keep the local time.
        @Native time_zone: Option<Zone>;
        /// Names of calendars under `holidays`.
        @Native holidays: Vec<String>;
        /// Who is asked when nobody is on call.
        @Native fallback: Option<FallbackConfig>;
        /// How many have to be on call at once; fewer is a gap.
        @Native min_coverage: u32 = 1;
        /// Whether those whose time begins or ends are told.
        @Native notify_at_handoff: bool = true;
        /// How long before their time begins people are told.
        @Native notify_before: Vec<Duration>;
        /// The layers. People on call together are in this order.
        @Native layers: Vec<LayerConfig>;
        /// Calendars elsewhere that say who is on call, who is away, or which days are holidays.
        @Native imports: Vec<CalendarConfig>;
    }
}

section! {
    /// Who is asked when nobody is on call: one of the two.
    FallbackConfig, check = check_fallback => {
        /// A person.
        @Native person: Option<HandleText>;
        /// Whoever is on call in another schedule.
        @Native schedule: String;
    }
}

section! {
    /// Turns of some people.
    LayerConfig, check = check_layer => {
        /// The name.
        @Native name: String;
        /// The higher one wins; equal ones are on call together.
        @Native rank: u32;
        /// What happens to those of lower rank where this layer has somebody.
        @Native combine: CombineWord;
        /// Its zone; unset means the schedule's.
        @Native time_zone: Option<Zone>;
        /// How it is drawn, as `#4477aa`.
        @Native colour: String;
        /// Who takes turns, in order: a handle, several joined by `+` for people on call
        /// together, or `nobody`.
        @Native members: Vec<MemberText>;
        /// How the next one is found.
        @Native mode: ModeWord;
        /// How long a turn lasts: `12h`, `1d`, `1w`, `1month`; several alternate, as `[5d, 2d]`.
        @Native turn: Vec<LengthText>;
        /// When turns begin by a rule of RFC 5545, with the length of a turn in `turn`.
        @Native recurrence: Option<Rule>;
        /// The local time of the first handoff, `2026-11-02T09:00`.
        @Native start: Option<LocalTime>;
        /// Which member begins, counted from 0.
        @Native first: u32;
        /// How many consecutive members are on call at once.
        @Native per_shift: u32 = 1;
        /// For how many turns in a row a member stays.
        @Native shifts_per_member: u32 = 1;
        /// The times of the week it covers; none means all.
        @Native windows: Vec<WindowConfig>;
        /// What happens on holidays: `ignore`, `off`, or the name of a layer that stands in.
        @Native on_holidays: String = "ignore".to_owned();
        /// When a change of this layer takes effect.
        @Native rollout: RolloutWord;
    }
}

section! {
    /// A time of the week in which a layer is on.
    WindowConfig, check = check_window => {
        /// On which days it begins, as `[mon-fri, sun]`; none means all.
        @Native days: Vec<String>;
        /// When it begins, `09:00`.
        @Native from: Option<ClockText>;
        /// When it ends, up to `24:00`; on the next day unless after the beginning.
        @Native to: Option<ClockText>;
    }
}

section! {
    /// Days that are holidays where a schedule names the calendar.
    HolidayCalendarConfig, check = check_calendar => {
        /// The name.
        @Native name: String;
        /// The days.
        @Native days: Vec<HolidayConfig>;
    }
}

section! {
    /// A holiday.
    HolidayConfig, check = check_holiday => {
        /// The day, `2026-12-25`, or `12-25` for every year.
        @Native date: Option<DayText>;
        /// The last day of several in a row.
        @Native until: Option<DayText>;
        /// What it is called.
        @Native name: String;
    }
}

words! {
    /// What a layer does to those of lower rank.
    CombineWord {
        /// Where it has somebody, everybody below is off.
        Replace = "replace",
        /// Its people are on call beside those below.
        Add = "add",
    }
    default = Replace
}

words! {
    /// How the next one is found.
    ModeWord {
        /// In order, whoever is away.
        Sequential = "sequential",
        /// Whoever had the least time on call so far.
        Fair = "fair",
        /// In order; while somebody is away, the next one stands in.
        SkipUnavailable = "skip_unavailable",
    }
    default = Sequential
}

words! {
    /// When a change takes effect.
    RolloutWord {
        /// At once.
        Immediate = "immediate",
        /// At the next handoff.
        AfterCurrentShift = "after_current_shift",
        /// When the order begins anew.
        AfterFullRotation = "after_full_rotation",
    }
    default = AfterCurrentShift
}

text_value! {
    /// One place in the order of turns.
    MemberText(Slot), "a member", |text| {
        if text == "nobody" {
            return Ok(Slot::Empty);
        }
        let handles = text.split('+').map(|it| Handle::parse(it.trim()));
        let handles: Vec<Handle> = handles.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        Ok(match <[Handle; 1]>::try_from(handles) {
            Ok([only]) => Slot::Person(only),
            Err(several) => Slot::Group(several),
        })
    }
}

text_value! {
    /// How long a turn lasts.
    LengthText(Length), "a length of a turn", |text| {
        let why = "write it as `12h`, `1d`, `2w` or `1month`";
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "h" => Unit::Hours,
            "d" => Unit::Days,
            "w" => Unit::Weeks,
            "month" | "months" => Unit::Months,
            _ => return Err(why.to_owned()),
        };
        Ok(Length { count: count.parse().map_err(|_| why.to_owned())?, unit })
    }
}

text_value! {
    /// A time of day.
    ClockText(ClockTime), "a time of day", |text| {
        ClockTime::parse(text).map_err(|_| "write it as `09:00`, up to `24:00`".to_owned())
    }
}

text_value! {
    /// A day, of one year or of every year.
    DayText(Day), "a day", |text| {
        let why = || "write it as `2026-12-25`, or `12-25` for every year".to_owned();
        if text.len() == 5 {
            // A leap year, so that the 29th of February is one.
            let day = format!("2000-{text}").parse().map_err(|_| why())?;
            return Ok(Day { day, is_yearly: true });
        }
        Ok(Day { day: text.parse().map_err(|_| why())?, is_yearly: false })
    }
}

/// A day, of one year or of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    day: Date,
    is_yearly: bool,
}

impl std::fmt::Display for MemberText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.0.people().iter().map(Handle::as_str).collect();
        f.write_str(if names.is_empty() { "nobody".to_owned() } else { names.join("+") }.as_str())
    }
}

impl std::fmt::Display for LengthText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.0.unit {
            Unit::Hours => "h",
            Unit::Days => "d",
            Unit::Weeks => "w",
            Unit::Months => "month",
        };
        write!(f, "{}{unit}", self.0.count)
    }
}

impl std::fmt::Display for ClockText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for DayText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_yearly {
            return write!(f, "{:02}-{:02}", self.0.day.month(), self.0.day.day());
        }
        self.0.day.fmt(f)
    }
}

fn check_schedule(_: &mut ScheduleConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
}

fn check_fallback(it: &mut FallbackConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if it.person.is_some() != it.schedule.is_empty() {
        reader.error_at(fields, "person", "a fallback is either a `person` or a `schedule`");
    }
}

fn check_layer(it: &mut LayerConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name", "turn", "start"]);
    if it.recurrence.is_some() && it.turn.len() > 1 {
        reader.error_at(fields, "turn", "with `recurrence` a turn has one length");
    }
}

fn check_window(it: &mut WindowConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["from", "to"]);
    if let Err(name) = Weekdays::parse(&it.days) {
        let why = format!("`{name}` is no day of the week: write `mon`, `monday` or `mon-fri`");
        reader.error_at(fields, "days", why);
    }
}

fn check_calendar(_: &mut HolidayCalendarConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
}

fn check_holiday(it: &mut HolidayConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["date"]);
    if let (Some(DayText(from)), Some(DayText(to))) = (&it.date, &it.until) {
        if from.is_yearly != to.is_yearly {
            reader.error_at(fields, "until", "both days name a year, or neither does");
        } else if !from.is_yearly && to.day < from.day {
            reader.error_at(fields, "until", "the last day comes before the first");
        }
    }
}

/// Returns the schedules and holiday calendars of a document; what is named and not there is
/// complained about.
pub(crate) fn compile(
    document: &Document,
    people: &[Person],
    teams: &[Team],
    reader: &mut Reader<'_>,
) -> (Vec<ScheduleSpec>, Vec<HolidayCalendar>) {
    let calendars = calendars(document, reader);
    let names: Vec<&str> = document.schedules.iter().map(|it| it.name.as_str()).collect();
    let handles: Vec<&str> = people.iter().map(|it| it.handle.as_str()).collect();
    let team_names: Vec<&str> = teams.iter().map(|it| &*it.name).collect();
    let mut seen = BTreeSet::new();
    let mut specs = Vec::new();
    for (index, config) in document.schedules.iter().enumerate() {
        let path = format!(".schedules[{index}]");
        let mut missing = |at: String, what: &str, name: &str, known: &[&str]| {
            if !known.contains(&name) {
                let hint = nearest(name, known.iter().copied());
                let span = reader.place(&at);
                reader.error_span(span, format!("no {what} `{name}`{hint}"));
            }
        };
        if !config.team.is_empty() {
            let what = "team of this file is named";
            missing(format!("{path}.team"), what, &config.team, &team_names);
        }
        for (nth, name) in config.holidays.iter().enumerate() {
            let known: Vec<&str> = calendars.iter().map(|it| &*it.name).collect();
            missing(
                format!("{path}.holidays[{nth}]"),
                "calendar of holidays is named",
                name,
                &known,
            );
        }
        let what = "person of this file has the handle";
        if let Some(fallback) = &config.fallback {
            if let Some(HandleText(person)) = &fallback.person {
                missing(format!("{path}.fallback.person"), what, person.as_str(), &handles);
            } else if !fallback.schedule.is_empty() {
                let at = format!("{path}.fallback.schedule");
                missing(at, "schedule of this file is named", &fallback.schedule, &names);
            }
        }
        for (nth, layer) in config.layers.iter().enumerate() {
            for (place, MemberText(slot)) in layer.members.iter().enumerate() {
                for person in slot.people() {
                    let at = format!("{path}.layers[{nth}].members[{place}]");
                    missing(at, what, person.as_str(), &handles);
                }
            }
        }
        for (nth, import) in config.imports.iter().enumerate() {
            for (name, HandleText(person)) in &import.names {
                let at = format!("{path}.imports[{nth}].names.{name}");
                missing(at, what, person.as_str(), &handles);
            }
        }
        if !seen.insert(config.name.as_str()) {
            let span = reader.place(&format!("{path}.name"));
            reader.error_span(span, format!("a second schedule is named `{}`", config.name));
        }
        warn_of_nobody(config, &path, reader);
        // What is missing was complained about when the section was read.
        let Some(spec) = spec(config) else { continue };
        match spec.check() {
            Err(OnCallRejection::Invalid { what }) => {
                let span = reader.place(&path);
                reader.error_span(span, what);
            }
            _ => specs.push(spec),
        }
    }
    check_circles(&specs, document, reader);
    (specs, calendars)
}

fn warn_of_nobody(config: &ScheduleConfig, path: &str, reader: &mut Reader<'_>) {
    let is_empty = |layer: &LayerConfig| layer.members.iter().all(|it| it.0.people().is_empty());
    if config.layers.is_empty() && config.imports.is_empty() {
        let span = reader.place(path);
        reader.warn_span(span, "this schedule has no layers, so nobody is ever on call");
    }
    for (nth, layer) in config.layers.iter().enumerate() {
        if is_empty(layer) {
            let span = reader.place(&format!("{path}.layers[{nth}]"));
            reader.warn_span(span, "this layer has no members, so nobody is ever on call by it");
        }
    }
}

/// Complains about fallbacks that lead back to where they begin.
fn check_circles(specs: &[ScheduleSpec], document: &Document, reader: &mut Reader<'_>) {
    let next = |name: &Arc<str>| {
        let spec = specs.iter().find(|spec| spec.name == *name)?;
        match &spec.fallback {
            Fallback::Schedule(next) => Some(Arc::clone(next)),
            _ => None,
        }
    };
    for spec in specs {
        let mut at = Arc::clone(&spec.name);
        for _ in 0..specs.len() {
            let Some(following) = next(&at) else { break };
            at = following;
            if at == spec.name {
                let index = document.schedules.iter().position(|it| *it.name == *spec.name);
                let path = format!(".schedules[{}].fallback", index.unwrap_or_default());
                let span = reader.place(&path);
                let why = format!("this fallback leads back to schedule `{}`", spec.name);
                reader.error_span(span, why);
                break;
            }
        }
    }
}

fn calendars(document: &Document, reader: &mut Reader<'_>) -> Vec<HolidayCalendar> {
    let mut calendars: Vec<HolidayCalendar> = Vec::new();
    for (index, config) in document.holidays.iter().enumerate() {
        if calendars.iter().any(|other| *other.name == *config.name) {
            let span = reader.place(&format!(".holidays[{index}].name"));
            let why = format!("a second calendar of holidays is named `{}`", config.name);
            reader.error_span(span, why);
        }
        let day = |it: &HolidayConfig| {
            let DayText(from) = it.date.clone()?;
            let to = it.until.as_ref().map_or(from.day, |until| until.0.day);
            let is_yearly = from.is_yearly;
            Some(Holiday { from: from.day, to, is_yearly, name: it.name.clone() })
        };
        let days = config.days.iter().filter_map(day).collect();
        calendars.push(HolidayCalendar { name: Arc::from(config.name.as_str()), days });
    }
    calendars
}

fn spec(config: &ScheduleConfig) -> Option<ScheduleSpec> {
    let fallback = match &config.fallback {
        Some(FallbackConfig { person: Some(HandleText(person)), .. }) => {
            Fallback::Person(person.clone())
        }
        Some(FallbackConfig { schedule, .. }) if !schedule.is_empty() => {
            Fallback::Schedule(Arc::from(schedule.as_str()))
        }
        _ => Fallback::Skip,
    };
    let minutes = |it: &Duration| u32::try_from(it.as_secs() / 60).unwrap_or(u32::MAX);
    Some(ScheduleSpec {
        name: Arc::from(config.name.as_str()),
        team: (!config.team.is_empty()).then(|| Arc::from(config.team.as_str())),
        description: config.description.clone(),
        zone: zone(config.time_zone.as_ref()).unwrap_or_else(model::Zone::utc),
        holidays: config.holidays.iter().map(|name| Arc::from(name.as_str())).collect(),
        fallback,
        min_coverage: config.min_coverage,
        notices: Notices {
            at_handoff: config.notify_at_handoff,
            minutes_before: config.notify_before.iter().map(minutes).collect(),
        },
        layers: config.layers.iter().map(layer).collect::<Option<_>>()?,
        imports: config.imports.iter().map(crate::calendar::spec).collect(),
    })
}

fn zone(zone: Option<&Zone>) -> Option<model::Zone> {
    let zone = Zone::of(Some(zone?));
    model::Zone::named(&tocsin_core::time_interval::time_zone_name(&zone)).ok()
}

fn layer(config: &LayerConfig) -> Option<LayerSpec> {
    let lengths: Vec<Length> = config.turn.iter().map(|it| it.0).collect();
    let cadence = match (&config.recurrence, lengths.as_slice()) {
        (_, []) => return None,
        (Some(rule), [length, ..]) => Cadence::Rule {
            rule: rule.0.clone(),
            length: *length,
            except: Vec::new(),
            also: Vec::new(),
        },
        (None, [only]) => Cadence::Every(*only),
        (None, _) => Cadence::Alternating { lengths },
    };
    let window = |it: &WindowConfig| {
        let (from, to) = (it.from.as_ref()?.0, it.to.as_ref()?.0);
        Some(ShiftWindow { days: Weekdays::parse(&it.days).ok()?, from, to })
    };
    Some(LayerSpec {
        name: Arc::from(config.name.as_str()),
        rank: config.rank,
        combine: match config.combine {
            CombineWord::Replace => Combine::Replace,
            CombineWord::Add => Combine::Add,
        },
        zone: zone(config.time_zone.as_ref()),
        colour: config.colour.clone(),
        members: config.members.iter().map(|it| it.0.clone()).collect(),
        mode: match config.mode {
            ModeWord::Sequential => Mode::Sequential,
            ModeWord::Fair => Mode::Fair,
            ModeWord::SkipUnavailable => Mode::SkipUnavailable,
        },
        cadence,
        handoff: config.start?.0,
        first: config.first,
        per_shift: config.per_shift,
        shifts_per_member: config.shifts_per_member,
        windows: config.windows.iter().filter_map(window).collect(),
        holiday_mode: match config.on_holidays.as_str() {
            "ignore" => HolidayMode::Ignore,
            "off" => HolidayMode::Off,
            layer => HolidayMode::MembersOf(Arc::from(layer)),
        },
        rollout: match config.rollout {
            RolloutWord::Immediate => Rollout::Immediate,
            RolloutWord::AfterCurrentShift => Rollout::AfterCurrentShift,
            RolloutWord::AfterFullRotation => Rollout::AfterFullRotation,
        },
    })
}
