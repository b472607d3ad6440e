//! Making and editing schedules. An edit never touches what was: each changed layer gets a new
//! version that holds from some instant on, and the order of turns goes on in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::change::OnCallRejection;
use super::clock::Zone;
use super::lane::{begin_of, opening_ledger, settle_ledger};
use super::roster::Roster;
use super::schedule::{
    Fallback, HIDDEN, HolidayMode, ImportLocation, ImportSpec, Layer, LayerSpec, LayerVersion,
    Mode, Rollout, Schedule, ScheduleSpec, Slot,
};
use super::turns::Turns;
use crate::identity::PersonOrigin;

/// The most layers of a schedule.
pub const MAX_LAYERS: usize = 50;
/// The most members of a layer, those of groups counted one by one.
pub const MAX_MEMBERS: usize = 200;
/// The most windows of a layer.
pub const MAX_WINDOWS: usize = 100;
/// The most calendars that a schedule imports.
pub const MAX_IMPORTS: usize = 10;
/// The shortest time between two reads of a calendar, in minutes.
pub const MIN_REFRESH_MINUTES: u32 = 1;
/// The longest, in minutes: a day, so that a calendar that fails for a while is not given up.
pub const MAX_REFRESH_MINUTES: u32 = 24 * 60;
/// The most further names of people for one calendar.
pub const MAX_OTHER_NAMES: usize = 500;
/// The longest address of a calendar.
const MAX_URL_BYTES: usize = 4_096;
/// The most characters of a schedule's or a layer's name.
pub const MAX_NAME_CHARS: usize = 100;
/// The most versions that a layer keeps; the oldest are forgotten first. What was is in records.
const MAX_VERSIONS: usize = 50;
/// The most handoffs that are looked at to find where the order begins anew.
const MAX_HANDOFFS_TO_NEW_ROUND: usize = 1_000;

impl ScheduleSpec {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`OnCallRejection::Invalid`] with what is wrong.
    pub fn check(&self) -> Result<(), OnCallRejection> {
        let bad = |what: String| Err(OnCallRejection::Invalid { what });
        check_name("schedule", &self.name)?;
        if self.layers.len() > MAX_LAYERS {
            return bad(format!("a schedule has at most {MAX_LAYERS} layers"));
        }
        if self.imports.len() > MAX_IMPORTS {
            return bad(format!("a schedule imports at most {MAX_IMPORTS} calendars"));
        }
        let mut names = BTreeSet::new();
        for layer in &self.layers {
            check_name("layer", &layer.name)?;
            if !names.insert(&layer.name) {
                return bad(format!("two layers are called `{}`", layer.name));
            }
            layer.check()?;
        }
        for layer in &self.layers {
            if let HolidayMode::MembersOf(other) = &layer.holiday_mode
                && !names.contains(other)
            {
                return bad(format!("there is no layer `{other}` to stand in on holidays"));
            }
        }
        let mut names = BTreeSet::new();
        for import in &self.imports {
            check_name("calendar", &import.name)?;
            if !names.insert(&import.name) {
                return bad(format!("two calendars are called `{}`", import.name));
            }
            import.check()?;
        }
        if self.fallback == Fallback::Schedule(Arc::clone(&self.name)) {
            return bad(format!("schedule `{}` cannot be its own fallback", self.name));
        }
        Ok(())
    }
}

fn check_name(what: &str, name: &str) -> Result<(), OnCallRejection> {
    let is_plain = name.chars().all(|c| !c.is_control() && c != '/');
    if name.trim() == name && !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && is_plain
    {
        return Ok(());
    }
    let what = format!(
        "a {what}'s name has 1 to {MAX_NAME_CHARS} characters, no `/` and no space at its ends"
    );
    Err(OnCallRejection::Invalid { what })
}

impl ImportSpec {
    fn check(&self) -> Result<(), OnCallRejection> {
        let bad = |what: String| {
            Err(OnCallRejection::Invalid { what: format!("calendar `{}`: {what}", self.name) })
        };
        if !(MIN_REFRESH_MINUTES..=MAX_REFRESH_MINUTES).contains(&self.refresh_minutes) {
            let (least, most) = (MIN_REFRESH_MINUTES, MAX_REFRESH_MINUTES);
            return bad(format!("it is read every {least} to {most} minutes"));
        }
        if self.names.len() > MAX_OTHER_NAMES {
            return bad(format!("it has more than {MAX_OTHER_NAMES} further names"));
        }
        if let ImportLocation::Url(url) = &self.location {
            let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
            let is_known =
                matches!(scheme.as_deref(), Some("https" | "http" | "webcal" | "webcals"));
            if url.contains(HIDDEN) {
                return bad("its address is not known; write it out".to_owned());
            }
            if !is_known || url.len() > MAX_URL_BYTES {
                return bad("its address begins with https://, http:// or webcal://".to_owned());
            }
        }
        Ok(())
    }
}

