//! Calendars that say who is on call: what Google, Outlook, PagerDuty and others export.
//!
//! The good part of a calendar is kept and the rest is named with its line. Times mean what
//! calendar programs show; a time without a zone, and a day, are by the schedule's clock.
//!
//! Source: RFC 5545.

mod event;
mod expand;
mod line;
mod time;
mod trouble;
mod windows_zones;
mod zones;

use jiff::Timestamp;
use tocsin_core::oncall::{IMPORTED_AHEAD, IMPORTED_BACK, ImportKind, ImportedEvent, Zone};

use self::event::{Draft, Event};
use self::expand::Expansion;
use self::line::{Line, Unfold, Unfolded};
use self::trouble::{Trouble, quoted};
use self::zones::{Described, Zones};

/// The most bytes of a calendar; a longer one is not read at all.
pub const MAX_CALENDAR_BYTES: usize = 8 * 1024 * 1024;

/// The most events of a calendar, a repeated one counted once; further ones are left out.
pub const MAX_EVENTS: usize = 20_000;

/// How deep components may stand within each other; what lies deeper is passed over.
const MAX_DEPTH: usize = 16;

/// What to read a calendar for.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The clock of what names none.
    pub zone: Zone,
    /// What its events mean.
    pub kind: ImportKind,
    /// Events that end before are left out.
    pub from: Timestamp,
    /// Events that begin from then on are.
    pub to: Timestamp,
}

impl Reading {
    /// Reads as much as schedules show.
    pub fn at(now: Timestamp, zone: Zone, kind: ImportKind) -> Self {
        Self {
            zone,
            kind,
            from: now.checked_sub(IMPORTED_BACK).unwrap_or(Timestamp::MIN),
            to: now.checked_add(IMPORTED_AHEAD).unwrap_or(Timestamp::MAX),
        }
    }
}

/// What a calendar says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Every repetition of every event, ascending.
    pub events: Vec<ImportedEvent>,
    /// What could not be understood, one sentence each.
    pub trouble: Vec<String>,
}

/// Why nothing of a calendar is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACalendar {
    /// It is too long.
    #[error("the calendar is longer than {MAX_CALENDAR_BYTES} bytes")]
    TooLong,
    /// It is something else.
    #[error("this is no calendar: it begins with {begins}")]
    SomethingElse {
        /// Its beginning, quoted.
        begins: String,
    },
    /// It is a web page, such as one that asks to sign in.
    #[error(
        "this is a web page and no calendar; the address has to be the secret or public one that \
         ends in .ics"
    )]
    WebPage,
    /// There is nothing.
    #[error("there is nothing in it")]
    Empty,
    /// Its end is missing, so it is not known what else it says.
    #[error("its end is missing; it breaks off in line {line}")]
    BreaksOff {
        /// The last line.
        line: usize,
    },
}

/// Reads a calendar.
///
/// # Errors
/// [`NotACalendar`] when nothing of it can be used. An event that cannot be understood is no such
/// thing: it is named, and the others are kept.
pub fn read(body: &[u8], reading: &Reading) -> Result<Calendar, NotACalendar> {
    if body.len() > MAX_CALENDAR_BYTES {
        return Err(NotACalendar::TooLong);
    }
    let mut trouble = Trouble::default();
    let mut reader = Reader::new(&mut trouble);
    let mut last = 0;
    for line in Unfold::new(body) {
        last = line.number;
        reader.take(&line)?;
    }
    if !reader.open.is_empty() {
        return Err(NotACalendar::BreaksOff { line: last });
    }
    if !reader.has_begun {
        return Err(NotACalendar::Empty);
    }
    let Reader { drafts, described, .. } = reader;
    let mut zones = Zones::new(&reading.zone, reading.from);
    for (id, zone) in described {
        zones.describe(&id, zone);
    }
    let mut events: Vec<Event> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        events.extend(draft.read(reading.kind, &mut zones, &mut trouble));
    }
    let events = Expansion::new(reading.from, reading.to, &mut trouble).of_all(events);
    Ok(Calendar { events, trouble: trouble.into_sentences() })
}

