//! Schedules in a tenant: edits, records, handoffs, restarts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::escalation::UserGroup;
use tocsin_core::event::Event;
use tocsin_core::identity::{
    Actor, Grant, IdentityChange, IdentityRows, Person, PersonOrigin, Role, Scope,
};
use tocsin_core::labels::Labels;
use tocsin_core::matcher::Matchers;
use tocsin_core::oncall::{
    Cadence, Cause, OnCallChange, OnCallRejection, OnCallWrites, Pick, ScheduleSpec, SwapRequest,
    SwapState, Unit,
};
use tocsin_core::paging::{Channel, Contacts, Method, MethodId, Verification};
use tocsin_core::policy::{GroupBy, Limits, Policy, Receiver, Route, RouteTree};
use tocsin_core::rows::TenantRows;
use tocsin_core::tenant::{GroupOutcome, GroupSync};
use tocsin_core::{Tenant, Turn};
use uuid::Uuid;

use crate::support::{at, change, every, layer, names, spec, who};

const MONDAY: &str = "2026-11-09T09:00";

fn policy(schedules: Vec<ScheduleSpec>) -> Arc<Policy> {
    let minute = SignedDuration::from_mins(1);
    let root = Route {
        parent: None,
        children: Vec::new(),
        key: "{}".into(),
        unique_key: "{}".into(),
        receiver: "nobody".into(),
        matchers: Matchers::default(),
        is_continue: false,
        group_by: GroupBy::Names(Vec::new()),
        group_wait: minute,
        group_wait_by_severity: Default::default(),
        group_interval: minute,
        repeat_interval: minute,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        labels: Labels::default(),
    };
    Arc::new(Policy {
        resolve_timeout: minute,
        routes: RouteTree { nodes: vec![root] },
        inhibit_rules: Vec::new(),
        time_intervals: Default::default(),
        receivers: vec![Receiver {
            name: "nobody".into(),
            labels: Labels::default(),
            integrations: Vec::new(),
            escalation_policy: None,
        }],
        maintenance_windows: Vec::new(),
        people: Vec::new(),
        teams: Vec::new(),
        escalation: Default::default(),
        heartbeats: Vec::new(),
        incidents: Default::default(),
        schedules,
        holidays: Vec::new(),
        compat: Default::default(),
        retention: SignedDuration::from_hours(1),
        start_delay: SignedDuration::ZERO,
        limits: Limits::default(),
    })
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        handle: who(name),
        name: name.to_owned(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        contact_methods: Vec::new(),
        expertise: Vec::new(),
        manager: None,
        grants: vec![Grant { role: Role::Admin, scope: Scope::Tenant }],
        is_active: true,
        origin: PersonOrigin::Api,
    }
}

/// A tenant and the store beneath it.
pub(crate) struct Stage {
    pub(crate) tenant: Tenant,
    policy: Arc<Policy>,
    pub(crate) people: Vec<Person>,
    written: OnCallWrites,
    pub(crate) events: Vec<(Timestamp, Event)>,
    groups: Vec<GroupSync>,
}

impl Stage {
    pub(crate) fn new(now: &str, schedules: Vec<ScheduleSpec>) -> Self {
        Self::with(now, policy(schedules))
    }

    fn with(now: &str, policy: Arc<Policy>) -> Self {
        let people: Vec<Person> = ["a", "b", "c", "d"].map(person).into();
        let identity = IdentityRows { people: people.clone(), ..IdentityRows::default() };
        let rows = TenantRows { identity, ..TenantRows::default() };
        let tenant = Tenant::restore(Arc::clone(&policy), rows, at(now));
        let written = OnCallWrites::default();
        let (events, groups) = (Vec::new(), Vec::new());
        let mut stage = Self { tenant, policy, people, written, events, groups };
        stage.turn(now, Vec::new());
        stage
    }

    pub(crate) fn turn(&mut self, now: &str, commands: Vec<Command>) -> Vec<Reply> {
        let actor = Actor { who: tocsin_core::identity::Who::Person(who("a")), ..Actor::OPERATOR };
        let orders = commands.into_iter().map(|it| it.by(actor.clone())).collect();
        let Turn { writes, replies, groups, .. } = self.tenant.turn(at(now), orders);
        self.groups.extend(groups);
        self.written.absorb(writes.on_call);
        self.events.extend(writes.events.into_iter().map(|it| (it.at, it.event)));
        replies
    }

