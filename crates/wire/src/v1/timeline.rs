//! A timeline as text to take along, safe whatever people and sources wrote into it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IncidentEntry;

/// A page of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentTimeline {
    /// The rows.
    pub items: Vec<IncidentEntry>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// Returns a timeline as Markdown. What people wrote is text there, never structure.
pub fn timeline_markdown(
    title: &str,
    reference: &str,
    entries: &[IncidentEntry],
    is_cut: bool,
) -> String {
    let mut out = format!("# {} ({reference})\n\n", plain(title));
    out.push_str("| when (UTC) | who | what |\n|---|---|---|\n");
    for entry in entries {
        let late = match entry.occurred_at == entry.recorded_at {
            true => String::new(),
            false => format!(" (written {:.0})", entry.recorded_at),
        };
        let (at, by, text) = (entry.occurred_at, plain(&entry.by), plain(&entry.text));
        out.push_str(&format!("| {at:.0} | {by} | {text}{late} |\n"));
    }
    if is_cut {
        out.push_str("\nThe timeline is longer; the rest is left out here.\n");
    }
    out
}

/// Returns a timeline as comma-separated values (RFC 4180).
pub fn timeline_csv(entries: &[IncidentEntry]) -> String {
    let mut out = String::from("seq,type,kind,occurred_at,recorded_at,cycle,by,via,text\r\n");
    for it in entries {
        let fields = [
            it.seq.to_string(),
            it.family.clone(),
            it.kind.clone(),
            it.occurred_at.to_string(),
            it.recorded_at.to_string(),
            it.cycle.to_string(),
            it.by.clone(),
            it.via.clone(),
            it.text.clone(),
        ];
        let fields: Vec<String> = fields.iter().map(|field| cell(field)).collect();
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    }
    out
}

/// Returns one field: quoted where it has to be, and never a formula.
pub(super) fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// Returns text that Markdown and HTML show as it is, in one line. Places that make links of bare
/// addresses and of names (`@ada`, `#12`) make none of these: an invisible word joiner stands where
/// they would look for one, since a backslash does not keep them from it.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => continue,
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        let next = rest.peek().copied().unwrap_or(' ');
        let is_scheme = c == ':' && next == '/';
        let head = out.as_bytes();
        let is_host =
            next == '.' && head.len() >= 3 && head[head.len() - 3..].eq_ignore_ascii_case(b"www");
        let is_name = matches!(c, '@' | '#' | '!') && next.is_alphanumeric();
        if is_scheme || is_host || is_name {
            out.push(WORD_JOINER);
        }
    }
    out
}

/// Stands between characters without being seen, and lets no line break there.
const WORD_JOINER: char = '\u{2060}';

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> IncidentEntry {
        IncidentEntry {
            seq: 1,
            family: "comment".to_owned(),
            kind: "commented".to_owned(),
            occurred_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            recorded_at: "2026-11-20T12:05:00Z".parse().unwrap(),
            cycle: 1,
            by: "ada".to_owned(),
            by_kind: "person".to_owned(),
            via: "api".to_owned(),
            text: text.to_owned(),
            details: serde_json::Value::Null,
            html: None,
            is_pinned: false,
            is_key_moment: false,
            caption: String::new(),
            position: None,
            is_edited: false,
            is_redacted: false,
        }
    }

    #[test]
    fn a_spreadsheet_calculates_nothing() {
        for text in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let csv = timeline_csv(&[entry(text)]);
            let row = csv.lines().nth(1).unwrap();
            let last = row.splitn(9, ',').last().unwrap().trim_start_matches('"');
            assert!(last.starts_with('\''), "{row}");
        }
        let csv = timeline_csv(&[entry("a \"b\", c\nd")]);
        assert!(csv.ends_with(",\"a \"\"b\"\", c\nd\"\r\n"), "{csv}");
    }

    #[test]
    fn nothing_becomes_a_link_where_it_is_pasted() {
        let text =
            "see http://x.example, HTTPS://y.example, www.z.example, @ada ada@x.example #12 !3";
        let plain = plain(text);
        for link in ["://", "www.", "WWW.", "@ada", "@x", "#12", "!3"] {
            assert!(!plain.contains(link), "{link}: {plain}");
        }
        let shown: String = plain.chars().filter(|c| !matches!(c, '\u{2060}' | '\\')).collect();
        assert_eq!(shown, text);
        assert_eq!(
            super::plain("What now? At 12:30, v1.2 of a.b"),
            "What now? At 12:30, v1.2 of a.b"
        );
    }

    #[test]
    fn what_people_wrote_is_no_structure() {
        let text = "| x | <script>alert(1)</script>\n# big [click](javascript:x) ![i](http://x)";
        let markdown = timeline_markdown("T | t", "INC-1", &[entry(text)], false);
        assert_eq!(markdown.lines().count(), 5, "{markdown}");
        let row = markdown.lines().last().unwrap();
        assert!(!row.contains("<script"), "{row}");
        assert!(row.contains("\\| x \\| &lt;script&gt;"), "{row}");
        assert!(row.contains("\\[click\\]\\(javascript:x\\)"), "{row}");
        assert!(row.ends_with("(written 2026-11-20T12:05:00Z) |"), "{row}");
    }
}
