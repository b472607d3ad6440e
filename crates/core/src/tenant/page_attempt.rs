//! Attempts to page: success, retries, the next method at once, and what providers tell later.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::page::{Demand, Outgoing, Sent};
use super::{Tenant, Timer, later};
use crate::escalation::{EscalationRun, RunState, SentMessage};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::{OutboxNumber, RunNumber};
use crate::notification::{AttemptOutcome, Failure, FailureClass};
use crate::paging::{Channel, Content, Method, Page, PageState, Receipt, Recipient, Urgency};

/// The longest wait that a provider's `Retry-After` can ask of us for a page.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The most receipts that are remembered to understand what providers tell later.
const MAX_RECEIPTS: usize = 50_000;

impl Tenant {
    pub(super) fn put_page(&mut self, page: Page) {
        let number = page.number;
        self.schedule(page.due_at, Timer::Page(number));
        let outgoing = Outgoing { page, is_under_way: false, has_fallen_back: false };
        self.paging.pages.insert(number, outgoing);
        self.recorder.pages.insert(number);
    }

    /// A page is to be sent now, unless nobody has to be disturbed any more.
    pub(super) fn page_due(&mut self, now: Timestamp, number: OutboxNumber) {
        let Some(outgoing) = self.paging.pages.get(&number) else { return };
        if outgoing.is_under_way || outgoing.page.due_at > now {
            return;
        }
        if !self.can_be_used(&outgoing.page) {
            self.drop_unusable(now, number);
            return;
        }
        if matches!(outgoing.page.content, Content::Page { .. }) && !self.freshen(now, number) {
            self.drop_page(now, number, "nobody has to be disturbed any more".to_owned());
            return;
        }
        let Some(outgoing) = self.paging.pages.get_mut(&number) else { return };
        outgoing.is_under_way = true;
        outgoing.page.attempts += 1;
        self.page_attempts.push(outgoing.page.clone());
        // One that waited for its time was written before it was tried.
        self.recorder.pages.insert(number);
    }

    /// Leaves out of a page what nobody has to hear any more, and what waits because everything is
    /// held back; returns whether anything is left. A second attempt tells how it stands now.
    fn freshen(&mut self, now: Timestamp, number: OutboxNumber) -> bool {
        let Some(outgoing) = self.paging.pages.get(&number) else { return false };
        let (recipient, urgency) = (outgoing.page.recipient.clone(), outgoing.page.urgency);
        let is_again = outgoing.page.attempts > 0;
        let items = outgoing.page.content.items();
        let count = items.len();
        let runs: Vec<(RunNumber, u32)> =
            items.iter().map(|item| (item.run, item.step.0)).collect();
        let mut fresh = Vec::new();
        for (run, step) in runs {
            match self.demand(now, run, &recipient) {
                Demand::Wanted => fresh.extend(self.item(run, &recipient)),
                Demand::Held => {
                    let step = usize::try_from(step).unwrap_or(1).saturating_sub(1);
                    self.wait_again(now, run, &recipient, step, urgency);
                }
                Demand::Over => {}
            }
        }
        if fresh.is_empty() {
            return false;
        }
        if (is_again || fresh.len() < count)
            && let Some(outgoing) = self.paging.pages.get_mut(&number)
        {
            outgoing.page.content = Content::Page { items: fresh };
            self.recorder.pages.insert(number);
        }
        true
    }

    /// Returns whether the method may still be used for what is to be sent.
    fn can_be_used(&self, page: &Page) -> bool {
        let Recipient::Person { person, method } = &page.recipient else { return true };
        let contacts = self.contacts_of(person);
        contacts.method(method).is_some_and(|method| {
            method.address == page.address
                && (method.is_usable() || matches!(page.content, Content::Verification { .. }))
        })
    }

    /// Somebody does not want to be reached there any more, or nothing leads there.
    fn drop_unusable(&mut self, now: Timestamp, number: OutboxNumber) {
        let Some(page) = self.paging.pages.get(&number).map(|it| it.page.clone()) else { return };
        let why = "the method cannot be used any more";
        self.drop_page(now, number, why.to_owned());
        if !matches!(page.content, Content::Page { .. }) || self.reach_otherwise(now, &page, why) {
            return;
        }
        // By their own will nothing is left, unless another method was used before.
        let is_told = page.recipient.person().is_some_and(|person| {
            let contacts = self.contacts_of(person);
            page.runs().filter_map(|run| self.escalations.runs.get(&run)).all(|run| {
                let used = run.people.get(person).map(|paged| &paged.used);
                contacts.usable().any(|method| used.is_some_and(|it| it.contains(&method.id)))
            })
        });
        if !is_told {
            self.tell_undeliverable(now, &page, why);
        }
    }

