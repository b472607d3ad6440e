//! Pages on their way: methods take turns, what waits is bundled, what fails is tried again and
//! falls back to the next method at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Tenant, Timer, later};
use crate::escalation::{EscalationRun, PlaceTarget, Planned, RunState, Waiting};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::{OutboxNumber, RunNumber};
use crate::paging::{
    Channel, Contacts, Content, MAX_ALERTS_PER_PAGE, Method, MethodId, Page, PageAlert, PageItem,
    PageState, Recipient, Throttle, Urgency, Verification,
};
use crate::severity::Severity;

/// How long a page may be tried.
const PAGE_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// How many messages of their own a chat gets before what waits is bundled.
const MAX_SINGLE_MESSAGES: usize = 5;

/// The most escalations that one bundled page names; the rest waits for the next.
const MAX_ITEMS_PER_PAGE: usize = 20;

/// Everything on its way to people.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// How people are reached, where they said so themselves.
    pub(super) contacts: BTreeMap<Handle, Contacts>,
    pub(super) pages: BTreeMap<OutboxNumber, Outgoing>,
    pub(super) queues: BTreeMap<Recipient, Queue>,
    pub(super) breakers: BTreeMap<Channel, Breaker>,
    /// What providers call our messages.
    pub(super) receipts: BTreeMap<(Channel, String), Sent>,
}

/// A page on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) page: Page,
    pub(super) is_under_way: bool,
    /// Whether the next method was used because this one hesitated.
    pub(super) has_fallen_back: bool,
}

/// What waits for one method of one person, or for one place.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) runs: BTreeSet<RunNumber>,
    pub(super) throttle: Throttle,
    pub(super) wake_at: Option<Timestamp>,
}

/// Whether somebody has to be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// Now.
    Wanted,
    /// Not as long as everything is held back.
    Held,
    /// Not any more.
    Over,
}

/// Whether a channel works.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    pub(super) failures: u32,
    pub(super) open_until: Option<Timestamp>,
}

/// A message that a provider took.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) page: OutboxNumber,
    pub(super) recipient: Recipient,
    pub(super) runs: Vec<RunNumber>,
    pub(super) state: PageState,
}

impl Tenant {
    /// Returns how a person can be reached: by what the file says, then by what they added; by
    /// the address they are known with when there is nothing else.
    pub fn contacts_of(&self, person: &Handle) -> Contacts {
        let provisioned = self.policy.escalation.contacts.get(person);
        let mut contacts = provisioned.cloned().unwrap_or_default();
        let own = self.paging.contacts.get(person);
        if let Some(own) = own {
            // What the file no longer has is no longer theirs.
            for method in own.methods.iter().filter(|method| !method.is_provisioned) {
                if contacts.method(&method.id).is_none() {
                    contacts.methods.push(method.clone());
                }
            }
            let rules = &own.rules;
            if !rules.high.is_empty() {
                contacts.rules.high.clone_from(&rules.high);
            }
            if !rules.low.is_empty() {
                contacts.rules.low.clone_from(&rules.low);
            }
            if rules.quiet_hours.is_some() {
                contacts.rules.quiet_hours.clone_from(&rules.quiet_hours);
            }
            contacts.rules.wants_updates |= rules.wants_updates;
        }
        self.add_known_address(person, &mut contacts);
        // The file says where it leads, the person whether they want it.
        for stopped in own.iter().flat_map(|own| &own.methods).filter(|it| it.is_provisioned) {
            let known = contacts.methods.iter_mut().find(|it| it.id == stopped.id);
            if let Some(known) = known.filter(|it| it.address == stopped.address) {
                known.is_stopped = stopped.is_stopped;
            }
        }
        contacts
    }

    /// Adds the address that somebody is known with where nothing else is theirs for certain:
    /// whoever is about to add a phone can be reached until that is verified.
    fn add_known_address(&self, person: &Handle, contacts: &mut Contacts) {
        let is_theirs =
            |method: &Method| matches!(method.verification, Verification::Verified { .. });
        if contacts.methods.iter().any(is_theirs) {
            return;
        }
        let Some(known) = self.directory.person(person.as_str()) else { return };
        let Ok(id) = MethodId::parse("email") else { return };
        if known.email.is_empty() || contacts.method(&id).is_some() {
            return;
        }
        contacts.methods.push(Method {
            id,
            channel: Channel::Email,
            address: known.email.clone(),
            verification: Verification::Verified { at: Timestamp::UNIX_EPOCH },
            is_provisioned: true,
            is_stopped: false,
        });
    }

