//! Exceptions to schedules, and what people carry: overrides, swaps, blocks, absences, hours.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::identity::Handle;
use tocsin_core::oncall as core;
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody comes, goes, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideDraft {
    /// Who goes.
    #[serde(default)]
    pub user_out: Option<String>,
    /// Who comes.
    #[serde(default)]
    pub user_in: Option<String>,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Only in this layer.
    #[serde(default)]
    pub layer: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// An override.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftOverride {
    /// Unique.
    pub id: Uuid,
    /// Who goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_out: Option<String>,
    /// Who comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_in: Option<String>,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Only in this layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub author: String,
}

impl From<&core::Override> for ShiftOverride {
    fn from(it: &core::Override) -> Self {
        Self {
            id: it.id,
            user_out: it.user_out.as_ref().map(ToString::to_string),
            user_in: it.user_in.as_ref().map(ToString::to_string),
            from: it.from,
            to: it.to,
            layer: it.layer.as_ref().map(ToString::to_string),
            reason: it.reason.clone(),
            author: it.author.clone(),
        }
    }
}

/// Overrides that are not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftOverrides {
    /// In the order in which they were made.
    pub items: Vec<ShiftOverride>,
}

/// Somebody offers a part of their time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapDraft {
    /// Whose time it is.
    pub owner: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who may take it; absent for anybody.
    #[serde(default)]
    pub offered_to: Option<String>,
    /// Begin of a time of the taker that the owner would take in return.
    #[serde(default)]
    pub return_from: Option<Timestamp>,
    /// End of that time.
    #[serde(default)]
    pub return_to: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Whom a time was offered to says no.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapDecline {
    /// Who.
    pub by: String,
}

/// Somebody takes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapTake {
    /// Who.
    pub by: String,
    /// Only from here on.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Only until here.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// A swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftSwap {
    /// Unique.
    pub id: Uuid,
    /// Whose time it is.
    pub owner: String,
    /// Who may take it; absent for anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<String>,
    /// Who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker: Option<String>,
    /// `open`, `taken`, `declined`, `past_due` or `cancelled`.
    pub state: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Why.
    pub reason: String,
}

impl From<&core::SwapRequest> for ShiftSwap {
    fn from(it: &core::SwapRequest) -> Self {
        let state = match it.state {
            core::SwapState::Open => "open",
            core::SwapState::Taken { .. } => "taken",
            core::SwapState::PastDue => "past_due",
            core::SwapState::Declined { .. } => "declined",
            core::SwapState::Cancelled => "cancelled",
        };
        Self {
            id: it.id,
            owner: it.owner.to_string(),
            offered_to: it.offered_to.as_ref().map(ToString::to_string),
            taker: it.taker().map(ToString::to_string),
            state: state.to_owned(),
            from: it.from,
            to: it.to,
            reason: it.reason.clone(),
        }
    }
}

/// Swaps that are not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftSwaps {
    /// In the order in which they were made.
    pub items: Vec<ShiftSwap>,
}

/// A time for which exactly these shifts hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockDraft {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who is on call when; holes are gaps.
    pub shifts: Vec<FixedShift>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A shift of a fixed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedShift {
    /// Who.
    pub person: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
}

/// A fixed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftBlock {
    /// Unique.
    pub id: Uuid,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who is on call when.
    pub shifts: Vec<FixedShift>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub author: String,
}

impl From<&core::FixedBlock> for ShiftBlock {
    fn from(it: &core::FixedBlock) -> Self {
        let shift = |it: &core::BlockShift| FixedShift {
            person: it.person.to_string(),
            from: it.from,
            to: it.to,
        };
        Self {
            id: it.id,
            from: it.from,
            to: it.to,
            shifts: it.shifts.iter().map(shift).collect(),
            reason: it.reason.clone(),
            author: it.author.clone(),
        }
    }
}

/// Fixed blocks that are not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftBlocks {
    /// In the order in which they were made.
    pub items: Vec<ShiftBlock>,
}

/// How it really was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last; not in the future.
    pub to: Timestamp,
    /// Who was on call; none for nobody.
    pub people: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Somebody is away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceDraft {
    /// Who.
    pub person: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// `vacation`, `sick` or `busy`.
    #[serde(default)]
    #[schema(value_type = String, example = "vacation")]
    pub kind: core::AbsenceKind,
    /// Further words.
    #[serde(default)]
    pub note: String,
}

/// A time in which somebody is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Absence {
    /// Unique.
    pub id: Uuid,
    /// Who.
    pub person: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Why.
    #[schema(value_type = String, example = "vacation")]
    pub kind: core::AbsenceKind,
    /// Further words.
    pub note: String,
}

impl From<&core::Unavailability> for Absence {
    fn from(it: &core::Unavailability) -> Self {
        Self {
            id: it.id,
            person: it.person.to_string(),
            from: it.from,
            to: it.to,
            kind: it.kind,
            note: it.note.clone(),
        }
    }
}

/// Absences that are not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Absences {
    /// By person, ascending by the beginning.
    pub items: Vec<Absence>,
}