    pub(crate) fn change(
        &mut self,
        now: &str,
        change: OnCallChange,
    ) -> Result<(), OnCallRejection> {
        match self.turn(now, vec![Command::OnCall(change)]).pop() {
            Some(Reply::Done) => Ok(()),
            Some(Reply::Rejected(Rejection::OnCall(why))) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    /// Wakes as the engine does, at every deadline until `to`.
    pub(crate) fn run(&mut self, to: &str) {
        while let Some(next) = self.tenant.next_deadline().filter(|next| *next <= at(to)) {
            self.turn(&next.to_string(), Vec::new());
        }
        self.turn(to, Vec::new());
    }

    pub(crate) fn restart(&mut self, now: &str) {
        let identity = IdentityRows { people: self.people.clone(), ..IdentityRows::default() };
        let rows = TenantRows { identity, on_call: self.written.rows(), ..TenantRows::default() };
        self.tenant = Tenant::restore(Arc::clone(&self.policy), rows, at(now));
        self.turn(now, Vec::new());
    }

    pub(crate) fn now(&self, instant: &str) -> String {
        let on_call = self.tenant.roster().on_call("web", &Pick::Current, at(instant));
        names(&on_call.unwrap().people)
    }

    fn records(&self) -> Vec<String> {
        let mut rows = self.written.rows().records;
        rows.sort_by_key(|it| (it.from, it.number));
        let line = |it: &tocsin_core::oncall::ShiftRecord| {
            let to = it.to.map_or_else(|| "…".to_owned(), |to| to.to_string());
            format!("{} {} {to}", it.person, it.from)
        };
        rows.iter().map(line).collect()
    }

    fn notices(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        let notice = |(_, event): (Timestamp, Event)| match event {
            Event::HandoffNoticed { notice } => Some(notice.sentence()),
            _ => None,
        };
        events.into_iter().filter_map(notice).collect()
    }
}

pub(crate) fn daily(members: &str) -> ScheduleSpec {
    spec("UTC", vec![layer("main", members, every(1, Unit::Days), MONDAY)])
}

pub(crate) fn set(spec: ScheduleSpec) -> OnCallChange {
    OnCallChange::SetSchedule(Box::new(spec))
}

fn with_id(id: u128, mut it: tocsin_core::oncall::Override) -> OnCallChange {
    it.id = Uuid::from_u128(id);
    OnCallChange::AddOverride(Box::new(it))
}

#[test]
fn shifts_are_recorded_as_they_pass_and_people_told() {
    let mut stage = Stage::new("2026-11-09T08:00Z", Vec::new());
    stage.change("2026-11-09T08:30Z", set(daily("a b"))).unwrap();
    assert_eq!(stage.now("2026-11-09T08:30Z"), "-");
    stage.run("2026-11-11T10:00Z");
    assert_eq!(
        stage.records(),
        [
            "a 2026-11-09T09:00:00Z 2026-11-10T09:00:00Z",
            "b 2026-11-10T09:00:00Z 2026-11-11T09:00:00Z",
            "a 2026-11-11T09:00:00Z …",
        ]
    );
    assert_eq!(
        stage.notices(),
        [
            "a is on call for web until 2026-11-10T09:00:00Z",
            "a is no longer on call for web",
            "b is on call for web until 2026-11-11T09:00:00Z",
            "a is on call for web until 2026-11-12T09:00:00Z",
            "b is no longer on call for web",
        ]
    );
}

#[test]
fn a_restart_over_handoffs_records_them_and_tells_of_old_ones_as_one() {
    let mut stage = Stage::new("2026-11-09T08:00Z", vec![daily("a b c")]);
    stage.run("2026-11-09T10:00Z");
    stage.notices();
    stage.restart("2026-11-12T12:00Z");
    assert_eq!(
        stage.records(),
        [
            "a 2026-11-09T09:00:00Z 2026-11-10T09:00:00Z",
            "b 2026-11-10T09:00:00Z 2026-11-11T09:00:00Z",
            "c 2026-11-11T09:00:00Z 2026-11-12T09:00:00Z",
            "a 2026-11-12T09:00:00Z …",
        ]
    );
    // Who came and went unwatched hears nothing; who is on call now hears it once.
    assert_eq!(stage.notices(), ["a is on call now for web until 2026-11-13T09:00:00Z"]);
    // Another start changes and tells nothing.
    let before = stage.records();
    stage.restart("2026-11-12T13:00Z");
    assert_eq!((stage.records(), stage.notices().len()), (before, 0));
    // A clock that steps back tells nothing again.
    stage.turn("2026-11-10T00:00Z", Vec::new());
    assert!(stage.notices().is_empty());
}

#[test]
fn two_handoffs_at_one_instant_are_one_message() {
    let mut other = daily("b a");
    other.name = "db".into();
    let mut stage = Stage::new("2026-11-09T08:00Z", vec![daily("a b"), other]);
    stage.run("2026-11-10T08:00Z");
    stage.notices();
    stage.run("2026-11-10T09:00Z");
    assert_eq!(
        stage.notices(),
        [
            "a is on call for db until 2026-11-11T09:00:00Z, and is no longer on call for web",
            "b is on call for web until 2026-11-11T09:00:00Z, and is no longer on call for db",
        ]
    );
}

#[test]
fn people_are_told_ahead_when_the_schedule_says_so() {
    let mut it = daily("a b");
    it.notices.minutes_before = vec![30];
    it.notices.at_handoff = false;
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![it]);
    stage.run("2026-11-10T08:00Z");
    assert!(stage.notices().is_empty());
    stage.run("2026-11-10T08:45Z");
    assert_eq!(
        stage.notices(),
        [
            "b will be on call from 2026-11-10T09:00:00Z for web until 2026-11-11T09:00:00Z",
            "a is on call for web until 2026-11-10T09:00:00Z",
        ]
    );
}

#[test]
fn overrides_of_one_person_at_one_time_are_refused_with_the_one_in_the_way() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b")]);
    let span = ("2026-11-09T12:00Z", "2026-11-09T14:00Z");
    let now = "2026-11-09T11:00Z";
    stage.change(now, with_id(1, change(Some("a"), Some("c"), span.0, span.1))).unwrap();
    let second = with_id(2, change(Some("a"), Some("d"), "2026-11-09T13:00Z", "2026-11-09T15:00Z"));
    let refused = stage.change(now, second);
    let in_the_way = OnCallRejection::Overlaps { person: who("a"), id: Uuid::from_u128(1) };
    assert_eq!(refused, Err(in_the_way));
    // Two at once: exactly one succeeds.
    let race = |id| {
        let it = change(Some("b"), Some("d"), "2026-11-10T12:00Z", "2026-11-10T14:00Z");
        Command::OnCall(with_id(id, it))
    };
    let replies = stage.turn(now, vec![race(3), race(4)]);
    assert!(matches!(replies[..], [Reply::Done, Reply::Rejected(_)]), "{replies:?}");
    // Others compose, and what lies in the past is refused.
    stage.change(now, with_id(5, change(Some("c"), Some("d"), span.0, span.1))).unwrap();
    assert_eq!(stage.now("2026-11-09T13:00Z"), "d");
    let past = with_id(6, change(Some("a"), Some("c"), "2026-11-09T09:00Z", "2026-11-09T10:00Z"));
    assert_eq!(stage.change(now, past), Err(OnCallRejection::InThePast));
    let unknown = with_id(7, change(Some("a"), Some("zoe"), span.0, span.1));
    assert_eq!(stage.change(now, unknown), Err(OnCallRejection::UnknownPerson(who("zoe"))));
}

