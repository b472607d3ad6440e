//! Random houses: one policy, four people of whom one cannot be reached, a schedule whose local
//! clocks change in the first night, and an override.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use tocsin_config::{LoadOptions, load_str};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::Command;
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;
use tocsin_core::labels::Labels;
use tocsin_core::oncall::{OnCallChange, Override};
use tocsin_core::paging::{Action, Answer, Answerer};
use tocsin_core::policy::Policy;
use uuid::Uuid;

/// The last of them has neither a method nor an address.
pub(crate) const PERSON: [&str; 4] = ["ada", "grace", "linus", "mute"];

/// Names a schedule in the place of a person.
pub(crate) const SCHEDULE: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Minutes: for what is critical, and for what is a warning.
    pub(crate) after: (i64, i64),
    /// Indices of people, or the schedule.
    pub(crate) targets: Vec<usize>,
    pub(crate) is_round_robin: bool,
    pub(crate) skips_if_empty: bool,
    /// Only for what is critical, or only for what is not.
    pub(crate) only_critical: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) steps: Vec<Step>,
    pub(crate) repeat: u32,
    /// In minutes.
    pub(crate) repeat_after: i64,
    pub(crate) needs_all: bool,
    /// In minutes.
    pub(crate) ack_timeout: Option<i64>,
    /// Hours, local, of grace: from and to.
    pub(crate) quiet: Option<(i8, i8)>,
    pub(crate) grace_zone: &'static str,
    /// Minutes after the start: linus stands in for ada.
    pub(crate) override_from: i64,
    pub(crate) override_for: i64,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Four alerts, the even ones critical; each fires once.
    Fire(usize),
    Answer {
        run: u64,
        person: usize,
        action: Action,
    },
    Restart {
        seconds: i64,
    },
    Nothing,
}

/// The evening before the clocks of Berlin change.
pub(crate) fn start() -> Timestamp {
    "2026-03-28T19:00:00Z".parse().unwrap()
}

pub(crate) fn houses() -> impl Strategy<Value = House> {
    let step = (
        (0_i64..12, 0_i64..12),
        btree_set(0_usize..=SCHEDULE, 1..4),
        any::<bool>(),
        any::<bool>(),
        option::weighted(0.3, any::<bool>()),
    )
        .prop_map(|(after, targets, is_round_robin, skips_if_empty, only_critical)| Step {
            after,
            targets: targets.into_iter().collect(),
            is_round_robin,
            skips_if_empty,
            only_critical,
        });
    (
        vec(step, 1..4),
        (0_u32..3, 1_i64..20),
        any::<bool>(),
        option::of(2_i64..40),
        option::weighted(0.7, (0_i8..24, 0_i8..24)),
        prop::sample::select(vec!["Europe/Berlin", "Asia/Tokyo", "America/New_York"]),
        (0_i64..400, 1_i64..600),
    )
        .prop_map(
            |(
                steps,
                (repeat, repeat_after),
                needs_all,
                ack_timeout,
                quiet,
                grace_zone,
                (from, span),
            )| {
                House {
                    steps,
                    repeat,
                    repeat_after,
                    needs_all,
                    ack_timeout,
                    quiet: quiet.filter(|(from, to)| from != to),
                    grace_zone,
                    override_from: from,
                    override_for: span,
                }
            },
        )
}

pub(crate) fn moments() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let waits = prop_oneof![2 => 1_i64..60, 4 => 60_i64..900, 1 => 900_i64..20_000];
    let actions = prop_oneof![
        4 => Just(Action::Acknowledge),
        1 => Just(Action::Unacknowledge),
        2 => Just(Action::Escalate),
        1 => Just(Action::Resolve),
        2 => (60_i64..3_000)
            .prop_map(|it| Action::Snooze { span: SignedDuration::from_secs(it) }),
    ];
    let act = prop_oneof![
        6 => (0_usize..4).prop_map(Act::Fire),
        6 => (1_u64..5, 0_usize..3, actions)
            .prop_map(|(run, person, action)| Act::Answer { run, person, action }),
        2 => prop_oneof![Just(0_i64), 1_i64..4_000].prop_map(|seconds| Act::Restart { seconds }),
        1 => Just(Act::Nothing),
    ];
    vec((waits, act), 1..25)
}

fn handle(index: usize) -> Handle {
    Handle::parse(PERSON[index]).unwrap()
}