impl LayerSpec {
    fn check(&self) -> Result<(), OnCallRejection> {
        let bad = |what: String| {
            Err(OnCallRejection::Invalid { what: format!("layer `{}`: {what}", self.name) })
        };
        if self.members.iter().map(|slot| slot.people().len().max(1)).sum::<usize>() > MAX_MEMBERS {
            return bad(format!("it has more than {MAX_MEMBERS} members"));
        }
        if self.windows.len() > MAX_WINDOWS {
            return bad(format!("it has more than {MAX_WINDOWS} windows"));
        }
        if self.per_shift == 0 || self.shifts_per_member == 0 {
            return bad("at least one member has at least one shift".to_owned());
        }
        match self.cadence.check(self.handoff) {
            Err(OnCallRejection::Invalid { what }) => bad(what),
            other => other,
        }
    }
}

impl Schedule {
    /// Makes a schedule as it is asked for.
    pub fn create(
        spec: &ScheduleSpec,
        origin: PersonOrigin,
        author: &str,
        now: Timestamp,
    ) -> Schedule {
        let layer = |layer: &LayerSpec| Layer {
            name: Arc::clone(&layer.name),
            versions: vec![LayerVersion {
                effective_from: now,
                author: author.to_owned(),
                zone: zone_of(layer, spec),
                first: layer.first,
                spec: layer.clone(),
                ledger: None,
            }],
        };
        Schedule {
            name: Arc::clone(&spec.name),
            team: spec.team.clone(),
            description: spec.description.clone(),
            zone: spec.zone.clone(),
            holidays: spec.holidays.clone(),
            fallback: spec.fallback.clone(),
            min_coverage: spec.min_coverage,
            notices: spec.notices.clone(),
            layers: spec.layers.iter().map(layer).collect(),
            imports: spec.imports.clone(),
            origin,
            recorded_since: now,
        }
    }

    /// Returns what was asked for last.
    pub fn spec(&self) -> ScheduleSpec {
        let last = |layer: &Layer| layer.versions.last().map(|version| version.spec.clone());
        let is_there = |layer: &LayerSpec| !layer.members.is_empty() || !layer.is_retired();
        ScheduleSpec {
            name: Arc::clone(&self.name),
            team: self.team.clone(),
            description: self.description.clone(),
            zone: self.zone.clone(),
            holidays: self.holidays.clone(),
            fallback: self.fallback.clone(),
            min_coverage: self.min_coverage,
            notices: self.notices.clone(),
            layers: self.layers.iter().filter_map(last).filter(is_there).collect(),
            imports: self.imports.clone(),
        }
    }

    /// Returns the schedule after an edit at `now`. Layers that stay as they are keep their
    /// versions; others get a new one.
    #[must_use]
    pub fn edited(
        &self,
        spec: &ScheduleSpec,
        author: &str,
        now: Timestamp,
        roster: &Roster,
    ) -> Self {
        let mut edited = Self::create(spec, self.origin, author, now);
        edited.recorded_since = self.recorded_since;
        for layer in &mut edited.layers {
            if let Some(known) = self.layer(&layer.name)
                && let Some(wanted) = layer.versions.pop()
            {
                layer.versions = next_versions(known, wanted, now, roster);
            }
        }
        for known in &self.layers {
            let is_retired = known.versions.last().is_none_or(|it| it.spec.is_retired());
            if edited.layer(&known.name).is_some() || is_retired && known.ends_by(now) {
                continue;
            }
            let mut layer = known.clone();
            if !is_retired && let Some(last) = known.versions.last() {
                let mut retired = last.clone();
                retired.spec.retire();
                retired.author = author.to_owned();
                layer.versions = next_versions(known, retired, now, roster);
            }
            edited.layers.push(layer);
        }
        edited
    }
}

impl LayerSpec {
    /// A layer that was removed is one without members whose rank says so.
    fn is_retired(&self) -> bool {
        self.members.is_empty() && self.rank == u32::MAX
    }

    fn retire(&mut self) {
        self.members.clear();
        self.rank = u32::MAX;
    }
}

impl Layer {
    fn ends_by(&self, now: Timestamp) -> bool {
        self.versions.last().is_none_or(|version| version.effective_from <= now)
    }
}

fn zone_of(layer: &LayerSpec, schedule: &ScheduleSpec) -> Zone {
    layer.zone.clone().unwrap_or_else(|| schedule.zone.clone())
}

/// Returns the versions of a layer after an edit.
fn next_versions(
    known: &Layer,
    wanted: LayerVersion,
    now: Timestamp,
    roster: &Roster,
) -> Vec<LayerVersion> {
    let is_same = |it: &LayerVersion| it.spec == wanted.spec && it.zone == wanted.zone;
    if known.versions.last().is_some_and(is_same) {
        return known.versions.clone();
    }
    // What has not begun yet never will.
    let mut versions: Vec<LayerVersion> =
        known.versions.iter().filter(|it| it.effective_from <= now).cloned().collect();
    match versions.last() {
        Some(base) if is_same(base) => return versions,
        Some(base) if !base.spec.members.is_empty() => {
            let next = follow(base, wanted, now, roster);
            versions.push(next);
        }
        _ => versions.push(wanted),
    }
    let surplus = versions.len().saturating_sub(MAX_VERSIONS);
    versions.drain(..surplus);
    versions
}

