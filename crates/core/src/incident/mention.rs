//! Names in a comment: `@ada`, `@team:web`, `@oncall:checkout`, `@role:commander` and `@here`.

use std::collections::BTreeSet;

use super::Role;

/// The most names that one text mentions; further ones are plain text.
pub const MAX_MENTIONS: usize = 20;

/// Somebody, or several, who are named in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mention {
    /// A person, by handle.
    Person(String),
    /// The members of a team.
    Team(String),
    /// Whoever is on call.
    OnCall(String),
    /// Whoever has a role in the incident.
    Role(Role),
    /// Everybody who works on the incident.
    Here,
}

/// Returns who is named in a text in Markdown. What stands in code, or follows a letter as in an
/// address of mail, names nobody.
pub fn mentions(text: &str) -> BTreeSet<Mention> {
    let mut found = BTreeSet::new();
    let mut fence = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fence = !fence;
            continue;
        }
        if !fence {
            of_line(line, &mut found);
        }
    }
    found
}

fn of_line(line: &str, found: &mut BTreeSet<Mention>) {
    let mut is_code = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '`' {
            is_code = !is_code;
        }
        if c == '@' && !is_code && !is_word(before) && found.len() < MAX_MENTIONS {
            found.extend(read(&line[at + 1..]));
        }
        before = c;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '@')
}

fn read(text: &str) -> Option<Mention> {
    let (word, rest) = name(text);
    if word.is_empty() {
        return None;
    }
    if let Some(rest) = rest.strip_prefix(':') {
        let (value, _) = name(rest);
        if !value.is_empty() {
            return match word {
                "team" => Some(Mention::Team(value.to_owned())),
                "oncall" => Some(Mention::OnCall(value.to_owned())),
                "role" => Role::parse(value).map(Mention::Role),
                // "@ada: please look" names ada.
                _ => Some(Mention::Person(word.to_owned())),
            };
        }
    }
    match word {
        "here" => Some(Mention::Here),
        word => Some(Mention::Person(word.to_owned())),
    }
}

/// Splits what may be a name off; a full stop at its end belongs to the sentence.
fn name(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', '-']);
    (word, &text[word.len()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<Mention> {
        mentions(text).into_iter().collect()
    }

    #[test]
    fn names_are_found_where_they_name_somebody() {
        let person = |name: &str| Mention::Person(name.to_owned());
        assert_eq!(of("@ada, can you? cc @grace."), [person("ada"), person("grace")]);
        assert_eq!(of("@ada: please"), [person("ada")]);
        assert_eq!(of("(@a.b-c_d)"), [person("a.b-c_d")]);
        assert_eq!(
            of("@team:web @oncall:checkout"),
            [Mention::Team("web".to_owned()), Mention::OnCall("checkout".to_owned())]
        );
        assert_eq!(
            of("@role:ic and @here"),
            [Mention::Role(Role::IncidentCommander), Mention::Here]
        );
        for nobody in ["ada@example.org", "`@ada`", "@", "@role:king", "a/@b", "```\n@ada\n```"] {
            assert_eq!(of(nobody), [], "{nobody}");
        }
        assert_eq!(of(&"@a ".repeat(9)), [person("a")]);
        let many: String = (0..50).map(|it| format!("@p{it} ")).collect();
        assert_eq!(of(&many).len(), MAX_MENTIONS);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[@a-z:`. \n\u{e4}]{0,60}") {
            prop_assert!(mentions(&text).len() <= MAX_MENTIONS);
        }
    }
}
