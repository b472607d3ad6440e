//! Escalations, pages, contacts, schedules and what else is about reaching people: random rows,
//! and the maps that a store must agree with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use tocsin_core::escalation::{
    Delay, End, EscalationPolicy, EscalationRun, Next, PagedPerson, Planned, Reached, RunKey,
    RunState, SentMessage, Waiting,
};
use tocsin_core::heartbeat::HeartbeatRow;
use tocsin_core::identity::Handle;
use tocsin_core::ids::{OutboxNumber, RunNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::oncall::{
    AbsenceKind, Cause, ImportRow, ImportedEvent, OnCallWrites, Override, Schedule, ShiftRecord,
    SwapRequest, SwapState, Unavailability,
};
use tocsin_core::paging::{
    Channel, Contacts, Content, Method, MethodId, Page, PageState, Recipient, Rule, Rules,
    Throttle, Urgency, Verification, Windows,
};
use tocsin_core::rows::{Highest, TenantRows, WriteSet};
use tocsin_core::severity::Severity;
use uuid::Uuid;

use crate::arbitrary::{instant, labels, text};

/// Pages and notifications share their numbers; these are pages.
const FIRST_PAGE: u64 = 1_000;

/// What happens in one turn. Keys come from small ranges, so that rows are replaced and removed.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    runs: BTreeMap<u64, EscalationRun>,
    pages: BTreeMap<u64, Option<Page>>,
    policies: BTreeMap<Arc<str>, Option<EscalationPolicy>>,
    contacts: BTreeMap<Handle, Contacts>,
    throttles: BTreeMap<Recipient, Throttle>,
    turns: BTreeMap<(Arc<str>, usize), u64>,
    heartbeats: BTreeMap<Arc<str>, HeartbeatRow>,
    on_call: OnCallWrites,
}

fn name() -> impl Strategy<Value = Arc<str>> {
    prop::sample::select(vec!["web", "größer \"x\"", "🦀"]).prop_map(Arc::from)
}

fn handle() -> impl Strategy<Value = Handle> {
    prop::sample::select(vec!["ada", "grace", "linus"]).prop_map(|it| Handle::parse(it).unwrap())
}

fn method_id() -> impl Strategy<Value = MethodId> {
    prop::sample::select(vec!["phone", "mail_2"]).prop_map(|it| MethodId::parse(it).unwrap())
}

fn channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(Channel::ALL.to_vec())
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop_oneof![Just(Urgency::High), Just(Urgency::Low)]
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

fn recipient() -> impl Strategy<Value = Recipient> {
    prop_oneof![
        (handle(), method_id()).prop_map(|(person, method)| Recipient::Person { person, method }),
        name().prop_map(|name| Recipient::Place { name }),
    ]
}

fn policy() -> impl Strategy<Value = EscalationPolicy> {
    (name(), vec(handle(), 0..3), 0..9_u32, 0..4_u32, text()).prop_map(
        |(name, people, seconds, repeat, description)| {
            let mut policy = EscalationPolicy::of_people(&people);
            (policy.name, policy.repeat, policy.description) = (name, repeat, description);
            policy.steps[0].after = Delay::Fixed { seconds };
            policy
        },
    )
}

fn state() -> impl Strategy<Value = RunState> {
    prop_oneof![
        Just(RunState::Open),
        (text(), instant(), option::of(instant()))
            .prop_map(|(by, at, until)| RunState::Acknowledged { by, at, until }),
        (text(), instant(), instant()).prop_map(|(by, at, until)| RunState::Snoozed {
            by,
            at,
            until
        }),
        (instant(), text()).prop_map(|(at, by)| RunState::Ended { at, why: End::Resolved { by } }),
    ]
}

fn paged() -> impl Strategy<Value = PagedPerson> {
    (any::<u32>(), instant(), text(), option::of(instant()), btree_map(method_id(), text(), 0..2))
        .prop_map(|(code, since, why, acknowledged_at, receipts)| PagedPerson {
            code,
            since,
            step: 2,
            why,
            acknowledged_at,
            used: receipts.keys().cloned().collect(),
            receipts,
        })
}

