//! Overrides, swaps and absences, as sentences.

use jiff::Timestamp;
use tocsin_core::command::Command;
use tocsin_core::event::Event;
use tocsin_core::identity::Handle;
use tocsin_core::oncall::{
    AbsenceKind, OnCallChange, Override, SwapRequest, SwapState, Unavailability,
};
use uuid::Uuid;

use super::action::{End, instant, needed_end};
use super::cursor::{Cursor, Trouble};
use super::sentences::Teller;
use super::time::Origin;
use super::world::World;

/// The first id of an override; the n-th of a scenario is counted from it.
const OVERRIDES: u128 = 0x1000;
/// The first id of a swap.
const SWAPS: u128 = 0x2000;
/// The first id of anything else.
const OTHERS: u128 = 0x3000;

/// A change of who is on call.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Override {
        schedule: String,
        out: Option<Handle>,
        into: Option<Handle>,
        from: Option<Timestamp>,
        end: End,
        reason: String,
    },
    EndOverride {
        number: u128,
    },
    Offer {
        owner: Handle,
        schedule: String,
        from: Option<Timestamp>,
        end: End,
        to: Option<Handle>,
    },
    Accept {
        by: Handle,
        number: u128,
        part: Option<(Timestamp, Timestamp)>,
    },
    Decline {
        by: Handle,
        number: u128,
    },
    Cancel {
        number: u128,
    },
    Away {
        person: Handle,
        from: Option<Timestamp>,
        end: End,
    },
    Delete {
        schedule: String,
    },
}

/// Returns whether a sentence about who is on call begins here.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let mut next = || {
        let word = ahead.peek();
        ahead.takes(word);
        word
    };
    let (first, second, third) = (next(), next(), next());
    let fourth = next();
    match second {
        _ if first.is_empty() => false,
        "puts" | "takes" | "offers" => true,
        "accepts" | "declines" | "cancels" => third == "swap",
        "ends" => third == "override",
        "deletes" => third == "schedule",
        "is" => third == "away" && matches!(fourth, "from" | "until" | "for"),
        _ => false,
    }
}

pub(super) fn read(cursor: &mut Cursor<'_>, origin: &Origin) -> Result<Change, Trouble> {
    let who = person(cursor)?;
    match cursor.word("what they do")? {
        "puts" => {
            let into = Some(person(cursor)?);
            cursor.expect("on")?;
            let schedule = cursor.word("a schedule")?.to_owned();
            let out = if cursor.takes("instead") {
                cursor.expect("of")?;
                Some(person(cursor)?)
            } else {
                None
            };
            let (from, end, reason) = time(cursor, origin)?;
            Ok(Change::Override { schedule, out, into, from, end, reason })
        }
        "takes" => {
            let out = Some(person(cursor)?);
            cursor.expect("off")?;
            let schedule = cursor.word("a schedule")?.to_owned();
            let (from, end, reason) = time(cursor, origin)?;
            Ok(Change::Override { schedule, out, into: None, from, end, reason })
        }
        "offers" => {
            let schedule = cursor.word("a schedule")?.to_owned();
            let (from, end, _) = time(cursor, origin)?;
            let to = if cursor.takes("to") { Some(person(cursor)?) } else { None };
            Ok(Change::Offer { owner: who, schedule, from, end, to })
        }
        "accepts" => {
            let number = number(cursor, "swap")?;
            let mut part = None;
            if cursor.takes("from") {
                let from = instant(cursor, origin)?;
                part = Some((from, needed_end(cursor, origin)?.from(from)));
            }
            Ok(Change::Accept { by: who, number, part })
        }
        "declines" => Ok(Change::Decline { by: who, number: number(cursor, "swap")? }),
        "cancels" => Ok(Change::Cancel { number: number(cursor, "swap")? }),
        "ends" => Ok(Change::EndOverride { number: number(cursor, "override")? }),
        "deletes" => {
            cursor.expect("schedule")?;
            Ok(Change::Delete { schedule: cursor.word("a schedule")?.to_owned() })
        }
        _ => {
            cursor.expect("away")?;
            let (from, end, _) = time(cursor, origin)?;
            Ok(Change::Away { person: who, from, end })
        }
    }
}

fn person(cursor: &mut Cursor<'_>) -> Result<Handle, Trouble> {
    let place = cursor.clone();
    Handle::parse(cursor.word("a person")?).map_err(|why| place.trouble(why.to_string()))
}

fn number(cursor: &mut Cursor<'_>, what: &str) -> Result<u128, Trouble> {
    cursor.expect(what)?;
    let place = cursor.clone();
    let word = cursor.word("its number")?;
    word.parse().map_err(|_| place.trouble(format!("`{word}` is no number; the first is 1")))
}

