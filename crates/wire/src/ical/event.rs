//! One `VEVENT`: what matters of it for who is on call, and what is wrong with it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::oncall::ImportKind;

use super::line::Line;
use super::time::{Length, Moment, Written};
use super::trouble::{Trouble, quoted};
use super::zones::Zones;

/// The most dates that an event adds or leaves out.
const MAX_DATES: usize = 5_000;
/// What stands before an address.
const MAILTO: &str = "mailto:";
/// The most rules of an event.
const MAX_RULES: usize = 10;
/// The most people invited to an event; rooms do not count.
const MAX_ATTENDEES: usize = 100;
/// The most characters of a title that are kept.
const MAX_TEXT_CHARS: usize = 500;
/// The most characters of an address that are kept.
const MAX_ADDRESS_CHARS: usize = 320;
/// The most characters of an identity.
const MAX_UID_CHARS: usize = 500;

/// An event as it was understood.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Its identity; empty for none.
    pub(super) uid: String,
    /// The higher one of the same identity is the later one.
    pub(super) sequence: i64,
    pub(super) start: Moment,
    pub(super) length: Length,
    /// With the lines they stand on.
    pub(super) rules: Vec<(usize, String)>,
    pub(super) except_rules: Vec<(usize, String)>,
    /// Beside those of the rules; some have a length of their own.
    pub(super) also: Vec<(Moment, Option<Length>)>,
    pub(super) except: Vec<Moment>,
    /// Which repetition of the event of the same identity this one replaces.
    pub(super) replaces: Option<Moment>,
    /// Whether all later ones, too.
    pub(super) replaces_later: bool,
    pub(super) is_cancelled: bool,
    pub(super) text: String,
    pub(super) level: u8,
    pub(super) attendees: Vec<String>,
    pub(super) organizer: Option<String>,
}

/// The properties of an event that matter, as they stand in the calendar.
#[derive(Debug, Default)]
pub(super) struct Draft {
    line: usize,
    lines: Vec<Line>,
}

/// Properties that there is one of.
const SINGLE: [&str; 11] = [
    "DTSTART",
    "DTEND",
    "DURATION",
    "RECURRENCE-ID",
    "UID",
    "SEQUENCE",
    "STATUS",
    "TRANSP",
    "SUMMARY",
    "ORGANIZER",
    "X-MICROSOFT-CDO-ALLDAYEVENT",
];
/// Properties that there may be several of.
const SEVERAL: [&str; 5] = ["RRULE", "EXRULE", "RDATE", "EXDATE", "ATTENDEE"];
/// The most properties of an event that are kept.
const MAX_PROPERTIES: usize = 2_000;

impl Draft {
    pub(super) fn new(line: usize) -> Self {
        Self { line, lines: Vec::new() }
    }

    /// Keeps a property if it matters.
    pub(super) fn say(&mut self, line: Line, trouble: &mut Trouble) {
        let is_single = SINGLE.contains(&line.name.as_str());
        if !is_single && !SEVERAL.contains(&line.name.as_str()) {
            return;
        }
        if line.is_cut {
            trouble.at(line.number, format!("{} is too long; its end is left out", line.name));
        }
        if is_single && self.find(&line.name).is_some() {
            trouble.at(line.number, format!("a second {} of an event is passed over", line.name));
        } else if self.lines.len() < MAX_PROPERTIES {
            self.lines.push(line);
        } else {
            trouble.at(line.number, "this event says too much; the rest is left out");
        }
    }

    fn find(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.find(name).is_some_and(|line| line.value.trim().eq_ignore_ascii_case(value))
    }

    /// Returns the event; `None` when it cannot be used, which is noted, or does not concern us.
    pub(super) fn read(
        self,
        kind: ImportKind,
        zones: &mut Zones,
        trouble: &mut Trouble,
    ) -> Option<Event> {
        let title = self.find("SUMMARY").map_or_else(String::new, Line::text);
        let named = quoted(if title.is_empty() { "without a title" } else { &title });
        let is_cancelled = self.is("STATUS", "CANCELLED");
        let Some(line) = self.find("DTSTART") else {
            // One that is cancelled may leave it out.
            if !is_cancelled || self.find("RECURRENCE-ID").is_none() {
                trouble.at(self.line, format!("event {named} does not say when it begins"));
                return None;
            }
            return self.cancelled(zones, trouble);
        };
        let start = moment(line, &line.value, zones, trouble)?;
        let length = self.length(&start, &named, zones, trouble)?;
        // A day is marked as free by many programs unless somebody thinks of it, so only times
        // that are marked so leave somebody at work.
        let is_free = self.is("TRANSP", "TRANSPARENT") && !start.is_day;
        if is_free && kind == ImportKind::OutOfOffice {
            return None;
        }
        let rules = |name, trouble: &mut Trouble| {
            let found: Vec<(usize, String)> =
                self.all(name).map(|line| (line.number, line.value.trim().to_owned())).collect();
            if found.len() > MAX_RULES {
                trouble.at(self.line, format!("event {named} has too many rules"));
            }
            found.into_iter().take(MAX_RULES).collect::<Vec<_>>()
        };
        let (rules, except_rules) = (rules("RRULE", trouble), rules("EXRULE", trouble));
        let also = self.also(&start, zones, trouble);
        let except = self.except(zones, trouble);
        let replaces = self.find("RECURRENCE-ID");
        let replaces_later = replaces
            .and_then(|line| line.parameter("RANGE"))
            .is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
        let replaces = match replaces {
            Some(line) => Some(moment(line, &line.value, zones, trouble)?),
            None => None,
        };
        let (level, text) = level_of(&title);
        Some(Event {
            uid: self.uid(),
            sequence: self.sequence(),
            start,
            length,
            rules,
            except_rules,
            also,
            except,
            replaces,
            replaces_later,
            is_cancelled,
            text: text.chars().take(MAX_TEXT_CHARS).collect(),
            level,
            attendees: self.attendees(),
            organizer: self.find("ORGANIZER").map(address).filter(|it| !it.is_empty()),
        })
    }