#[test]
fn what_begins_in_the_past_changes_nothing_that_was() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b")]);
    let it = change(Some("a"), Some("c"), "2026-11-09T10:30Z", "2026-11-09T14:00Z");
    stage.change("2026-11-09T12:00Z", with_id(1, it)).unwrap();
    let id = Uuid::from_u128(1);
    let remove = OnCallChange::RemoveOverride { schedule: "web".into(), id };
    stage.change("2026-11-09T13:00Z", remove).unwrap();
    assert_eq!(
        stage.records(),
        [
            "a 2026-11-09T10:00:00Z 2026-11-09T12:00:00Z",
            "c 2026-11-09T12:00:00Z 2026-11-09T13:00:00Z",
            "a 2026-11-09T13:00:00Z …",
        ]
    );
    let view = stage.tenant.roster().final_view(
        "web",
        at("2026-11-09T10:00Z"),
        at("2026-11-10T12:00Z"),
        at("2026-11-09T13:30Z"),
    );
    let joined = crate::support::joined(&view.unwrap().segments);
    let shown: Vec<String> = joined.iter().map(|(from, who)| format!("{from} {who}")).collect();
    assert_eq!(
        shown,
        [
            "2026-11-09T10:00:00Z a",
            "2026-11-09T12:00:00Z c",
            "2026-11-09T13:00:00Z a",
            "2026-11-10T09:00:00Z b",
        ]
    );
}

