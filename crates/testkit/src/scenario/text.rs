//! The file: its head, its configurations, its steps with what each expects.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::policy::Policy;

use super::action::{self, Action, NewConfig};
use super::cursor::{Cursor, Trouble, suggestion};
use super::head::Head;
use super::time::Origin;

/// The largest file that is read.
pub(super) const MAX_FILE_BYTES: usize = 1024 * 1024;

/// The most steps of one file.
const MAX_STEPS: usize = 10_000;

/// When a file does not say: a Monday morning.
const DEFAULT_START: &str = "2026-03-02T09:00:00Z";

/// What is wrong with a file, and where (counted from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) line: usize,
    pub(super) trouble: Trouble,
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) lines: Vec<String>,
    pub(super) origin: Origin,
    pub(super) options: Options,
    pub(super) head: Head,
    pub(super) config: Option<Block>,
    pub(super) configs: BTreeMap<String, Block>,
    pub(super) steps: Vec<Step>,
}

/// What the file asks for beside its configuration: what a process is told by its flags.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Every event is told, not only what people would notice.
    pub(super) traces: bool,
    pub(super) start_delay: Option<SignedDuration>,
    pub(super) retention: Option<SignedDuration>,
    /// Whether people are reminded of what their incidents wait for.
    pub(super) reminders: bool,
}

const OPTIONS: [&str; 4] = ["trace", "start-delay", "retention", "reminders"];

impl Options {
    fn set(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Trouble> {
        let place = cursor.clone();
        match cursor.word("an option")? {
            "trace" => self.traces = true,
            "reminders" => self.reminders = true,
            "start-delay" => self.start_delay = Some(action::span(cursor)?),
            "retention" => self.retention = Some(action::span(cursor)?),
            other => {
                let hint = suggestion(other, &OPTIONS);
                return Err(place.trouble(format!("unknown option `{other}`{hint}")));
            }
        }
        Ok(())
    }

    /// Puts the options in the place of what a configuration has by default.
    pub(super) fn apply(&self, policy: &mut Policy) {
        policy.start_delay = self.start_delay.unwrap_or(policy.start_delay);
        policy.retention = self.retention.unwrap_or(policy.retention);
        // A story is about one thing; whoever tells of reminders says so.
        policy.incidents.remind &= self.reminders;
    }
}

/// An indented block of YAML.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The line after the one that opens it, counted from 0.
    pub(super) first_line: usize,
    /// How far it is indented, in bytes.
    pub(super) indent: usize,
    /// The text without the indentation.
    pub(super) text: String,
}

impl Block {
    /// A configuration that leaves everything to the head of the file.
    pub(super) const EMPTY: Self = Self { first_line: 0, indent: 0, text: String::new() };
}

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) at: Timestamp,
    /// Each with its line.
    pub(super) actions: Vec<(usize, Action)>,
    pub(super) block: Option<Block>,
    /// The last line of what it does; expectations follow.
    pub(super) last_line: usize,
    /// Line and text of each expectation.
    pub(super) expected: Vec<(usize, String)>,
}

impl Scenario {
    pub(super) fn read(text: &str) -> Result<Self, Complaint> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let start: Timestamp = DEFAULT_START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let origin = Origin { instant: start, zone: TimeZone::UTC };
        let mut reader = Reader {
            scenario: Self {
                lines: lines.clone(),
                origin,
                options: Options::default(),
                head: Head::default(),
                config: None,
                configs: BTreeMap::new(),
                steps: Vec::new(),
            },
            lines: &lines,
            next: 0,
        };
        while reader.next < lines.len() {
            let line = reader.next;
            reader.line().map_err(|trouble| Complaint { line: reader.place(line), trouble })?;
        }
        reader.check_blocks()?;
        Ok(reader.scenario)
    }
}

struct Reader<'a> {
    scenario: Scenario,
    lines: &'a [String],
    /// The line that is read next.
    next: usize,
}

