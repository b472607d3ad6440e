//! Why a scenario cannot be run, with the place and the line.

use std::fmt;
use std::path::PathBuf;

use super::cursor::Trouble;

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read or written.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// What was tried: `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is larger than a scenario may be.
    #[error("{path} is larger than {limit} bytes, the most a scenario may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit: usize,
    },
    /// A line cannot be read or cannot be done.
    #[error(transparent)]
    Line(Box<BadLine>),
    /// The configuration in the file cannot be used.
    #[error("{message}")]
    Config {
        /// Everything that is wrong with it, each with its place.
        message: String,
    },
    /// There is no configuration to run with.
    #[error(
        "{name}: there is no `config:` block in the scenario and no configuration was given; \
         add the block or name a file with --config"
    )]
    NoConfig {
        /// The scenario.
        name: String,
    },
}

/// A line that cannot be read or cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The file.
    pub name: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong, and what to write instead where that is known.
    pub message: String,
    /// The line.
    pub excerpt: String,
}

impl std::error::Error for BadLine {}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, column, message, excerpt } = self;
        writeln!(f, "{name}:{line}:{column}: {message}")?;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, " {number} | {excerpt}")?;
        write!(f, " {gutter} | {}^", " ".repeat(column.saturating_sub(1)))
    }
}

impl ScenarioError {
    /// Builds the error for a place in a line (counted from 0).
    pub(super) fn at(name: &str, lines: &[String], line: usize, trouble: Trouble) -> Self {
        let excerpt = lines.get(line).cloned().unwrap_or_default();
        let before = excerpt.get(..trouble.offset).map_or(0, |text| text.chars().count());
        Self::Line(Box::new(BadLine {
            name: name.to_owned(),
            line: line + 1,
            column: before + 1,
            message: trouble.message,
            excerpt,
        }))
    }
}