fn swap(id: u128, from: &str, to: &str) -> OnCallChange {
    OnCallChange::RequestSwap(Box::new(SwapRequest {
        id: Uuid::from_u128(id),
        schedule: "web".into(),
        number: 0,
        owner: who("a"),
        from: at(from),
        to: at(to),
        state: SwapState::Open,
        offered_to: None,
        in_return: None,
        reason: String::new(),
    }))
}

fn take(id: u128, by: &str, part: Option<(&str, &str)>) -> OnCallChange {
    OnCallChange::TakeSwap {
        schedule: "web".into(),
        id: Uuid::from_u128(id),
        by: who(by),
        part: part.map(|(from, to)| (at(from), at(to))),
        rest_ids: [Uuid::from_u128(id + 100), Uuid::from_u128(id + 200)],
    }
}

#[test]
fn a_swap_is_taken_in_part_and_what_is_left_stays_open_until_it_is_past_due() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b")]);
    stage.change("2026-11-09T10:30Z", swap(1, "2026-11-09T12:00Z", "2026-11-09T20:00Z")).unwrap();
    let part = Some(("2026-11-09T14:00Z", "2026-11-09T16:00Z"));
    stage.change("2026-11-09T11:00Z", take(1, "c", part)).unwrap();
    let again = stage.change("2026-11-09T11:00Z", take(1, "d", None));
    assert_eq!(again, Err(OnCallRejection::SwapNotOpen { id: Uuid::from_u128(1) }));
    stage.run("2026-11-09T15:00Z");
    assert_eq!(stage.now("2026-11-09T13:00Z"), "a");
    assert_eq!(stage.now("2026-11-09T15:00Z"), "c");
    let states: Vec<_> = stage.written.rows().swaps;
    let state = |id: u128| {
        let found = states.iter().find(|it| it.id == Uuid::from_u128(id));
        found.map(|it| it.state.clone()).unwrap()
    };
    assert_eq!(state(101), SwapState::PastDue);
    assert_eq!(state(201), SwapState::Open);
    assert!(stage.events.iter().any(|(_, it)| matches!(it, Event::SwapPastDue { .. })));
    // Once its time began, nobody takes it any more.
    let late = stage.change("2026-11-09T15:30Z", take(101, "d", None));
    assert_eq!(late, Err(OnCallRejection::SwapNotOpen { id: Uuid::from_u128(101) }));
}

#[test]
fn somebody_who_leaves_hands_over_to_the_next_at_once() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b c")]);
    let owned = stage.tenant.owned_by(&who("a"));
    assert!(owned.iter().any(|it| it.kind == "shift" && it.subject == "web"), "{owned:?}");
    let leave = Command::Identity(IdentityChange::Deactivate(who("a")));
    let replies = stage.turn("2026-11-09T12:00Z", vec![leave]);
    assert_eq!(replies, [Reply::Done]);
    assert_eq!(stage.now("2026-11-09T12:00Z"), "b");
    assert_eq!(
        stage.records(),
        ["a 2026-11-09T10:00:00Z 2026-11-09T12:00:00Z", "b 2026-11-09T12:00:00Z …"]
    );
}