impl Reader<'_> {
    /// Returns where trouble in the line just read belongs.
    fn place(&self, line: usize) -> usize {
        line.min(self.lines.len().saturating_sub(1))
    }

    fn line(&mut self) -> Result<(), Trouble> {
        let number = self.next;
        let line = self.lines[number].as_str();
        self.next += 1;
        let mut cursor = Cursor::new(line);
        if cursor.is_at_end() || cursor.starts_with('#') {
            return Ok(());
        }
        if line.starts_with(char::is_whitespace) {
            return self.indented(number, cursor);
        }
        match cursor.word("`at TIME …` or a setting")? {
            "at" => self.step(number, cursor),
            "start" => {
                if !self.scenario.steps.is_empty() {
                    return Err(cursor.trouble("`start` stands before the first step"));
                }
                let at = action::instant(&mut cursor, &self.scenario.origin)?;
                self.scenario.origin.instant = at;
                end_of_line(&cursor)
            }
            "option" => {
                self.scenario.options.set(&mut cursor)?;
                end_of_line(&cursor)
            }
            "people" => self.scenario.head.people(&mut cursor).and_then(|()| end_of_line(&cursor)),
            "person" => self.scenario.head.person(&mut cursor),
            "policy" => self.scenario.head.policy(&mut cursor),
            "config:" => {
                self.scenario.config = Some(self.block());
                Ok(())
            }
            "config" => {
                let name = cursor.word("a name")?.trim_end_matches(':').to_owned();
                let block = self.block();
                self.scenario.configs.insert(name, block);
                Ok(())
            }
            other => {
                let hint = suggestion(
                    other,
                    &["at", "start", "option", "config:", "people", "person", "policy"],
                );
                Err(Trouble { offset: 0, message: format!("unknown line `{other} …`{hint}") })
            }
        }
    }

    fn step(&mut self, number: usize, mut cursor: Cursor<'_>) -> Result<(), Trouble> {
        let place = cursor.clone();
        let at = action::instant(&mut cursor, &self.scenario.origin)?;
        let before =
            self.scenario.steps.last().map_or(self.scenario.origin.instant, |step| step.at);
        if at < before {
            let before = self.scenario.origin.show(before);
            return Err(place.trouble(format!(
                "time goes back: it is {before} already; write the date or an offset for a later day"
            )));
        }
        if self.scenario.steps.len() >= MAX_STEPS {
            return Err(place.trouble(format!("a scenario has at most {MAX_STEPS} steps")));
        }
        let actions = self.sentences(number, &mut cursor)?;
        let mut step = Step {
            line: number,
            at,
            actions,
            block: None,
            last_line: number,
            expected: Vec::new(),
        };
        let wants_block = step.actions.iter().any(|(_, action)| {
            matches!(
                action,
                Action::Restart { config: NewConfig::Beneath, .. }
                    | Action::Reload { config: NewConfig::Beneath }
            )
        });
        if wants_block {
            step.block = Some(self.block());
            step.last_line = self.next - 1;
            // What stands below belongs to the expectations, blank lines included.
            while step.last_line > number && self.lines[step.last_line].trim().is_empty() {
                step.last_line -= 1;
            }
        }
        self.scenario.steps.push(step);
        Ok(())
    }

    fn sentences(
        &self,
        number: usize,
        cursor: &mut Cursor<'_>,
    ) -> Result<Vec<(usize, Action)>, Trouble> {
        let actions = action::read(cursor, &self.scenario.origin)?;
        Ok(actions.into_iter().map(|action| (number, action)).collect())
    }

    /// An expectation, or more that a step does.
    fn indented(&mut self, number: usize, mut cursor: Cursor<'_>) -> Result<(), Trouble> {
        if self.scenario.steps.is_empty() {
            return Err(cursor.trouble("an indented line belongs to a step or to `config:`"));
        }
        if cursor.starts_with('>') {
            let text = cursor.rest()[1..].trim().to_owned();
            if let Some(step) = self.scenario.steps.last_mut() {
                step.expected.push((number, text));
            }
            return Ok(());
        }
        cursor.takes("and");
        let actions = self.sentences(number, &mut cursor)?;
        let Some(step) = self.scenario.steps.last_mut() else { return Ok(()) };
        if !step.expected.is_empty() {
            let message = "what a step does stands before what it expects".to_owned();
            return Err(Trouble { offset: 0, message });
        }
        step.actions.extend(actions);
        step.last_line = number;
        Ok(())
    }

    /// Takes the indented lines that follow, up to an expectation.
    fn block(&mut self) -> Block {
        let first_line = self.next;
        let is_inside = |line: &str| {
            line.trim().is_empty()
                || (line.starts_with(char::is_whitespace) && !line.trim_start().starts_with("> "))
        };
        while self.lines.get(self.next).is_some_and(|line| is_inside(line)) {
            self.next += 1;
        }
        let lines = &self.lines[first_line..self.next];
        let indent = lines
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.len() - line.trim_start().len())
            .min()
            .unwrap_or(0);
        let mut text = String::new();
        for line in lines {
            text.push_str(line.get(indent..).unwrap_or("").trim_end());
            text.push('\n');
        }
        Block { first_line, indent, text }
    }

    fn check_blocks(&self) -> Result<(), Complaint> {
        for step in &self.scenario.steps {
            for (line, action) in &step.actions {
                let (Action::Restart { config: NewConfig::Named(name), .. }
                | Action::Reload { config: NewConfig::Named(name) }) = action
                else {
                    continue;
                };
                if !self.scenario.configs.contains_key(name) {
                    let known: Vec<&str> =
                        self.scenario.configs.keys().map(String::as_str).collect();
                    let hint = if known.is_empty() {
                        "; write `config NAME:` with an indented block above the steps".to_owned()
                    } else {
                        suggestion(name, &known)
                    };
                    let offset = self.lines[*line].find(name.as_str()).unwrap_or(0);
                    let message = format!("there is no configuration `{name}`{hint}");
                    return Err(Complaint { line: *line, trouble: Trouble { offset, message } });
                }
            }
        }
        Ok(())
    }
}

fn end_of_line(cursor: &Cursor<'_>) -> Result<(), Trouble> {
    if cursor.is_at_end() {
        return Ok(());
    }
    Err(cursor.trouble(format!("expected the end of the line, found {}", cursor.found())))
}
