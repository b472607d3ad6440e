//! Random histories of a small house: four alerts, three people, two policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tocsin_config::{LoadOptions, load_str};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Handle;
use tocsin_core::ids::{RunNumber, SilenceId};
use tocsin_core::labels::Labels;
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::paging::{Action, Answer, Answerer, Channel, Spoken};
use tocsin_core::policy::Policy;
use tocsin_core::silence::SilenceRequest;
use tocsin_testkit::receivers::Behaviour;
use tocsin_testkit::simulation::{Happening, Simulation};

pub(crate) const PEOPLE: [&str; 3] = ["ada", "grace", "linus"];

/// The steps of each policy: seconds after the one before.
pub(crate) const FIRST: [i64; 3] = [0, 300, 600];
pub(crate) const ALL: [i64; 2] = [0, 240];

/// How long after the last step the first is due again, and how often.
pub(crate) const REPEAT: (i64, u32) = (900, 1);

const CONFIG: &str = r#"
global: {resolve_timeout: 1000h}
route:
  receiver: none
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1m
  routes:
  - {matchers: ['kind="first"'], receiver: first}
  - {matchers: ['kind="all"'], receiver: all}
receivers:
- {name: none}
- {name: first, escalation_policy: first}
- {name: all, escalation_policy: all}
people:
- handle: ada
  contact_methods: [{channel: sms, address: "+4915100000001"}, {channel: voice, address: "+4915100000001"}]
  notify: {high: [{by: sms}, {by: voice, after: 2m}]}
- handle: grace
  contact_methods: [{channel: sms, address: "+4915100000002"}, {channel: slack, address: grace}]
- handle: linus
  contact_methods: [{channel: slack, address: linus}]
escalation_policies:
- name: first
  repeat: 1
  repeat_after: 15m
  ack_timeout: 20m
  steps: [{page: [ada]}, {after: 5m, page: [grace]}, {after: 10m, page: [linus, "slack:#all"]}]
- name: all
  acknowledgement: all
  steps: [{page: [ada, grace]}, {after: 4m, page: [linus]}]
"#;

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Fire { alert: usize },
    Resolve { alert: usize },
    Silence { alert: usize, seconds: i64 },
    Answer { run: u64, person: usize, action: Action },
    Stop { person: usize, is_start: bool },
    Fault { channel: usize, behaviour: Behaviour },
    Restart { seconds: i64 },
    Reload,
    Nothing,
}

pub(crate) type Moment = (i64, Act);

pub(crate) fn histories() -> impl Strategy<Value = Vec<Moment>> {
    let waits =
        prop_oneof![2 => Just(1_i64), 3 => 1_i64..60, 4 => 60_i64..500, 1 => 500_i64..3_000];
    let actions = prop_oneof![
        4 => Just(Action::Acknowledge),
        1 => Just(Action::Unacknowledge),
        1 => Just(Action::Escalate),
        1 => Just(Action::Resolve),
        1 => (60_i64..2_000)
            .prop_map(|it| Action::Snooze { span: SignedDuration::from_secs(it) }),
    ];
    let behaviours = prop_oneof![
        3 => Just(Behaviour::Up),
        1 => Just(Behaviour::Down),
        1 => Just(Behaviour::Answers { status: 400, retry_after: None }),
        1 => Just(Behaviour::Answers {
            status: 429,
            retry_after: Some(SignedDuration::from_secs(30)),
        }),
    ];
    let downtimes = prop_oneof![Just(0_i64), 1_i64..900];
    let act = prop_oneof![
        8 => (0_usize..4).prop_map(|alert| Act::Fire { alert }),
        3 => (0_usize..4).prop_map(|alert| Act::Resolve { alert }),
        2 => (0_usize..4, 1_i64..2_000)
            .prop_map(|(alert, seconds)| Act::Silence { alert, seconds }),
        5 => (1_u64..6, 0_usize..3, actions)
            .prop_map(|(run, person, action)| Act::Answer { run, person, action }),
        1 => (0_usize..2, any::<bool>())
            .prop_map(|(person, is_start)| Act::Stop { person, is_start }),
        2 => (0_usize..3, behaviours)
            .prop_map(|(channel, behaviour)| Act::Fault { channel, behaviour }),
        2 => downtimes.prop_map(|seconds| Act::Restart { seconds }),
        1 => Just(Act::Reload),
        2 => Just(Act::Nothing),
    ];
    proptest::collection::vec((waits, act), 1..40)
}

/// Returns the labels of an alert: two of each policy, one of each group of its own.
pub(crate) fn alert(index: usize) -> Labels {
    let kind = ["first", "all"][index % 2];
    let severity = ["critical", "high"][index / 2 % 2];
    let name = format!("A{index}");
    Labels::from_iter([("alertname", name.as_str()), ("kind", kind), ("severity", severity)])
}

