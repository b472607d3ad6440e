//! A timeline as it is told now: what was corrected in its new words, what is blacked out in none.
//!
//! Rows never change. Whatever shows them, quotes them or compares them goes through here, so that
//! words which must not be read any more are not read anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Fact, Marks};
use crate::text::one_line;

/// What stands in the place of words that must not be read.
pub const BLACKED_OUT: &str = "(blacked out)";

/// Blacked-out words of fewer characters are only looked for where they were put by Tocsin:
/// elsewhere they may be part of any word.
const MIN_FOUND_CHARS: usize = 8;

/// A row as it is told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The row with the words that hold now, and without those that must not be read.
    pub entry: Entry,
    /// Whether its words were corrected.
    pub is_edited: bool,
    /// Whether its words must not be read.
    pub is_redacted: bool,
}

impl Told {
    /// Returns what happened in one sentence, without its author.
    pub fn text(&self) -> String {
        if self.is_redacted { BLACKED_OUT.to_owned() } else { self.entry.fact.sentence() }
    }
}

impl Entry {
    /// Returns the row whose words this one has: that which it corrects or tells otherwise, or
    /// itself.
    pub fn row_meant(&self) -> u64 {
        match &self.fact {
            Fact::Revised { row, .. } | Fact::Marked { row, .. } => *row,
            _ => self.seq,
        }
    }

    /// Returns the row as it is told now; `revised` is what it says since it was corrected last.
    pub fn told(&self, marks: &Marks, revised: Option<&str>) -> Told {
        let mut entry = self.clone();
        let mark = marks.get(&self.row_meant());
        let is_redacted = mark.is_some_and(|mark| mark.redacted_at.is_some());
        if is_redacted {
            for words in entry.fact.words() {
                words.clear();
            }
            if let Fact::Commented { mentions, unknown, .. } = &mut entry.fact {
                mentions.clear();
                unknown.clear();
            }
        } else if let Some(revised) = revised
            && let Fact::Commented { text, .. } | Fact::Imported { text, .. } = &mut entry.fact
        {
            revised.clone_into(text);
        }
        let is_edited = revised.is_some();
        Told { entry, is_edited, is_redacted }
    }
}

/// Returns a whole timeline as it is told now, in its order.
pub fn told(entries: &[Entry], marks: &Marks) -> Vec<Told> {
    let revisions: BTreeMap<u64, &str> = entries
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Revised { text, .. } => Some((entry.seq, text.as_str())),
            _ => None,
        })
        .collect();
    let revised = |entry: &Entry| marks.get(&entry.seq)?.revision;
    entries
        .iter()
        .map(|entry| {
            let text = revised(entry).and_then(|seq| revisions.get(&seq).copied());
            entry.told(marks, text)
        })
        .collect()
}

/// What must not be read any more of a timeline, to take it out of what was made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlackedOut {
    rows: BTreeSet<u64>,
    /// What stood there, the longest first.
    words: Vec<String>,
}

impl BlackedOut {
    /// Returns what must not be read of a timeline.
    pub fn of(entries: &[Entry], marks: &Marks) -> Self {
        let is_redacted = |entry: &&Entry| {
            marks.get(&entry.row_meant()).is_some_and(|mark| mark.redacted_at.is_some())
        };
        // Of a long timeline not every row may be at hand.
        let mut rows: BTreeSet<u64> = marks
            .iter()
            .filter(|(_, mark)| mark.redacted_at.is_some())
            .map(|(row, _)| *row)
            .collect();
        let mut words = BTreeSet::new();
        for entry in entries.iter().filter(is_redacted) {
            rows.insert(entry.seq);
            let mut fact = entry.fact.clone();
            for it in fact.words() {
                // As it was written, and in one line, as sentences quote it.
                words.extend([it.trim().to_owned(), one_line(it)]);
            }
        }
        let mut words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        words.sort_by_key(|it| std::cmp::Reverse(it.len()));
        Self { rows, words }
    }

    /// Returns whether everything may be read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns whether a row must not be read.
    pub fn has_row(&self, row: u64) -> bool {
        self.rows.contains(&row)
    }

    /// Takes out what must not be read wherever it stands as it was written. What has few
    /// characters is left alone, for it may be part of any word.
    pub fn scrub(&self, text: &mut String) {
        for words in self.words.iter().filter(|it| it.chars().count() >= MIN_FOUND_CHARS) {
            if text.contains(words.as_str()) {
                *text = text.replace(words.as_str(), BLACKED_OUT);
            }
        }
    }

    /// Takes out what must not be read of a sentence that quotes a row at its end.
    pub fn scrub_sentence(&self, text: &mut String) {
        let quoted = text.trim_end_matches('.');
        let found = self.words.iter().find(|it| {
            let before = quoted.strip_suffix(it.trim_end_matches('.'));
            before.is_some_and(|before| before.ends_with(' '))
        });
        if let Some(words) = found {
            let kept = quoted.len() - words.trim_end_matches('.').len();
            text.truncate(kept);
            text.push_str(BLACKED_OUT);
            text.push('.');
        }
        self.scrub(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Author, IncidentNumber, Mark};

    fn row(seq: u64, fact: Fact) -> Entry {
        Entry {
            incident: IncidentNumber(1),
            seq,
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            cycle: 1,
            by: Author::person("ada", "api"),
            fact,
        }
    }

    fn said(text: &str) -> Fact {
        Fact::Commented { text: text.to_owned(), mentions: Vec::new(), unknown: Vec::new() }
    }

    fn entries() -> Vec<Entry> {
        vec![
            row(1, said("the password is hunter2")),
            row(2, Fact::Revised { row: 1, text: "the passphrase is\nhunter3".to_owned() }),
            row(3, said("typo")),
            row(4, Fact::Revised { row: 3, text: "no typo".to_owned() }),
        ]
    }

    fn marks() -> Marks {
        let redacted_at = Some(jiff::Timestamp::UNIX_EPOCH);
        Marks::from([
            (1, Mark { revision: Some(2), redacted_at, ..Mark::default() }),
            (3, Mark { revision: Some(4), ..Mark::default() }),
        ])
    }

    #[test]
    fn what_is_corrected_says_the_new_words_and_what_is_blacked_out_none() {
        let told = told(&entries(), &marks());
        let texts: Vec<String> = told.iter().map(Told::text).collect();
        assert_eq!(texts, [BLACKED_OUT, BLACKED_OUT, "no typo", "row 3 says now: no typo"]);
        assert!(told[2].is_edited && told[0].is_redacted);
        assert!(!format!("{told:?}").contains("hunter"), "{told:?}");
    }

    #[test]
    fn blacked_out_words_are_taken_out_of_what_quotes_them() {
        let out = BlackedOut::of(&entries(), &marks());
        let mut text =
            "As said: the password is hunter2, and the passphrase is hunter3.".to_owned();
        out.scrub(&mut text);
        assert_eq!(text, "As said: (blacked out), and (blacked out).");
        assert!(out.has_row(2) && !out.has_row(4));
        // A short one only where it is quoted.
        let redacted_at = Some(jiff::Timestamp::UNIX_EPOCH);
        let marks = Marks::from([(3, Mark { redacted_at, ..Mark::default() })]);
        let out = BlackedOut::of(&entries(), &marks);
        let mut text = "The typography was said to be: typo.".to_owned();
        out.scrub_sentence(&mut text);
        assert_eq!(text, "The typography was said to be: (blacked out).");
        let mut text = "Nothing of it.".to_owned();
        out.scrub_sentence(&mut text);
        assert_eq!(text, "Nothing of it.");
    }
}