fn run(number: u64) -> impl Strategy<Value = EscalationRun> {
    let what = (text(), text(), text(), labels(), severity());
    let alerts = vec(any::<u64>().prop_map(Fingerprint), 0..4);
    let times = (instant(), option::of(instant()), option::of(instant()), option::of(instant()));
    let people = btree_map(handle(), paged(), 0..3);
    let lists = (
        vec((instant(), handle(), method_id(), urgency()), 0..3),
        vec((recipient(), urgency(), instant()), 0..3),
        vec((channel(), text(), recipient()), 0..3),
        vec((instant(), text()), 0..3),
    );
    (what, alerts, times, state(), policy(), people, lists).prop_map(
        move |(
            (receiver, title, why, group_labels, severity),
            alerts,
            (started_at, next, still_since, unanswered_at),
            state,
            policy,
            people,
            (planned, waiting, sent, reached),
        )| EscalationRun {
            number: RunNumber(number),
            key: RunKey { receiver: receiver.into(), group: title.as_str().into() },
            policy: Arc::new(policy),
            why,
            title,
            service: "s".into(),
            category: "".into(),
            group_labels,
            severity,
            alerts: alerts.into_iter().collect::<BTreeSet<_>>(),
            started_at,
            state,
            next: next.map(|due_at| Next { step: 1, due_at }),
            still_since,
            reopened_at: still_since,
            round: 3,
            reached: reached
                .into_iter()
                .map(|(at, skipped)| Reached {
                    round: 1,
                    step: 0,
                    due_at: at,
                    at,
                    people: people.keys().cloned().collect(),
                    skipped,
                })
                .collect(),
            people,
            places: BTreeMap::new(),
            planned: planned
                .into_iter()
                .map(|(at, person, method, urgency)| Planned {
                    at,
                    person,
                    method,
                    urgency,
                    step: 1,
                })
                .collect(),
            waiting: waiting
                .into_iter()
                .map(|(recipient, urgency, since)| Waiting { recipient, urgency, step: 0, since })
                .collect(),
            unanswered_at,
            sent: sent
                .into_iter()
                .map(|(channel, receipt, recipient)| SentMessage {
                    channel,
                    receipt,
                    page: OutboxNumber(7),
                    recipient,
                    state: PageState::Sent,
                })
                .collect(),
            wake_at: None,
        },
    )
}

fn page(number: u64) -> impl Strategy<Value = Page> {
    let content = prop_oneof![
        Just(Content::Test),
        text().prop_map(|code| Content::Verification { code }),
        (name(), text()).prop_map(|(schedule, text)| {
            Content::Handoff { schedule, text, open: vec!["A on web".to_owned()] }
        }),
        (any::<u32>(), text()).prop_map(|(number, text)| {
            let incident = tocsin_core::incident::IncidentNumber(u64::from(number));
            Content::Notice { incident, title: text.clone(), lines: vec![text] }
        }),
    ];
    let times = (instant(), instant(), instant());
    (recipient(), channel(), text(), content, times, (any::<u32>(), option::of(text()), urgency()))
        .prop_map(
            move |(
                recipient,
                channel,
                address,
                content,
                (decided_at, due_at, deadline),
                (attempts, receipt, urgency),
            )| Page {
                number: OutboxNumber(number),
                recipient,
                channel,
                locale: "de-DE".to_owned(),
                time_zone: address.clone(),
                address,
                urgency,
                content,
                decided_at,
                attempts,
                due_at,
                deadline,
                receipt,
            },
        )
}

fn contacts() -> impl Strategy<Value = Contacts> {
    let method = (method_id(), channel(), text(), option::of(instant()), any::<bool>()).prop_map(
        |(id, channel, address, verified, is_stopped)| Method {
            id,
            channel,
            address,
            verification: verified
                .map_or(Verification::Unverified, |at| Verification::Verified { at }),
            is_provisioned: false,
            is_stopped,
        },
    );
    let rule = (any::<u32>(), method_id())
        .prop_map(|(after_seconds, method)| Rule { after_seconds, method });
    (vec(method, 0..3), vec(rule, 0..3), any::<bool>()).prop_map(
        |(methods, high, wants_updates)| Contacts {
            methods,
            rules: Rules { high, wants_updates, ..Rules::default() },
        },
    )
}

fn throttle() -> impl Strategy<Value = Throttle> {
    vec(0..1_000_i64, 0..4).prop_map(|seconds| {
        let mut throttle = Throttle::default();
        let mut at = Timestamp::from_second(1_800_000_000).unwrap();
        for second in seconds {
            at += SignedDuration::from_secs(second);
            throttle.used(&Windows::usual(Channel::Sms), at);
        }
        throttle
    })
}

