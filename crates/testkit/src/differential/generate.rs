//! From a seed to a schedule.

use std::collections::BTreeMap;

use super::moment::{AT_ONCE_MS, END_MS, TICK_MS, WAITS_MS};
use super::random::Random;
use super::schedule::{Action, Labels, Schedule, Silence, Step, Telling};
use super::setup::{HOOKS, RULES, Route, Setup};

/// How many ticks are acted in, at least and in addition at most.
const TICKS: (i64, usize) = (9, 5);

/// How many ticks are watched after the last action.
const REST: i64 = 3;

/// So long that it does not matter in a schedule.
const LONG_MS: i64 = 3_600_000;

/// What a schedule is about, beside alerts and silences. Where Alertmanager 0.25 decides by
/// chance, two things are kept apart; [`super::known`] says which and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// Rules of inhibition.
    Inhibition,
    /// Reloads that change routes, with groups of one alert each.
    Routes,
    /// A reload that changes timers and intervals, at a quiet time, with groups of any size.
    Timers,
    /// Webhooks that refuse.
    Refusals,
    /// Alerts that fire on, in groups with long intervals.
    Grid,
}

/// What the generator remembers of an alert.
#[derive(Clone, Copy, Debug)]
struct Memory {
    started: i64,
    /// Until when it fires at least, unless it is resolved.
    fires_until: i64,
}

struct Generator {
    random: Random,
    about: About,
    alerts: Vec<Labels>,
    memory: BTreeMap<Labels, Memory>,
    setup: Setup,
    slots: usize,
    /// Places for orders that flush at once which are still free.
    at_once: Vec<i64>,
    /// The tick of the reload when it needs quiet around it.
    quiet: Option<i64>,
    steps: Vec<(i64, Action)>,
}

pub(super) fn generate(seed: u64) -> Schedule {
    let mut random = Random::new(seed);
    let kinds = [About::Inhibition, About::Routes, About::Timers, About::Refusals, About::Grid];
    let about = *random.pick(&kinds);
    let setup = setup(&mut random, about);
    let ticks = TICKS.0 + i64::try_from(random.below(TICKS.1)).unwrap_or(0);
    let mut generator = Generator {
        alerts: alerts(&mut random),
        memory: BTreeMap::new(),
        setup: setup.clone(),
        slots: 0,
        at_once: AT_ONCE_MS.to_vec(),
        quiet: (about == About::Timers).then_some(ticks / 2),
        steps: Vec::new(),
        random,
        about,
    };
    for tick in 1..=ticks {
        generator.tick(tick);
    }
    let numbered = generator.steps.into_iter().enumerate();
    let steps = numbered.map(|(number, (at, action))| Step { number, at, action }).collect();
    Schedule { seed, setup, steps, ticks: ticks + REST }
}

/// Draws the alerts of a schedule: few, so that they meet.
fn alerts(random: &mut Random) -> Vec<Labels> {
    let mut alerts: Vec<Labels> = Vec::new();
    while alerts.len() < 6 {
        let mut labels = Labels::new();
        labels.insert("alertname".into(), (*random.pick(&["A", "B", "C"])).into());
        labels.insert("instance".into(), (*random.pick(&["h1", "h2"])).into());
        labels.insert("severity".into(), (*random.pick(&["critical", "warning"])).into());
        if random.chance(50) {
            labels.insert("job".into(), (*random.pick(&["db", "web"])).into());
        }
        if !alerts.contains(&labels) {
            alerts.push(labels);
        }
    }
    alerts
}

fn setup(random: &mut Random, about: About) -> Setup {
    let resolve_timeout_ms = *random.pick(&[1_000, 2_000, 3_000]) + END_MS;
    let is_long = matches!(about, About::Timers | About::Grid);
    let resolve_timeout_ms = if is_long { LONG_MS } else { resolve_timeout_ms };
    let mut root = route(random, about, 0);
    root.matchers.clear();
    root.goes_on = false;
    root.interval = None;
    let mut rules = Vec::new();
    if about == About::Inhibition {
        rules = (0..RULES.len()).filter(|_| random.chance(50)).collect();
        if rules.is_empty() {
            rules.push(0);
        }
    }
    Setup { resolve_timeout_ms, root, rules }
}