    /// Returns a repetition that does not take place.
    fn cancelled(&self, zones: &mut Zones, trouble: &mut Trouble) -> Option<Event> {
        let line = self.find("RECURRENCE-ID")?;
        let start = moment(line, &line.value, zones, trouble)?;
        Some(Event {
            uid: self.uid(),
            sequence: self.sequence(),
            replaces: Some(start.clone()),
            start,
            length: Length::Wall(SignedDuration::ZERO),
            rules: Vec::new(),
            except_rules: Vec::new(),
            also: Vec::new(),
            except: Vec::new(),
            replaces_later: false,
            is_cancelled: true,
            text: String::new(),
            level: 0,
            attendees: Vec::new(),
            organizer: None,
        })
    }

    fn uid(&self) -> String {
        let uid = self.find("UID").map_or("", |line| line.value.trim());
        uid.chars().take(MAX_UID_CHARS).collect()
    }

    fn sequence(&self) -> i64 {
        self.find("SEQUENCE").and_then(|line| line.value.trim().parse().ok()).unwrap_or(0)
    }

    fn length(
        &self,
        start: &Moment,
        named: &str,
        zones: &mut Zones,
        trouble: &mut Trouble,
    ) -> Option<Length> {
        let mut wrong = |line: &Line, what: &str| {
            trouble.at(line.number, format!("event {named} {what}"));
            None
        };
        if let Some(line) = self.find("DTEND") {
            let end = moment(line, &line.value, zones, trouble)?;
            return match length_between(start, &end) {
                Some(length) => Some(length),
                None if start.is_day && end.local == start.local => Some(one_day()),
                None => {
                    trouble.at(line.number, format!("event {named} ends before it begins"));
                    None
                }
            };
        }
        if let Some(line) = self.find("DURATION") {
            return match Length::parse(&line.value) {
                Some(length) if length.is_positive() => Some(length),
                Some(_) => wrong(line, "has no length"),
                None => wrong(line, "has a length that cannot be read"),
            };
        }
        if start.is_day {
            return Some(one_day());
        }
        trouble.at(self.line, format!("event {named} has no length"));
        None
    }

    fn also(
        &self,
        start: &Moment,
        zones: &mut Zones,
        trouble: &mut Trouble,
    ) -> Vec<(Moment, Option<Length>)> {
        let mut also = Vec::new();
        for (line, value) in self.values("RDATE", trouble) {
            let Some((from, to)) = value.split_once('/') else {
                also.extend(moment(line, value, zones, trouble).map(|at| (at, None)));
                continue;
            };
            let Some(from) = moment(line, from, zones, trouble) else { continue };
            let length = match Length::parse(to) {
                Some(length) => Some(length).filter(|length| length.is_positive()),
                None => moment(line, to, zones, trouble).and_then(|to| length_between(&from, &to)),
            };
            match length {
                Some(length) => also.push((from, Some(length))),
                None => trouble.at(line.number, format!("{} is no time", quoted(value))),
            }
        }
        also.retain(|(at, _)| at.is_day == start.is_day);
        also
    }

    fn except(&self, zones: &mut Zones, trouble: &mut Trouble) -> Vec<Moment> {
        let values = self.values("EXDATE", trouble);
        values.into_iter().filter_map(|(line, it)| moment(line, it, zones, trouble)).collect()
    }

    fn values<'a>(&'a self, name: &'static str, trouble: &mut Trouble) -> Vec<(&'a Line, &'a str)> {
        let values =
            self.all(name).flat_map(|line| line.value.split(',').map(move |it| (line, it)));
        let mut values: Vec<_> = values.filter(|(_, it)| !it.trim().is_empty()).collect();
        if values.len() > MAX_DATES {
            trouble.at(self.line, format!("more than {MAX_DATES} dates; the rest is left out"));
            values.truncate(MAX_DATES);
        }
        values
    }

    /// Returns the people invited who did not decline.
    fn attendees(&self) -> Vec<String> {
        let is = |line: &Line, name: &str, values: &[&str]| {
            let value = line.parameter(name).unwrap_or_default();
            values.iter().any(|known| known.eq_ignore_ascii_case(value))
        };
        let people = self.all("ATTENDEE").filter(|line| {
            !is(line, "PARTSTAT", &["DECLINED", "DELEGATED"])
                && !is(line, "CUTYPE", &["ROOM", "RESOURCE"])
                && !is(line, "ROLE", &["NON-PARTICIPANT"])
        });
        let addresses = people.map(address).filter(|it| !it.is_empty());
        addresses.take(MAX_ATTENDEES).collect()
    }
}