    /// The time for one of a person's methods has come.
    pub(super) fn use_planned(&mut self, now: Timestamp, number: RunNumber, planned: Planned) {
        let Planned { person, method, urgency, step, .. } = planned;
        let contacts = self.contacts_of(&person);
        let quiet = contacts.rules.quiet_hours.as_ref().filter(|_| urgency == Urgency::Low);
        let recipient = Recipient::Person { person: person.clone(), method: method.clone() };
        if let Some(until) = quiet.and_then(|quiet| quiet.end_of(now, &self.zone_of(&person))) {
            let why = "it is not urgent and these are the person's quiet hours".to_owned();
            self.record(now, Event::PageHeld { run: number, recipient, until, why });
            if let Some(run) = self.escalations.runs.get_mut(&number) {
                run.plan(Planned { at: until, person, method, urgency, step });
            }
            return;
        }
        let Some(method) = contacts.method(&method).filter(|method| method.is_usable()) else {
            self.fall_back(now, number, &person, urgency, "the method cannot be used any more");
            return;
        };
        if self.is_down(now, method.channel)
            && self.fall_back(now, number, &person, urgency, "the channel is down")
        {
            return;
        }
        if let Some(run) = self.escalations.runs.get_mut(&number)
            && let Some(paged) = run.people.get_mut(&person)
        {
            paged.used.insert(method.id.clone());
        }
        self.enqueue_page(now, number, &recipient, step, urgency);
    }

    /// Tells a place that a step was reached.
    pub(super) fn page_place(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        target: PlaceTarget,
        step: usize,
        urgency: Urgency,
    ) {
        let name = target.name();
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        run.places
            .entry(Arc::clone(&name))
            .and_modify(|place| place.target = target.clone())
            .or_insert_with(|| crate::escalation::Place { target, receipt: None });
        self.enqueue_page(now, number, &Recipient::Place { name }, step, urgency);
    }

