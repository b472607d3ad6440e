//! Somebody works on an alert: its groups stop repeating until that is over or something new
//! joins.

use jiff::Timestamp;

use super::flush::repeat_span;
use super::group::Group;
use super::ingest::Alert;
use super::{Tenant, Timer, later};
use crate::acknowledgement::{
    Acknowledgement, AcknowledgementEnd, MAX_ALERTS, MAX_BY_CHARS, MAX_COMMENT_CHARS, SourceAlert,
    bounded,
};
use crate::change::Change;
use crate::command::Rejection;
use crate::event::{Event, FlushReason};
use crate::ids::GroupNumber;
use crate::labels::{DEDUP_KEY, Fingerprint, INTEGRATION, Labels};

/// Who acknowledges, takes back or notes, and what they say.
pub(super) struct Word {
    pub(super) by: String,
    pub(super) comment: String,
}

impl Word {
    pub(super) fn new(by: String, comment: String) -> Self {
        Self { by: bounded(by, MAX_BY_CHARS), comment: bounded(comment, MAX_COMMENT_CHARS) }
    }
}

impl Tenant {
    /// Acknowledges those of the alerts that fire, and returns which those are. A newer
    /// acknowledgement replaces an older one.
    pub(super) fn acknowledge(
        &mut self,
        now: Timestamp,
        alerts: Vec<Fingerprint>,
        word: &Word,
        expires_at: Option<Timestamp>,
    ) -> Result<Vec<Fingerprint>, Rejection> {
        if alerts.len() > MAX_ALERTS {
            return Err(Rejection::TooManyAlerts { limit: MAX_ALERTS });
        }
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Rejection::ExpiryInThePast);
        }
        let firing: Vec<Fingerprint> = alerts
            .into_iter()
            .filter(|fp| self.alerts.get(fp).is_some_and(|alert| !alert.is_resolved))
            .collect();
        if firing.is_empty() {
            return Err(Rejection::NothingFires);
        }
        for fingerprint in &firing {
            let Some(alert) = self.alerts.get_mut(fingerprint) else { continue };
            let number = alert.identity.number;
            let acknowledgement = Acknowledgement {
                by: word.by.clone(),
                at: now,
                expires_at,
                comment: word.comment.clone(),
            };
            alert.acknowledgement = Some(acknowledgement);
            self.recorder.acknowledgements.insert(*fingerprint);
            if let Some(at) = expires_at {
                self.schedule(at, Timer::Lapse(*fingerprint));
            }
            self.record(
                now,
                Event::AlertAcknowledged {
                    alert: number,
                    by: word.by.clone(),
                    comment: word.comment.clone(),
                    expires_at,
                },
            );
        }
        Ok(firing)
    }

    /// Takes acknowledgements back; alerts that have none are left alone.
    pub(super) fn unacknowledge(
        &mut self,
        now: Timestamp,
        alerts: &[Fingerprint],
        word: &Word,
    ) -> Result<Vec<Fingerprint>, Rejection> {
        if alerts.len() > MAX_ALERTS {
            return Err(Rejection::TooManyAlerts { limit: MAX_ALERTS });
        }
        let mut ended = Vec::new();
        for fingerprint in alerts {
            let why = AcknowledgementEnd::TakenBack {
                by: word.by.clone(),
                comment: word.comment.clone(),
            };
            if self.end_acknowledgement(now, *fingerprint, why) {
                ended.push(*fingerprint);
            }
        }
        if ended.is_empty() {
            return Err(Rejection::NothingAcknowledged);
        }
        self.look_after_acknowledgement(now, &ended);
        Ok(ended)
    }

    /// The time of an acknowledgement may be over; it may also have been replaced since.
    pub(super) fn lapse_due(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        let is_over = self
            .alerts
            .get(&fingerprint)
            .and_then(|alert| alert.acknowledgement.as_ref()?.expires_at)
            .is_some_and(|at| at <= now);
        if is_over && self.end_acknowledgement(now, fingerprint, AcknowledgementEnd::Lapsed) {
            self.runs_follow(now, &[fingerprint], "the acknowledgement has lapsed");
            self.look_after_acknowledgement(now, &[fingerprint]);
        }
    }

    /// Ends the acknowledgement of an alert, if it has one.
    pub(super) fn end_acknowledgement(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        why: AcknowledgementEnd,
    ) -> bool {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return false };
        let number = alert.identity.number;
        if alert.acknowledgement.take().is_none() {
            return false;
        }
        self.recorder.acknowledgements.remove(&fingerprint);
        self.recorder.ended_acknowledgements.push(number);
        self.record(now, Event::AlertUnacknowledged { alert: number, why });
        true
    }

    /// Gives an alert found in the store its acknowledgement back.
    pub(super) fn restore_acknowledgement(
        &mut self,
        fingerprint: Fingerprint,
        acknowledgement: Acknowledgement,
    ) {
        let expires_at = acknowledgement.expires_at;
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        alert.acknowledgement = Some(acknowledgement);
        if let Some(at) = expires_at {
            self.schedule(at, Timer::Lapse(fingerprint));
        }
    }

    /// Repeats at once what was held back while somebody worked on it and has become due.
    pub(super) fn look_after_acknowledgement(&mut self, now: Timestamp, alerts: &[Fingerprint]) {
        let groups: std::collections::BTreeSet<GroupNumber> = alerts
            .iter()
            .filter_map(|fp| self.alerts.get(fp))
            .flat_map(|alert| alert.groups.iter().copied())
            .collect();
        for number in groups {
            if self.is_repeat_overdue(now, number) {
                self.advance_flush(number, now, FlushReason::Unacknowledged);
            } else {
                self.plan_early_look(now, number);
            }
        }
    }

    fn is_repeat_overdue(&self, now: Timestamp, number: GroupNumber) -> bool {
        let Some(group) = self.groups.get(&number) else { return false };
        let route = self.policy.routes.get(group.route);
        let span = repeat_span(self.policy.compat, route.repeat_interval, route.group_interval);
        self.integrations_of(number).iter().any(|(key, _)| {
            let told = self.log.get(key).filter(|entry| !entry.firing.is_empty());
            told.is_some_and(|entry| later(entry.told_at, span) <= now)
        })
    }

    /// Returns whether somebody works on each of these alerts.
    pub(super) fn are_acknowledged(&self, alerts: &[Fingerprint]) -> bool {
        !alerts.is_empty()
            && alerts
                .iter()
                .all(|fp| self.alerts.get(fp).is_some_and(|alert| alert.acknowledgement.is_some()))
    }

    /// Returns whether somebody works on every alert of a group that fires and is not held back.
    pub(super) fn is_acknowledged(&self, group: &Group) -> bool {
        let told = group.alerts.iter().filter(|fp| !group.muted.contains_key(fp));
        let mut firing =
            told.filter_map(|fp| self.alerts.get(fp)).filter(|alert| !alert.is_resolved).peekable();
        firing.peek().is_some() && firing.all(|alert| alert.acknowledgement.is_some())
    }

    /// Adds a note to the history of an alert.
    pub(super) fn add_note(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        word: Word,
    ) -> Result<(), Rejection> {
        let Some(alert) = self.alerts.get(&fingerprint) else {
            return Err(Rejection::UnknownAlert { fingerprint });
        };
        let alert = alert.identity.number;
        self.record(now, Event::AlertNoted { alert, by: word.by, text: word.comment });
        Ok(())
    }

    /// Adds a change told from outside to the history.
    pub(super) fn record_change(&mut self, now: Timestamp, change: Change) {
        self.note_change(now, &change);
        self.record(now, Event::ChangeRecorded { change });
    }

    /// Returns the alert that `integration` knows by `dedup_key`, firing or lately resolved.
    pub fn alert_by_source(
        &self,
        integration: &str,
        dedup_key: &str,
        now: Timestamp,
    ) -> Option<SourceAlert> {
        let by_key = self.sources.get(integration)?;
        let alert = self.alerts.get(by_key.get(dedup_key)?)?;
        Some(self.source_alert(alert, now))
    }

    /// Returns the alerts that `integration` knows by a key, firing or lately resolved, by key.
    pub fn alerts_of_source(&self, integration: &str, now: Timestamp) -> Vec<SourceAlert> {
        let by_key = self.sources.get(integration).into_iter().flatten();
        by_key
            .filter_map(|(_, fingerprint)| self.alerts.get(fingerprint))
            .map(|alert| self.source_alert(alert, now))
            .collect()
    }

    fn source_alert(&self, alert: &Alert, now: Timestamp) -> SourceAlert {
        let is_resolved = alert.is_resolved || alert.activity.is_resolved_at(now);
        SourceAlert { alert: self.view(alert, &[]), is_resolved }
    }

    /// Makes an alert findable by its key, if it has one. The latest alert of a key counts, but one
    /// that is over never hides one that fires.
    pub(super) fn enlist_source(
        &mut self,
        labels: &Labels,
        fingerprint: Fingerprint,
        is_resolved: bool,
    ) {
        let Some((integration, key)) = source_of(labels) else { return };
        let by_key = self.sources.entry(integration.to_owned()).or_default();
        let is_taken = is_resolved
            && by_key
                .get(key)
                .and_then(|known| self.alerts.get(known))
                .is_some_and(|known| !known.is_resolved);
        if !is_taken {
            by_key.insert(key.to_owned(), fingerprint);
        }
    }

    /// Forgets the key of an alert that is forgotten.
    pub(super) fn delist_source(&mut self, labels: &Labels, fingerprint: Fingerprint) {
        let Some((integration, key)) = source_of(labels) else { return };
        let Some(by_key) = self.sources.get_mut(integration) else { return };
        if by_key.get(key) == Some(&fingerprint) {
            by_key.remove(key);
        }
        if by_key.is_empty() {
            self.sources.remove(integration);
        }
    }
}

fn source_of(labels: &Labels) -> Option<(&str, &str)> {
    Some((labels.get(INTEGRATION)?, labels.get(DEDUP_KEY)?))
}