fn route(random: &mut Random, about: About, depth: usize) -> Route {
    const GROUPINGS: [&[&str]; 6] =
        [&[], &["alertname"], &["alertname", "instance"], &["..."], &["severity"], &["job"]];
    const MATCHERS: [&str; 7] = [
        "alertname=\"A\"",
        "alertname=~\"B|C\"",
        "severity=\"critical\"",
        "instance!=\"h1\"",
        "job=\"db\"",
        "job=\"\"",
        "job!~\"web|x\"",
    ];
    let group_by = match about {
        About::Routes => vec!["..."],
        // Beneath the root, releases differ about what an empty list means.
        _ if depth > 0 => random.pick(&GROUPINGS[1..]).to_vec(),
        _ => random.pick(&GROUPINGS).to_vec(),
    };
    let interval_ms = if about.has_ends() { TICK_MS } else { TICK_MS * *random.pick(&[1, 2, 3]) };
    let repeat_ms = match about {
        About::Timers => LONG_MS,
        _ => *random.pick(&[500, 1_500, 2_500, 3_500, LONG_MS]),
    };
    let interval = match random.below(8) {
        0 => Some(("mute_time_intervals", "always")),
        1 => Some(("mute_time_intervals", "never")),
        2 => Some(("active_time_intervals", "never")),
        3 => Some(("active_time_intervals", "always")),
        _ => None,
    };
    let mut routes: Vec<Route> = Vec::new();
    let children = if depth == 2 { 0 } else { random.below(if depth == 0 { 4 } else { 2 }) };
    for _ in 0..children {
        let child = route(random, about, depth + 1);
        // Siblings with equal matchers share a log in Alertmanager and race for it.
        if routes.iter().all(|other| other.matchers != child.matchers) {
            routes.push(child);
        }
    }
    Route {
        matchers: vec![(*random.pick(&MATCHERS)).to_owned()],
        receiver: random.below(if depth == 0 { 3 } else { 4 }),
        group_by,
        wait_ms: *random.pick(&WAITS_MS),
        interval_ms,
        repeat_ms,
        goes_on: random.chance(35),
        interval,
        routes,
    }
}

impl About {
    /// Returns whether alerts end in the schedule.
    fn has_ends(self) -> bool {
        self != Self::Grid
    }
}

impl Generator {
    fn tick(&mut self, tick: i64) {
        let at = tick * TICK_MS;
        if let Some(quiet) = self.quiet
            && (quiet - 2..=quiet).contains(&tick)
        {
            if tick == quiet {
                self.change_timers(at);
            }
            return;
        }
        let actions = [0, 1, 1, 1, 2, 2][self.random.below(6)];
        // Something has to be there before anything can happen to it.
        let actions = if tick == 1 { 1 } else { actions };
        for _ in 0..actions {
            let action = match self.random.below(100) {
                _ if tick == 1 => self.tell(at),
                0..60 => self.tell(at),
                60..88 => self.silence(at),
                _ if self.about == About::Refusals => {
                    Action::Hook { hook: self.random.below(HOOKS), accepts: self.random.chance(60) }
                }
                _ => self.tell(at),
            };
            self.steps.push((at, action));
        }
        if self.at_once.is_empty() || !self.random.chance(15) {
            return;
        }
        let place = at + self.at_once[0];
        let action = match self.about {
            About::Timers => return,
            // The flushes after a reload lie where the second place would be.
            About::Routes if self.at_once.len() == 1 => return,
            About::Routes => self.reroute(),
            _ if !self.setup.groups_by_name() => return,
            _ => Action::Tell(vec![self.tell_old(place)]),
        };
        self.at_once.remove(0);
        self.steps.push((place, action));
    }