    pub(super) fn enqueue_page(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        recipient: &Recipient,
        step: usize,
        urgency: Urgency,
    ) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        if run.waiting.iter().any(|waiting| waiting.recipient == *recipient) {
            return;
        }
        let waiting = Waiting { recipient: recipient.clone(), urgency, step, since: now };
        run.waiting.push(waiting);
        self.recorder.runs.insert(number);
        self.await_turn(number, recipient);
        if !self.has_to_wait(now, number, recipient) {
            self.pump(now, recipient);
        }
        let Some(queue) = self.paging.queues.get(recipient) else { return };
        if let Some(until) = queue.wake_at.filter(|_| queue.runs.contains(&number)) {
            let why = "this is used at most so often; what waits is sent together".to_owned();
            let recipient = recipient.clone();
            self.record(now, Event::PageHeld { run: number, recipient, until, why });
        }
    }

    /// Returns whether it is known already that one more in the queue is not sent now: then those
    /// that wait need not be looked at, of which there may be tens of thousands.
    fn has_to_wait(&self, now: Timestamp, number: RunNumber, recipient: &Recipient) -> bool {
        let Some(queue) = self.paging.queues.get(recipient) else { return false };
        let Some(wake_at) = queue.wake_at.filter(|at| *at > now) else { return false };
        let Some((channel, _)) = self.where_to(recipient) else { return false };
        let run = self.escalations.runs.get(&number);
        let is_worst = run.is_some_and(|run| run.severity == Severity::Sev1);
        let windows = self.policy.escalation.windows_of(channel);
        queue.throttle.next_at(&windows, now, is_worst) >= wake_at
    }

    /// Puts an escalation in the queue of a method or place.
    pub(super) fn await_turn(&mut self, number: RunNumber, recipient: &Recipient) {
        self.paging.queues.entry(recipient.clone()).or_default().runs.insert(number);
    }

    pub(super) fn method_due(&mut self, now: Timestamp, recipient: &Recipient) {
        if let Some(queue) = self.paging.queues.get_mut(recipient) {
            queue.wake_at = None;
        }
        self.pump(now, recipient);
    }

    /// Sends what waits for a method, if it may be used now.
    pub(super) fn pump(&mut self, now: Timestamp, recipient: &Recipient) {
        while self.pump_once(now, recipient) {}
        let Some(queue) = self.paging.queues.get(recipient) else { return };
        let Some((channel, _)) = self.where_to(recipient) else { return };
        let windows = self.policy.escalation.windows_of(channel);
        if queue.runs.is_empty() && queue.throttle.is_idle(&windows, now) {
            self.paging.queues.remove(recipient);
        }
    }

    /// Returns whether a page was made and more may follow at once.
    fn pump_once(&mut self, now: Timestamp, recipient: &Recipient) -> bool {
        let Some(queue) = self.paging.queues.get(recipient) else { return false };
        let mut ready: Vec<(Severity, RunNumber, Urgency)> = Vec::new();
        for number in queue.runs.clone() {
            let run = self.escalations.runs.get(&number);
            let waiting = run.and_then(|run| {
                let waiting = run.waiting.iter().find(|it| it.recipient == *recipient)?;
                Some((run.severity, number, waiting.urgency))
            });
            match (self.demand(now, number, recipient), waiting) {
                (Demand::Wanted, Some(waiting)) => ready.push(waiting),
                // It stays in the queue until something fires again that is not held back.
                (Demand::Held, Some(_)) => {}
                _ => self.leave_queue(number, recipient),
            }
        }
        ready.sort();
        let Some((worst, _, _)) = ready.first().copied() else { return false };
        let Some((channel, address)) = self.where_to(recipient) else {
            for (_, number, _) in ready {
                self.leave_queue(number, recipient);
            }
            return false;
        };
        let windows = self.policy.escalation.windows_of(channel);
        let Some(queue) = self.paging.queues.get_mut(recipient) else { return false };
        let next_at = queue.throttle.next_at(&windows, now, worst == Severity::Sev1);
        if next_at > now {
            if queue.wake_at != Some(next_at) {
                if let Some(old) = queue.wake_at.replace(next_at) {
                    self.timers.remove(&(old, Timer::Method(recipient.clone())));
                }
                self.schedule(next_at, Timer::Method(recipient.clone()));
            }
            return false;
        }
        let count = match bundling(channel) {
            Bundling::Always => MAX_ITEMS_PER_PAGE,
            Bundling::Never => 1,
            Bundling::Many if ready.len() > MAX_SINGLE_MESSAGES => MAX_ITEMS_PER_PAGE,
            Bundling::Many => 1,
        };
        let (taken, rest) = ready.split_at(count.min(ready.len()));
        let urgency = taken.iter().map(|(_, _, urgency)| *urgency).min().unwrap_or(Urgency::Low);
        let numbers: Vec<RunNumber> = taken.iter().map(|(_, number, _)| *number).collect();
        let has_more = !rest.is_empty();
        queue.throttle.used(&windows, now);
        self.recorder.throttles.insert(recipient.clone());
        let items: Vec<PageItem> =
            numbers.iter().filter_map(|number| self.item(*number, recipient)).collect();
        for number in &numbers {
            self.leave_queue(*number, recipient);
        }
        let receipt = match numbers.as_slice() {
            [only] => self.receipt_of(*only, recipient),
            _ => None,
        };
        let content = Content::Page { items };
        self.send_page(now, recipient.clone(), (channel, address), urgency, content, receipt);
        has_more
    }

    /// Returns whether somebody has to be disturbed for an escalation now. One of which everything
    /// is held back stands still from now on.
    pub(super) fn demand(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        recipient: &Recipient,
    ) -> Demand {
        let Some(run) = self.escalations.runs.get(&number) else { return Demand::Over };
        let is_spared = recipient.person().is_some_and(|person| {
            run.people.get(person).is_none_or(|paged| paged.acknowledged_at.is_some())
        });
        if run.state != RunState::Open || is_spared {
            return Demand::Over;
        }
        if run.still_since.is_some() {
            return Demand::Held;
        }
        let Some(why) = self.what_holds(run, now) else { return Demand::Wanted };
        self.stand_still(now, number, why);
        let is_open = self.escalations.runs.get(&number).is_some_and(EscalationRun::is_open);
        if is_open { Demand::Held } else { Demand::Over }
    }

    /// Puts what was on its way back into the queue of its method, without trying to send it.
    pub(super) fn wait_again(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        recipient: &Recipient,
        step: usize,
        urgency: Urgency,
    ) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        if !run.waiting.iter().any(|waiting| waiting.recipient == *recipient) {
            let waiting = Waiting { recipient: recipient.clone(), urgency, step, since: now };
            run.waiting.push(waiting);
            self.recorder.runs.insert(number);
        }
        self.await_turn(number, recipient);
    }

    fn leave_queue(&mut self, number: RunNumber, recipient: &Recipient) {
        if let Some(queue) = self.paging.queues.get_mut(recipient) {
            queue.runs.remove(&number);
        }
        if let Some(run) = self.escalations.runs.get_mut(&number) {
            run.waiting.retain(|waiting| waiting.recipient != *recipient);
            self.recorder.runs.insert(number);
        }
    }

    /// Returns where a recipient is reached now.
    fn where_to(&self, recipient: &Recipient) -> Option<(Channel, String)> {
        match recipient {
            Recipient::Person { person, method } => {
                let contacts = self.contacts_of(person);
                let method = contacts.method(method)?;
                Some((method.channel, method.address.clone()))
            }
            Recipient::Place { name } => {
                let queue = self.paging.queues.get(recipient)?;
                let mut runs = queue.runs.iter().filter_map(|it| self.escalations.runs.get(it));
                let target = runs.find_map(|run| Some(&run.places.get(name)?.target))?;
                Some((target.channel, target.address.clone()))
            }
        }
    }

    fn receipt_of(&self, number: RunNumber, recipient: &Recipient) -> Option<String> {
        let run = self.escalations.runs.get(&number)?;
        match recipient {
            Recipient::Person { person, method } => {
                run.people.get(person)?.receipts.get(method).cloned()
            }
            Recipient::Place { name } => run.places.get(name)?.receipt.clone(),
        }
    }

    /// Puts a page in the outbox.
    pub(super) fn send_page(
        &mut self,
        now: Timestamp,
        recipient: Recipient,
        (channel, address): (Channel, String),
        urgency: Urgency,
        content: Content,
        receipt: Option<String>,
    ) {
        self.send_page_at(now, now, recipient, (channel, address), urgency, content, receipt);
    }

    /// Puts a page in the outbox that is sent at `due_at`.
    #[expect(clippy::too_many_arguments, reason = "they are what a page is made of")]
    pub(super) fn send_page_at(
        &mut self,
        now: Timestamp,
        due_at: Timestamp,
        recipient: Recipient,
        (channel, address): (Channel, String),
        urgency: Urgency,
        content: Content,
        receipt: Option<String>,
    ) {
        let number = OutboxNumber(self.highest.outbox.0 + 1);
        self.highest.outbox = number;
        let person = recipient.person().and_then(|it| self.directory.person(it.as_str()));
        let page = Page {
            number,
            channel,
            address,
            locale: person.map(|it| it.locale.clone()).unwrap_or_default(),
            time_zone: person.map_or_else(|| "UTC".to_owned(), |it| it.time_zone.clone()),
            urgency,
            content,
            decided_at: now,
            attempts: 0,
            due_at,
            deadline: later(due_at, PAGE_LIFE),
            receipt,
            recipient,
        };
        self.record(
            now,
            Event::PageQueued {
                page: number,
                runs: page.runs().collect(),
                recipient: page.recipient.clone(),
                channel,
                content: page.content.kind().into(),
                urgency,
            },
        );
        self.put_page(page);
    }

    /// Tells everybody who was told of an escalation how it goes on. `by` is whose doing it is.
    pub(super) fn announce(&mut self, now: Timestamp, number: RunNumber, by: Option<&str>) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let places = run.places.keys().map(|name| Recipient::Place { name: Arc::clone(name) });
        let people = run.people.iter().flat_map(|(person, paged)| {
            let told: BTreeSet<&MethodId> =
                paged.used.iter().chain(paged.receipts.keys()).collect();
            told.into_iter()
                .map(|method| Recipient::Person { person: person.clone(), method: method.clone() })
        });
        let all: Vec<Recipient> = places.chain(people).collect();
        for recipient in all {
            self.update_recipient(now, number, &recipient, by);
        }
    }

    /// Updates the message that somebody has, or sends a word where they want one.
    pub(super) fn update_recipient(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        recipient: &Recipient,
        by: Option<&str>,
    ) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let receipt = self.receipt_of(number, recipient);
        let (channel, address, wants) = match recipient {
            Recipient::Place { name } => {
                let Some(place) = run.places.get(name) else { return };
                let target = &place.target;
                let is_protocol = bundling(target.channel) == Bundling::Never;
                (target.channel, target.address.clone(), receipt.is_some() || is_protocol)
            }
            Recipient::Person { person, method } => {
                let contacts = self.contacts_of(person);
                let Some(method) = contacts.method(method).filter(|it| it.is_usable()) else {
                    return;
                };
                let is_updatable = receipt.is_some() && is_updatable(method.channel);
                let is_open = run.state == RunState::Open;
                let wants_word = contacts.rules.wants_updates
                    && !method.channel.is_intrusive()
                    && by != Some(person.as_str())
                    && !is_open;
                (method.channel, method.address.clone(), is_updatable || wants_word)
            }
        };
        if !wants {
            return;
        }
        let Some(item) = self.item(number, recipient) else { return };
        let content = Content::Update { item: Box::new(item) };
        let to = (channel, address);
        self.send_page(now, recipient.clone(), to, Urgency::Low, content, receipt);
    }

    /// Returns an escalation as a recipient is told of it.
    pub fn item(&self, number: RunNumber, recipient: &Recipient) -> Option<PageItem> {
        let run = self.escalations.runs.get(&number)?;
        let paged = recipient.person().and_then(|person| run.people.get(person));
        let waiting = run.waiting.iter().find(|it| it.recipient == *recipient);
        let step = waiting
            .map(|waiting| waiting.step)
            .or(paged.map(|paged| paged.step))
            .unwrap_or_else(|| run.current_step());
        let mut alerts: Vec<_> = run.alerts.iter().filter_map(|fp| self.alerts.get(fp)).collect();
        alerts.sort_by(|a, b| {
            let by_labels =
                || super::read::by_job_and_instance(&a.identity.labels, &b.identity.labels);
            a.is_resolved.cmp(&b.is_resolved).then_with(by_labels)
        });
        let resolved = alerts.iter().filter(|alert| alert.is_resolved).count();
        let (state, by) = run.state.word();
        let count = u32::try_from(run.policy.steps.len()).unwrap_or(u32::MAX);
        Some(PageItem {
            run: number,
            code: paged.map_or(0, |paged| paged.code),
            severity: run.severity,
            title: run.title.clone(),
            service: run.service.to_string(),
            group_labels: run.group_labels.clone(),
            policy: Arc::clone(&run.policy.name),
            step: (u32::try_from(step + 1).unwrap_or(u32::MAX), count),
            level: run.policy.steps.get(step).map(|it| it.level.clone()).unwrap_or_default(),
            why: paged.map(|paged| paged.why.clone()).unwrap_or_default(),
            started_at: run.started_at,
            state,
            by: by.to_owned(),
            firing: alerts.len() - resolved,
            resolved,
            alerts: alerts
                .iter()
                .take(MAX_ALERTS_PER_PAGE)
                .map(|alert| PageAlert {
                    labels: alert.identity.labels.clone(),
                    annotations: alert.description.annotations.clone(),
                    generator_url: alert.description.generator_url.clone(),
                    starts_at: alert.activity.starts_at,
                    is_resolved: alert.is_resolved,
                })
                .collect(),
        })
    }

    /// Takes up when methods were used before the start.
    pub(super) fn restore_throttles(&mut self, throttles: Vec<(Recipient, Throttle)>) {
        for (recipient, throttle) in throttles {
            self.paging.queues.insert(recipient, Queue { throttle, ..Queue::default() });
        }
    }

    /// Returns the pages on their way, by number.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.paging.pages.values().map(|outgoing| &outgoing.page)
    }
}

/// Whether several things that wait for one recipient become one message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bundling {
    /// Whenever more than one waits.
    Always,
    /// When there are many.
    Many,
    /// Never: the other side counts each for itself.
    Never,
}

fn bundling(channel: Channel) -> Bundling {
    match channel {
        Channel::Email
        | Channel::Sms
        | Channel::Voice
        | Channel::Ntfy
        | Channel::WebPush
        | Channel::Stdout => Bundling::Always,
        Channel::Slack
        | Channel::Msteams
        | Channel::Telegram
        | Channel::Mattermost
        | Channel::Discord => Bundling::Many,
        Channel::Webhook | Channel::Pagerduty | Channel::Opsgenie => Bundling::Never,
    }
}

/// Returns whether a message that was sent can be changed later.
fn is_updatable(channel: Channel) -> bool {
    matches!(channel, Channel::Slack | Channel::Telegram | Channel::Mattermost | Channel::Discord)
        || bundling(channel) == Bundling::Never
}