#[test]
fn the_history_can_be_corrected_and_says_who_did_it() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b")]);
    stage.run("2026-11-09T18:00Z");
    let correct = |from: &str, to: &str| OnCallChange::CorrectHistory {
        schedule: "web".into(),
        from: at(from),
        to: at(to),
        people: vec![who("c")],
        reason: "c stood in".to_owned(),
    };
    let future =
        stage.change("2026-11-09T18:00Z", correct("2026-11-09T17:00Z", "2026-11-09T19:00Z"));
    assert_eq!(future, Err(OnCallRejection::InTheFuture));
    stage.change("2026-11-09T18:00Z", correct("2026-11-09T12:00Z", "2026-11-09T13:00Z")).unwrap();
    assert_eq!(
        stage.records(),
        [
            "a 2026-11-09T10:00:00Z 2026-11-09T12:00:00Z",
            "c 2026-11-09T12:00:00Z 2026-11-09T13:00:00Z",
            "a 2026-11-09T13:00:00Z …",
        ]
    );
    let rows = stage.written.rows().records;
    let corrected = rows.iter().find(|it| it.corrected_by.is_some()).unwrap();
    let expected = Cause::Corrected { by: "a".to_owned(), reason: "c stood in".to_owned() };
    assert_eq!(corrected.cause, expected);
}

#[test]
fn an_edited_file_goes_on_with_its_turns_and_its_schedules_are_the_files() {
    let mut stage = Stage::new("2026-11-09T10:00Z", vec![daily("a b c")]);
    stage.run("2026-11-10T10:00Z");
    assert_eq!(stage.now("2026-11-10T10:00Z"), "b");
    stage.policy = policy(vec![daily("a b d c")]);
    stage.restart("2026-11-10T12:00Z");
    assert_eq!(stage.now("2026-11-10T12:00Z"), "b");
    assert_eq!(stage.now("2026-11-11T10:00Z"), "d");
    assert_eq!(stage.now("2026-11-12T10:00Z"), "c");
    let refused = stage.change("2026-11-10T12:00Z", set(daily("a")));
    assert_eq!(refused, Err(OnCallRejection::Provisioned("web".into())));
    let delete = OnCallChange::DeleteSchedule("web".into());
    let refused = stage.change("2026-11-10T12:00Z", delete);
    assert_eq!(refused, Err(OnCallRejection::Provisioned("web".into())));
    // Overrides of a file's schedule are made here.
    let it = change(Some("b"), Some("c"), "2026-11-10T13:00Z", "2026-11-10T14:00Z");
    stage.change("2026-11-10T12:00Z", with_id(1, it)).unwrap();
    assert_eq!(stage.now("2026-11-10T13:00Z"), "c");
}

#[test]
fn a_schedule_that_others_fall_back_to_stays() {
    let mut stage = Stage::new("2026-11-09T10:00Z", Vec::new());
    let now = "2026-11-09T10:00Z";
    let mut main = spec("UTC", vec![layer("main", "-", Cadence::WEEKLY, MONDAY)]);
    let mut boss = daily("d");
    boss.name = "boss".into();
    main.fallback = tocsin_core::oncall::Fallback::Schedule("boss".into());
    assert_eq!(
        stage.change(now, set(main.clone())),
        Err(OnCallRejection::UnknownSchedule("boss".to_owned()))
    );
    stage.change(now, set(boss.clone())).unwrap();
    stage.change(now, set(main)).unwrap();
    assert_eq!(stage.now(now), "d");
    let delete = |name: &str| OnCallChange::DeleteSchedule(name.into());
    let users = vec!["schedule/web".to_owned()];
    let in_use = OnCallRejection::InUse { schedule: "boss".into(), users };
    assert_eq!(stage.change(now, delete("boss")), Err(in_use));
    // What changes there is seen here at once.
    boss.layers[0].members = crate::support::slots("c");
    boss.layers[0].rollout = tocsin_core::oncall::Rollout::Immediate;
    stage.change("2026-11-09T11:00Z", set(boss)).unwrap();
    assert_eq!(stage.now("2026-11-09T11:00Z"), "c");
    stage.change("2026-11-09T12:00Z", delete("web")).unwrap();
    stage.change("2026-11-09T12:00Z", delete("boss")).unwrap();
    assert!(stage.written.rows().schedules.is_empty());
}

