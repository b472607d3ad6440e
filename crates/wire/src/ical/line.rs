//! Content lines: folded lines put together, and each taken apart into name, parameters and value.
//!
//! Source: RFC 5545, section 3.1, and RFC 6868 for `^` in parameters.

/// The most bytes of a line that is put together; what comes after them is left out.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// The most parameters of a property.
const MAX_PARAMETERS: usize = 64;

/// One property, or the beginning or end of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of the first line it stood on, counted from 1.
    pub(super) number: usize,
    /// In capital letters.
    pub(super) name: String,
    /// Names in capital letters, values as they are, without quotes.
    parameters: Vec<(String, String)>,
    /// As it is, escapes included.
    pub(super) value: String,
    /// Whether it was longer than what is read.
    pub(super) is_cut: bool,
}

impl Line {
    /// Takes a line apart; `None` when it is none.
    pub(super) fn parse(number: usize, text: &str, is_cut: bool) -> Option<Self> {
        let end = text.find([':', ';'])?;
        let name = text.get(..end)?.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let mut rest = text.get(end..)?;
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (parameter, further) = parameter(after)?;
            if parameters.len() < MAX_PARAMETERS {
                parameters.extend(parameter);
            }
            rest = further;
        }
        let value = rest.strip_prefix(':')?.to_owned();
        Some(Self { number, name: name.to_ascii_uppercase(), parameters, value, is_cut })
    }

    /// Returns the value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the value as a text.
    pub(super) fn text(&self) -> String {
        unescaped(&self.value)
    }
}

/// Takes `NAME=value` off the beginning and returns what comes behind. A parameter without a value
/// is passed over.
fn parameter(text: &str) -> Option<(Option<(String, String)>, &str)> {
    let mut value = String::new();
    let end = text.find(['=', ':', ';'])?;
    let name = text.get(..end)?.trim().to_ascii_uppercase();
    let Some(rest) = text.get(end..)?.strip_prefix('=') else {
        return Some((None, text.get(end..)?));
    };
    let mut is_quoted = false;
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            ':' | ';' if !is_quoted => return Some((Some((name, value)), rest.get(at..)?)),
            '^' => match chars.clone().next() {
                Some((_, 'n')) => {
                    chars.next();
                    value.push('\n');
                }
                Some((_, '^')) => {
                    chars.next();
                    value.push('^');
                }
                Some((_, '\'')) => {
                    chars.next();
                    value.push('"');
                }
                _ => value.push('^'),
            },
            c => value.push(c),
        }
    }
    None
}

/// Returns a text without its escapes (section 3.3.11).
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

/// Puts folded lines together. They are put together as bytes: some programs fold in the middle of
/// a character.
pub(super) struct Unfold<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Unfold<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body), number: 0 }
    }

    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (self.rest.get(..end)?, self.rest.get(end + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// One line that was put together.
pub(super) struct Unfolded {
    /// The number of its first line.
    pub(super) number: usize,
    /// What it says.
    pub(super) text: String,
    /// Whether it was longer than what is read.
    pub(super) is_cut: bool,
}

impl Iterator for Unfold<'_> {
    type Item = Unfolded;

    fn next(&mut self) -> Option<Unfolded> {
        let first = self.physical()?;
        let number = self.number;
        let mut bytes = Vec::new();
        let mut is_cut = false;
        let mut add = |part: &[u8]| {
            let room = MAX_LINE_BYTES.saturating_sub(bytes.len()).min(part.len());
            is_cut |= room < part.len();
            bytes.extend_from_slice(part.get(..room).unwrap_or_default());
        };
        add(first);
        while let Some(b' ' | b'\t') = self.rest.first() {
            let Some(part) = self.physical() else { break };
            add(part.get(1..).unwrap_or_default());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Unfolded { number, text, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(body: &str) -> Vec<(usize, String)> {
        Unfold::new(body.as_bytes()).map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn folded_lines_are_put_together_whatever_ends_them() {
        let body = "\u{feff}A:1\r\nB:2\r\n  3\r\n\t4\r\nC:5\nD:\n 6\r\nE:7";
        let expected = [(1, "A:1"), (2, "B:2 34"), (5, "C:5"), (6, "D:6"), (8, "E:7")];
        assert_eq!(lines(body), expected.map(|(number, text)| (number, text.to_owned())));
        let split = ["X:\u{e4}".as_bytes(), b""].concat();
        let (before, after) = split.split_at(3);
        let body = [before, b"\r\n ", after].concat();
        let text: Vec<String> = Unfold::new(&body).map(|line| line.text).collect();
        assert_eq!(text, ["X:\u{e4}"], "folded within a character");
    }

    #[test]
    fn a_line_that_never_ends_is_cut() {
        let body =
            "X:".to_owned() + &"a".repeat(50_000) + "\r\n " + &"b".repeat(50_000) + "\r\nY:1";
        let lines: Vec<Unfolded> = Unfold::new(body.as_bytes()).collect();
        assert_eq!((lines[0].text.len(), lines[0].is_cut), (MAX_LINE_BYTES, true));
        assert_eq!((lines[1].text.as_str(), lines[1].is_cut), ("Y:1", false));
    }

    #[test]
    fn parameters_may_be_quoted_and_hold_what_ends_others() {
        let text = "attendee;CN=\"Lovelace; Ada: (web), x\";Partstat=ACCEPTED;X-A:mailto:ada@x.org";
        let line = Line::parse(3, text, false).unwrap();
        assert_eq!((line.number, line.name.as_str()), (3, "ATTENDEE"));
        assert_eq!(line.parameter("CN"), Some("Lovelace; Ada: (web), x"));
        assert_eq!(line.parameter("PARTSTAT"), Some("ACCEPTED"));
        assert_eq!(line.parameter("X-A"), None);
        assert_eq!(line.value, "mailto:ada@x.org");
        let line = Line::parse(1, "X;CN=a^'b^^c^nd^e:", false).unwrap();
        assert_eq!(line.parameter("CN"), Some("a\"b^c\nd^e"));
    }

    #[test]
    fn what_is_no_line_is_none() {
        for text in ["", "DTSTART", ":x", "a b:x", "X;CN=\"a:b", "X;CN=a", "<html>:", "X;Y"] {
            assert_eq!(Line::parse(1, text, false), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        let line = Line::parse(1, r"SUMMARY:a\, b\; c\\ d\ne\", false).unwrap();
        assert_eq!(line.text(), "a, b; c\\ d\ne");
    }
}
