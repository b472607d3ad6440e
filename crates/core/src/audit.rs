//! The audit log: who changed what, each row bound to the one before it by a hash.
//!
//! A row's hash is the SHA-256 of the hash before it and of the row's own text. Whoever alters,
//! removes or inserts a row breaks every hash from there on; [`verify`] names the first broken one.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::identity::Actor;

/// The hash before the first row.
pub const GENESIS: AuditHash = AuditHash([0; 32]);

/// The most bytes that `before` or `after` of a row may have as JSON; what is larger is left out
/// and said to be.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// What binds a row to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHash(pub [u8; 32]);

impl AuditHash {
    /// Returns the hash of a row with this text that follows.
    #[must_use]
    pub fn then(self, text: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(text).finalize().into())
    }
}

impl std::fmt::Display for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What a change says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditNote {
    /// What was done, such as `silence.set`.
    pub action: &'static str,
    /// To what, such as `silence/6f1c…`.
    pub subject: String,
    /// How it was.
    pub before: Option<Value>,
    /// How it is.
    pub after: Option<Value>,
    /// Why, in the words of who did it; may be empty.
    pub reason: String,
}

impl AuditNote {
    /// Begins a note.
    pub fn new(action: &'static str, subject: String) -> Self {
        Self { action, subject, before: None, after: None, reason: String::new() }
    }

    /// Says how it was.
    #[must_use]
    pub fn before(self, value: Value) -> Self {
        Self { before: Some(value), ..self }
    }

    /// Says how it is.
    #[must_use]
    pub fn after(self, value: Value) -> Self {
        Self { after: Some(value), ..self }
    }

    /// Says why.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place, counted from 1 without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who, from where, with what.
    #[serde(flatten)]
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// How it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// How it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl AuditEntry {
    /// Returns the entry that a note makes.
    pub fn new(number: u64, at: Timestamp, actor: Actor, note: AuditNote) -> Self {
        Self {
            number,
            at,
            actor,
            action: note.action.to_owned(),
            subject: note.subject,
            before: note.before.map(bounded),
            after: note.after.map(bounded),
            reason: note.reason,
        }
    }
}

fn bounded(value: Value) -> Value {
    let bytes = value.to_string().len();
    if bytes <= MAX_VALUE_BYTES {
        return value;
    }
    serde_json::json!({ "left_out": format!("{bytes} bytes, more than {MAX_VALUE_BYTES}") })
}

/// An entry as it is kept: the text that was hashed, and the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place.
    pub number: u64,
    /// The entry as JSON, byte for byte as it was hashed.
    pub text: Arc<str>,
    /// What binds it to the rows before.
    pub hash: AuditHash,
}

impl AuditRow {
    /// Returns the row of an entry that follows `previous`.
    pub fn seal(previous: AuditHash, entry: &AuditEntry) -> Self {
        // An entry is plain values, so writing it cannot fail.
        let text: Arc<str> = serde_json::to_string(entry).unwrap_or_default().into();
        Self { number: entry.number, hash: previous.then(&text), text }
    }
}

/// The end of a chain: where the next row is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The place of the last row; 0 before the first.
    pub number: u64,
    /// Its hash.
    pub hash: AuditHash,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self { number: 0, hash: GENESIS }
    }
}

/// Why a row does not follow from those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditBreak {
    /// Rows are missing or were inserted.
    #[error("row {expected} is missing: row {found} comes in its place")]
    Gap {
        /// Which row should come.
        expected: u64,
        /// Which one does.
        found: u64,
    },
    /// A row, or the hash of one, was altered.
    #[error("row {number} was altered, or the row before it")]
    Altered {
        /// Which.
        number: u64,
    },
    /// What a row says of its own place is something else.
    #[error("row {number} says that it is another row")]
    Misplaced {
        /// Which.
        number: u64,
    },
}

/// Follows a chain from `head` over `rows` and returns its new end.
///
/// # Errors
/// [`AuditBreak`] that names the first row that does not follow.
pub fn verify<'r>(
    mut head: AuditHead,
    rows: impl IntoIterator<Item = &'r AuditRow>,
) -> Result<AuditHead, AuditBreak> {
    for row in rows {
        let (expected, found) = (head.number + 1, row.number);
        if expected != found {
            return Err(AuditBreak::Gap { expected, found });
        }
        if head.hash.then(&row.text) != row.hash {
            return Err(AuditBreak::Altered { number: found });
        }
        #[derive(Deserialize)]
        struct Place {
            number: u64,
        }
        let place = serde_json::from_str::<Place>(&row.text);
        if !place.is_ok_and(|place| place.number == found) {
            return Err(AuditBreak::Misplaced { number: found });
        }
        head = AuditHead { number: found, hash: row.hash };
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<AuditRow> {
        let mut head = AuditHead::default();
        let row = |number| {
            let note = AuditNote::new("team.set", format!("team/{number}")).because("a test");
            let entry = AuditEntry::new(number, Timestamp::UNIX_EPOCH, Actor::ENGINE, note);
            let row = AuditRow::seal(head.hash, &entry);
            head = AuditHead { number, hash: row.hash };
            row
        };
        (1..=length).map(row).collect()
    }

    #[test]
    fn a_whole_chain_is_followed_to_its_end_in_pieces_or_at_once() {
        let rows = chain(9);
        let end = verify(AuditHead::default(), &rows).unwrap();
        assert_eq!(end.number, 9);
        let half = verify(AuditHead::default(), &rows[..4]).unwrap();
        assert_eq!(verify(half, &rows[4..]).unwrap(), end);
    }

    #[test]
    fn the_first_broken_row_is_named() {
        let broken = |breaking: &dyn Fn(&mut Vec<AuditRow>)| {
            let mut rows = chain(9);
            breaking(&mut rows);
            verify(AuditHead::default(), &rows).unwrap_err()
        };
        let altered = |rows: &mut Vec<AuditRow>| {
            rows[3].text = rows[3].text.replace("team/4", "team/5").into();
        };
        assert_eq!(broken(&altered), AuditBreak::Altered { number: 4 });
        let rehashed = |rows: &mut Vec<AuditRow>| {
            rows[3].text = rows[3].text.replace("team/4", "team/5").into();
            rows[3].hash = rows[2].hash.then(&rows[3].text);
        };
        assert_eq!(broken(&rehashed), AuditBreak::Altered { number: 5 });
        let removed = |rows: &mut Vec<AuditRow>| drop(rows.remove(3));
        assert_eq!(broken(&removed), AuditBreak::Gap { expected: 4, found: 5 });
        let swapped = |rows: &mut Vec<AuditRow>| rows.swap(3, 4);
        assert_eq!(broken(&swapped), AuditBreak::Gap { expected: 4, found: 5 });
        let renumbered = |rows: &mut Vec<AuditRow>| {
            rows.remove(3);
            for (row, number) in rows.iter_mut().zip(1..) {
                row.number = number;
            }
        };
        assert_eq!(broken(&renumbered), AuditBreak::Altered { number: 4 });
    }

    #[test]
    fn what_is_very_large_is_left_out_and_said_to_be() {
        let note = AuditNote::new("team.set", "team/a".to_owned());
        let note = note.after(Value::from("x".repeat(MAX_VALUE_BYTES)));
        let entry = AuditEntry::new(1, Timestamp::UNIX_EPOCH, Actor::ENGINE, note);
        assert!(entry.after.unwrap()["left_out"].as_str().unwrap().contains("bytes"));
    }
}
