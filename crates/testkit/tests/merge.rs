//! Merging incidents and undoing it leaves everything as it was, whatever happened before.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tocsin_config::{LoadOptions, load_str};
use tocsin_core::Tenant;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Actor, Handle, Who};
use tocsin_core::incident::{
    Expected, Incident, IncidentChange, IncidentNumber, IncidentStep, PeopleStep, RelationStep,
    Role, Status,
};
use tocsin_core::labels::Labels;
use tocsin_core::policy::Policy;
use tocsin_core::severity::Severity;
use tocsin_testkit::memory::MemoryRows;

const CONFIG: &str = "
global: {resolve_timeout: 24h}
people:
- {handle: ada, name: Ada, contact_methods: [{channel: email, address: a@example.org}]}
- {handle: grace, name: Grace, contact_methods: [{channel: email, address: g@example.org}]}
route: {receiver: oncall, group_by: [alertname], group_wait: 0s, group_interval: 1m}
receivers: [{name: oncall, escalation_policy: auto}]
escalation_policies:
- {name: web, services: ['*'], steps: [{page: [ada]}, {after: 10m, page: [grace]}]}
";

fn policy() -> Arc<Policy> {
    load_str("test.yaml", CONFIG, &LoadOptions::default()).unwrap().policy
}

fn at(second: i64) -> Timestamp {
    "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// Something that happens before the merge.
#[derive(Clone, Debug)]
enum Doing {
    Fire { name: usize, instance: u8, severity: usize },
    Resolve { name: usize, instance: u8, severity: usize },
    Step { incident: u64, by: bool, step: IncidentStep },
}

const NAMES: [&str; 3] = ["Down", "Slow", "Full"];
const SEVERITIES: [&str; 3] = ["critical", "high", "warning"];

fn labels(name: usize, instance: u8, severity: usize) -> Labels {
    let instance = instance.to_string();
    Labels::from([
        ("alertname", NAMES[name]),
        ("instance", instance.as_str()),
        ("severity", SEVERITIES[severity]),
    ])
}

fn handle(is_ada: bool) -> Handle {
    Handle::parse(if is_ada { "ada" } else { "grace" }).unwrap()
}

fn doing() -> impl Strategy<Value = Doing> {
    let alert = (0..NAMES.len(), 0_u8..3, 0..SEVERITIES.len());
    let step = prop_oneof![
        Just(Status::Acknowledged),
        Just(Status::Detected),
        Just(Status::Investigating),
        Just(Status::Identified),
        Just(Status::Monitoring),
        Just(Status::Resolved),
    ]
    .prop_map(|to| IncidentStep::Move { to, note: "so".to_owned(), code: None });
    let people = any::<bool>().prop_map(|it| {
        let give = PeopleStep::Give { role: Role::Responder, to: handle(it), note: String::new() };
        IncidentStep::People(give)
    });
    let follow = any::<bool>().prop_map(|it| {
        IncidentStep::People(PeopleStep::Subscribe { person: handle(it), wants: true })
    });
    let rate = prop_oneof![Just(Severity::Sev2), Just(Severity::Sev4)]
        .prop_map(|severity| IncidentStep::SetSeverity { severity, reason: "so".to_owned() });
    let step = prop_oneof![4 => step, 1 => people, 1 => follow, 1 => rate];
    prop_oneof![
        4 => alert.clone().prop_map(|(name, instance, severity)| {
            Doing::Fire { name, instance, severity }
        }),
        1 => alert.prop_map(|(name, instance, severity)| {
            Doing::Resolve { name, instance, severity }
        }),
        4 => (1_u64..4, any::<bool>(), step)
            .prop_map(|(incident, by, step)| Doing::Step { incident, by, step }),
    ]
}

struct World {
    tenant: Tenant,
    rows: MemoryRows,
    now: i64,
}

impl World {
    fn new() -> Self {
        let rows = MemoryRows::default();
        Self { tenant: Tenant::restore(policy(), rows.rows(), at(0)), rows, now: 0 }
    }

    fn send(&mut self, who: Who, command: Command) -> Reply {
        let actor = Actor { who, ..Actor::OPERATOR };
        let mut turn = self.tenant.turn(at(self.now), vec![command.by(actor)]);
        let complaints = self.rows.apply(turn.writes);
        assert!(complaints.is_empty(), "{complaints:?}");
        turn.replies.remove(0)
    }

    fn step(&mut self, is_ada: bool, incident: IncidentNumber, step: IncidentStep) -> Reply {
        let expected = Expected::default();
        let change = IncidentChange::Step { incident, expected, step };
        self.send(Who::Person(handle(is_ada)), Command::Incident(change))
    }

    fn play(&mut self, doing: Doing) {
        let ingest = |labels: Labels| {
            let alert = IncomingAlert::new(labels, Labels::default());
            Command::Ingest { alerts: vec![alert] }
        };
        match doing {
            Doing::Fire { name, instance, severity } => {
                self.send(Who::Engine, ingest(labels(name, instance, severity)));
            }
            Doing::Resolve { name, instance, severity } => {
                let labels = labels(name, instance, severity);
                let mut alert = IncomingAlert::new(labels, Labels::default());
                alert.ends_at = Some(at(self.now));
                self.send(Who::Engine, Command::Ingest { alerts: vec![alert] });
            }
            Doing::Step { incident, by, step } => {
                self.step(by, IncidentNumber(incident), step);
            }
        }
    }

    /// Returns how everything stands, without what only counts changes.
    fn standing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for it in self.tenant.incidents() {
            // What rows tell meanwhile is no part of it.
            let plain = Incident {
                version: 0,
                entries: 0,
                signals: 0,
                alerts_said: None,
                active_at: at(0),
                told_at: None,
                ..it.clone()
            };
            lines.push(serde_json::to_string(&plain).unwrap());
            for (alert, fires) in self.tenant.incident_alerts(it.number) {
                // Where what is over would belong is found out when it fires again.
                let owner = self.tenant.incident_of_alert(alert.fingerprint).filter(|_| fires);
                lines.push(format!("{} {alert:?} {fires} {owner:?}", it.number));
            }
            for run in &it.runs {
                let owner = self.tenant.incident_of_run(*run);
                let state = self.tenant.escalation(*run).map(|run| format!("{:?}", run.state));
                lines.push(format!("run {run} {owner:?} {state:?}"));
            }
        }
        lines
    }

    fn restart(&mut self) {
        self.tenant = Tenant::restore(policy(), self.rows.rows(), at(self.now));
        let turn = self.tenant.turn(at(self.now), Vec::new());
        let complaints = self.rows.apply(turn.writes);
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

fn round_trip(
    doings: Vec<(Doing, i64)>,
    target: usize,
    restarts: bool,
) -> Result<(), TestCaseError> {
    let mut world = World::new();
    for (doing, pause) in doings {
        world.play(doing);
        world.now += pause;
    }
    let turn = world.tenant.turn(at(world.now), Vec::new());
    prop_assert!(world.rows.apply(turn.writes).is_empty());
    let open: Vec<IncidentNumber> =
        world.tenant.incidents().filter(|it| it.is_active()).map(|it| it.number).collect();
    prop_assume!(open.len() > 1);
    let into = open[target % open.len()];
    let sources: Vec<IncidentNumber> = open.iter().copied().filter(|it| *it != into).collect();
    let before = world.standing();
    let merge = RelationStep::Merge { sources: sources.clone() };
    let reply = world.step(true, into, IncidentStep::Relate(merge));
    prop_assert!(matches!(reply, Reply::Incident(it) if it.has_changed), "{reply:?}");
    for source in &sources {
        let it = world.tenant.incident(*source).unwrap();
        prop_assert!(!it.is_active());
        prop_assert!(world.tenant.incident_alerts(*source).is_empty());
    }
    if restarts {
        world.restart();
    }
    for source in sources.iter().rev() {
        let step = IncidentStep::Relate(RelationStep::Unmerge);
        let reply = world.step(true, *source, step);
        prop_assert!(matches!(reply, Reply::Incident(it) if it.has_changed), "{reply:?}");
    }
    prop_assert_eq!(world.standing(), before.clone());
    world.restart();
    prop_assert_eq!(world.standing(), before);
    Ok(())
}

#[test]
fn what_was_merged_and_unmerged_is_as_before() {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let doings = proptest::collection::vec((doing(), 0_i64..90), 5..40);
    let result = runner.run(&(doings, 0_usize..3, any::<bool>()), |(doings, target, restarts)| {
        round_trip(doings, target, restarts)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn an_alert_that_began_again_after_its_incident_had_ended_is_news_after_a_start_too() {
    let fire = |name, instance| Doing::Fire { name, instance, severity: 0 };
    let resolved = Doing::Step {
        incident: 1,
        by: false,
        step: IncidentStep::Move { to: Status::Resolved, note: "so".to_owned(), code: None },
    };
    let doings = vec![
        (fire(2, 0), 0),
        (fire(0, 0), 15),
        (fire(2, 1), 70),
        (Doing::Resolve { name: 2, instance: 1, severity: 0 }, 4),
        (resolved, 5),
        (fire(1, 0), 7),
        (fire(2, 1), 0),
    ];
    round_trip(doings, 0, false).unwrap();
}

#[test]
fn what_somebody_opened_again_although_nothing_fires_does_not_recover_by_it() {
    let fire = |name, instance| Doing::Fire { name, instance, severity: 0 };
    let to = |to| Doing::Step {
        incident: 3,
        by: false,
        step: IncidentStep::Move { to, note: "so".to_owned(), code: None },
    };
    let over = Doing::Resolve { name: 0, instance: 1, severity: 0 };
    let doings =
        [fire(2, 0), fire(1, 0), fire(0, 1), over, to(Status::Resolved), to(Status::Investigating)];
    for target in 0..3 {
        for restarts in [false, true] {
            let doings = doings.iter().cloned().map(|doing| (doing, 0)).collect();
            round_trip(doings, target, restarts).unwrap();
        }
    }
}

#[test]
fn what_is_too_many_for_the_rows_of_an_incident_is_counted_once_and_belongs_to_it() {
    const ROWS: usize = 10_000;
    let alert = |instance: usize| {
        let instance = instance.to_string();
        let labels = [("alertname", "Down"), ("instance", &instance), ("severity", "critical")];
        IncomingAlert::new(Labels::from(labels), Labels::default())
    };
    let mut world = World::new();
    let fire = |world: &mut World, instances: std::ops::Range<usize>| {
        let alerts = instances.map(alert).collect();
        world.send(Who::Engine, Command::Ingest { alerts });
        // The group is looked at.
        world.now += 60;
        let turn = world.tenant.turn(at(world.now), Vec::new());
        assert!(world.rows.apply(turn.writes).is_empty());
    };
    fire(&mut world, 0..ROWS + 3);
    let number = IncidentNumber(1);
    let left_out = |world: &World| world.tenant.incident(number).unwrap().alerts_left_out;
    assert_eq!((world.tenant.incident_alerts(number).len(), left_out(&world)), (ROWS, 3));
    for instance in [ROWS + 3, ROWS + 4] {
        fire(&mut world, instance..instance + 1);
    }
    assert_eq!((world.tenant.incidents().count(), left_out(&world)), (1, 5));

    // Somebody resolves it while they fire; that they fire on is no news.
    let to = Status::Resolved;
    let resolve = IncidentStep::Move { to, note: "we live with it".to_owned(), code: None };
    assert!(matches!(world.step(true, number, resolve), Reply::Incident(it) if it.has_changed));
    world.now += 3600;
    fire(&mut world, 0..1);
    assert_eq!(world.tenant.incident(number).unwrap().status(), Status::Resolved);
    let again =
        IncidentStep::Move { to: Status::Investigating, note: "we do not".to_owned(), code: None };
    assert!(matches!(world.step(true, number, again), Reply::Incident(it) if it.has_changed));

    // It is over when all of them are, those without rows as well.
    let over = |world: &mut World, instances: std::ops::Range<usize>| {
        let ended_at = world.now;
        let end = |instance| IncomingAlert { ends_at: Some(at(ended_at)), ..alert(instance) };
        world.send(Who::Engine, Command::Ingest { alerts: instances.map(end).collect() });
        world.tenant.incident(number).unwrap().recovered.is_some()
    };
    assert!(!over(&mut world, 0..ROWS));
    assert!(!over(&mut world, ROWS + 1..ROWS + 5));
    assert!(over(&mut world, ROWS..ROWS + 1));
}