/// Lets `wanted` take over from `base`: says from when on, and who begins, so that the order of
/// turns goes on.
fn follow(
    base: &LayerVersion,
    mut wanted: LayerVersion,
    now: Timestamp,
    roster: &Roster,
) -> LayerVersion {
    let is_new_clock = base.spec.cadence != wanted.spec.cadence
        || base.spec.handoff != wanted.spec.handoff
        || base.zone != wanted.zone;
    let mut old = Turns::new(&base.spec.cadence, base.spec.handoff, &base.zone);
    let (cadence, zone) = (wanted.spec.cadence.clone(), wanted.zone.clone());
    let mut new = Turns::new(&cadence, wanted.spec.handoff, &zone);
    let from = match wanted.spec.rollout {
        _ if old.at(now).turn.is_none() => now,
        Rollout::Immediate => now,
        _ if is_new_clock => new.at(now).next.unwrap_or(now),
        Rollout::AfterCurrentShift => old.at(now).next.unwrap_or(now),
        Rollout::AfterFullRotation => new_round(base, &mut old, now),
    };
    wanted.effective_from = from;
    let just_before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
    let before = old.at(if from == now { now } else { just_before }).turn;
    let Some(before) = before else { return wanted };
    let at_start = new.at(from).turn;
    if wanted.spec.members.is_empty() {
        return wanted;
    }
    let run = |version: &LayerVersion, index: i64| {
        index.div_euclid(i64::from(version.spec.shifts_per_member.max(1)))
    };
    if wanted.spec.mode == Mode::Fair && base.spec.mode == Mode::Fair {
        let mut ledger = opening_ledger(base, &mut old);
        let places = places_of(base);
        settle_ledger(&mut ledger, run(base, before.index), roster, base, &old, places);
        let begin = at_start.map_or(0, |turn| run(&wanted, turn.index));
        let origin: Vec<Option<usize>> = wanted
            .spec
            .members
            .iter()
            .map(|slot| base.spec.members.iter().position(|it| it == slot))
            .collect();
        wanted.ledger = Some(ledger.carry(begin, &origin));
        return wanted;
    }
    // Whoever asks for another first member gets it.
    if wanted.spec.first != base.spec.first {
        return wanted;
    }
    let Some(at_start) = at_start else { return wanted };
    let holds_on = from == now
        || (!is_new_clock
            && old.at(from).turn.is_some_and(|it| run(base, it.index) == run(base, before.index)));
    let place = successor(base, before.index, &wanted.spec.members, places_of(&wanted), holds_on);
    let members = i64::try_from(wanted.spec.members.len()).unwrap_or(1).max(1);
    let step = i64::try_from(places_of(&wanted)).unwrap_or(1);
    let passed = (run(&wanted, at_start.index) % members) * step;
    let first = (i64::try_from(place).unwrap_or(0) - passed).rem_euclid(members);
    wanted.first = u32::try_from(first).unwrap_or(0);
    wanted
}

/// Returns the place, in the new order, of whoever comes after the turn `index` of the old one, or
/// of the same one when they hold on.
fn successor(
    base: &LayerVersion,
    index: i64,
    members: &[Slot],
    step: usize,
    holds_on: bool,
) -> usize {
    let old = &base.spec.members;
    let begin = begin_of(base, index, places_of(base));
    let place_of = |slot: &Slot| members.iter().position(|it| it == slot);
    let present = old.get(begin).and_then(&place_of);
    match present {
        Some(place) if holds_on => place,
        Some(place) => (place + step) % members.len().max(1),
        None => {
            let later = (1..old.len()).filter_map(|n| old.get((begin + n) % old.len()));
            later.filter_map(place_of).next().unwrap_or(0)
        }
    }
}

fn places_of(version: &LayerVersion) -> usize {
    (version.spec.per_shift.max(1) as usize).min(version.spec.members.len().max(1))
}

/// Returns the next handoff at which the order begins anew.
fn new_round(base: &LayerVersion, turns: &mut Turns<'_>, now: Timestamp) -> Timestamp {
    let mut at = now;
    let own = usize::try_from(base.first).unwrap_or(0) % base.spec.members.len().max(1);
    let mut last = turns.at(now).turn.map(|turn| turn.index);
    for _ in 0..MAX_HANDOFFS_TO_NEW_ROUND {
        let Some(next) = turns.at(at).next else { return at };
        at = next;
        let turn = turns.at(at).turn;
        if let Some(turn) = turn {
            let is_run_start =
                turn.index.rem_euclid(i64::from(base.spec.shifts_per_member.max(1))) == 0;
            let is_own = begin_of(base, turn.index, places_of(base)) == own;
            if is_own && is_run_start && Some(turn.index) != last {
                return at;
            }
            last = Some(turn.index);
        }
    }
    at
}