impl Length {
    fn is_positive(self) -> bool {
        let Self::Days(days, rest) = self else { return true };
        days > 0 || days == 0 && rest.is_positive()
    }
}

fn one_day() -> Length {
    Length::Days(1, SignedDuration::ZERO)
}

/// Returns how long something lasts; `None` when it ends before it begins, or as it does.
fn length_between(start: &Moment, end: &Moment) -> Option<Length> {
    let is_same_clock = start.is_day == end.is_day && start.zone == end.zone;
    if is_same_clock && end.local > start.local {
        return Some(Length::Wall(end.local.duration_since(start.local)));
    }
    let elapsed = end.instant()?.duration_since(start.instant()?);
    elapsed.is_positive().then_some(Length::Days(0, elapsed))
}

/// Reads a date or a time in its zone; that it cannot be read is noted.
fn moment(line: &Line, value: &str, zones: &mut Zones, trouble: &mut Trouble) -> Option<Moment> {
    let Some(written) = Written::parse(value) else {
        trouble.at(line.number, format!("{} is no date or time", quoted(value)));
        return None;
    };
    let moment = match written {
        Written::Day(day) => {
            Moment { local: day.at(0, 0, 0, 0), zone: zones.own().clone(), is_day: true }
        }
        Written::Utc(local) => Moment { local, zone: TimeZone::UTC, is_day: false },
        Written::Local(local) => {
            let zone = match line.parameter("TZID").map(|id| (id, zones.find(id))) {
                None => zones.own().clone(),
                Some((_, Ok(zone))) => zone,
                Some((id, Err(is_new))) => {
                    if is_new {
                        let id = quoted(id);
                        trouble.at(
                            line.number,
                            format!("nobody knows the time zone {id}; the schedule's is taken"),
                        );
                    }
                    zones.own().clone()
                }
            };
            Moment { local, zone, is_day: false }
        }
    };
    if moment.instant().is_none() {
        trouble.at(line.number, format!("{} is out of reach", quoted(value)));
        return None;
    }
    Some(moment)
}

/// Returns who is meant by an attendee or an organizer: the address, or else the name.
fn address(line: &Line) -> String {
    let value = line.value.trim();
    // A name with a colon in it should be quoted; where it is not, the address is what comes last.
    let scheme = value.to_ascii_lowercase().rfind(MAILTO);
    let address = value.get(scheme.map_or(0, |at| at + MAILTO.len())..).unwrap_or_default();
    let by_parameter = line.parameter("EMAIL").filter(|email| email.contains('@'));
    let found = match (by_parameter, address.contains('@')) {
        (Some(email), _) => email,
        (None, true) => address,
        (None, false) => line.parameter("CN").unwrap_or(address),
    };
    found.trim().chars().take(MAX_ADDRESS_CHARS).collect()
}

/// Takes a level such as `[L1]` off the beginning of a title.
fn level_of(title: &str) -> (u8, &str) {
    let title = title.trim();
    let parsed = title.strip_prefix('[').and_then(|rest| {
        let (level, rest) = rest.split_once(']')?;
        let level = level.trim().strip_prefix(['L', 'l'])?;
        Some((level.parse::<u8>().ok().filter(|level| *level <= 9)?, rest.trim()))
    });
    parsed.unwrap_or((0, title))
}

/// Returns whether two moments mean the same repetition: the same instant, or the day of it where
/// one of them only names a day.
pub(super) fn is_same_repetition(named: &Moment, local: DateTime, instant: Timestamp) -> bool {
    if named.is_day {
        return named.local.date() == local.date();
    }
    named.instant() == Some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_stands_before_the_title() {
        assert_eq!(level_of("[L1] ada"), (1, "ada"));
        assert_eq!(level_of(" [l9]ada "), (9, "ada"));
        for title in ["[L10] ada", "[X1] ada", "[L] ada", "ada [L1]", "[L1"] {
            assert_eq!(level_of(title), (0, title));
        }
    }

    #[test]
    fn an_address_comes_before_a_name() {
        let of = |text: &str| address(&Line::parse(1, text, false).unwrap());
        assert_eq!(of("ATTENDEE;CN=Ada:mailto:ada@x.org"), "ada@x.org");
        assert_eq!(of("ATTENDEE;CN=Ada:MAILTO:ada@x.org"), "ada@x.org");
        assert_eq!(of("ATTENDEE;CN=Ada:invalid:nomail"), "Ada");
        assert_eq!(of("ATTENDEE;EMAIL=ada@x.org:urn:uuid:1"), "ada@x.org");
        assert_eq!(of("ATTENDEE:ada"), "ada");
    }
}
