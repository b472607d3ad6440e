//! What could not be understood of a calendar: a sentence each, with the line.

/// The most sentences about one calendar; further ones are counted.
pub(super) const MAX_SENTENCES: usize = 50;

/// The most characters of something that a sentence quotes.
const MAX_QUOTED_CHARS: usize = 80;

/// Collects sentences.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    sentences: Vec<String>,
    beyond: usize,
}

impl Trouble {
    /// Notes something about a line.
    pub(super) fn at(&mut self, line: usize, what: impl std::fmt::Display) {
        self.note(|| format!("line {line}: {what}"));
    }

    /// Notes something about the calendar as a whole.
    pub(super) fn of_all(&mut self, what: impl Into<String>) {
        self.note(|| what.into());
    }

    fn note(&mut self, sentence: impl FnOnce() -> String) {
        if self.sentences.len() < MAX_SENTENCES {
            let sentence = sentence();
            if !self.sentences.contains(&sentence) {
                self.sentences.push(sentence);
            }
        } else {
            self.beyond += 1;
        }
    }

    /// Returns the sentences.
    pub(super) fn into_sentences(mut self) -> Vec<String> {
        if self.beyond > 0 {
            self.sentences.push(format!("{} more of the kind", self.beyond));
        }
        self.sentences
    }
}

/// Returns the beginning of a text for a sentence, on one line.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut cut: String = plain.take(MAX_QUOTED_CHARS).collect();
    if text.chars().count() > MAX_QUOTED_CHARS {
        cut.push('…');
    }
    format!("`{cut}`")
}
