//! Random histories, and what is remembered while one is played.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::change::Change;
use tocsin_core::command::{Command, Reply};
use tocsin_core::ids::SilenceId;
use tocsin_core::labels::Labels;
use tocsin_core::maintenance::MaintenanceWindow;
use tocsin_core::silence::SilenceRequest;
use tocsin_testkit::receivers::Behaviour;
use tocsin_testkit::simulation::{Happening, Simulation};

use super::universe;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Fire { alert: usize, seconds: Option<i64> },
    Resolve { alert: usize },
    Silence { selection: usize, delay: i64, seconds: i64 },
    Expire { which: usize },
    Maintain { name: usize, selection: usize, delay: i64, seconds: i64 },
    Cancel { name: usize },
    Fault { receiver: usize, behaviour: Behaviour },
    Restart { seconds: i64 },
    Reload { variant: usize },
    Acknowledge { alert: usize, seconds: Option<i64> },
    Unacknowledge { alert: usize },
    Note { alert: usize },
    Change,
}

/// How many seconds pass before what happens next.
pub(crate) type Moment = (i64, Act);

/// What may happen in a history.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ingredients {
    pub(crate) mutes: bool,
    pub(crate) faults: bool,
    pub(crate) restarts: bool,
    pub(crate) reloads: bool,
    pub(crate) own_ends: bool,
    pub(crate) people: bool,
}

impl Ingredients {
    pub(crate) const ALL: Self = Self {
        mutes: true,
        faults: true,
        restarts: true,
        reloads: true,
        own_ends: true,
        people: true,
    };
}

pub(crate) fn histories(with: Ingredients) -> impl Strategy<Value = Vec<Moment>> {
    proptest::collection::vec((waits(), acts(with)), 1..40)
}

fn waits() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => Just(0_i64),
        3 => 1_i64..60,
        3 => 60_i64..900,
        1 => 900_i64..20_000,
    ]
}

fn acts(with: Ingredients) -> impl Strategy<Value = Act> {
    let ends = if with.own_ends {
        prop_oneof![2 => Just(None), 1 => (1_i64..4_000).prop_map(Some)].boxed()
    } else {
        Just(None).boxed()
    };
    let behaviours = prop_oneof![
        Just(Behaviour::Up),
        Just(Behaviour::Up),
        Just(Behaviour::Down),
        Just(Behaviour::Answers { status: 500, retry_after: None }),
        Just(Behaviour::Answers { status: 400, retry_after: None }),
        Just(Behaviour::Answers { status: 429, retry_after: Some(SignedDuration::from_secs(40)) }),
        Just(Behaviour::Hangs { span: SignedDuration::from_secs(7) }),
        Just(Behaviour::Takes { span: SignedDuration::from_secs(20) }),
        Just(Behaviour::Swallows { span: SignedDuration::from_secs(9) }),
        Just(Behaviour::Confirms { span: SignedDuration::from_secs(20) }),
    ];
    let mut acts: Vec<(u32, BoxedStrategy<Act>)> = vec![
        (
            12,
            (0..universe::ALERTS, ends)
                .prop_map(|(alert, seconds)| Act::Fire { alert, seconds })
                .boxed(),
        ),
        (8, (0..universe::ALERTS).prop_map(|alert| Act::Resolve { alert }).boxed()),
    ];
    let delays = || prop_oneof![Just(0_i64), 1_i64..900];
    if with.mutes {
        let silence = (0..universe::SELECTIONS, delays(), 1_i64..5_000)
            .prop_map(|(selection, delay, seconds)| Act::Silence { selection, delay, seconds });
        let maintain = (0_usize..3, 0..universe::SELECTIONS, delays(), 1_i64..5_000).prop_map(
            |(name, selection, delay, seconds)| Act::Maintain { name, selection, delay, seconds },
        );
        acts.push((4, silence.boxed()));
        acts.push((2, (0_usize..8).prop_map(|which| Act::Expire { which }).boxed()));
        acts.push((2, maintain.boxed()));
        acts.push((1, (0_usize..3).prop_map(|name| Act::Cancel { name }).boxed()));
    }
    if with.faults {
        let fault = (0_usize..2, behaviours)
            .prop_map(|(receiver, behaviour)| Act::Fault { receiver, behaviour });
        acts.push((5, fault.boxed()));
    }
    if with.restarts {
        acts.push((2, delays().prop_map(|seconds| Act::Restart { seconds }).boxed()));
    }
    if with.reloads {
        acts.push((1, (0_usize..2).prop_map(|variant| Act::Reload { variant }).boxed()));
    }
    if with.people {
        let spans = prop_oneof![1 => Just(None), 2 => (1_i64..20_000).prop_map(Some)];
        let acknowledge = (0..universe::ALERTS, spans)
            .prop_map(|(alert, seconds)| Act::Acknowledge { alert, seconds });
        acts.push((4, acknowledge.boxed()));
        let alerts = || 0..universe::ALERTS;
        acts.push((2, alerts().prop_map(|alert| Act::Unacknowledge { alert }).boxed()));
        acts.push((1, alerts().prop_map(|alert| Act::Note { alert }).boxed()));
        acts.push((1, Just(Act::Change).boxed()));
    }
    proptest::strategy::Union::new_weighted(acts)
}

