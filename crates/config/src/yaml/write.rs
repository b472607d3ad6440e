//! Values to block-style YAML that parsers of YAML 1.1 and 1.2 read alike.

use crate::section::{Entry, Out};

/// How a tree is written.
pub(crate) trait Style {
    /// Returns whether an entry is written at all; `path` ends with its key.
    fn keeps(&self, path: &str, entry: &Entry) -> bool;

    /// Returns what stands for the secret at `path`.
    fn secret(&self, path: &str) -> &'static str;

    /// Returns the comment behind the value at `path`.
    fn comment(&self, path: &str) -> Option<String>;
}

/// Writes a mapping; paths begin as `.key`, `.list[0].key`.
pub(crate) fn write(out: &Out, style: &dyn Style) -> String {
    let mut writer = Writer { text: String::new(), style };
    if let Out::Map(entries) = out {
        writer.map(entries, 0, "");
    }
    writer.text
}

struct Writer<'a> {
    text: String,
    style: &'a dyn Style,
}

impl Writer<'_> {
    fn map(&mut self, entries: &[Entry], indent: usize, path: &str) -> bool {
        let mut is_first = true;
        for entry in entries {
            let own = format!("{path}.{}", entry.key);
            if entry.value == Out::Null || !self.style.keeps(&own, entry) {
                continue;
            }
            // The first key of an item follows its dash on the same line.
            if !is_first || self.text.is_empty() || self.text.ends_with('\n') {
                self.pad(indent);
            }
            is_first = false;
            self.text.push_str(&scalar(&entry.key));
            self.text.push(':');
            self.value(&entry.value, indent, &own);
        }
        !is_first
    }

    /// Writes a value behind its key.
    fn value(&mut self, value: &Out, indent: usize, path: &str) {
        match value {
            Out::List(items) if !items.is_empty() => {
                let has_maps = items.iter().any(|item| matches!(item, Out::Map(_)));
                self.end_line(if has_maps { None } else { Some(path) });
                for (index, item) in items.iter().enumerate() {
                    self.pad(indent);
                    self.text.push('-');
                    self.item(item, indent, &format!("{path}[{index}]"));
                }
            }
            Out::Map(entries) if !entries.is_empty() => {
                let start = self.text.len();
                self.text.push('\n');
                if !self.map(entries, indent + 2, path) {
                    self.text.truncate(start);
                    self.text.push_str(" {}");
                    self.end_line(Some(path));
                }
            }
            value => {
                self.text.push(' ');
                self.leaf(value, path);
                self.end_line(Some(path));
            }
        }
    }

    /// Writes an item behind its dash.
    fn item(&mut self, item: &Out, indent: usize, path: &str) {
        self.text.push(' ');
        match item {
            Out::Map(entries) => {
                if !self.map(entries, indent + 2, path) {
                    self.text.push_str("{}\n");
                }
            }
            Out::List(items) if !items.is_empty() => {
                // Lists of lists do not occur in sections, only in free values.
                let inner: Vec<String> = items.iter().map(flow).collect();
                self.text.push_str(&format!("[{}]\n", inner.join(", ")));
            }
            item => {
                self.leaf(item, path);
                self.text.push('\n');
            }
        }
    }

    fn leaf(&mut self, value: &Out, path: &str) {
        match value {
            Out::Secret => {
                let secret = self.style.secret(path);
                self.text.push_str(&scalar(secret));
            }
            Out::Text(text) => self.text.push_str(&scalar(text)),
            other => self.text.push_str(&flow(other)),
        }
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn end_line(&mut self, path: Option<&str>) {
        if let Some(comment) = path.and_then(|path| self.style.comment(path)) {
            self.text.push_str("  # ");
            self.text.push_str(&comment.replace(['\n', '\r'], " "));
        }
        self.text.push('\n');
    }
}

/// Writes a value on one line.
fn flow(value: &Out) -> String {
    match value {
        Out::Null => "null".to_owned(),
        // Between brackets a colon may mean something.
        Out::Text(text) if text.contains(':') => quoted(text),
        Out::Text(text) => scalar(text),
        Out::Word(word) => word.clone(),
        Out::Secret => scalar(crate::values::MASK),
        Out::List(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Out::Map(entries) => {
            let entry = |entry: &Entry| format!("{}: {}", scalar(&entry.key), flow(&entry.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Writes a text, quoted unless every reader takes the bare text for the same text.
fn scalar(text: &str) -> String {
    if is_bare(text) { text.to_owned() } else { quoted(text) }
}

fn is_bare(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"];
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./@+:=~".contains(c));
    starts_well
        && is_plain
        && !text.ends_with(':')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Writes a text in quotes: single ones where those need no escapes, double ones otherwise, where
/// everything that could trouble a reader is escaped.
fn quoted(text: &str) -> String {
    let needs_escapes = text.contains(['"', '\\']);
    let is_printable = !text.contains(|c: char| c.is_control() || is_troublesome(c));
    if needs_escapes && is_printable && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_troublesome(c) => {
                out.push_str(&format!("\\u{:04X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Line ends and marks that not every reader takes for text.
fn is_troublesome(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
