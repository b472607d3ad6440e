//! Whom the events of calendars name: handles, e-mail addresses and full names, in titles and among
//! those invited.

use std::collections::BTreeMap;

use super::imported::ImportedEvent;
use super::schedule::{ImportKind, ImportSpec};
use crate::identity::{Directory, Handle};

/// What separates people in a title: `ada, grace`.
const BETWEEN_PEOPLE: [char; 5] = [',', ';', '&', '+', '\n'];
/// What separates a person from other words: `On call: Ada (web)`.
const AROUND_PEOPLE: [char; 11] = [':', '(', ')', '[', ']', '<', '>', '|', '/', '–', '—'];
/// Words that stand beside a name without a separator.
const BESIDE_NAMES: [&str; 3] = ["on call", "on-call", "oncall"];
/// The most bytes of a title that are searched.
const MAX_TEXT_BYTES: usize = 1_000;

/// How people are called, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `None` for a full name that several people have.
    by_name: BTreeMap<String, Option<Handle>>,
}

/// Whom an event names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Each once, in the order of the event.
    pub(super) people: Vec<Handle>,
    /// What it says beside that and nobody goes by.
    pub(super) unknown: Vec<String>,
}

impl Names {
    /// Collects how everybody is called: by handle, address and full name.
    pub fn of_directory(directory: &Directory) -> Self {
        let people = || directory.people();
        let mut names = Self::default();
        // Those who are here come first: somebody who has left must not stand in their way.
        for is_active in [true, false] {
            for person in people().filter(|person| person.is_active == is_active) {
                let key = person.name.trim().to_lowercase();
                if key.is_empty() {
                    continue;
                }
                let known = names.by_name.entry(key).or_insert(Some(person.handle.clone()));
                if is_active && known.as_ref() != Some(&person.handle) {
                    *known = None;
                }
            }
        }
        for person in people().filter(|person| !person.email.is_empty()) {
            names.by_name.insert(person.email.to_lowercase(), Some(person.handle.clone()));
        }
        for person in people() {
            let key = person.handle.as_str().to_owned();
            names.by_name.insert(key, Some(person.handle.clone()));
        }
        names
    }

    /// Returns whom an event names. Those invited count beside those of the title; whoever made
    /// the event counts only where nobody else is named, and only for who is away.
    pub(super) fn of(&self, event: &ImportedEvent, spec: &ImportSpec) -> Named {
        let mut named = self.in_text(&event.text, spec);
        for attendee in &event.attendees {
            named.add(self.one(attendee, spec));
        }
        if named.people.is_empty()
            && spec.kind == ImportKind::OutOfOffice
            && let Some(organizer) = &event.organizer
        {
            named.add(self.one(organizer, spec));
        }
        if named.people.is_empty() {
            let text = event.text.trim();
            let said = if text.is_empty() { "an event without a title" } else { text };
            named.unknown = vec![said.to_owned()];
        }
        named
    }

    fn in_text(&self, text: &str, spec: &ImportSpec) -> Named {
        let mut named = Named::default();
        let text = match text.char_indices().nth(MAX_TEXT_BYTES) {
            Some((end, _)) => text.get(..end).unwrap_or(text),
            None => text,
        };
        // A full name may hold a comma, as in `Lovelace, Ada`.
        if let Some(person) = self.one(text, spec) {
            named.add(Some(person));
            return named;
        }
        let pieces: Vec<&str> = text.split(BETWEEN_PEOPLE).map(str::trim).collect();
        let is_list = pieces.len() > 1;
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            match self.in_piece(piece, spec) {
                Some(person) => named.add(Some(person)),
                None if is_list => named.unknown.push(piece.to_owned()),
                None => {}
            }
        }
        named
    }

    /// Returns the first person among the words of a piece.
    fn in_piece(&self, piece: &str, spec: &ImportSpec) -> Option<Handle> {
        let segments = piece.split(AROUND_PEOPLE).flat_map(|part| part.split(" - "));
        let mut candidates = std::iter::once(piece).chain(segments);
        let found = candidates.find_map(|candidate| {
            self.one(candidate, spec).or_else(|| self.one(without_usual_words(candidate), spec))
        });
        found.or_else(|| {
            let mut words = piece.split_whitespace();
            words.find_map(|word| {
                let is_address = word.trim_start_matches('@').contains('@');
                let word = word.trim_matches(|c: char| !c.is_alphanumeric());
                is_address.then(|| self.one(word, spec)).flatten()
            })
        })
    }

    /// Returns who goes by exactly this.
    fn one(&self, name: &str, spec: &ImportSpec) -> Option<Handle> {
        let name = name.trim().trim_start_matches('@').trim();
        if name.is_empty() {
            return None;
        }
        let name = name.to_lowercase();
        let also = spec.names.iter().find(|(known, _)| known.trim().to_lowercase() == name);
        let also = also.map(|(_, person)| person.clone());
        also.or_else(|| self.by_name.get(&name).cloned().flatten())
    }
}

impl Named {
    fn add(&mut self, person: Option<Handle>) {
        self.people.extend(person.filter(|person| !self.people.contains(person)));
    }
}