/// A silence as the test remembers it.
#[derive(Clone, Debug)]
pub(crate) struct PlainSilence {
    pub(crate) id: SilenceId,
    pub(crate) selection: usize,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// A history being played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) simulation: Simulation,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) silences: Vec<PlainSilence>,
    pub(crate) windows: BTreeMap<usize, (usize, Timestamp, Timestamp)>,
    pub(crate) variant: usize,
    /// When each alert was last told as firing.
    started: BTreeMap<usize, Timestamp>,
    resolve_timeout: SignedDuration,
    next_id: u128,
}

impl Played {
    pub(crate) fn new(resolve_timeout: SignedDuration) -> Self {
        let policy = universe::policy(0, resolve_timeout);
        let mut simulation = Simulation::new(policy, universe::start());
        simulation.checks_restarts = false;
        Self {
            simulation,
            happenings: Vec::new(),
            silences: Vec::new(),
            windows: BTreeMap::new(),
            variant: 0,
            started: BTreeMap::new(),
            resolve_timeout,
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
        let seconds = SignedDuration::from_secs;
        match act {
            Act::Fire { alert, seconds: lasts } => {
                let mut incoming = IncomingAlert::new(universe::alert(*alert), Labels::default());
                incoming.ends_at = lasts.map(|lasts| now + seconds(lasts));
                incoming.starts_at = lasts.map(|_| now);
                self.started.insert(*alert, now);
                self.submit(Command::Ingest { alerts: vec![incoming] });
            }
            Act::Resolve { alert } => {
                let mut incoming = IncomingAlert::new(universe::alert(*alert), Labels::default());
                // As Prometheus does: the start is told with the end.
                incoming.starts_at = self.started.get(alert).copied();
                incoming.ends_at = Some(now);
                self.submit(Command::Ingest { alerts: vec![incoming] });
            }
            Act::Silence { selection, delay, seconds: lasts } => {
                self.next_id += 1;
                let fresh_id = SilenceId::from_u128(self.next_id);
                let (from, to) = (now + seconds(*delay), now + seconds(delay + lasts));
                let request = SilenceRequest {
                    id: None,
                    matchers: universe::matchers(&universe::selection(*selection)),
                    starts_at: from,
                    ends_at: to,
                    created_by: "ada".to_owned(),
                    comment: String::new(),
                    annotations: BTreeMap::new(),
                };
                if let Some(Reply::Silence(id)) =
                    self.submit(Command::SetSilence { request, fresh_id })
                {
                    let selection = *selection;
                    self.silences.push(PlainSilence { id, selection, from, to });
                }
            }
            Act::Expire { which } => {
                let Some(id) = self.silences.get(*which).map(|silence| silence.id) else { return };
                if self.submit(Command::ExpireSilence { id }) == Some(Reply::Done) {
                    let silence = &mut self.silences[*which];
                    silence.to = silence.to.min(now);
                    silence.from = silence.from.min(now);
                }
            }
            Act::Maintain { name, selection, delay, seconds: lasts } => {
                let zone = jiff::tz::TimeZone::UTC;
                let from = now + seconds(*delay);
                let window = MaintenanceWindow {
                    name: format!("window {name}").into(),
                    matchers: universe::matchers(&universe::selection(*selection)),
                    starts_at: from.to_zoned(zone.clone()).datetime(),
                    duration: seconds(*lasts),
                    zone,
                    recurrence: None,
                    comment: String::new(),
                    created_by: "ada".to_owned(),
                };
                if self.submit(Command::SetMaintenanceWindow { window }) == Some(Reply::Done) {
                    self.windows.insert(*name, (*selection, from, from + seconds(*lasts)));
                }
            }
            Act::Cancel { name } => {
                let command = Command::DeleteMaintenanceWindow { name: format!("window {name}") };
                if self.submit(command) == Some(Reply::Done) {
                    self.windows.remove(name);
                }
            }
            Act::Fault { receiver, behaviour } => {
                let name = universe::RECEIVERS[*receiver];
                self.simulation.receivers.set(name, behaviour.clone(), None);
            }
            Act::Restart { seconds: lasts } => {
                self.simulation.kill();
                self.simulation.start_after(seconds(*lasts), None);
            }
            Act::Acknowledge { alert, seconds: lasts } => {
                self.submit(Command::Acknowledge {
                    alerts: vec![universe::alert(*alert).fingerprint()],
                    by: "ada".to_owned(),
                    comment: String::new(),
                    expires_at: lasts.map(|lasts| now + seconds(lasts)),
                });
            }
            Act::Unacknowledge { alert } => {
                self.submit(Command::Unacknowledge {
                    alerts: vec![universe::alert(*alert).fingerprint()],
                    by: "grace".to_owned(),
                    comment: String::new(),
                });
            }
            Act::Note { alert } => {
                let alert = universe::alert(*alert).fingerprint();
                let (by, text) = ("ada".to_owned(), "looking".to_owned());
                self.submit(Command::AddNote { alert, by, text });
            }
            Act::Change => {
                let change = Change {
                    summary: "release".to_owned(),
                    source: "pipeline".to_owned(),
                    occurred_at: now,
                    details: String::new(),
                    links: Vec::new(),
                    integration: String::new(),
                };
                self.submit(Command::RecordChange { change });
            }
            Act::Reload { variant } => {
                let policy = universe::policy(*variant, self.resolve_timeout);
                if self.submit(Command::Reconfigure { policy }).is_some() {
                    self.variant = *variant;
                }
            }
        }
        self.happenings.extend(self.simulation.take_happenings());
    }

    fn submit(&mut self, command: Command) -> Option<Reply> {
        self.simulation.submit(command)
    }

    /// Makes all receivers well and waits until a process that is down is up again.
    pub(crate) fn heal(&mut self) {
        for receiver in universe::RECEIVERS {
            self.simulation.receivers.set(receiver, Behaviour::Up, None);
        }
        self.advance(1_000);
    }
}

/// Plays a whole history, looking at it after every moment.
pub(crate) fn play(
    history: &[Moment],
    resolve_timeout: SignedDuration,
    mut look: impl FnMut(&Played) -> Result<(), TestCaseError>,
) -> Result<Played, TestCaseError> {
    let mut played = Played::new(resolve_timeout);
    for (wait, act) in history {
        played.advance(*wait);
        look(&played)?;
        played.act(act);
        look(&played)?;
    }
    let complaints = played.simulation.take_complaints();
    prop_assert!(complaints.is_empty(), "{complaints:#?}");
    Ok(played)
}
