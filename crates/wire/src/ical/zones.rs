//! Which zone a `TZID` means: by its IANA name, by what Windows calls it, or by the rules that the
//! calendar brings along.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tocsin_core::oncall::Zone;

use super::line::Line;
use super::time::Written;
use super::windows_zones;

/// The most zones that a calendar may describe; further ones are passed over.
const MAX_ZONES: usize = 200;
/// The most changes of offset that are kept of one zone.
const MAX_OBSERVANCES: usize = 1_000;
/// The most parts of a name that are tried for a zone at its end.
const MAX_NAME_PARTS: usize = 8;

/// One `STANDARD` or `DAYLIGHT` of a zone.
#[derive(Clone, Debug, Default)]
struct Observance {
    is_daylight: bool,
    /// When it began first, by the clock before.
    starts: Option<DateTime>,
    offset_to: Option<i32>,
    rule: Option<String>,
}

/// A zone as a calendar describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    location: Option<String>,
    observances: Vec<Observance>,
}

impl Described {
    /// Begins with the next change of offset.
    pub(super) fn begin(&mut self, is_daylight: bool) {
        if self.observances.len() < MAX_OBSERVANCES {
            self.observances.push(Observance { is_daylight, ..Observance::default() });
        }
    }

    /// Takes up a property of the zone itself.
    pub(super) fn say(&mut self, line: &Line) {
        if line.name == "X-LIC-LOCATION" {
            self.location = Some(line.value.clone());
        }
    }

    /// Takes up a property of the present change of offset.
    pub(super) fn observe(&mut self, line: &Line) {
        let Some(observance) = self.observances.last_mut() else { return };
        match line.name.as_str() {
            "DTSTART" => {
                observance.starts = match Written::parse(&line.value) {
                    Some(Written::Local(local) | Written::Utc(local)) => Some(local),
                    Some(Written::Day(day)) => Some(day.at(0, 0, 0, 0)),
                    None => None,
                };
            }
            "TZOFFSETTO" => observance.offset_to = offset(&line.value),
            "RRULE" => observance.rule = Some(line.value.to_ascii_uppercase()),
            _ => {}
        }
    }

    /// Returns the rules that hold from `at` on; those that held before are not looked at.
    fn rules(&self, at: Timestamp) -> Option<TimeZone> {
        let lasting = |is_daylight: bool| {
            let mut found: Vec<&Observance> = self
                .observances
                .iter()
                .filter(|it| it.is_daylight == is_daylight && it.lasts_beyond(at))
                .collect();
            found.sort_by_key(|it| it.starts);
            found.pop()
        };
        if let (Some(standard), Some(daylight)) = (lasting(false), lasting(true)) {
            return posix(standard, daylight);
        }
        let begun = |it: &&Observance| {
            let starts = it.starts.and_then(|local| TimeZone::UTC.to_timestamp(local).ok());
            starts.is_none_or(|starts| starts <= at)
        };
        let last = self.observances.iter().filter(begun).max_by_key(|it| it.starts);
        let offset = last.or_else(|| self.observances.first())?.offset_to?;
        Some(jiff::tz::Offset::from_seconds(offset).ok()?.to_time_zone())
    }
}

impl Observance {
    /// Returns whether it comes back every year, at `at` still.
    fn lasts_beyond(&self, at: Timestamp) -> bool {
        let Some(rule) = &self.rule else { return false };
        let until = rule.split(';').find_map(|part| part.strip_prefix("UNTIL="));
        match until.map(Written::parse) {
            None => true,
            Some(Some(Written::Utc(local) | Written::Local(local))) => {
                TimeZone::UTC.to_timestamp(local).is_ok_and(|until| until > at)
            }
            Some(_) => false,
        }
    }

