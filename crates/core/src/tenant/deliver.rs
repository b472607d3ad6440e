//! Notifications on their way: attempts, back-off, success, and giving up.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::flush::{Sight, Telling};
use super::{Tenant, Timer, later};
use crate::event::Event;
use crate::ids::{AlertNumber, GroupNumber, OutboxNumber};
use crate::labels::Fingerprint;
use crate::notification::{
    AttemptOutcome, Failure, LogEntry, LogKey, Notification, NotifiedAlert, NotifyReason,
    OutboxEntry,
};
use crate::policy::Integration;

/// A notification may be tried for at least this long, however short the group interval is.
const MIN_DELIVERY_SPAN: SignedDuration = SignedDuration::from_secs(10);

/// Back-off after a failure: the first pause, its growth, its bound.
///
/// Source: Alertmanager, `notify/retry_stage.go` (exponential, factor 1.5, ± 50 %).
const FAILED_PAUSE_MS: f64 = 500.0;
const FAILED_GROWTH: f64 = 1.5;
const MAX_PAUSE_MS: f64 = 60_000.0;

/// A refusal is tried again more slowly: asking at once would get the same answer.
const REFUSED_PAUSE_MS: f64 = 5_000.0;
const REFUSED_GROWTH: f64 = 2.0;

/// The longest wait that another side's `Retry-After` can ask of us.
const MAX_RETRY_AFTER_MS: u64 = 3_600_000;

/// A notification on its way.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) entry: OutboxEntry,
    /// When the attempt that is under way began; `None` while it waits for its time.
    pub(super) attempting_since: Option<Timestamp>,
    /// Whether its group was looked at again meanwhile, so the integration has to be asked anew.
    pub(super) has_news: bool,
    /// Alerts that stopped being held back meanwhile.
    pub(super) unmuted: BTreeSet<Fingerprint>,
}

impl Tenant {
    /// Puts a notification in the outbox, or only moves the log on when there is nothing to send.
    pub(super) fn queue(
        &mut self,
        now: Timestamp,
        number: GroupNumber,
        key: &LogKey,
        integration: &Integration,
        telling: Telling,
        reason: NotifyReason,
    ) {
        let Some(group) = self.groups.get(&number) else { return };
        let policy = Arc::clone(&self.policy);
        let route = policy.routes.get(group.route);
        let life = policy.retention.min(route.repeat_interval.saturating_mul(2));
        let mut alerts = self.notified(&telling.firing, false);
        if integration.send_resolved {
            alerts.extend(self.notified(&telling.resolved, true));
            alerts.sort_by(|a, b| super::read::by_job_and_instance(&a.labels, &b.labels));
        }
        let numbers = |resolved: bool| -> Vec<AlertNumber> {
            alerts.iter().filter(|a| a.is_resolved == resolved).map(|a| a.number).collect()
        };
        let (firing_numbers, resolved_numbers) = (numbers(false), numbers(true));
        let mut firing = telling.firing;
        firing.extend(telling.kept);
        firing.sort_unstable();
        let log_expires_at = later(now, life);
        if alerts.is_empty() {
            let told_at = now;
            let resolved = telling.resolved;
            let old = self.log.get(key);
            let receipt = old.and_then(|entry| entry.receipt.clone());
            let page_key =
                old.and_then(|entry| entry.page_key.clone()).filter(|_| !firing.is_empty());
            let expires_at = log_expires_at;
            let doubted = Vec::new();
            let entry =
                LogEntry { told_at, firing, resolved, expires_at, receipt, page_key, doubted };
            self.log.insert(key.clone(), entry);
            self.recorder.log.insert(key.clone());
            return;
        }
        // A new page is a new incident; everything after it belongs to the one that was opened.
        let told = self.log.get(key).filter(|_| reason != NotifyReason::First);
        let page_key = told.and_then(|entry| entry.page_key.clone());
        let receipt = told.and_then(|entry| entry.receipt.clone());
        let notification = Arc::new(Notification {
            receiver: Arc::clone(&key.receiver),
            group_key: page_key.unwrap_or_else(|| format!("{}:{}", route.key, group.labels).into()),
            group_labels: group.labels.clone(),
            route_labels: route.labels.clone(),
            reason,
            alerts,
            decided_at: now,
        });
        let deadline = later(now, route.group_interval.max(MIN_DELIVERY_SPAN));
        if self.keeps_waiting(key, &notification, &firing, &telling.resolved, deadline) {
            return;
        }
        let old = self.take_over(now, key);
        let (attempts, due_at, deadline) = match old {
            Some((attempts, due_at, old_deadline)) => {
                (attempts, due_at, deadline.max(old_deadline))
            }
            None => (0, now, deadline),
        };
        let outbox = OutboxNumber(self.highest.outbox.0 + 1);
        self.highest.outbox = outbox;
        self.record(
            now,
            Event::NotificationQueued {
                notification: outbox,
                group: number,
                integration: key.integration(),
                reason,
                firing: firing_numbers,
                resolved: resolved_numbers,
            },
        );
        let entry = OutboxEntry {
            number: outbox,
            group: number,
            key: key.clone(),
            notification,
            firing,
            resolved: telling.resolved,
            log_expires_at,
            attempts,
            due_at,
            deadline,
            receipt,
        };
        self.enqueue(entry);
    }

