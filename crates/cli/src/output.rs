//! What goes to standard output: tables for people, JSON for programs.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// What one usually wants to see.
    #[default]
    Simple,
    /// Everything.
    Extended,
    /// The server's own JSON.
    Json,
}

/// Prints text and a line end. When the reader has gone (`… | head -1`), that is its right and
/// no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut write = || {
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    match write() {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Says something to a person; programs read standard output.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told when standard error is gone, too.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Returns whether colours reach a person who wants them.
pub(crate) fn is_coloured() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !is_unwanted
}

/// What a cell says beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Alarm,
    Held,
    Faint,
}

/// Rows under headings, aligned, without borders.
pub(crate) struct Rows {
    table: Table,
    is_coloured: bool,
}

impl Rows {
    /// Begins a table; `is_coloured` only when [`is_coloured`] says so.
    pub(crate) fn new(headings: &[&str], is_coloured: bool) -> Self {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if std::io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if is_coloured {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(headings.iter().map(|heading| {
            let cell = Cell::new(heading);
            if is_coloured { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { table, is_coloured }
    }

    /// Adds a row; control characters are made visible, so that no alert can play tricks with a
    /// terminal.
    pub(crate) fn add(&mut self, cells: impl IntoIterator<Item = (String, Tone)>) {
        let is_coloured = self.is_coloured;
        self.table.add_row(cells.into_iter().map(|(text, tone)| {
            let cell = Cell::new(clean(&text));
            match tone {
                _ if !is_coloured => cell,
                Tone::Plain => cell,
                Tone::Alarm => cell.fg(Color::Red),
                Tone::Held => cell.fg(Color::Yellow),
                Tone::Faint => cell.add_attribute(Attribute::Dim),
            }
        }));
    }

    /// Returns the table as text; nothing trails a line.
    pub(crate) fn text(&self) -> String {
        self.table.trim_fmt()
    }
}

/// Returns the text on one line with control characters as escapes.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_direction(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that reorder what stands around them.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns an instant as tables show it, `2026-11-20 15:04:33 UTC`.
pub(crate) fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns `1 alert`, `2 alerts`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\nnext\u{202e}"), "a\\u{1b}[31mred next\\u{202e}");
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_tail() {
        let mut rows = Rows::new(&["Name", "State"], false);
        rows.add([("DiskFull".to_owned(), Tone::Plain), ("active".to_owned(), Tone::Alarm)]);
        rows.add([("Up".to_owned(), Tone::Plain), (String::new(), Tone::Faint)]);
        assert_eq!(rows.text(), "Name      State\nDiskFull  active\nUp");
    }
}