/// Returns what is asked of the engine; `None` when nothing is.
pub(crate) fn command(act: &Act, _now: Timestamp) -> Option<Command> {
    match act {
        Act::Fire(index) => {
            let severity = if index % 2 == 0 { "critical" } else { "warning" };
            let name = format!("A{index}");
            let labels = Labels::from_iter([
                ("alertname", name.as_str()),
                ("severity", severity),
                ("kind", "page"),
            ]);
            Some(Command::Ingest { alerts: vec![IncomingAlert::new(labels, Labels::default())] })
        }
        Act::Answer { run, person, action } => Some(Command::Answer(Answer {
            run: RunNumber(*run),
            by: Answerer::Person(handle(*person)),
            action: *action,
            comment: String::new(),
            via: "test".to_owned(),
            asked_at: None,
        })),
        Act::Restart { .. } | Act::Nothing => None,
    }
}

impl House {
    pub(crate) fn override_command(&self) -> Command {
        let from = start() + SignedDuration::from_mins(self.override_from);
        let to = from + SignedDuration::from_mins(self.override_for);
        Command::OnCall(OnCallChange::AddOverride(Box::new(Override {
            id: Uuid::from_u128(1),
            schedule: "web".into(),
            number: 0,
            user_out: Some(handle(0)),
            user_in: Some(handle(2)),
            from,
            to,
            layer: None,
            reason: String::new(),
            author: String::new(),
        })))
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        let yaml = self.yaml();
        load_str("house.yaml", &yaml, &LoadOptions::default())
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"))
            .policy
    }

    pub(crate) fn yaml(&self) -> String {
        let steps: Vec<String> = self.steps.iter().map(Step::yaml).collect();
        let quiet = self.quiet.map_or(String::new(), |(from, to)| {
            format!("quiet_hours: {{from: \"{from:02}:00\", to: \"{to:02}:00\"}}, ")
        });
        let sms = |index: usize| format!("[{{channel: sms, address: \"+491510000000{index}\"}}]");
        let rules = "high: [{by: sms}], low: [{by: sms}]";
        let timeout =
            self.ack_timeout.map_or(String::new(), |it| format!("  ack_timeout: {it}m\n"));
        let mode = if self.needs_all { "all" } else { "first" };
        format!(
            "incidents: {{remind: false}}\n\
             global: {{resolve_timeout: 1000h}}\n\
             route:\n  receiver: none\n  group_by: [alertname]\n  group_wait: 0s\n  \
             group_interval: 1m\n  repeat_interval: 900h\n  \
             routes: [{{matchers: ['kind=\"page\"'], receiver: page}}]\n\
             receivers: [{{name: none}}, {{name: page, escalation_policy: p}}]\n\
             people:\n\
             - {{handle: ada, contact_methods: {}, notify: {{{rules}}}}}\n\
             - {{handle: grace, time_zone: {}, contact_methods: {}, notify: {{{quiet}{rules}}}}}\n\
             - {{handle: linus, contact_methods: {}, notify: {{{rules}}}}}\n\
             - {{handle: mute}}\n\
             paging: {{throttle: {{sms: []}}}}\n\
             schedules:\n- name: web\n  time_zone: Europe/Berlin\n  layers:\n  - {{name: day, members: [ada, grace], \
             turn: [1d], start: 2026-03-02T09:00}}\n\
             escalation_policies:\n- name: p\n  repeat: {}\n  repeat_after: {}m\n  \
             acknowledgement: {mode}\n{timeout}  steps:\n{}",
            sms(1),
            self.grace_zone,
            sms(2),
            sms(3),
            self.repeat,
            self.repeat_after,
            steps.concat(),
        )
    }
}

impl Step {
    fn yaml(&self) -> String {
        let targets: Vec<&str> = self
            .targets
            .iter()
            .map(|index| PERSON.get(*index).copied().unwrap_or("'schedule:web'"))
            .collect();
        let only = match self.only_critical {
            None => "",
            Some(true) => ", severities: [sev1]",
            Some(false) => ", severities: [sev3]",
        };
        format!(
            "  - {{after: {{sev1: {}m, sev3: {}m}}, page: [{}], round_robin: {}, skip_if_empty: {}{only}}}\n",
            self.after.0,
            self.after.1,
            targets.join(", "),
            self.is_round_robin,
            self.skips_if_empty,
        )
    }
}
