//! Silences: made, changed, started, ended, forgotten.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::Timestamp;

use super::{Tenant, Timer, later};
use crate::event::Event;
use crate::ids::{SilenceId, SilenceNumber};
use crate::labels::{Fingerprint, Labels};
use crate::matcher::{MatchOp, Matchers};
use crate::silence::{Silence, SilenceRejection, SilenceRequest, SilenceState};

/// A silence and whether its start has taken effect.
#[derive(Debug)]
pub(super) struct SilenceEntry {
    pub(super) silence: Silence,
    is_muting: bool,
}

/// The active silences, findable by one label value each, so that a new alert is compared with
/// few of them however many there are.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_value: BTreeMap<(CompactString, CompactString), BTreeMap<SilenceNumber, Matchers>>,
    others: BTreeMap<SilenceNumber, Matchers>,
}

impl Index {
    fn insert(&mut self, number: SilenceNumber, matchers: &Matchers) {
        let place = match anchor(matchers) {
            Some(key) => self.by_value.entry(key).or_default(),
            None => &mut self.others,
        };
        place.insert(number, matchers.clone());
    }

    fn remove(&mut self, number: SilenceNumber, matchers: &Matchers) {
        let Some(key) = anchor(matchers) else {
            self.others.remove(&number);
            return;
        };
        if let Some(place) = self.by_value.get_mut(&key) {
            place.remove(&number);
            if place.is_empty() {
                self.by_value.remove(&key);
            }
        }
    }

    /// Returns the active silences that match, ascending.
    pub(super) fn matching(&self, labels: &Labels) -> Vec<SilenceNumber> {
        let mut found: Vec<SilenceNumber> = Vec::new();
        let mut collect = |place: &BTreeMap<SilenceNumber, Matchers>| {
            found
                .extend(place.iter().filter(|(_, m)| m.matches(labels)).map(|(number, _)| *number));
        };
        collect(&self.others);
        if !self.by_value.is_empty() {
            for (name, value) in labels.iter() {
                let key = (CompactString::from(name), CompactString::from(value));
                if let Some(place) = self.by_value.get(&key) {
                    collect(place);
                }
            }
        }
        found.sort_unstable();
        found
    }
}

/// Returns a label value that every alert the matchers match must have.
fn anchor(matchers: &Matchers) -> Option<(CompactString, CompactString)> {
    matchers
        .iter()
        .find(|matcher| matcher.op() == MatchOp::Equal && !matcher.value().is_empty())
        .map(|matcher| (matcher.name().into(), matcher.value().into()))
}

impl Tenant {
    pub(super) fn set_silence(
        &mut self,
        now: Timestamp,
        mut request: SilenceRequest,
        fresh_id: SilenceId,
    ) -> Result<SilenceId, SilenceRejection> {
        let previous = match request.id {
            None => None,
            Some(id) => Some(*self.silence_ids.get(&id).ok_or(SilenceRejection::NotFound)?),
        };
        if request.starts_at >= request.ends_at {
            return Err(SilenceRejection::EndsBeforeStart);
        }
        if request.ends_at < now {
            return Err(SilenceRejection::EndsInPast);
        }
        if request.matchers.iter().all(|matcher| matcher.matches_value("")) {
            return Err(SilenceRejection::MatchesEverything);
        }
        self.check_silence_size(&request)?;
        if let Some(number) = previous
            && self.may_update(number, &request, now)
        {
            return Ok(self.update_silence(now, number, request));
        }
        let limit = self.policy.limits.silences;
        if limit > 0 && self.silences.len() >= limit {
            return Err(SilenceRejection::TooMany { limit });
        }
        if let Some(number) = previous {
            self.end_silence(now, number);
        }
        request.starts_at = request.starts_at.max(now);
        Ok(self.add_silence(now, request, fresh_id))
    }

    pub(super) fn expire_silence(
        &mut self,
        now: Timestamp,
        id: SilenceId,
    ) -> Result<(), SilenceRejection> {
        let number = *self.silence_ids.get(&id).ok_or(SilenceRejection::NotFound)?;
        self.end_silence(now, number);
        Ok(())
    }

