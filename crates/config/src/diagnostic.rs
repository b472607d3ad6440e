//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A file of the configuration as it was read.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    /// As it is printed.
    pub(crate) name: String,
    /// Where relative paths in it begin.
    pub(crate) directory: PathBuf,
    pub(crate) text: Arc<str>,
}

/// A place in one of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// The position among the files.
    pub(crate) file: u32,
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
    /// How many characters are underlined.
    pub(crate) length: u32,
    /// Where it ends.
    pub(crate) last_line: u32,
}

/// Whether a configuration can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the configuration can be used in spite of it.
    pub severity: Severity,
    /// The name of the file; empty when no file is to blame.
    pub file: String,
    /// From 1; 0 when the whole file is meant.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is wrong, and what to write instead where that is known.
    pub message: String,
    /// The line of the file; empty when it is not shown.
    pub excerpt: String,
    /// How many characters of the excerpt are meant.
    pub length: u32,
}

/// The longest line that is printed as an excerpt, in characters.
const MAX_EXCERPT: usize = 160;

impl Diagnostic {
    pub(crate) fn new(
        severity: Severity,
        files: &[SourceFile],
        span: Span,
        message: String,
    ) -> Self {
        let file = files.get(span.file as usize);
        let line = file
            .filter(|_| span.line > 0)
            .and_then(|file| file.text.lines().nth(span.line as usize - 1))
            .unwrap_or_default();
        let excerpt = if line.chars().count() <= MAX_EXCERPT { line } else { "" };
        Self {
            severity,
            file: file.map(|file| file.name.clone()).unwrap_or_default(),
            line: span.line,
            column: span.column,
            message,
            excerpt: excerpt.to_owned(),
            length: span.length,
        }
    }

    /// Replaces in the excerpt what stands at `span`, a place in the same file.
    pub(crate) fn mask(&mut self, span: Span) {
        if self.excerpt.is_empty() || self.line < span.line || self.line > span.last_line {
            return;
        }
        if self.line > span.line {
            self.excerpt.clear();
            return;
        }
        let first = span.column.saturating_sub(1) as usize;
        let length = if span.last_line > span.line { usize::MAX } else { span.length as usize };
        let last = first.saturating_add(length);
        let masked = |(at, c)| if at >= first && at < last { '*' } else { c };
        self.excerpt = self.excerpt.chars().enumerate().map(masked).collect();
    }

    pub(crate) fn of_file(name: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: name.to_owned(),
            line: 0,
            column: 0,
            message: message.into(),
            excerpt: String::new(),
            length: 0,
        }
    }
}

/// Prints `file:line:column: message`, then the line with what is meant underlined.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if self.line > 0 {
                write!(f, "{}:{}:", self.line, self.column)?;
            }
            f.write_str(" ")?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)?;
        if self.line == 0 || self.excerpt.trim().is_empty() {
            return Ok(());
        }
        let number = self.line.to_string();
        let shown: String = self.excerpt.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
        let before = self.column.saturating_sub(1) as usize;
        let room = shown.chars().count().saturating_sub(before).max(1);
        let carets = "^".repeat((self.length.max(1) as usize).min(room));
        write!(f, "\n {number} | {shown}")?;
        write!(f, "\n {} | {}{carets}", " ".repeat(number.len()), " ".repeat(before))
    }
}

/// Why a configuration cannot be used: everything that is wrong with it, in the order of the
/// files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Errors and warnings; at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn single(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic] }
    }

    /// Returns what makes the configuration unusable.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
