//! A difference, written down so that somebody can look into it.

use std::fmt;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::compare::Difference;
use super::moment::{TICK_MS, text};
use super::schedule::{Action, Schedule, Silence, Telling};

/// The most differences that a report tells.
const TOLD: usize = 8;

/// A schedule with what the two sides said differently.
#[derive(Clone, Debug)]
pub struct Case {
    /// The smallest schedule that shows it.
    pub schedule: Schedule,
    /// What differed in its last run.
    pub differences: Vec<Difference>,
}

/// Which schedules are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those of some seeds.
    Seeds(RangeInclusive<u64>),
    /// Some steps of one.
    Steps(u64, Vec<usize>),
}

impl Selection {
    /// Reads `17`, `1..200` or `17:0,3,5`.
    pub fn parse(written: &str) -> Option<Self> {
        if let Some((seed, steps)) = written.split_once(':') {
            let steps: Result<_, _> = steps.split(',').map(|step| step.trim().parse()).collect();
            return Some(Self::Steps(seed.trim().parse().ok()?, steps.ok()?));
        }
        let (first, last) = written.split_once("..").unwrap_or((written, written));
        Some(Self::Seeds(first.trim().parse().ok()?..=last.trim().parse().ok()?))
    }

    /// Returns the schedules.
    pub fn schedules(&self) -> Vec<Schedule> {
        match self {
            Self::Seeds(seeds) => seeds.clone().map(Schedule::new).collect(),
            Self::Steps(seed, steps) => {
                vec![Schedule::new(*seed).only(|step| steps.contains(&step.number))]
            }
        }
    }
}

impl Case {
    /// Returns the name of its file.
    pub fn file_name(&self) -> String {
        format!("seed-{}.scenario", self.schedule.seed)
    }

    /// Returns the beginnings of a scenario: the steps in virtual time, with what differed above
    /// them. `UPDATE_EXPECT=1` fills in what we do; the rest is for a person.
    pub fn scenario(&self) -> String {
        let mut out = String::new();
        for line in self.to_string().lines() {
            let _ = writeln!(out, "# {line}");
        }
        let mut configs = vec![("config:".to_owned(), &self.schedule.setup)];
        let mut steps = String::new();
        for step in &self.schedule.steps {
            let sentences = match &step.action {
                Action::Tell(tellings) => tellings.iter().map(tell).collect(),
                Action::Silence { slot, silence } => {
                    let starts = silence.starts.unwrap_or(step.at);
                    let (who, until) = (matchers(silence), clock(silence.ends));
                    let comment = &silence.comment;
                    vec![format!(
                        "ada silences {who} from {} until {until} \"{comment}\" as S{slot}",
                        clock(starts)
                    )]
                }
                Action::Change { slot, silence } => {
                    let (who, until) = (matchers(silence), clock(silence.ends));
                    vec![format!("ada changes S{slot} to {who} until {until} as S{slot}")]
                }
                Action::Expire { slot } => vec![format!("ada expires S{slot}")],
                Action::Reload(setup) => {
                    let name = format!("c{}", step.number);
                    configs.push((format!("config {name}:"), setup));
                    vec![format!("reload with {name}")]
                }
                Action::Hook { hook, accepts } => {
                    let receiver = ["r0/webhook", "r1/webhook[0]", "r1/webhook[1]", "r2/webhook"];
                    let does = if *accepts { "is back" } else { "answers 400" };
                    vec![format!("receiver {} {does}", receiver[*hook])]
                }
            };
            for sentence in sentences {
                let _ = writeln!(steps, "at {}  {sentence}", text(step.at));
            }
        }
        for (head, setup) in configs {
            let _ = writeln!(out, "{head}\n  compat: alertmanager");
            for line in setup.yaml("http://hook.example").lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        let end = text(self.schedule.ticks * TICK_MS);
        let _ = writeln!(out, "\n{steps}at {end}  nothing");
        out
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Schedule { seed, steps, .. } = &self.schedule;
        writeln!(f, "Tocsin and Alertmanager differ on seed {seed}, {} steps.", steps.len())?;
        writeln!(f, "Again: TOCSIN_DIFFERENTIAL={seed}:{}", self.schedule.numbers())?;
        for difference in self.differences.iter().take(TOLD) {
            writeln!(f, "  {difference}")?;
        }
        if self.differences.len() > TOLD {
            writeln!(f, "  … and {} more", self.differences.len() - TOLD)?;
        }
        writeln!(f, "Steps:")?;
        for step in steps {
            writeln!(f, "  {step}")?;
        }
        Ok(())
    }
}

fn tell(telling: &Telling) -> String {
    let labels: Vec<_> = telling.labels.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
    let labels = labels.join(", ");
    let note = &telling.note;
    match telling.ends {
        Some(ends) if telling.starts.is_none_or(|s| s >= ends) => {
            format!("{{{labels}}} resolves at {}", clock(ends))
        }
        ends => {
            let since = telling.starts.map_or(String::new(), |s| format!(" since {}", clock(s)));
            let until = ends.map_or(String::new(), |e| format!(" until {}", clock(e)));
            format!("{{{labels}}} fires{since}{until} with note=\"{note}\"")
        }
    }
}

fn matchers(silence: &Silence) -> String {
    let all: Vec<_> = silence
        .matchers
        .iter()
        .map(|(name, value, is_regex, is_equal)| {
            let op = match (is_regex, is_equal) {
                (false, true) => "=",
                (false, false) => "!=",
                (true, true) => "=~",
                (true, false) => "!~",
            };
            format!("{name}{op}\"{value}\"")
        })
        .collect();
    format!("{{{}}}", all.join(", "))
}

/// Returns an instant on the clock of a scenario, which begins at nine.
fn clock(at: i64) -> String {
    let ms = 9 * 3_600_000 + at;
    let (seconds, rest) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_written_in_three_ways() {
        assert_eq!(Selection::parse("17"), Some(Selection::Seeds(17..=17)));
        assert_eq!(Selection::parse("1..200"), Some(Selection::Seeds(1..=200)));
        assert_eq!(Selection::parse("17:0,3"), Some(Selection::Steps(17, vec![0, 3])));
        assert_eq!(Selection::parse("all"), None);
        let schedules = Selection::Steps(17, vec![0, 2]).schedules();
        assert_eq!(schedules[0].numbers(), "0,2");
    }

    #[test]
    fn every_schedule_can_be_told_as_a_scenario() {
        let directory = tempfile::tempdir().unwrap();
        for seed in 1..=60 {
            let case = Case { schedule: Schedule::new(seed), differences: Vec::new() };
            let path = directory.path().join(case.file_name());
            std::fs::write(&path, case.scenario()).unwrap();
            let run = crate::scenario::run_file(&path, None, crate::scenario::Mode::Update);
            if let Err(error) = run {
                panic!("seed {seed}: {error}\n{}", case.scenario());
            }
        }
    }
}
