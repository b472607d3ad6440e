//! Hours, fairness and quality of a schedule, and what would make it better.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::clock::Zone;
use super::exception::HolidayCalendar;
use super::roster::{Entry, Roster};
use super::view::{FinalView, Segment};
use crate::identity::Handle;

/// The first hour of the day of those who sleep at night.
const NIGHT_ENDS: i8 = 7;
/// The hour at which their night begins.
const NIGHT_BEGINS: i8 = 22;
/// How much an hour counts: on a working day, at night, on a weekend, on a holiday.
///
/// People feel them so; the weights only order who carries more.
const WEIGHTS: [f64; 4] = [1.0, 1.5, 1.5, 2.0];
/// A balance from here on is as good as even.
const EVEN_PERCENT: f64 = 95.0;
/// Less rest than this between two shifts is told of.
const WANTED_REST: SignedDuration = SignedDuration::from_hours(11);
/// More weeks in a row than this are told of.
const MAX_WEEKS_IN_A_ROW: i64 = 2;
/// Weight from here above the average, in per cent, is told of.
const OVERLOADED_PERCENT: f64 = 10.0;

/// Hours on call, split by when they are, in the local time of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Seconds by day on working days.
    pub weekday_seconds: i64,
    /// Seconds from 22:00 to 07:00 on working days.
    pub night_seconds: i64,
    /// Seconds on Saturdays and Sundays.
    pub weekend_seconds: i64,
    /// Seconds on holidays.
    pub holiday_seconds: i64,
}

impl Hours {
    /// Returns all of it.
    pub fn total_seconds(&self) -> i64 {
        self.parts().iter().sum()
    }

    /// Returns the hours with the weight of each kind.
    pub fn weight(&self) -> f64 {
        self.parts().iter().zip(WEIGHTS).map(|(part, weight)| hours(*part) * weight).sum()
    }

    fn parts(&self) -> [i64; 4] {
        [self.weekday_seconds, self.night_seconds, self.weekend_seconds, self.holiday_seconds]
    }

    fn add(&mut self, kind: Kind, seconds: i64) {
        *match kind {
            Kind::Weekday => &mut self.weekday_seconds,
            Kind::Night => &mut self.night_seconds,
            Kind::Weekend => &mut self.weekend_seconds,
            Kind::Holiday => &mut self.holiday_seconds,
        } += seconds;
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Weekday,
    Night,
    Weekend,
    Holiday,
}

/// What one person carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Who.
    pub person: Handle,
    /// How long.
    pub hours: Hours,
    /// How many shifts.
    pub shifts: u32,
    /// How far above the average, in per cent; negative below it.
    pub above_average_percent: i64,
    /// The shortest time between two shifts, in seconds; `None` for fewer than two.
    pub shortest_rest_seconds: Option<i64>,
    /// The most weeks in a row with any shift.
    pub weeks_in_a_row: i64,
}

/// How good a plan is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// 0 to 100: the mean of coverage and balance.
    pub score: u32,
    /// `bad`, `low`, `medium`, `good` or `great`.
    pub band: String,
    /// How much of the time enough people are on call, in per cent.
    pub coverage_percent: f64,
    /// How evenly the hours are spread, in per cent.
    pub balance_percent: f64,
    /// The same with nights, weekends and holidays counted for more.
    pub weighted_balance_percent: f64,
    /// By person.
    pub shares: Vec<Share>,
    /// What would make it better, one sentence each.
    pub advice: Vec<String>,
}

/// Hours of one person in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthlyHours {
    /// The month, such as `2026-11`, by the person's own clock.
    pub month: String,
    /// Who.
    pub person: Handle,
    /// How long.
    pub hours: Hours,
    /// How many messages paged them meanwhile.
    pub pages: u32,
    /// How many of those came between 22:00 and 07:00.
    pub night_pages: u32,
}