    /// Makes an outbox entry part of the state, with its timers.
    pub(super) fn enqueue(&mut self, entry: OutboxEntry) {
        let number = entry.number;
        self.in_flight.insert(entry.key.clone(), number);
        self.recorder.outbox.insert(number);
        self.schedule(entry.due_at, Timer::Attempt(number));
        self.schedule(entry.deadline, Timer::Deadline(number));
        let unmuted = BTreeSet::new();
        let outbound = Outbound { entry, attempting_since: None, has_news: false, unmuted };
        self.outbox.insert(number, outbound);
    }

    fn notified(&self, fingerprints: &[Fingerprint], is_resolved: bool) -> Vec<NotifiedAlert> {
        let mut alerts: Vec<NotifiedAlert> = fingerprints
            .iter()
            .filter_map(|fp| self.alerts.get(fp))
            .map(|alert| NotifiedAlert {
                number: alert.identity.number,
                fingerprint: alert.identity.fingerprint,
                labels: alert.identity.labels.clone(),
                annotations: alert.description.annotations.clone(),
                generator_url: alert.description.generator_url.clone(),
                starts_at: alert.activity.starts_at,
                ends_at: alert.activity.ends_at,
                is_resolved,
            })
            .collect();
        alerts.sort_by(|a, b| super::read::by_job_and_instance(&a.labels, &b.labels));
        alerts
    }

    /// Asks a notification that is on its way whether a newer one may take its place now. One
    /// that is being sent may not: it notes that there is news and asks again when it is done.
    pub(super) fn gives_way(&mut self, pending: OutboxNumber, sight: &Sight) -> bool {
        let supersedes = self.policy.compat.retry_refused;
        let Some(outbound) = self.outbox.get_mut(&pending) else { return true };
        if supersedes && outbound.attempting_since.is_none() {
            return true;
        }
        outbound.has_news = true;
        outbound.unmuted.extend(&sight.unmuted);
        false
    }

    /// Returns why the notification that is on its way is sent.
    pub(super) fn waiting_reason(&self, key: &LogKey) -> Option<NotifyReason> {
        let number = self.in_flight.get(key)?;
        Some(self.outbox.get(number)?.entry.notification.reason)
    }

    /// Lets a waiting notification that tells the same wait on, and returns whether there is one.
    /// It keeps its number, so the other side can see that later attempts tell nothing new.
    fn keeps_waiting(
        &mut self,
        key: &LogKey,
        notification: &Notification,
        firing: &[Fingerprint],
        resolved: &[Fingerprint],
        deadline: Timestamp,
    ) -> bool {
        let Some(number) = self.in_flight.get(key).copied() else { return false };
        let Some(outbound) = self.outbox.get_mut(&number) else { return false };
        let entry = &mut outbound.entry;
        let tells_the_same = entry.firing == firing
            && entry.resolved == resolved
            && entry.notification.tells_the_same(notification);
        if tells_the_same && entry.deadline < deadline {
            let old = std::mem::replace(&mut entry.deadline, deadline);
            self.timers.remove(&(old, Timer::Deadline(number)));
            self.schedule(deadline, Timer::Deadline(number));
            self.recorder.outbox.insert(number);
        }
        tells_the_same
    }