    fn drop_page(&mut self, now: Timestamp, number: OutboxNumber, why: String) {
        let Some(page) = self.remove_page(number) else { return };
        let (runs, channel) = (page.runs().collect(), page.channel);
        let recipient = page.recipient;
        self.record(now, Event::PageDropped { page: number, runs, recipient, channel, why });
    }

    fn remove_page(&mut self, number: OutboxNumber) -> Option<Page> {
        let outgoing = self.paging.pages.remove(&number)?;
        self.timers.remove(&(outgoing.page.due_at, Timer::Page(number)));
        self.recorder.pages.remove(&number);
        self.recorder.finished_outbox.push(number);
        Some(outgoing.page)
    }

    /// Returns whether the attempt that ended was a page's.
    pub(super) fn page_attempt_ended(
        &mut self,
        now: Timestamp,
        number: OutboxNumber,
        outcome: &AttemptOutcome,
    ) -> bool {
        let Some(outgoing) = self.paging.pages.get_mut(&number) else { return false };
        if !std::mem::take(&mut outgoing.is_under_way) {
            return true;
        }
        let channel = outgoing.page.channel;
        match outcome {
            AttemptOutcome::Delivered { receipt, .. } => {
                self.paging.breakers.remove(&channel);
                self.page_delivered(now, number, receipt.clone());
            }
            AttemptOutcome::Failed(failure) => {
                self.note_failure(now, channel);
                self.page_failed(now, number, failure, true);
            }
            AttemptOutcome::Refused(failure) => {
                if failure.class == FailureClass::AuthError {
                    self.note_failure(now, channel);
                }
                // Who is asked too often takes the message later.
                let may_retry = failure.class == FailureClass::RateLimited;
                self.page_failed(now, number, failure, may_retry);
            }
        }
        true
    }

    fn page_delivered(&mut self, now: Timestamp, number: OutboxNumber, receipt: Option<String>) {
        let Some(page) = self.remove_page(number) else { return };
        let runs: Vec<RunNumber> = page.runs().collect();
        self.record(
            now,
            Event::PageSent {
                page: number,
                runs: runs.clone(),
                recipient: page.recipient.clone(),
                channel: page.channel,
                attempts: page.attempts,
            },
        );
        self.tell_paged(now, &page, PageState::Sent, "");
        if let Some(receipt) = receipt {
            self.keep_receipt(&page, &runs, receipt);
        }
        // Somebody may have answered while it was on its way: then it tells of the past.
        if let Content::Page { items } = &page.content {
            for item in items {
                let Some(run) = self.escalations.runs.get(&item.run) else { continue };
                if run.state.word().0 != item.state {
                    self.update_recipient(now, item.run, &page.recipient, None);
                }
            }
        }
    }

    fn keep_receipt(&mut self, page: &Page, runs: &[RunNumber], receipt: String) {
        if self.paging.receipts.len() < MAX_RECEIPTS {
            let sent = Sent {
                page: page.number,
                recipient: page.recipient.clone(),
                runs: runs.to_vec(),
                state: PageState::Sent,
            };
            self.paging.receipts.insert((page.channel, receipt.clone()), sent);
        }
        for number in runs {
            if let Some(run) = self.escalations.runs.get_mut(number) {
                run.remember(SentMessage {
                    channel: page.channel,
                    receipt: receipt.clone(),
                    page: page.number,
                    recipient: page.recipient.clone(),
                    state: PageState::Sent,
                });
                self.recorder.runs.insert(*number);
            }
        }
        // A message about several cannot be kept up to date for one of them.
        let [only] = runs else { return };
        let Some(run) = self.escalations.runs.get_mut(only) else { return };
        match &page.recipient {
            Recipient::Person { person, method } => {
                if let Some(paged) = run.people.get_mut(person) {
                    paged.receipts.entry(method.clone()).or_insert(receipt);
                }
            }
            Recipient::Place { name } => {
                if let Some(place) = run.places.get_mut(name) {
                    place.receipt.get_or_insert(receipt);
                }
            }
        }
    }