fn heartbeat(name: Arc<str>) -> impl Strategy<Value = HeartbeatRow> {
    (option::of(instant()), instant(), option::of(instant())).prop_map(
        move |(heard_at, known_since, missed_at)| HeartbeatRow {
            name: Arc::clone(&name),
            heard_at,
            known_since,
            missed_at,
        },
    )
}

fn id() -> impl Strategy<Value = Uuid> {
    (1..5_u128).prop_map(Uuid::from_u128)
}

/// Rows of schedules are made by their own rules, so one is made and given other names.
fn schedule(name: Arc<str>) -> impl Strategy<Value = Schedule> {
    any::<bool>().prop_map(move |is_second| {
        let mut schedule = crate::oncall::schedule();
        schedule.name = Arc::clone(&name);
        if is_second {
            schedule.team = None;
        }
        schedule
    })
}

fn on_call() -> impl Strategy<Value = OnCallWrites> {
    let kept = || prop::bool::weighted(0.7);
    let overrides =
        btree_map(id(), (kept(), name(), option::of(handle()), instant(), instant(), text()), 0..3);
    let swaps = btree_map(id(), (kept(), name(), handle(), instant(), instant()), 0..3);
    let absences = btree_map(id(), (kept(), handle(), instant(), instant(), text()), 0..3);
    let imports = btree_map((name(), name()), (kept(), instant(), text()), 0..3);
    let records = btree_map(1..6_u64, (kept(), name(), handle(), instant()), 0..3);
    let schedules = btree_map(name(), any::<bool>(), 0..3).prop_flat_map(|names| {
        let rows = names.into_iter().map(|(name, is_kept)| {
            let row = schedule(Arc::clone(&name));
            (Just(name), row.prop_map(move |row| is_kept.then_some(row)))
        });
        rows.collect::<Vec<_>>().prop_map(BTreeMap::from_iter)
    });
    (overrides, swaps, absences, imports, records, schedules).prop_map(
        |(overrides, swaps, absences, imports, records, schedules)| {
            let mut writes = OnCallWrites { schedules, ..OnCallWrites::default() };
            for (id, (is_kept, schedule, user_out, from, to, reason)) in overrides {
                let row = Override {
                    id,
                    schedule,
                    number: u64::try_from(id.as_u128()).unwrap(),
                    user_out,
                    user_in: None,
                    from,
                    to,
                    layer: None,
                    reason,
                    author: "grace".to_owned(),
                };
                writes.overrides.insert(id, is_kept.then_some(row));
            }
            for (id, (is_kept, schedule, owner, from, to)) in swaps {
                let row = SwapRequest {
                    id,
                    schedule,
                    number: u64::try_from(id.as_u128()).unwrap(),
                    owner,
                    from,
                    to,
                    state: SwapState::Open,
                    offered_to: None,
                    in_return: Some((from, to)),
                    reason: String::new(),
                };
                writes.swaps.insert(id, is_kept.then_some(row));
            }
            for (id, (is_kept, person, from, to, note)) in absences {
                let kind = AbsenceKind::Sick;
                let is_imported = false;
                let row = Unavailability { id, person, from, to, kind, is_imported, note };
                writes.absences.insert(id, is_kept.then_some(row));
            }
            for (key, (is_kept, at, text)) in imports {
                let event = ImportedEvent { from: at, to: at, text, ..ImportedEvent::default() };
                let (schedule, import) = key.clone();
                let row = ImportRow {
                    schedule,
                    import,
                    events: vec![event],
                    trouble: Vec::new(),
                    fetched_at: at,
                };
                writes.imports.insert(key, is_kept.then_some(row));
            }
            for (number, (is_kept, schedule, person, from)) in records {
                // Those that go on are always read at a start.
                let row = ShiftRecord {
                    number,
                    schedule,
                    person,
                    from,
                    to: None,
                    cause: Cause::Fallback { schedule: None },
                    config: "abc".into(),
                    corrected_by: None,
                };
                writes.records.insert(number, is_kept.then_some(row));
            }
            writes
        },
    )
}

/// Rows for a few of the keys.
fn some<K, R, S>(
    keys: impl Strategy<Value = K>,
    row: impl Fn(K) -> S + Clone,
) -> impl Strategy<Value = BTreeMap<K, R>>
where
    K: Clone + Ord + std::fmt::Debug,
    R: std::fmt::Debug,
    S: Strategy<Value = R>,
{
    proptest::collection::btree_set(keys, 0..4).prop_flat_map(move |keys| {
        let rows = keys.into_iter().map(|key| (Just(key.clone()), row(key)));
        rows.collect::<Vec<_>>().prop_map(BTreeMap::from_iter)
    })
}