/// Hours on call, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftHours {
    /// All of it.
    pub total_seconds: i64,
    /// By day on working days.
    pub weekday_seconds: i64,
    /// From 22:00 to 07:00 on working days, by the person's own clock.
    pub night_seconds: i64,
    /// On Saturdays and Sundays.
    pub weekend_seconds: i64,
    /// On holidays.
    pub holiday_seconds: i64,
}

impl From<core::Hours> for ShiftHours {
    fn from(hours: core::Hours) -> Self {
        Self {
            total_seconds: hours.total_seconds(),
            weekday_seconds: hours.weekday_seconds,
            night_seconds: hours.night_seconds,
            weekend_seconds: hours.weekend_seconds,
            holiday_seconds: hours.holiday_seconds,
        }
    }
}

/// What one person carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftShare {
    /// Who.
    pub person: String,
    /// How long.
    pub hours: ShiftHours,
    /// How many shifts.
    pub shifts: u32,
    /// How far above the average, in per cent.
    pub above_average_percent: i64,
    /// The shortest time between two shifts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortest_rest_seconds: Option<i64>,
    /// The most weeks in a row with any shift.
    pub weeks_in_a_row: i64,
}

/// How good a plan is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleQuality {
    /// 0 to 100.
    pub score: u32,
    /// `bad`, `low`, `medium`, `good` or `great`.
    pub band: String,
    /// How much of the time enough people are on call.
    pub coverage_percent: f64,
    /// How evenly the hours are spread.
    pub balance_percent: f64,
    /// The same with nights, weekends and holidays counted for more.
    pub weighted_balance_percent: f64,
    /// By person.
    pub shares: Vec<ShiftShare>,
    /// What would make it better.
    pub advice: Vec<String>,
}

impl From<core::Quality> for ScheduleQuality {
    fn from(quality: core::Quality) -> Self {
        let share = |it: core::Share| ShiftShare {
            person: it.person.to_string(),
            hours: it.hours.into(),
            shifts: it.shifts,
            above_average_percent: it.above_average_percent,
            shortest_rest_seconds: it.shortest_rest_seconds,
            weeks_in_a_row: it.weeks_in_a_row,
        };
        Self {
            score: quality.score,
            band: quality.band,
            coverage_percent: quality.coverage_percent,
            balance_percent: quality.balance_percent,
            weighted_balance_percent: quality.weighted_balance_percent,
            shares: quality.shares.into_iter().map(share).collect(),
            advice: quality.advice,
        }
    }
}

/// Hours of one person in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftMonth {
    /// The month by the person's own clock.
    #[schema(example = "2026-11")]
    pub month: String,
    /// Who.
    pub person: String,
    /// How long.
    pub hours: ShiftHours,
    /// How many messages paged them meanwhile.
    #[serde(default)]
    pub pages: u32,
    /// How many of those came from 22:00 to 07:00 by their own clock.
    #[serde(default)]
    pub night_pages: u32,
}

/// Hours by month and person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftReport {
    /// Ascending by month and person.
    pub items: Vec<ShiftMonth>,
    /// Whether there were more pages than are counted, so that the counts are too low.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub are_pages_cut: bool,
}

/// One time on call of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonShift {
    /// In which schedule.
    pub schedule: String,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last, as far as it was looked at.
    pub to: Timestamp,
    /// Why.
    pub cause: super::OnCallCause,
    /// Whether this is the record of what happened rather than a plan.
    pub is_recorded: bool,
}

/// When a person is on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonShifts {
    /// Who.
    pub person: String,
    /// In all schedules, ascending by their beginning.
    pub items: Vec<PersonShift>,
    /// Whether there are more than are listed; ask for a shorter time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl PersonShifts {
    /// Picks what a person has in the final views of schedules; what follows on itself for the
    /// same reason is one time. At most `limit`.
    pub fn new(person: &Handle, views: &[(String, core::FinalView)], limit: usize) -> Self {
        let mut items: Vec<PersonShift> = Vec::new();
        for (schedule, view) in views {
            let first = items.len();
            for segment in &view.segments {
                let Some(duty) = segment.duties.iter().find(|duty| duty.person == *person) else {
                    continue;
                };
                let cause = super::OnCallCause::new(Some(person), &duty.cause);
                match items[first..].last_mut() {
                    Some(last)
                        if last.to == segment.from
                            && last.is_recorded == segment.is_recorded
                            && last.cause == cause =>
                    {
                        last.to = segment.to;
                    }
                    _ => items.push(PersonShift {
                        schedule: schedule.clone(),
                        from: segment.from,
                        to: segment.to,
                        cause,
                        is_recorded: segment.is_recorded,
                    }),
                }
            }
        }
        items.sort_by(|one, other| (one.from, &one.schedule).cmp(&(other.from, &other.schedule)));
        let is_cut = items.len() > limit;
        items.truncate(limit);
        Self { person: person.to_string(), items, is_cut }
    }
}

/// A secret address of a calendar, shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CalendarFeedMade {
    /// By which it is revoked.
    pub id: Uuid,
    /// The address; whoever knows it can read the calendar.
    pub url: String,
}