/// Sorts lines into events and zones.
struct Reader<'t> {
    trouble: &'t mut Trouble,
    /// The names of the components that are open, the outermost first.
    open: Vec<String>,
    /// How many are open beyond those.
    deeper: usize,
    has_begun: bool,
    drafts: Vec<Draft>,
    described: Vec<(String, Described)>,
    zone: Option<(Option<String>, Described)>,
    events: usize,
}

impl<'t> Reader<'t> {
    fn new(trouble: &'t mut Trouble) -> Self {
        Self {
            trouble,
            open: Vec::new(),
            deeper: 0,
            has_begun: false,
            drafts: Vec::new(),
            described: Vec::new(),
            zone: None,
            events: 0,
        }
    }

    fn take(&mut self, unfolded: &Unfolded) -> Result<(), NotACalendar> {
        let Unfolded { number, text, is_cut } = unfolded;
        if text.trim().is_empty() {
            return Ok(());
        }
        let line = Line::parse(*number, text, *is_cut);
        if self.open.is_empty() {
            let begins = line.as_ref().is_some_and(|line| {
                line.name == "BEGIN" && line.value.trim().eq_ignore_ascii_case("VCALENDAR")
            });
            if begins {
                self.has_begun = true;
                self.open.push("VCALENDAR".to_owned());
                return Ok(());
            }
            if self.has_begun {
                self.trouble.at(*number, "what follows the calendar is passed over");
                return Ok(());
            }
            return Err(something_else(text));
        }
        let Some(line) = line else {
            self.trouble.at(*number, format!("{} is no line of a calendar", quoted(text)));
            return Ok(());
        };
        match line.name.as_str() {
            "BEGIN" => self.begin(&line),
            "END" => self.end(&line),
            _ => self.property(line),
        }
        Ok(())
    }

    fn begin(&mut self, line: &Line) {
        if self.open.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        let name = line.value.trim().to_ascii_uppercase();
        if name == "VEVENT" && self.open.get(1).is_some_and(|open| open == "VEVENT") {
            self.trouble.at(line.number, "the event before does not end");
            self.open.truncate(1);
        }
        match (self.open.len(), name.as_str()) {
            (1, "VEVENT") => {
                self.events += 1;
                if self.events <= MAX_EVENTS {
                    self.drafts.push(Draft::new(line.number));
                } else if self.events == MAX_EVENTS + 1 {
                    let what = format!("more than {MAX_EVENTS} events; the rest is left out");
                    self.trouble.at(line.number, what);
                }
            }
            (1, "VTIMEZONE") => self.zone = Some((None, Described::default())),
            (2, "STANDARD" | "DAYLIGHT") => {
                if let Some((_, zone)) = &mut self.zone {
                    zone.begin(name == "DAYLIGHT");
                }
            }
            _ => {}
        }
        self.open.push(name);
    }

    fn end(&mut self, line: &Line) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let name = line.value.trim().to_ascii_uppercase();
        let Some(place) = self.open.iter().rposition(|open| *open == name) else {
            self.trouble.at(line.number, format!("{} ends and did not begin", quoted(&name)));
            return;
        };
        if place + 1 < self.open.len() {
            self.trouble.at(line.number, format!("{} ends within another part", quoted(&name)));
        }
        self.open.truncate(place);
        if place <= 1
            && let Some((Some(id), zone)) = self.zone.take()
        {
            self.described.push((id, zone));
        }
    }

    fn property(&mut self, line: Line) {
        let parts: Vec<&str> = self.open.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [_, "VEVENT"] if self.events <= MAX_EVENTS => {
                if let Some(draft) = self.drafts.last_mut() {
                    draft.say(line, self.trouble);
                }
            }
            [_, "VTIMEZONE"] => {
                if let Some((id, zone)) = &mut self.zone {
                    if line.name == "TZID" {
                        *id = Some(line.value);
                    } else {
                        zone.say(&line);
                    }
                }
            }
            [_, "VTIMEZONE", "STANDARD" | "DAYLIGHT"] => {
                if let Some((_, zone)) = &mut self.zone {
                    zone.observe(&line);
                }
            }
            _ => {}
        }
    }
}

fn something_else(text: &str) -> NotACalendar {
    let begins = text.trim_start().get(..1);
    if begins == Some("<") {
        return NotACalendar::WebPage;
    }
    NotACalendar::SomethingElse { begins: quoted(text) }
}