    fn check_silence_size(&self, request: &SilenceRequest) -> Result<(), SilenceRejection> {
        let limit = self.policy.limits.silence_bytes;
        if limit == 0 {
            return Ok(());
        }
        let matchers: usize =
            request.matchers.iter().map(|m| m.name().len() + m.value().len() + 2).sum();
        let annotations: usize = request.annotations.iter().map(|(n, v)| n.len() + v.len()).sum();
        let bytes = matchers + annotations + request.comment.len() + request.created_by.len();
        if bytes > limit { Err(SilenceRejection::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    /// Returns whether a silence may be changed where it stands: its matchers stay, an active one
    /// keeps its start (to the second), a pending one may not start in the past.
    ///
    /// Source: Alertmanager, `silence/silence.go`, `canUpdate`.
    fn may_update(&self, number: SilenceNumber, request: &SilenceRequest, now: Timestamp) -> bool {
        let Some(entry) = self.silences.get(&number) else { return false };
        let silence = &entry.silence;
        silence.matchers == request.matchers
            && match silence.state_at(now) {
                SilenceState::Active => {
                    request.starts_at.as_second() == silence.starts_at.as_second()
                }
                SilenceState::Pending => request.starts_at >= now,
                SilenceState::Expired => false,
            }
    }

    fn add_silence(&mut self, now: Timestamp, request: SilenceRequest, id: SilenceId) -> SilenceId {
        let number = SilenceNumber(self.highest.silence.0 + 1);
        self.highest.silence = number;
        let silence = Silence {
            id,
            number,
            matchers: request.matchers,
            starts_at: request.starts_at,
            ends_at: request.ends_at,
            updated_at: now,
            created_by: request.created_by,
            comment: request.comment,
            annotations: request.annotations,
        };
        self.record_silence(now, &silence);
        self.adopt_silence(silence);
        self.follow_silence(now, number);
        id
    }

    fn update_silence(
        &mut self,
        now: Timestamp,
        number: SilenceNumber,
        request: SilenceRequest,
    ) -> SilenceId {
        let Some(entry) = self.silences.get_mut(&number) else { return SilenceId::nil() };
        let silence = &mut entry.silence;
        silence.starts_at = request.starts_at;
        silence.ends_at = request.ends_at;
        silence.created_by = request.created_by;
        silence.comment = request.comment;
        silence.annotations = request.annotations;
        silence.updated_at = now;
        let silence = silence.clone();
        self.record_silence(now, &silence);
        self.recorder.silences.insert(number);
        self.follow_silence(now, number);
        silence.id
    }

    fn record_silence(&mut self, now: Timestamp, silence: &Silence) {
        self.record(
            now,
            Event::SilenceSet {
                silence: silence.number,
                id: silence.id,
                by: silence.created_by.clone(),
                matchers: silence.matchers.to_string(),
                starts_at: silence.starts_at,
                ends_at: silence.ends_at,
                comment: silence.comment.clone(),
            },
        );
    }

    /// Puts a silence among the known ones.
    fn adopt_silence(&mut self, silence: Silence) {
        let number = silence.number;
        self.silence_ids.insert(silence.id, number);
        self.recorder.silences.insert(number);
        self.silences.insert(number, SilenceEntry { silence, is_muting: false });
    }

    /// Takes up a silence that the store holds. That it mutes is no news: whoever made it was told
    /// from when to when.
    pub(super) fn take_up_silence(&mut self, now: Timestamp, silence: Silence) {
        let number = silence.number;
        let is_muting = silence.state_at(now) == SilenceState::Active;
        if is_muting {
            self.silence_index.insert(number, &silence.matchers);
        }
        self.silence_ids.insert(silence.id, number);
        self.silences.insert(number, SilenceEntry { silence, is_muting });
        self.follow_silence(now, number);
    }

    fn end_silence(&mut self, now: Timestamp, number: SilenceNumber) {
        let Some(entry) = self.silences.get_mut(&number) else { return };
        match entry.silence.state_at(now) {
            SilenceState::Expired => return,
            SilenceState::Active => entry.silence.ends_at = now,
            SilenceState::Pending => {
                entry.silence.starts_at = now;
                entry.silence.ends_at = now;
            }
        }
        entry.silence.updated_at = now;
        let (id, was_muting) = (entry.silence.id, entry.is_muting);
        self.recorder.silences.insert(number);
        if !was_muting {
            self.record(now, Event::SilenceEnded { silence: number, id, is_early: true });
        }
        self.stop_muting(now, number, true);
        self.follow_silence(now, number);
    }

    pub(super) fn silence_due(&mut self, now: Timestamp, number: SilenceNumber) {
        self.follow_silence(now, number);
    }

    /// Brings the effect of a silence in line with the time, and sets the timer of its next
    /// change.
    pub(super) fn follow_silence(&mut self, now: Timestamp, number: SilenceNumber) {
        let Some(entry) = self.silences.get(&number) else { return };
        let silence = &entry.silence;
        let (starts_at, ends_at) = (silence.starts_at, silence.ends_at);
        match silence.state_at(now) {
            SilenceState::Pending => self.schedule(starts_at, Timer::Silence(number)),
            SilenceState::Active => {
                self.start_muting(now, number);
                self.schedule(ends_at, Timer::Silence(number));
            }
            SilenceState::Expired => {
                self.stop_muting(now, number, false);
                let forget_at = later(ends_at, self.policy.retention);
                if forget_at > now {
                    self.schedule(forget_at, Timer::Silence(number));
                } else if let Some(entry) = self.silences.remove(&number) {
                    self.silence_ids.remove(&entry.silence.id);
                    self.recorder.silences.remove(&number);
                    self.recorder.forgotten_silences.push(entry.silence);
                }
            }
        }
    }

    fn start_muting(&mut self, now: Timestamp, number: SilenceNumber) {
        let Some(entry) = self.silences.get_mut(&number) else { return };
        if std::mem::replace(&mut entry.is_muting, true) {
            return;
        }
        let (id, matchers) = (entry.silence.id, entry.silence.matchers.clone());
        self.silence_index.insert(number, &matchers);
        for alert in self.alerts.values_mut() {
            if matchers.matches(&alert.identity.labels)
                && let Err(place) = alert.silenced_by.binary_search(&number)
            {
                alert.silenced_by.insert(place, number);
            }
        }
        self.record(now, Event::SilenceStarted { silence: number, id });
    }

    fn stop_muting(&mut self, now: Timestamp, number: SilenceNumber, is_early: bool) {
        let Some(entry) = self.silences.get_mut(&number) else { return };
        if !std::mem::replace(&mut entry.is_muting, false) {
            return;
        }
        let (id, matchers) = (entry.silence.id, entry.silence.matchers.clone());
        self.silence_index.remove(number, &matchers);
        let mut freed: Vec<Fingerprint> = Vec::new();
        for (fingerprint, alert) in &mut self.alerts {
            if let Ok(place) = alert.silenced_by.binary_search(&number) {
                alert.silenced_by.remove(place);
                freed.push(*fingerprint);
            }
        }
        self.record(now, Event::SilenceEnded { silence: number, id, is_early });
        self.look_after_unmute(now, &freed);
    }
}