/// Takes `on call` off the ends of a text.
fn without_usual_words(text: &str) -> &str {
    let mut rest = text.trim();
    for words in BESIDE_NAMES {
        let ends = |at: usize| rest.get(at..).filter(|end| end.eq_ignore_ascii_case(words));
        if rest.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words)) {
            rest = rest.get(words.len()..).unwrap_or_default().trim();
        } else if rest.len().checked_sub(words.len()).and_then(ends).is_some() {
            rest = rest.get(..rest.len() - words.len()).unwrap_or_default().trim();
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::schedule::{Combine, ImportLocation};
    use super::*;

    fn names() -> Names {
        let mut by_name = BTreeMap::new();
        for (name, handle) in [
            ("ada", Some("ada")),
            ("ada lovelace", Some("ada")),
            ("ada@example.org", Some("ada")),
            ("grace", Some("grace")),
            ("hopper, grace", Some("grace")),
            ("grace@example.org", Some("grace")),
            ("web", None),
        ] {
            by_name.insert(name.to_owned(), handle.map(|it| Handle::parse(it).unwrap()));
        }
        Names { by_name }
    }

    fn spec(kind: ImportKind) -> ImportSpec {
        ImportSpec {
            name: "google".into(),
            location: ImportLocation::Pushed,
            kind,
            rank: 0,
            combine: Combine::Replace,
            refresh_minutes: 10,
            names: BTreeMap::from([("The Boss".to_owned(), Handle::parse("linus").unwrap())]),
        }
    }

    #[track_caller]
    fn check(text: &str, attendees: &[&str], people: &[&str], unknown: &[&str]) {
        let event = ImportedEvent {
            text: text.to_owned(),
            attendees: attendees.iter().map(|it| (*it).to_owned()).collect(),
            organizer: Some("grace@example.org".to_owned()),
            ..ImportedEvent::default()
        };
        let named = names().of(&event, &spec(ImportKind::Shifts));
        let found: Vec<&str> = named.people.iter().map(Handle::as_str).collect();
        assert_eq!((found.as_slice(), named.unknown.as_slice()), (people, &*owned(unknown)));
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn titles_name_people_in_many_ways() {
        check("ada", &[], &["ada"], &[]);
        check(" @Ada ", &[], &["ada"], &[]);
        check("ADA@example.org", &[], &["ada"], &[]);
        check("Ada Lovelace", &[], &["ada"], &[]);
        check("ada, grace", &[], &["ada", "grace"], &[]);
        check("ada & grace@example.org", &[], &["ada", "grace"], &[]);
        check("Hopper, Grace", &[], &["grace"], &[]);
        check("On Call - Ada Lovelace - Web", &[], &["ada"], &[]);
        check("On-call: ada (primary)", &[], &["ada"], &[]);
        check("ada on call: web", &[], &["ada"], &[]);
        check("ada oncall", &[], &["ada"], &[]);
        check("Primary <ada@example.org>", &[], &["ada"], &[]);
        check("please ask ada@example.org!", &[], &["ada"], &[]);
        check("the boss", &[], &["linus"], &[]);
        check("ada, bob", &[], &["ada"], &["bob"]);
    }

    #[test]
    fn those_invited_count_and_whoever_made_it_does_not() {
        check("Primary", &["ada@example.org"], &["ada"], &[]);
        check("grace", &["ada@example.org", "GRACE@example.org"], &["grace", "ada"], &[]);
        check("Primary", &["bob@example.org"], &[], &["Primary"]);
        check("", &[], &[], &["an event without a title"]);
        check("Canada day", &[], &[], &["Canada day"]);
    }

    #[test]
    fn whoever_made_the_event_is_away_unless_it_names_others() {
        let event = ImportedEvent {
            text: "Vacation".to_owned(),
            organizer: Some("grace@example.org".to_owned()),
            ..ImportedEvent::default()
        };
        let named = names().of(&event, &spec(ImportKind::OutOfOffice));
        assert_eq!(named.people, [Handle::parse("grace").unwrap()]);
        let event = ImportedEvent { text: "ada: vacation".to_owned(), ..event };
        let named = names().of(&event, &spec(ImportKind::OutOfOffice));
        assert_eq!(named.people, [Handle::parse("ada").unwrap()]);
    }

    #[test]
    fn a_name_that_two_people_have_names_nobody() {
        let person = |handle: &str, email: &str, is_active| {
            Arc::new(crate::identity::Person {
                handle: Handle::parse(handle).unwrap(),
                name: "Kim Lee".to_owned(),
                email: email.to_owned(),
                time_zone: "UTC".to_owned(),
                locale: "en".to_owned(),
                contact_methods: Vec::new(),
                expertise: Vec::new(),
                manager: None,
                grants: Vec::new(),
                is_active,
                origin: crate::identity::PersonOrigin::Api,
            })
        };
        let index = |people: &[Arc<crate::identity::Person>]| {
            let rows = crate::identity::IdentityRows {
                people: people.iter().map(|it| (**it).clone()).collect(),
                ..crate::identity::IdentityRows::default()
            };
            Names::of_directory(&Directory::restore(rows))
        };
        let spec = spec(ImportKind::Shifts);
        let both = index(&[person("kim", "", true), person("lee", "k@x.org", true)]);
        assert_eq!(both.one("Kim Lee", &spec), None);
        assert_eq!(both.one("K@X.org", &spec), Some(Handle::parse("lee").unwrap()));
        let one_left = index(&[person("kim", "", false), person("lee", "", true)]);
        assert_eq!(one_left.one("kim lee", &spec), Some(Handle::parse("lee").unwrap()));
    }
}