    /// Takes the attempts, the next time and the deadline from the notification that a newer one
    /// replaces.
    fn take_over(&mut self, now: Timestamp, key: &LogKey) -> Option<(u32, Timestamp, Timestamp)> {
        let old = self.in_flight.get(key).copied()?;
        let entry = self.remove_outbound(old)?;
        Some((entry.attempts, entry.due_at.max(now), entry.deadline))
    }

    /// Gives up a waiting notification that has become pointless: its alerts ended before it
    /// could be sent.
    pub(super) fn drop_superseded(&mut self, now: Timestamp, key: &LogKey) {
        let Some(number) = self.in_flight.get(key).copied() else { return };
        let Some(entry) = self.remove_outbound(number) else { return };
        self.record(
            now,
            Event::NotificationAbandoned {
                notification: number,
                group: entry.group,
                integration: key.integration(),
                why: "what it told is no longer so".to_owned(),
            },
        );
    }

    fn remove_outbound(&mut self, number: OutboxNumber) -> Option<OutboxEntry> {
        let outbound = self.outbox.remove(&number)?;
        if self.in_flight.get(&outbound.entry.key) == Some(&number) {
            self.in_flight.remove(&outbound.entry.key);
        }
        self.timers.remove(&(outbound.entry.due_at, Timer::Attempt(number)));
        self.timers.remove(&(outbound.entry.deadline, Timer::Deadline(number)));
        self.recorder.outbox.remove(&number);
        self.recorder.finished_outbox.push(number);
        Some(outbound.entry)
    }

    pub(super) fn attempt_due(&mut self, now: Timestamp, number: OutboxNumber) {
        let Some(outbound) = self.outbox.get_mut(&number) else { return };
        if outbound.attempting_since.is_some() || outbound.entry.due_at > now {
            return;
        }
        outbound.attempting_since = Some(now);
        outbound.entry.attempts += 1;
        self.attempts.push(outbound.entry.clone());
    }

    /// The time for a notification is over. One that is being sent is judged when it is done.
    pub(super) fn delivery_deadline_due(&mut self, now: Timestamp, number: OutboxNumber) {
        let Some(outbound) = self.outbox.get(&number) else { return };
        if outbound.entry.deadline <= now && outbound.attempting_since.is_none() {
            self.abandon(now, number, "no attempt succeeded in time".to_owned());
        }
    }

    pub(super) fn attempt_ended(
        &mut self,
        now: Timestamp,
        number: OutboxNumber,
        outcome: AttemptOutcome,
        jitter: f64,
    ) {
        if self.page_attempt_ended(now, number, &outcome) {
            return;
        }
        let Some(outbound) = self.outbox.get_mut(&number) else { return };
        let Some(since) = outbound.attempting_since.take() else { return };
        let attempts = outbound.entry.attempts;
        if outcome.is_in_doubt() {
            self.doubt(now, number);
        }
        match outcome {
            AttemptOutcome::Delivered { receipt, fallbacks } => {
                self.note_fallbacks(now, number, fallbacks);
                self.delivered(now, since, number, receipt);
            }
            AttemptOutcome::Failed(failure) => {
                let pause = pause(FAILED_PAUSE_MS, FAILED_GROWTH, attempts, jitter);
                self.try_later(now, number, later(since, pause), failure);
            }
            AttemptOutcome::Refused(failure) if self.policy.compat.retry_refused => {
                let pause = pause(REFUSED_PAUSE_MS, REFUSED_GROWTH, attempts, jitter);
                self.try_later(now, number, later(since, pause), failure);
            }
            AttemptOutcome::Refused(failure) => self.abandon(now, number, failure.message),
        }
    }