/// Reads `from 10:00 until 12:00 "why"`; without a beginning it is now.
fn time(
    cursor: &mut Cursor<'_>,
    origin: &Origin,
) -> Result<(Option<Timestamp>, End, String), Trouble> {
    let from = if cursor.takes("from") { Some(instant(cursor, origin)?) } else { None };
    let end = needed_end(cursor, origin)?;
    let reason = if cursor.starts_with('"') { cursor.quoted("why")? } else { String::new() };
    Ok((from, end, reason))
}

/// How many of each a scenario has made so far, with their schedules.
#[derive(Debug, Default)]
pub(super) struct Made {
    overrides: Vec<String>,
    swaps: Vec<String>,
    others: u128,
}

impl World<'_> {
    pub(super) fn change_roster(&mut self, change: &Change) -> Result<(), Trouble> {
        let now = self.now();
        let known = |list: &[String], number: u128, what: &str| {
            let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let schedule = place.and_then(|place| list.get(place)).cloned();
            let message = format!("no {what} {number} was made so far");
            schedule.ok_or(Trouble { offset: 0, message })
        };
        let change = match change.clone() {
            Change::Override { schedule, out, into, from, end, reason } => {
                let from = from.unwrap_or(now);
                self.made.overrides.push(schedule.clone());
                OnCallChange::AddOverride(Box::new(Override {
                    id: Uuid::from_u128(OVERRIDES + self.made.overrides.len() as u128),
                    schedule: schedule.into(),
                    number: 0,
                    user_out: out,
                    user_in: into,
                    from,
                    to: end.from(from),
                    layer: None,
                    reason,
                    author: String::new(),
                }))
            }
            Change::EndOverride { number } => OnCallChange::RemoveOverride {
                schedule: known(&self.made.overrides, number, "override")?.into(),
                id: Uuid::from_u128(OVERRIDES + number),
            },
            Change::Offer { owner, schedule, from, end, to } => {
                let from = from.unwrap_or(now);
                self.made.swaps.push(schedule.clone());
                OnCallChange::RequestSwap(Box::new(SwapRequest {
                    id: Uuid::from_u128(SWAPS + self.made.swaps.len() as u128),
                    schedule: schedule.into(),
                    number: 0,
                    owner,
                    from,
                    to: end.from(from),
                    state: SwapState::Open,
                    offered_to: to,
                    in_return: None,
                    reason: String::new(),
                }))
            }
            Change::Accept { by, number, part } => {
                let schedule = known(&self.made.swaps, number, "swap")?.into();
                self.made.others += 2;
                let rest = OTHERS + self.made.others;
                let rest_ids = [Uuid::from_u128(rest), Uuid::from_u128(rest + 1)];
                let id = Uuid::from_u128(SWAPS + number);
                OnCallChange::TakeSwap { schedule, id, by, part, rest_ids }
            }
            Change::Decline { by, number } => OnCallChange::DeclineSwap {
                schedule: known(&self.made.swaps, number, "swap")?.into(),
                id: Uuid::from_u128(SWAPS + number),
                by,
            },
            Change::Cancel { number } => OnCallChange::CancelSwap {
                schedule: known(&self.made.swaps, number, "swap")?.into(),
                id: Uuid::from_u128(SWAPS + number),
            },
            Change::Away { person, from, end } => {
                let from = from.unwrap_or(now);
                self.made.others += 2;
                OnCallChange::AddAbsence(Box::new(Unavailability {
                    id: Uuid::from_u128(OTHERS + self.made.others),
                    person,
                    from,
                    to: end.from(from),
                    kind: AbsenceKind::Vacation,
                    is_imported: false,
                    note: String::new(),
                }))
            }
            Change::Delete { schedule } => OnCallChange::DeleteSchedule(schedule.into()),
        };
        self.submit(Command::OnCall(change));
        Ok(())
    }
}

impl Teller<'_> {
    /// Says what happened with who is on call; `None` when it is something else.
    pub(super) fn about_roster(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::HandedOver { schedule, after, why, until, .. } => {
                let people: Vec<&str> = after.iter().map(Handle::as_str).collect();
                let who = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
                let until =
                    until.map_or_else(String::new, |at| format!(" until {}", self.time(at)));
                format!("on call for {schedule}: {who}{until} ({why})")
            }
            Event::SwapPastDue { schedule, owner } => {
                format!("nobody took the time of {owner} in {schedule}")
            }
            Event::CalendarRead { schedule, import, events, unknown } => {
                let unknown = match unknown {
                    0 => String::new(),
                    unknown => format!(", {unknown} unknown"),
                };
                format!("calendar {import} of {schedule} read: {events} events{unknown}")
            }
            Event::CalendarFailed { schedule, import, why } => {
                format!("calendar {import} of {schedule} cannot be read: {why}")
            }
            Event::CalendarDropped { schedule, import, .. } => {
                format!("calendar {import} of {schedule} is given up")
            }
            _ => return None,
        })
    }
}