    fn page_failed(
        &mut self,
        now: Timestamp,
        number: OutboxNumber,
        failure: &Failure,
        may_retry: bool,
    ) {
        let Some(outgoing) = self.paging.pages.get_mut(&number) else { return };
        let attempts = outgoing.page.attempts;
        let retries = &self.policy.escalation.retries;
        let pause = usize::try_from(attempts).ok().and_then(|it| retries.get(it.checked_sub(1)?));
        let asked = failure.retry_after_ms.map(|ms| {
            SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)).min(MAX_RETRY_AFTER)
        });
        let retry_at = pause.map(|pause| later(now, (*pause).max(asked.unwrap_or(*pause))));
        let retry_at = retry_at.filter(|at| may_retry && *at < outgoing.page.deadline);
        // A page that is urgent does not wait to see whether the second attempt goes better.
        let is_urgent = outgoing.page.urgency == Urgency::High || retry_at.is_none();
        let falls_back = is_urgent && !std::mem::replace(&mut outgoing.has_fallen_back, is_urgent);
        let page = outgoing.page.clone();
        let runs: Vec<RunNumber> = page.runs().collect();
        self.record(
            now,
            Event::PageAttemptFailed {
                page: number,
                runs: runs.clone(),
                recipient: page.recipient.clone(),
                channel: page.channel,
                attempt: attempts,
                failure: failure.clone(),
                retry_at,
            },
        );
        if retry_at.is_none() {
            self.tell_paged(now, &page, PageState::Failed, &failure.message);
        }
        match retry_at {
            Some(at) => {
                if let Some(outgoing) = self.paging.pages.get_mut(&number) {
                    outgoing.page.due_at = at;
                }
                self.schedule(at, Timer::Page(number));
                self.recorder.pages.insert(number);
            }
            None => {
                self.remove_page(number);
            }
        }
        if !falls_back || !matches!(page.content, Content::Page { .. }) {
            return;
        }
        let is_reached = self.reach_otherwise(now, &page, &failure.message);
        match (is_reached, retry_at) {
            (true, _) => {}
            // There is nothing else: the next attempt may do, and if none does somebody hears.
            (false, Some(_)) => {
                if let Some(outgoing) = self.paging.pages.get_mut(&number) {
                    outgoing.has_fallen_back = false;
                }
            }
            (false, None) => self.tell_undeliverable(now, &page, &failure.message),
        }
    }

    /// A page does not get through: the person's next method is used at once. Returns whether
    /// there is one.
    fn reach_otherwise(&mut self, now: Timestamp, page: &Page, why: &str) -> bool {
        let Recipient::Person { person, .. } = &page.recipient else { return false };
        let runs: Vec<RunNumber> = page.runs().collect();
        let mut is_reached = false;
        for number in runs {
            is_reached |= self.fall_back(now, number, person, page.urgency, why);
        }
        is_reached
    }

    /// A page did not get through and nothing else is left: an alert of our own tells so.
    fn tell_undeliverable(&mut self, now: Timestamp, page: &Page, why: &str) {
        let channel = ("channel", page.channel.as_str());
        match &page.recipient {
            Recipient::Person { person, .. } => {
                let text = format!("{person} cannot be reached by {}: {why}", page.channel);
                let labels = [("person", person.as_str()), channel];
                self.own_alert(now, "TocsinPageUndeliverable", &labels, &text);
            }
            Recipient::Place { name } => {
                let text = format!("{name} cannot be told: {why}");
                let labels = [("place", &**name), channel];
                self.own_alert(now, "TocsinPageUndeliverable", &labels, &text);
            }
        }
    }

    /// Uses the next method of a person at once, and returns whether there is one.
    pub(super) fn fall_back(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        person: &Handle,
        urgency: Urgency,
        why: &str,
    ) -> bool {
        let contacts = self.contacts_of(person);
        let Some(run) = self.escalations.runs.get(&number) else { return true };
        let is_answered =
            run.people.get(person).is_some_and(|paged| paged.acknowledged_at.is_some());
        if run.state != RunState::Open || is_answered {
            return true;
        }
        let Some(paged) = run.people.get(person) else { return false };
        let step = paged.step;
        let is_fresh = |method: &&Method| !paged.used.contains(&method.id);
        let next = contacts
            .usable()
            .filter(is_fresh)
            .find(|method| !self.is_down(now, method.channel))
            .or_else(|| contacts.usable().find(is_fresh))
            .map(|method| method.id.clone());
        let Some(method) = next else { return false };
        let recipient = Recipient::Person { person: person.clone(), method: method.clone() };
        self.record(
            now,
            Event::PageFellBack { run: number, recipient: recipient.clone(), why: why.to_owned() },
        );
        if let Some(run) = self.escalations.runs.get_mut(&number) {
            run.planned.retain(|it| it.person != *person || it.method != method);
            if let Some(paged) = run.people.get_mut(person) {
                paged.used.insert(method);
            }
        }
        self.enqueue_page(now, number, &recipient, step, urgency);
        true
    }

    fn note_failure(&mut self, now: Timestamp, channel: Channel) {
        let settings = &self.policy.escalation;
        let (most, pause) = (settings.breaker_failures.max(1), settings.breaker_pause);
        let breaker = self.paging.breakers.entry(channel).or_default();
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= most {
            let was_open = breaker.open_until.is_some_and(|until| until > now);
            let until = later(now, pause);
            breaker.open_until = Some(until);
            if !was_open {
                self.record(now, Event::ChannelDown { channel, until });
            }
        }
    }

    /// Returns whether a channel has failed so often lately that it is left alone.
    pub(super) fn is_down(&self, now: Timestamp, channel: Channel) -> bool {
        let breaker = self.paging.breakers.get(&channel);
        breaker.and_then(|it| it.open_until).is_some_and(|until| until > now)
    }

    /// A provider tells what became of a message that it took.
    pub(super) fn take_receipt(&mut self, now: Timestamp, receipt: Receipt) -> bool {
        let Receipt { channel, receipt, state, detail } = receipt;
        let key = (channel, receipt);
        let Some(sent) = self.paging.receipts.get_mut(&key) else { return false };
        if sent.state >= state {
            return true;
        }
        sent.state = state;
        let Sent { page, recipient, runs, .. } = sent.clone();
        for number in &runs {
            let run = self.escalations.runs.get_mut(number);
            let known = run.and_then(|run| {
                run.sent.iter_mut().rev().find(|it| it.channel == key.0 && it.receipt == key.1)
            });
            if let Some(known) = known {
                known.state = state;
                self.recorder.runs.insert(*number);
            }
        }
        self.record(
            now,
            Event::PageConfirmed {
                page,
                runs: runs.clone(),
                recipient: recipient.clone(),
                state,
                detail: detail.clone(),
            },
        );
        self.tell_page_state(now, &runs, (&recipient, channel), state, &detail);
        if state == PageState::Failed {
            let person = recipient.person().cloned();
            let why = format!("{channel} says that it did not arrive: {detail}");
            let mut is_reached = false;
            for number in &runs {
                if let Some(person) = &person {
                    is_reached |= self.fall_back(now, *number, person, Urgency::High, &why);
                }
            }
            if !is_reached {
                let whom = recipient.to_string();
                let labels = [("recipient", whom.as_str()), ("channel", channel.as_str())];
                self.own_alert(now, "TocsinPageUndeliverable", &labels, &why);
            }
        }
        true
    }

    /// Pages that were on their way are tried at once; those that were sent just before a crash
    /// are sent again with the same idempotency key.
    pub(super) fn restore_pages(&mut self, now: Timestamp, pages: Vec<Page>) {
        for mut page in pages {
            page.deadline = page.deadline.max(later(now, SignedDuration::from_mins(1)));
            page.due_at = page.due_at.min(page.deadline);
            let number = page.number;
            self.put_page(page);
            self.recorder.pages.remove(&number);
        }
    }

    pub(super) fn restore_receipts(&mut self, run: &EscalationRun) {
        let of_people = run.people.iter().flat_map(|(person, paged)| {
            let contacts = self.contacts_of(person);
            let found: Vec<_> = paged
                .receipts
                .iter()
                .filter_map(|(method, receipt)| {
                    let channel = contacts.method(method)?.channel;
                    let recipient =
                        Recipient::Person { person: person.clone(), method: method.clone() };
                    Some((channel, receipt.clone(), recipient))
                })
                .collect();
            found
        });
        let of_places = run.places.iter().filter_map(|(name, place)| {
            let recipient = Recipient::Place { name: Arc::clone(name) };
            Some((place.target.channel, place.receipt.clone()?, recipient))
        });
        let all: Vec<_> = of_people.chain(of_places).collect();
        for (channel, receipt, recipient) in all {
            let sent = Sent {
                page: OutboxNumber(0),
                recipient,
                runs: vec![run.number],
                state: PageState::Sent,
            };
            self.paging.receipts.insert((channel, receipt), sent);
        }
        for it in &run.sent {
            let key = (it.channel, it.receipt.clone());
            let known = self.paging.receipts.get_mut(&key).filter(|known| known.page == it.page);
            match known {
                // A message that told of several escalations.
                Some(known) => {
                    if !known.runs.contains(&run.number) {
                        known.runs.push(run.number);
                    }
                }
                None => {
                    let (page, recipient, state) = (it.page, it.recipient.clone(), it.state);
                    let sent = Sent { page, recipient, runs: vec![run.number], state };
                    self.paging.receipts.insert(key, sent);
                }
            }
        }
    }

    /// Forgets what providers call the messages that told of an escalation.
    pub(super) fn forget_receipts(&mut self, run: &EscalationRun) {
        let mut keys: Vec<(Channel, String)> =
            run.sent.iter().map(|sent| (sent.channel, sent.receipt.clone())).collect();
        // What an earlier release wrote knows them by their methods only.
        for (person, paged) in &run.people {
            let contacts = self.contacts_of(person);
            keys.extend(paged.receipts.iter().filter_map(|(method, receipt)| {
                Some((contacts.method(method)?.channel, receipt.clone()))
            }));
        }
        for key in keys {
            if let Some(sent) = self.paging.receipts.get_mut(&key) {
                sent.runs.retain(|it| *it != run.number);
                if sent.runs.is_empty() {
                    self.paging.receipts.remove(&key);
                }
            }
        }
    }
}