    /// Notes what may have been told although nobody confirmed it. A page that did arrive would
    /// stay open for ever if its alerts ended before the next attempt; to hear of the end of one
    /// that did not is the lesser evil.
    fn doubt(&mut self, now: Timestamp, number: OutboxNumber) {
        let Some(outbound) = self.outbox.get(&number) else { return };
        if !self.policy.compat.resolve_follows_page {
            return;
        }
        let OutboxEntry { key, notification, log_expires_at, receipt, .. } = &outbound.entry;
        let told = notification.alerts.iter().filter(|alert| !alert.is_resolved);
        let told: Vec<Fingerprint> = told.map(|alert| alert.fingerprint).collect();
        if told.is_empty() {
            return;
        }
        let entry = self.log.entry(key.clone()).or_insert_with(|| LogEntry {
            told_at: now,
            firing: Vec::new(),
            resolved: Vec::new(),
            expires_at: *log_expires_at,
            receipt: receipt.clone(),
            page_key: None,
            doubted: Vec::new(),
        });
        entry.resolved.retain(|fp| !told.contains(fp));
        entry.doubted.extend(told);
        entry.doubted.sort_unstable();
        entry.doubted.dedup();
        entry.expires_at = entry.expires_at.max(*log_expires_at);
        entry.page_key.get_or_insert_with(|| Arc::clone(&notification.group_key));
        self.recorder.forgotten_log.remove(key);
        self.recorder.log.insert(key.clone());
    }

    /// Tells whoever looks after the templates what had to be replaced.
    fn note_fallbacks(&mut self, now: Timestamp, number: OutboxNumber, why: Vec<String>) {
        let Some(outbound) = self.outbox.get(&number).filter(|_| !why.is_empty()) else { return };
        let (group, integration) = (outbound.entry.group, outbound.entry.key.integration());
        self.record(now, Event::MessageDegraded { notification: number, group, integration, why });
    }

    fn delivered(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        number: OutboxNumber,
        receipt: Option<String>,
    ) {
        let news = self.news_of(number);
        let Some(entry) = self.remove_outbound(number) else { return };
        // An exact repeat counts from the start of the attempt that succeeded: a slow answer does
        // not shift it, and a message that had to wait for hours is not repeated at once.
        let told_at = if self.policy.compat.exact_repeat { since } else { now };
        self.record(
            now,
            Event::NotificationSent {
                notification: number,
                group: entry.group,
                integration: entry.key.integration(),
                attempts: entry.attempts,
            },
        );
        let has_firing = !entry.firing.is_empty();
        let is_told = |fp: &Fingerprint| {
            [&entry.firing, &entry.resolved].iter().any(|list| list.binary_search(fp).is_ok())
        };
        let mut doubted =
            self.log.get(&entry.key).map(|old| old.doubted.clone()).unwrap_or_default();
        doubted.retain(|fp| !is_told(fp));
        let told = LogEntry {
            told_at,
            firing: entry.firing,
            resolved: entry.resolved,
            expires_at: entry.log_expires_at,
            receipt: receipt.or(entry.receipt),
            page_key: has_firing.then(|| Arc::clone(&entry.notification.group_key)),
            doubted,
        };
        self.log.insert(entry.key.clone(), told);
        self.recorder.log.insert(entry.key.clone());
        self.recorder.forgotten_log.remove(&entry.key);
        // Its alerts may have moved to other groups while it was on its way.
        self.carry_entry(&entry.key);
        self.after_delivery(now, entry.group, &entry.key, news);
    }