impl Roster {
    /// Returns how good the view of a schedule is from `from` to `to`.
    pub fn quality(
        &self,
        entry: &Entry,
        view: &FinalView,
        from: Timestamp,
        to: Timestamp,
        zone_of: &dyn Fn(&Handle) -> Option<Zone>,
    ) -> Quality {
        let calendars = self.calendars_of(&entry.schedule);
        let mut shares: BTreeMap<Handle, Carried> = BTreeMap::new();
        for segment in view.segments.iter().filter(|it| it.gap.is_none()) {
            for duty in &segment.duties {
                let carried = shares.entry(duty.person.clone()).or_insert_with(|| Carried {
                    zone: zone_of(&duty.person).unwrap_or_else(|| entry.schedule.zone.clone()),
                    hours: Hours::default(),
                    times: Vec::new(),
                });
                carried.add(segment, &calendars);
            }
        }
        let whole = to.duration_since(from).as_secs().max(1);
        let uncovered: i64 =
            view.gaps.iter().map(|gap| gap.to.duration_since(gap.from).as_secs()).sum();
        let coverage = percent(whole - uncovered, whole);
        let total = |it: &Carried| hours(it.hours.total_seconds());
        let balance = if shares.is_empty() { 0.0 } else { even(shares.values().map(total)) };
        let weighted = even(shares.values().map(|it| it.hours.weight()));
        let score = if shares.is_empty() { 0.0 } else { f64::midpoint(coverage, balance).ceil() };
        let average = shares.values().map(total).sum::<f64>() / count(shares.len());
        let share = |(person, carried): (&Handle, &Carried)| {
            let above = (total(carried) / average - 1.0) * 100.0;
            Share {
                person: person.clone(),
                hours: carried.hours,
                shifts: u32::try_from(carried.times.len()).unwrap_or(u32::MAX),
                above_average_percent: whole_number(above),
                shortest_rest_seconds: carried.shortest_rest(),
                weeks_in_a_row: carried.weeks_in_a_row(),
            }
        };
        let shares: Vec<Share> = shares.iter().map(share).collect();
        let advice = advice(&shares, view, uncovered, whole);
        let score = u32::try_from(whole_number(score)).unwrap_or(0).min(100);
        let band = match score {
            0..20 => "bad",
            20..40 => "low",
            40..60 => "medium",
            60..80 => "good",
            _ => "great",
        };
        Quality {
            score,
            band: band.to_owned(),
            coverage_percent: coverage,
            balance_percent: balance,
            weighted_balance_percent: weighted,
            shares,
            advice,
        }
    }

    /// Returns the hours of each person and month in a view, with those of `pages` that came while
    /// the person was on call in it.
    pub fn monthly_hours(
        &self,
        entry: &Entry,
        view: &FinalView,
        pages: &[(Timestamp, Handle)],
        zone_of: &dyn Fn(&Handle) -> Option<Zone>,
    ) -> Vec<MonthlyHours> {
        let calendars = self.calendars_of(&entry.schedule);
        let mut found: BTreeMap<(String, Handle), MonthlyHours> = BTreeMap::new();
        let mut row = |day: Date, person: &Handle, change: &mut dyn FnMut(&mut MonthlyHours)| {
            let month = format!("{:04}-{:02}", day.year(), day.month());
            let row =
                found.entry((month.clone(), person.clone())).or_insert_with(|| MonthlyHours {
                    month,
                    person: person.clone(),
                    hours: Hours::default(),
                    pages: 0,
                    night_pages: 0,
                });
            change(row);
        };
        let zone = |person: &Handle| zone_of(person).unwrap_or_else(|| entry.schedule.zone.clone());
        for segment in &view.segments {
            for duty in &segment.duties {
                split(segment, &zone(&duty.person), &calendars, |day, kind, seconds| {
                    row(day, &duty.person, &mut |row| row.hours.add(kind, seconds));
                });
            }
        }
        for (at, person) in pages {
            let later = view.segments.partition_point(|segment| segment.from <= *at);
            let segment = later.checked_sub(1).and_then(|place| view.segments.get(place));
            let is_on_call = segment.is_some_and(|segment| {
                *at < segment.to && segment.duties.iter().any(|duty| duty.person == *person)
            });
            if is_on_call {
                let local = zone(person).local(*at);
                let is_night = !(NIGHT_ENDS..NIGHT_BEGINS).contains(&local.hour());
                row(local.date(), person, &mut |row| {
                    row.pages = row.pages.saturating_add(1);
                    row.night_pages = row.night_pages.saturating_add(u32::from(is_night));
                });
            }
        }
        found.into_values().collect()
    }
}

struct Carried {
    zone: Zone,
    hours: Hours,
    /// Shifts without those that follow on one another.
    times: Vec<(Timestamp, Timestamp)>,
}

impl Carried {
    fn add(&mut self, segment: &Segment, calendars: &[&HolidayCalendar]) {
        let hours = &mut self.hours;
        split(segment, &self.zone, calendars, |_, kind, seconds| hours.add(kind, seconds));
        match self.times.last_mut() {
            Some(last) if last.1 == segment.from => last.1 = segment.to,
            _ => self.times.push((segment.from, segment.to)),
        }
    }

    fn shortest_rest(&self) -> Option<i64> {
        let rests = self.times.windows(2).map(|pair| pair[1].0.duration_since(pair[0].1).as_secs());
        rests.min()
    }

    /// Weeks are counted by days from a Monday, not by their numbers in a year.
    fn weeks_in_a_row(&self) -> i64 {
        const WEEK: i64 = 7 * 86_400;
        // The epoch was a Thursday.
        let week = |at: Timestamp| (at.as_second() + 3 * 86_400).div_euclid(WEEK);
        let (mut longest, mut run, mut last) = (0, 0, i64::MIN);
        for (from, to) in &self.times {
            let end = to.checked_sub(SignedDuration::from_secs(1)).unwrap_or(*to);
            for each in week(*from)..=week(end) {
                if each == last {
                    continue;
                }
                run = if each == last.saturating_add(1) { run + 1 } else { 1 };
                (last, longest) = (each, longest.max(run));
            }
        }
        longest
    }
}