/// A history being played, and what whoever looks from outside knows of it.
pub(crate) struct Played {
    pub(crate) simulation: Simulation,
    pub(crate) happenings: Vec<Happening>,
    /// Silences by alert: from, to.
    pub(crate) silences: Vec<(usize, Timestamp, Timestamp)>,
    /// When alerts were told to fire (or not).
    pub(crate) tellings: Vec<(Timestamp, usize, bool)>,
    /// When the process was down: from, to.
    pub(crate) downtimes: Vec<(Timestamp, Timestamp)>,
    started: BTreeMap<usize, Timestamp>,
    next_id: u128,
}

fn policy() -> Arc<Policy> {
    let options = LoadOptions::default();
    load_str("house.yaml", CONFIG, &options).unwrap_or_else(|e| panic!("{e}")).policy
}

impl Played {
    pub(crate) fn new() -> Self {
        let start = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut simulation = Simulation::new(policy(), start);
        simulation.checks_restarts = false;
        Self {
            simulation,
            happenings: Vec::new(),
            silences: Vec::new(),
            tellings: Vec::new(),
            downtimes: Vec::new(),
            started: BTreeMap::new(),
            next_id: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.simulation.now()
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.simulation.advance_to(self.now() + SignedDuration::from_secs(seconds));
        self.happenings.extend(self.simulation.take_happenings());
    }

    pub(crate) fn act(&mut self, act: &Act) {
        let now = self.now();
        match act {
            Act::Nothing => {}
            Act::Fire { alert: index } | Act::Resolve { alert: index } => {
                let fires = matches!(act, Act::Fire { .. });
                let mut incoming = IncomingAlert::new(alert(*index), Labels::default());
                if fires {
                    self.started.entry(*index).or_insert(now);
                } else {
                    incoming.starts_at = self.started.remove(index);
                    incoming.ends_at = Some(now);
                }
                let command = Command::Ingest { alerts: vec![incoming] };
                if self.simulation.submit(command).is_some() {
                    self.tellings.push((now, *index, fires));
                }
            }
            Act::Silence { alert: index, seconds } => self.silence(now, *index, *seconds),
            Act::Answer { run, person, action } => {
                let answer = Answer {
                    run: RunNumber(*run),
                    by: Answerer::Person(Handle::parse(PEOPLE[*person]).unwrap()),
                    action: *action,
                    comment: String::new(),
                    via: "test".to_owned(),
                    asked_at: None,
                };
                self.simulation.submit(Command::Answer(answer));
            }
            Act::Stop { person, is_start } => {
                let spoken = Spoken {
                    channel: Channel::Sms,
                    address: format!("+491510000000{}", person + 1),
                    text: if *is_start { "start" } else { "stop" }.to_owned(),
                };
                self.simulation.submit(Command::Spoken(spoken));
            }
            Act::Fault { channel, behaviour } => {
                let name = ["channel sms", "channel voice", "channel slack"][*channel];
                self.simulation.receivers.set(name, behaviour.clone(), None);
            }
            Act::Restart { seconds } => {
                let span = SignedDuration::from_secs(*seconds);
                self.downtimes.push((now, now + span));
                self.simulation.kill();
                self.simulation.start_after(span, None);
            }
            Act::Reload => {
                self.simulation.submit(Command::Reconfigure { policy: policy() });
            }
        }
        self.happenings.extend(self.simulation.take_happenings());
    }

    fn silence(&mut self, now: Timestamp, index: usize, seconds: i64) {
        self.next_id += 1;
        let ends_at = now + SignedDuration::from_secs(seconds);
        let name = format!("A{index}");
        let request = SilenceRequest {
            id: None,
            matchers: Matchers::new(vec![Matcher::equal("alertname", name)]),
            starts_at: now,
            ends_at,
            created_by: "ada".to_owned(),
            comment: String::new(),
            annotations: BTreeMap::new(),
        };
        let fresh_id = SilenceId::from_u128(self.next_id);
        let reply = self.simulation.submit(Command::SetSilence { request, fresh_id });
        if matches!(reply, Some(Reply::Silence(_))) {
            self.silences.push((index, now, ends_at));
        }
    }
}

pub(crate) fn play(history: &[Moment]) -> Result<Played, TestCaseError> {
    let mut played = Played::new();
    for (wait, act) in history {
        played.advance(*wait);
        played.act(act);
    }
    // A process that is down comes back, and what is due then is done.
    played.advance(2_000);
    let complaints = played.simulation.take_complaints();
    prop_assert!(complaints.is_empty(), "{complaints:#?}");
    Ok(played)
}