pub(crate) fn turn() -> impl Strategy<Value = Turn> {
    (
        some(1..6_u64, run),
        some(FIRST_PAGE..FIRST_PAGE + 6, |number| option::weighted(0.7, page(number))),
        some(name(), |name| {
            option::weighted(0.7, policy()).prop_map(move |policy| {
                policy.map(|policy| EscalationPolicy { name: Arc::clone(&name), ..policy })
            })
        }),
        some(handle(), |_| contacts()),
        some(recipient(), |_| throttle()),
        btree_map((name(), 0..3_usize), 0..9_999_u64, 0..3),
        some(name(), heartbeat),
        on_call(),
    )
        .prop_map(
            |(runs, pages, policies, contacts, throttles, turns, heartbeats, on_call)| Turn {
                runs,
                pages,
                policies,
                contacts,
                throttles,
                turns,
                heartbeats,
                on_call,
            },
        )
}

/// What a store holds of all that.
#[derive(Default)]
pub(crate) struct Model {
    runs: BTreeMap<u64, EscalationRun>,
    pages: BTreeMap<u64, Page>,
    policies: BTreeMap<Arc<str>, EscalationPolicy>,
    contacts: BTreeMap<Handle, Contacts>,
    throttles: BTreeMap<Recipient, Throttle>,
    turns: BTreeMap<(Arc<str>, usize), u64>,
    heartbeats: BTreeMap<Arc<str>, HeartbeatRow>,
    on_call: OnCallWrites,
}

impl Model {
    /// Applies a turn and adds to what a store has to write for it.
    pub(crate) fn apply(&mut self, turn: Turn, writes: &mut WriteSet, highest: &mut Highest) {
        for (number, run) in turn.runs {
            highest.run = highest.run.max(run.number);
            self.runs.insert(number, run.clone());
            writes.runs.push(run);
        }
        for (number, page) in turn.pages {
            highest.outbox = highest.outbox.max(OutboxNumber(number));
            match page {
                Some(page) => {
                    self.pages.insert(number, page.clone());
                    writes.pages.push(page);
                }
                None => {
                    self.pages.remove(&number);
                    writes.finished_outbox.push(OutboxNumber(number));
                }
            }
        }
        for (name, policy) in turn.policies {
            match &policy {
                Some(policy) => self.policies.insert(Arc::clone(&name), policy.clone()),
                None => self.policies.remove(&name),
            };
            writes.policies.push((name, policy.map(Arc::new)));
        }
        for (person, contacts) in turn.contacts {
            self.contacts.insert(person.clone(), contacts.clone());
            writes.contacts.push((person, contacts));
        }
        for (recipient, throttle) in turn.throttles {
            self.throttles.insert(recipient.clone(), throttle.clone());
            writes.throttles.push((recipient, throttle));
        }
        for ((policy, step), count) in turn.turns {
            self.turns.insert((Arc::clone(&policy), step), count);
            writes.turns.push((policy, step, count));
        }
        for (name, row) in turn.heartbeats {
            self.heartbeats.insert(name, row.clone());
            writes.heartbeats.push(row);
        }
        self.on_call.absorb(turn.on_call.clone());
        writes.on_call = turn.on_call;
    }

    /// Forgets escalations that are over.
    pub(crate) fn forget_what_is_over(&mut self) {
        self.runs.retain(|_, run| run.is_open());
    }

    /// Checks that a store returned exactly what the model holds.
    pub(crate) fn check(&self, rows: &TenantRows) {
        assert_eq!(rows.runs, self.runs.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.pages, self.pages.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.heartbeats, self.heartbeats.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.policies, self.policies.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.contacts, self.contacts.clone().into_iter().collect::<Vec<_>>());
        let mut throttles = rows.throttles.clone();
        throttles.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(throttles, self.throttles.clone().into_iter().collect::<Vec<_>>());
        let turns =
            self.turns.iter().map(|((policy, step), count)| (Arc::clone(policy), *step, *count));
        assert_eq!(rows.turns, turns.collect::<Vec<_>>());
        let expected = self.on_call.rows();
        assert_eq!(rows.on_call.schedules, expected.schedules);
        assert_eq!(rows.on_call.overrides, expected.overrides);
        assert_eq!(rows.on_call.swaps, expected.swaps);
        assert_eq!(rows.on_call.absences, expected.absences);
        assert_eq!(rows.on_call.imports, expected.imports);
        assert_eq!(rows.on_call.records, expected.records);
    }
}