    fn try_later(
        &mut self,
        now: Timestamp,
        number: OutboxNumber,
        not_before: Timestamp,
        failure: Failure,
    ) {
        let honours = self.policy.compat.retry_refused;
        let news = self.news_of(number);
        let Some(outbound) = self.outbox.get_mut(&number) else { return };
        let asked = failure.retry_after_ms.filter(|_| honours).map(|ms| ms.min(MAX_RETRY_AFTER_MS));
        let mut retry_at = not_before.max(now);
        if let Some(ms) = asked {
            let wait = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
            retry_at = retry_at.max(later(now, wait));
        }
        let old_deadline = outbound.entry.deadline;
        if asked.is_some() {
            // The other side named a time: keep the message for it even if that is after the
            // next flush, which then only renews its contents.
            outbound.entry.deadline = old_deadline.max(later(retry_at, MIN_DELIVERY_SPAN));
        }
        let deadline = outbound.entry.deadline;
        if retry_at >= deadline {
            self.abandon(now, number, failure.message);
            return;
        }
        self.timers.remove(&(outbound.entry.due_at, Timer::Attempt(number)));
        outbound.entry.due_at = retry_at;
        let (group, attempt) = (outbound.entry.group, outbound.entry.attempts);
        let key = outbound.entry.key.clone();
        if deadline != old_deadline {
            self.timers.remove(&(old_deadline, Timer::Deadline(number)));
            self.schedule(deadline, Timer::Deadline(number));
        }
        self.schedule(retry_at, Timer::Attempt(number));
        self.recorder.outbox.insert(number);
        self.record(
            now,
            Event::AttemptFailed {
                notification: number,
                group,
                integration: key.integration(),
                attempt,
                failure,
                retry_at,
            },
        );
        if honours && news.is_some() {
            self.after_delivery(now, group, &key, news);
        }
    }

    /// Gives a notification up; the next flush of its group decides anew.
    pub(super) fn abandon(&mut self, now: Timestamp, number: OutboxNumber, why: String) {
        let news = self.news_of(number);
        let Some(entry) = self.remove_outbound(number) else { return };
        self.record(
            now,
            Event::NotificationAbandoned {
                notification: number,
                group: entry.group,
                integration: entry.key.integration(),
                why,
            },
        );
        if let Some(settling) = self.groups.get_mut(&entry.group).and_then(|g| g.settling.as_mut())
        {
            settling.has_failed = true;
        }
        self.after_delivery(now, entry.group, &entry.key, news);
    }

    fn news_of(&mut self, number: OutboxNumber) -> Option<BTreeSet<Fingerprint>> {
        let outbound = self.outbox.get_mut(&number)?;
        std::mem::take(&mut outbound.has_news).then(|| std::mem::take(&mut outbound.unmuted))
    }

    /// A place in the pipeline became free: tells the integration what happened meanwhile, and
    /// lets the group move on.
    fn after_delivery(
        &mut self,
        now: Timestamp,
        group: GroupNumber,
        key: &LogKey,
        news: Option<BTreeSet<Fingerprint>>,
    ) {
        if let Some(unmuted) = news
            && let Some(pair) = self.integrations_of(group).into_iter().find(|(k, _)| k == key)
        {
            let mut sight = self.look(now, group);
            sight.unmuted.extend(unmuted);
            self.tell(now, group, &pair, &sight);
        }
        self.settle(now, group);
        self.plan_early_look(now, group);
    }
}

/// Returns the pause before the next attempt: exponential, spread by ± 50 %, bounded.
fn pause(first_ms: f64, growth: f64, attempts: u32, jitter: f64) -> SignedDuration {
    let exponent = f64::from(attempts.saturating_sub(1).min(64));
    let base = (first_ms * growth.powf(exponent)).min(MAX_PAUSE_MS);
    let spread = base * (0.5 + jitter.clamp(0.0, 1.0));
    SignedDuration::from_secs_f64(spread / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_spread_by_half() {
        let middle = |attempts| pause(FAILED_PAUSE_MS, FAILED_GROWTH, attempts, 0.5);
        assert_eq!(middle(1), SignedDuration::from_millis(500));
        assert_eq!(middle(2), SignedDuration::from_millis(750));
        assert_eq!(middle(1_000_000), SignedDuration::from_secs(60));
        assert_eq!(pause(500.0, 1.5, 1, 0.0), SignedDuration::from_millis(250));
        assert_eq!(pause(500.0, 1.5, 1, 1.0), SignedDuration::from_millis(750));
    }
}