/// A tenant whose group `oncall` holds who is on call for `web`; `a` and `b` are known to the chat.
fn with_group(now: &str) -> Stage {
    let mut policy = Arc::unwrap_or_clone(policy(vec![daily("a b c")]));
    policy.escalation.user_groups =
        vec![UserGroup { name: "oncall".into(), schedule: "web".into() }];
    for name in ["a", "b"] {
        let method = Method {
            id: MethodId::parse("slack").unwrap(),
            channel: Channel::Slack,
            address: format!("U{name}"),
            verification: Verification::Verified { at: at(now) },
            is_provisioned: true,
            is_stopped: false,
        };
        let contacts = Contacts { methods: vec![method], ..Contacts::default() };
        policy.escalation.contacts.insert(who(name), contacts);
    }
    Stage::with(now, Arc::new(policy))
}

impl Stage {
    /// What groups were asked to hold since the last call.
    fn asked(&mut self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.groups).into_iter().map(|sync| sync.members).collect()
    }

    fn synced(&mut self, now: &str, members: &[&str], outcome: GroupOutcome) {
        let sync = GroupSync {
            group: "oncall".into(),
            schedule: "web".into(),
            members: members.iter().map(|it| (*it).to_owned()).collect(),
        };
        self.turn(now, vec![Command::GroupSynced { sync, outcome }]);
    }
}

#[test]
fn a_group_holds_who_is_on_call_and_what_fails_is_tried_again() {
    let failed = GroupOutcome::Failed { retry_after: None };
    let mut stage = with_group("2026-11-09T10:00Z");
    assert_eq!(stage.asked(), [["Ua"]]);
    // Nothing more is asked before it is known how that ended.
    stage.run("2026-11-09T10:05Z");
    assert!(stage.asked().is_empty());
    stage.synced("2026-11-09T10:05Z", &["Ua"], failed.clone());
    stage.run("2026-11-09T10:05:14Z");
    assert!(stage.asked().is_empty());
    stage.run("2026-11-09T10:05:15Z");
    assert_eq!(stage.asked(), [["Ua"]]);
    stage.synced("2026-11-09T10:05:16Z", &["Ua"], failed);
    stage.run("2026-11-09T10:05:45Z");
    assert!(stage.asked().is_empty());
    stage.run("2026-11-09T10:05:46Z");
    assert_eq!(stage.asked(), [["Ua"]]);
    // An override comes while that is under way; it follows at once.
    let it = change(Some("a"), Some("b"), "2026-11-09T10:06Z", "2026-11-09T12:00Z");
    stage.change("2026-11-09T10:06Z", OnCallChange::AddOverride(Box::new(it))).unwrap();
    assert!(stage.asked().is_empty());
    stage.synced("2026-11-09T10:06:01Z", &["Ua"], GroupOutcome::Done);
    assert_eq!(stage.asked(), [["Ub"]]);
    stage.synced("2026-11-09T10:06:02Z", &["Ub"], GroupOutcome::Done);
    // What is right is not set again.
    stage.run("2026-11-09T11:59Z");
    assert!(stage.asked().is_empty());
    stage.run("2026-11-09T12:00Z");
    assert_eq!(stage.asked(), [["Ua"]]);
}

#[test]
fn a_group_is_set_once_after_a_start_and_nobody_known_is_nobody() {
    let mut stage = with_group("2026-11-09T10:00Z");
    stage.synced("2026-11-09T10:00:01Z", &["Ua"], GroupOutcome::Done);
    stage.asked();
    stage.restart("2026-11-09T10:01Z");
    assert_eq!(stage.asked(), [["Ua"]]);
    stage.synced("2026-11-09T10:01:01Z", &["Ua"], GroupOutcome::Done);
    stage.run("2026-11-10T09:00Z");
    assert_eq!(stage.asked(), [["Ub"]]);
    stage.synced("2026-11-10T09:00:01Z", &["Ub"], GroupOutcome::Done);
    // c is not known to the chat: the group is asked to hold nobody, which leaves it alone.
    stage.run("2026-11-11T09:00Z");
    assert_eq!(stage.asked(), [Vec::<String>::new()]);
}