    fn tell(&mut self, at: i64) -> Action {
        let count = 1 + self.random.below(3);
        let mut tellings: Vec<Telling> = Vec::new();
        for _ in 0..count {
            let labels = self.random.pick(&self.alerts).clone();
            if tellings.iter().all(|telling| telling.labels != labels) {
                tellings.push(self.telling(at, labels));
            }
        }
        Action::Tell(tellings)
    }

    fn telling(&mut self, at: i64, labels: Labels) -> Telling {
        let note = format!("n{}", self.random.below(2));
        let known = self.memory.get(&labels).copied().filter(|m| m.fires_until > at);
        let resolves = self.random.chance(if known.is_some() { 40 } else { 12 });
        if resolves && self.about.has_ends() {
            self.memory.remove(&labels);
            let starts = self.random.chance(50).then(|| known.map_or(at, |m| m.started));
            return Telling { labels, note, starts, ends: Some(at) };
        }
        let ends = self.end(at);
        let starts = match known {
            // As Prometheus does: it names the start again and again.
            Some(memory) if self.random.chance(50) => Some(memory.started),
            // Without a start, one that names its end would begin when it ends.
            _ => (ends.is_some() || self.random.chance(50)).then_some(at),
        };
        let fires_until = ends.unwrap_or(at + self.setup.resolve_timeout_ms);
        let memory =
            self.memory.entry(labels.clone()).or_insert(Memory { started: at, fires_until });
        if known.is_none() {
            memory.started = at;
        }
        memory.fires_until = fires_until;
        Telling { labels, note, starts, ends }
    }

    /// Draws the end of an alert: its own, or none, which leaves it to `resolve_timeout`.
    fn end(&mut self, at: i64) -> Option<i64> {
        if matches!(self.about, About::Timers | About::Grid) {
            return self.random.chance(50).then_some(LONG_MS);
        }
        let spans = [1, 2, 3, 4, 6, 3_600];
        let span = *self.random.pick(&spans) * TICK_MS;
        self.random.chance(65).then_some(at - at.rem_euclid(TICK_MS) + span + END_MS)
    }

    /// Draws an alert that has been firing for long: its groups are told of it at once.
    fn tell_old(&mut self, at: i64) -> Telling {
        let mut labels = self.random.pick(&self.alerts).clone();
        labels.insert("alertname".into(), format!("Old{}", self.at_once.len()));
        let spans: &[i64] = if self.about.has_ends() { &[2, 4, 3_600] } else { &[3_600] };
        let span = *self.random.pick(spans) * TICK_MS;
        let ends = at - at.rem_euclid(TICK_MS) + span + END_MS;
        let starts = at - 5 * TICK_MS;
        Telling { labels, note: "old".to_owned(), starts: Some(starts), ends: Some(ends) }
    }

    fn silence(&mut self, at: i64) -> Action {
        let kind = self.random.below(100);
        if self.slots > 0 && kind < 25 {
            return Action::Expire { slot: self.random.below(self.slots) };
        }
        let slot = self.random.below(self.slots.max(1));
        let silence = self.what_is_silenced(at);
        if self.slots > 0 && kind < 45 {
            let starts = silence.starts.filter(|_| self.random.chance(40));
            return Action::Change { slot, silence: Silence { starts, ..silence } };
        }
        self.slots += 1;
        Action::Silence { slot: self.slots - 1, silence }
    }

    fn what_is_silenced(&mut self, at: i64) -> Silence {
        let matchers: [&[(&str, &str, bool, bool)]; 7] = [
            &[("alertname", "A", false, true)],
            &[("alertname", "A|B", true, true)],
            &[("instance", "h1", false, true), ("severity", "warning", false, true)],
            &[("instance", "h1", false, true), ("alertname", "C", false, false)],
            &[("job", "db", false, true)],
            &[("severity", "critical", false, true)],
            &[("alertname", ".+", true, true), ("job", "d.*", true, false)],
        ];
        let matchers = self.random.pick(&matchers);
        let starts = match self.random.below(4) {
            0 => at + END_MS + i64::try_from(self.random.below(3)).unwrap_or(0) * TICK_MS,
            _ => at,
        };
        let spans: &[i64] = match self.about {
            About::Timers => &[3_600],
            _ => &[1, 2, 3, 4, 5, 3_600],
        };
        let span = *self.random.pick(spans) * TICK_MS;
        let ends = starts - starts.rem_euclid(TICK_MS) + span + END_MS;
        let starts = if self.about == About::Timers { at } else { starts };
        Silence {
            matchers: matchers
                .iter()
                .map(|(name, value, is_regex, is_equal)| {
                    ((*name).to_owned(), (*value).to_owned(), *is_regex, *is_equal)
                })
                .collect(),
            starts: Some(starts),
            ends,
            comment: format!("c{}", self.random.below(3)),
        }
    }

