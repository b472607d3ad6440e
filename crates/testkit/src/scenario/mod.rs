//! Scenario files: stories about alerts in virtual time, with what is expected to happen.
//!
//! The language is described in `docs/scenarios.md`. [`run_file`] runs one file and compares;
//! [`Mode::Update`] writes what happened into it instead.

mod action;
mod config;
mod cursor;
mod difference;
mod error;
mod head;
mod incident_steps;
mod incidents;
mod names;
mod pages;
mod paging;
mod people;
mod roster;
mod sentences;
mod show;
mod text;
mod time;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tocsin_core::policy::Policy;

pub use error::{BadLine, ScenarioError};

use text::Scenario;
use world::World;

/// What to do with differences between what was expected and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Report them.
    Check,
    /// Write what happened into the file.
    Update,
}

impl Mode {
    /// Returns [`Mode::Update`] when the environment has `UPDATE_EXPECT=1`.
    pub fn from_env() -> Self {
        let is_set = std::env::var_os("UPDATE_EXPECT").is_some_and(|v| !v.is_empty() && v != "0");
        if is_set { Self::Update } else { Self::Check }
    }
}

/// How a scenario went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file.
    pub name: String,
    /// How many steps were run.
    pub steps: usize,
    /// How many messages arrived.
    pub notifications: usize,
    /// Where what happened is not what was expected.
    pub mismatches: Vec<Mismatch>,
    /// What should never be so: the engine broke one of its promises.
    pub complaints: Vec<String>,
    /// The file with what happened in the place of what was expected.
    pub rewritten: String,
}

/// A step that went otherwise than expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The line of the step, from 1.
    pub line: usize,
    /// The step as it is written.
    pub step: String,
    /// Lines that begin with two spaces (as expected), `- ` (did not happen), `+ ` (happened
    /// instead).
    pub difference: Vec<String>,
}

impl Report {
    /// Returns whether everything happened as expected and no promise was broken.
    pub fn is_ok(&self) -> bool {
        self.mismatches.is_empty() && self.complaints.is_empty()
    }
}

/// Prints each difference with `file:line`, for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mismatch in &self.mismatches {
            writeln!(f, "{}:{}: {}", self.name, mismatch.line, mismatch.step.trim())?;
            for line in &mismatch.difference {
                writeln!(f, "    {line}")?;
            }
        }
        for complaint in &self.complaints {
            writeln!(f, "{}: broken promise: {complaint}", self.name)?;
        }
        Ok(())
    }
}

/// Runs a file. `default` is the configuration for a scenario that has none of its own.
///
/// With [`Mode::Update`] the file is rewritten when something happened otherwise, and the report
/// has no mismatches.
///
/// # Errors
/// [`ScenarioError`] when the file cannot be read, understood or done.
pub fn run_file(
    path: &Path,
    default: Option<Arc<Policy>>,
    mode: Mode,
) -> Result<Report, ScenarioError> {
    let failed = |doing: &'static str| {
        let path = path.to_owned();
        move |source| ScenarioError::File { doing, path, source }
    };
    let size = std::fs::metadata(path).map_err(failed("read"))?.len();
    if size > text::MAX_FILE_BYTES as u64 {
        return Err(ScenarioError::TooLarge { path: path.to_owned(), limit: text::MAX_FILE_BYTES });
    }
    let written = std::fs::read_to_string(path).map_err(failed("read"))?;
    let mut report = run_str(&path.display().to_string(), &written, default)?;
    if mode == Mode::Update {
        if report.rewritten != written {
            std::fs::write(path, &report.rewritten).map_err(failed("write"))?;
        }
        report.mismatches.clear();
    }
    Ok(report)
}

/// Runs a scenario that is given as text; `name` is how messages call it.
///
/// # Errors
/// [`ScenarioError`] when the text cannot be understood or done.
pub fn run_str(
    name: &str,
    text: &str,
    default: Option<Arc<Policy>>,
) -> Result<Report, ScenarioError> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let scenario =
        Scenario::read(text).map_err(|c| ScenarioError::at(name, &lines, c.line, c.trouble))?;
    let (policy, policies) = policies(name, &scenario, default)?;
    let mut world = World::new(&scenario, policy, policies);
    let mut happened = Vec::with_capacity(scenario.steps.len());
    for index in 0..scenario.steps.len() {
        let lines = world
            .step(index)
            .map_err(|(line, trouble)| ScenarioError::at(name, &scenario.lines, line, trouble))?;
        happened.push(lines);
    }
    Ok(Report {
        name: name.to_owned(),
        steps: happened.len(),
        notifications: world.notifications,
        complaints: world.complaints,
        mismatches: mismatches(&scenario, &happened),
        rewritten: difference::rewritten(&scenario, &happened),
    })
}

/// Configurations by what calls them: the name of a block, or the line of a step.
type Policies = BTreeMap<String, Arc<Policy>>;

/// Reads every configuration of the scenario before anything runs.
fn policies(
    name: &str,
    scenario: &Scenario,
    default: Option<Arc<Policy>>,
) -> Result<(Arc<Policy>, Policies), ScenarioError> {
    let nothing = text::Block::EMPTY;
    let read = |block| config::read(name, block, &scenario.options, &scenario.head);
    let policy = match (&scenario.config, default) {
        (Some(block), _) => read(block)?,
        (None, _) if !scenario.head.is_empty() => read(&nothing)?,
        (None, Some(default)) => {
            let mut policy = Policy::clone(&default);
            scenario.options.apply(&mut policy);
            Arc::new(policy)
        }
        (None, None) => return Err(ScenarioError::NoConfig { name: name.to_owned() }),
    };
    let mut policies = BTreeMap::new();
    for (key, block) in &scenario.configs {
        policies.insert(key.clone(), read(block)?);
    }
    for step in &scenario.steps {
        if let Some(block) = &step.block {
            policies.insert(world::beneath(step.line), read(block)?);
        }
    }
    Ok((policy, policies))
}

fn mismatches(scenario: &Scenario, happened: &[Vec<String>]) -> Vec<Mismatch> {
    scenario
        .steps
        .iter()
        .zip(happened)
        .filter_map(|(step, happened)| {
            let expected: Vec<&str> = step.expected.iter().map(|(_, text)| text.as_str()).collect();
            if expected == happened.iter().map(|line| line.trim()).collect::<Vec<_>>() {
                return None;
            }
            Some(Mismatch {
                line: step.line + 1,
                step: scenario.lines.get(step.line).cloned().unwrap_or_default(),
                difference: difference::difference(&expected, happened),
            })
        })
        .collect()
}