    /// Returns the rule as POSIX writes it: `M3.5.0/02:00`.
    fn posix(&self) -> Option<String> {
        let rule = self.rule.as_deref()?;
        let part = |name: &str| {
            let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
            parts.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let is_yearly =
            part("FREQ") == Some("YEARLY") && part("INTERVAL").is_none_or(|it| it == "1");
        let month: u8 = part("BYMONTH")?.parse().ok().filter(|month| (1..=12).contains(month))?;
        let by_day = part("BYDAY")?;
        let (nth, day) = by_day.split_at_checked(by_day.len().checked_sub(2)?)?;
        let days = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
        let day = days.iter().position(|known| *known == day)?;
        let week = match (nth, part("BYMONTHDAY")) {
            ("-1", None) => 5,
            (nth, None) => nth.parse::<u8>().ok().filter(|nth| (1..=4).contains(nth))?,
            // `BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14` is the second Sunday.
            ("", Some(list)) => {
                let first: u8 = list.split(',').filter_map(|it| it.parse().ok()).min()?;
                let is_week = list.split(',').count() == 7 && first % 7 == 1 && first <= 22;
                is_week.then_some(first / 7 + 1)?
            }
            _ => return None,
        };
        let time = self.starts?.time();
        let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        is_yearly.then(|| format!("M{month}.{week}.{day}/{clock}"))
    }
}

fn posix(standard: &Observance, daylight: &Observance) -> Option<TimeZone> {
    // POSIX counts offsets westwards.
    let shown = |offset: i32| {
        let sign = if offset > 0 { "-" } else { "" };
        let seconds = offset.unsigned_abs();
        format!("{sign}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    };
    let text = format!(
        "<STD>{}<DST>{},{},{}",
        shown(standard.offset_to?),
        shown(daylight.offset_to?),
        daylight.posix()?,
        standard.posix()?,
    );
    TimeZone::posix(&text).ok()
}

/// Reads `+0100`, `-023000` and the like, in seconds.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let number = |from: usize| -> Option<i32> {
        let part = digits.get(from..from + 2)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let seconds = if digits.len() >= 6 { number(4)? } else { 0 };
    (digits.len() >= 4).then_some(sign * (number(0)? * 3_600 + number(2)? * 60 + seconds))
}

/// The zones of one calendar.
#[derive(Debug)]
pub(super) struct Zones {
    /// Of what names none.
    own: TimeZone,
    /// From when on rules matter.
    from: Timestamp,
    described: BTreeMap<String, Described>,
    found: BTreeMap<String, Option<TimeZone>>,
}

impl Zones {
    pub(super) fn new(own: &Zone, from: Timestamp) -> Self {
        let (described, found) = (BTreeMap::new(), BTreeMap::new());
        Self { own: own.rules().clone(), from, described, found }
    }

    /// Returns the zone of what names none.
    pub(super) fn own(&self) -> &TimeZone {
        &self.own
    }

    /// Takes up a zone that the calendar describes.
    pub(super) fn describe(&mut self, id: &str, described: Described) {
        if self.described.len() < MAX_ZONES {
            self.described.insert(id.trim().to_owned(), described);
        }
    }

    /// Returns the zone that a `TZID` means; the error says that it is the first time that nobody
    /// knows.
    pub(super) fn find(&mut self, id: &str) -> Result<TimeZone, bool> {
        let id = id.trim();
        if let Some(known) = self.found.get(id) {
            return known.clone().ok_or(false);
        }
        let found = by_name(id).or_else(|| {
            let described = self.described.get(id)?;
            let location = described.location.as_deref();
            location.and_then(by_name).or_else(|| described.rules(self.from))
        });
        if self.found.len() < MAX_ZONES {
            self.found.insert(id.to_owned(), found.clone());
        }
        found.ok_or(true)
    }
}

/// Finds a zone by its IANA name, also behind what some programs put before it, or by what Windows
/// calls it.
fn by_name(id: &str) -> Option<TimeZone> {
    let id = id.trim_matches(|c: char| c == '"' || c == '/' || c.is_whitespace());
    let named = |name: &str| {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let zone = starts_well.then(|| Zone::named(name).ok())?;
        zone.map(|zone| zone.rules().clone())
    };
    if let Some(windows) = windows_zones::iana_name(id) {
        return named(windows);
    }
    let ends = id.match_indices('/').map(|(at, _)| at + 1).take(MAX_NAME_PARTS);
    // The longest first: `Argentina/Buenos_Aires` must not become another one.
    std::iter::once(0).chain(ends).find_map(|at| named(id.get(at..)?))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn described(text: &str) -> Described {
        let mut described = Described::default();
        for line in text.lines().filter_map(|text| Line::parse(1, text.trim(), false)) {
            match (line.name.as_str(), line.value.as_str()) {
                ("BEGIN", kind) => described.begin(kind == "DAYLIGHT"),
                ("X-LIC-LOCATION", _) => described.say(&line),
                _ => described.observe(&line),
            }
        }
        described
    }

    fn offsets(zone: &TimeZone) -> Vec<i32> {
        let at = |month| {
            let local = date(2027, month, 1).at(12, 0, 0, 0);
            zone.to_offset(TimeZone::UTC.to_timestamp(local).unwrap()).seconds() / 60
        };
        vec![at(1), at(7)]
    }

    fn zones() -> Zones {
        Zones::new(&Zone::named("Asia/Tokyo").unwrap(), "2026-11-28T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn names_are_those_of_iana_windows_and_what_stands_before_them() {
        for id in [
            "Europe/Berlin",
            "europe/berlin",
            "W. Europe Standard Time",
            "\"Europe/Berlin\"",
            "/mozilla.org/20070129_1/Europe/Berlin",
            "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
        ] {
            let zone = zones().find(id).unwrap_or_else(|_| panic!("{id}"));
            assert_eq!(zone.iana_name(), Some("Europe/Berlin"), "{id}");
        }
        let mut zones = zones();
        assert!(zones.find("Customized Time Zone").is_err_and(|is_new| is_new));
        assert!(zones.find("Customized Time Zone").is_err_and(|is_new| !is_new), "told once");
        assert!(zones.find("+05:00").is_err(), "an offset is no name");
    }

    #[test]
    fn rules_that_the_calendar_brings_along_hold() {
        let outlook = described(
            "BEGIN:STANDARD
             DTSTART:16010101T030000
             TZOFFSETFROM:+0200
             TZOFFSETTO:+0100
             RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
             BEGIN:DAYLIGHT
             DTSTART:16010101T020000
             TZOFFSETFROM:+0100
             TZOFFSETTO:+0200
             RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
        );
        let mut zones = zones();
        zones.describe("Customized Time Zone", outlook);
        let zone = zones.find("Customized Time Zone").unwrap();
        assert_eq!(offsets(&zone), [60, 120]);
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |zone: &TimeZone, local: DateTime| super::super::time::instant(zone, local);
        for day in [date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)] {
            for hour in 0..6 {
                let local = day.at(hour, 30, 0, 0);
                assert_eq!(at(&zone, local), at(&berlin, local), "{local}");
            }
        }
    }

    #[test]
    fn a_zone_without_summer_time_is_an_offset_and_an_old_rule_is_over() {
        let mut zones = zones();
        zones.describe(
            "India",
            described("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0530"),
        );
        assert_eq!(offsets(&zones.find("India").unwrap()), [330, 330]);
        let over = described(
            "BEGIN:DAYLIGHT
             DTSTART:20070401T030000
             TZOFFSETTO:-0400
             RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20100401T000000Z
             BEGIN:STANDARD
             DTSTART:20101031T020000
             TZOFFSETTO:-0500",
        );
        zones.describe("Over", over);
        assert_eq!(offsets(&zones.find("Over").unwrap()), [-300, -300]);
        zones.describe("Placed", described("X-LIC-LOCATION:America/Chicago"));
        assert_eq!(offsets(&zones.find("Placed").unwrap()), [-360, -300]);
        zones.describe("Nothing", described("BEGIN:STANDARD\nDTSTART:19700101T000000"));
        assert!(zones.find("Nothing").is_err());
    }

    #[test]
    fn a_rule_may_name_the_days_of_its_week() {
        let us = described(
            "BEGIN:DAYLIGHT
             DTSTART:20070311T020000
             TZOFFSETTO:-0500
             RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14
             BEGIN:STANDARD
             DTSTART:20071104T020000
             TZOFFSETTO:-0600
             RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        );
        let mut zones = zones();
        zones.describe("US", us);
        let (zone, chicago) =
            (zones.find("US").unwrap(), TimeZone::get("America/Chicago").unwrap());
        for day in 1..=30 {
            for month in [3, 11] {
                let local = date(2027, month, day).at(12, 0, 0, 0);
                let at = TimeZone::UTC.to_timestamp(local).unwrap();
                assert_eq!(zone.to_offset(at), chicago.to_offset(at), "{local}");
            }
        }
    }

    #[test]
    fn offsets_are_read_and_nothing_else() {
        assert_eq!(offset("+0100"), Some(3_600));
        assert_eq!(offset("-023015"), Some(-9_015));
        assert_eq!(offset("+05:30"), Some(19_800));
        for text in ["", "0100", "+01", "+ab00", "+1"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }
}