    /// Other routes, receivers and timers.
    fn reroute(&mut self) -> Action {
        let timeout = self.setup.resolve_timeout_ms;
        self.setup = setup(&mut self.random, self.about);
        self.setup.resolve_timeout_ms = timeout;
        Action::Reload(Box::new(self.setup.clone()))
    }

    /// The same routes with other timers and intervals.
    fn change_timers(&mut self, at: i64) {
        let random = &mut self.random;
        let mut is_root = true;
        self.setup.root.visit(&mut |route| {
            route.wait_ms = *random.pick(&WAITS_MS);
            if !is_root && random.chance(40) {
                route.interval = match route.interval {
                    None => Some(("mute_time_intervals", "always")),
                    Some(_) => None,
                };
            }
            is_root = false;
        });
        let place = at + AT_ONCE_MS[0];
        self.steps.push((place, Action::Reload(Box::new(self.setup.clone()))));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        assert_eq!(generate(42), generate(42));
        assert_ne!(generate(42).steps, generate(43).steps);
    }

    #[test]
    fn everything_lies_in_its_place() {
        let mut kinds = BTreeSet::new();
        for seed in 1..=500 {
            let schedule = generate(seed);
            let mut last = 0;
            for step in &schedule.steps {
                assert!(step.at >= last, "seed {seed}: {step}");
                last = step.at;
                let phase = step.at.rem_euclid(TICK_MS);
                let is_at_once = AT_ONCE_MS.contains(&phase);
                assert!(phase == 0 || is_at_once, "seed {seed}: {step}");
                kinds.insert(match &step.action {
                    Action::Tell(tellings) => {
                        for telling in tellings {
                            let ends = telling.ends.unwrap_or(END_MS).rem_euclid(TICK_MS);
                            assert!(ends == END_MS || ends == 0, "seed {seed}: {step}");
                            let is_over = telling.ends.is_some_and(|ends| ends <= step.at);
                            let is_young = telling.starts.is_none_or(|s| s == step.at);
                            assert!(!is_at_once || !is_over && !is_young, "seed {seed}: {step}");
                        }
                        "tell"
                    }
                    Action::Silence { .. } => "silence",
                    Action::Change { .. } => "change",
                    Action::Expire { .. } => "expire",
                    Action::Reload(_) => "reload",
                    Action::Hook { .. } => "hook",
                });
            }
        }
        assert_eq!(kinds.len(), 6, "{kinds:?}");
    }

    #[test]
    fn places_for_orders_that_flush_are_used_once() {
        for seed in 1..=500 {
            let mut used = BTreeSet::new();
            for step in &generate(seed).steps {
                let phase = step.at.rem_euclid(TICK_MS);
                assert!(phase == 0 || used.insert(phase), "seed {seed}: {step}");
            }
        }
    }

    #[test]
    fn both_sides_could_read_every_configuration() {
        for seed in 1..=200 {
            let schedule = generate(seed);
            let reloads = schedule.steps.iter().filter_map(|step| match &step.action {
                Action::Reload(setup) => Some(&**setup),
                _ => None,
            });
            for setup in reloads.chain([&schedule.setup]) {
                let yaml = setup.yaml("http://hook.example/hook");
                let options = tocsin_config::LoadOptions::default();
                let loaded = tocsin_config::load_str("am.yml", &yaml, &options);
                assert!(loaded.is_ok(), "seed {seed}:\n{yaml}\n{}", loaded.unwrap_err());
            }
        }
    }
}