/// Cuts a segment at midnight, at the end and at the beginning of the night, by the local clock.
fn split(
    segment: &Segment,
    zone: &Zone,
    calendars: &[&HolidayCalendar],
    mut visit: impl FnMut(Date, Kind, i64),
) {
    let mut at = segment.from;
    while at < segment.to {
        let local = zone.local(at);
        let day = local.date();
        let tomorrow = day.tomorrow().unwrap_or(day);
        let edges = [
            day.at(NIGHT_ENDS, 0, 0, 0),
            day.at(NIGHT_BEGINS, 0, 0, 0),
            tomorrow.at(0, 0, 0, 0),
            tomorrow.at(NIGHT_ENDS, 0, 0, 0),
        ];
        let next = edges.into_iter().map(|edge| zone.first(edge)).find(|edge| *edge > at);
        let end = next.unwrap_or(segment.to).min(segment.to);
        let mut days = calendars.iter().flat_map(|calendar| &calendar.days);
        let is_night = !(NIGHT_ENDS..NIGHT_BEGINS).contains(&local.hour());
        let kind = if days.any(|holiday| holiday.covers(day)) {
            Kind::Holiday
        } else if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            Kind::Weekend
        } else if is_night {
            Kind::Night
        } else {
            Kind::Weekday
        };
        visit(day, kind, end.duration_since(at).as_secs());
        at = end;
    }
}

/// Returns the mean over all pairs of the lesser to the greater, in per cent.
///
/// Source: the schedule quality of Grafana OnCall, as its documentation describes it.
fn even(loads: impl Iterator<Item = f64>) -> f64 {
    let loads: Vec<f64> = loads.collect();
    let mut pairs = Vec::new();
    for (place, one) in loads.iter().enumerate() {
        for other in loads.iter().skip(place + 1) {
            pairs.push(one.min(*other) / one.max(*other).max(f64::MIN_POSITIVE));
        }
    }
    if pairs.is_empty() {
        return 100.0;
    }
    let mean = pairs.iter().sum::<f64>() / count(pairs.len()) * 100.0;
    if mean >= EVEN_PERCENT { 100.0 } else { mean }
}

fn advice(shares: &[Share], view: &FinalView, uncovered: i64, whole: i64) -> Vec<String> {
    let mut advice = Vec::new();
    if shares.is_empty() {
        advice.push("nobody is ever on call: add a layer with members".to_owned());
        return advice;
    }
    if uncovered > 0 {
        let share = percent(uncovered, whole).round();
        let longest = view.gaps.iter().max_by_key(|gap| gap.to.duration_since(gap.from));
        let longest = longest.map_or_else(String::new, |gap| {
            format!("; the longest gap is from {} to {}", gap.from, gap.to)
        });
        advice.push(format!(
            "{share}% of the time is not covered: add a layer or a fallback{longest}"
        ));
    }
    let overloaded: Vec<String> = shares
        .iter()
        .filter(|share| f64_of(share.above_average_percent) >= OVERLOADED_PERCENT)
        .map(|share| format!("{} (+{}%)", share.person, share.above_average_percent))
        .collect();
    if !overloaded.is_empty() {
        let names = overloaded.join(", ");
        advice.push(format!("more than their share is carried by {names}: move shifts to others"));
    }
    for share in shares {
        if let Some(rest) = share.shortest_rest_seconds.filter(|it| *it < WANTED_REST.as_secs()) {
            advice.push(format!(
                "{} rests only {:.1} hours between two shifts: leave 11 hours between them",
                share.person,
                hours(rest)
            ));
        }
        if share.weeks_in_a_row > MAX_WEEKS_IN_A_ROW && shares.len() > 1 {
            advice.push(format!(
                "{} is on call in {} weeks in a row: add members or shorten turns",
                share.person, share.weeks_in_a_row
            ));
        }
    }
    let nights: i64 = shares.iter().map(|share| share.hours.night_seconds).sum();
    let all: i64 = shares.iter().map(|share| share.hours.total_seconds()).sum();
    if percent(nights, all) > 30.0 {
        advice.push(format!(
            "{:.0}% of all hours are at night for those on call: members in other time zones \
             would sleep through",
            percent(nights, all)
        ));
    }
    advice
}

#[expect(clippy::cast_precision_loss, reason = "seconds of centuries fit exactly")]
fn f64_of(number: i64) -> f64 {
    number as f64
}

fn hours(seconds: i64) -> f64 {
    f64_of(seconds) / 3_600.0
}

fn count(number: usize) -> f64 {
    f64_of(i64::try_from(number).unwrap_or(1).max(1))
}

fn percent(part: i64, whole: i64) -> f64 {
    f64_of(part) / f64_of(whole.max(1)) * 100.0
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage is small")]
fn whole_number(number: f64) -> i64 {
    number.round() as i64
}
