//! Words that look for somebody to blame. They are pointed out, never refused.

/// A place in a text where blame may be meant, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlameHint {
    /// As it stands there.
    pub phrase: String,
    /// Where, in characters from the beginning.
    pub at: usize,
    /// What helps more.
    pub instead: &'static str,
}

/// The most hints for one text; who writes like that has understood after these.
const MAX_HINTS: usize = 20;

const SYSTEM: &str = "say what the system allowed to happen, and what would have prevented it";
const KNOWN: &str = "say what was known at that moment, and what was not";
const LOOK: &str = "say what made this the obvious thing to do";

/// Each phrase in lower case, with what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("human error", SYSTEM),
    ("user error", SYSTEM),
    ("operator error", SYSTEM),
    ("to blame", SYSTEM),
    ("fault of", SYSTEM),
    ("'s fault", SYSTEM),
    ("mistake by", SYSTEM),
    ("mistake of", SYSTEM),
    ("should have", KNOWN),
    ("should've", KNOWN),
    ("could have known", KNOWN),
    ("ought to have", KNOWN),
    ("failed to", KNOWN),
    ("neglected", LOOK),
    ("negligence", LOOK),
    ("negligent", LOOK),
    ("careless", LOOK),
    ("carelessly", LOOK),
    ("carelessness", LOOK),
    ("forgot", LOOK),
    ("sloppy", LOOK),
    ("incompetent", LOOK),
    ("incompetence", LOOK),
    ("lazy", LOOK),
    ("stupid", LOOK),
    ("obviously wrong", LOOK),
];

/// Returns the places of a text that may blame somebody, in their order.
pub fn blame_hints(text: &str) -> Vec<BlameHint> {
    // Character by character, so that places stay those of the text whatever its letters are.
    let characters: Vec<char> = text.chars().collect();
    let lower: Vec<char> =
        characters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let is_word = |place: Option<&char>| place.is_some_and(|c| c.is_alphanumeric());
    let mut hints = Vec::new();
    for at in 0..lower.len() {
        for (phrase, instead) in PHRASES {
            let length = phrase.chars().count();
            let Some(window) = lower.get(at..at + length) else { continue };
            if !window.iter().copied().eq(phrase.chars()) {
                continue;
            }
            let begins = at == 0 || phrase.starts_with('\'') || !is_word(lower.get(at - 1));
            if !begins || is_word(lower.get(at + length)) {
                continue;
            }
            let phrase = characters[at..at + length].iter().collect();
            hints.push(BlameHint { phrase, at, instead });
            if hints.len() == MAX_HINTS {
                return hints;
            }
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blame_is_found_where_it_stands_and_only_as_whole_words() {
        let hints = blame_hints("Äh: Bob FORGOT the flag. It was Bob's fault.");
        let found: Vec<_> = hints.iter().map(|it| (it.phrase.as_str(), it.at)).collect();
        assert_eq!(found, [("FORGOT", 8), ("'s fault", 35)]);
        for fine in ["unforgotten", "the default", "glazy", "a fault in the disk", ""] {
            assert_eq!(blame_hints(fine), [], "{fine}");
        }
        assert_eq!(blame_hints(&"should have ".repeat(100)).len(), MAX_HINTS);
    }
}
