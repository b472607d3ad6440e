//! What a button carries, so that its press says what is wanted of what, and when that was asked.

use jiff::{SignedDuration, Timestamp};
use tocsin_core::ids::RunNumber;
use tocsin_core::paging::{Action, PageItem, StateWord};

/// How long the button snoozes.
const SNOOZE: SignedDuration = SignedDuration::from_mins(30);

/// What the press of a button means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// The escalation.
    pub run: RunNumber,
    /// What is wanted.
    pub action: Action,
    /// When the message was sent that carries the button.
    pub asked_at: Timestamp,
}

/// What came with a press is nothing of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this button is of an older or another version; use the latest message")]
pub struct UnreadablePress;

impl Press {
    /// Returns what the button carries: at most 64 bytes, as Telegram demands.
    pub fn value(&self) -> String {
        let action = match self.action {
            Action::Acknowledge => "a".to_owned(),
            Action::Unacknowledge => "u".to_owned(),
            Action::Escalate => "e".to_owned(),
            Action::Resolve => "r".to_owned(),
            Action::Snooze { span } => format!("s{}", span.as_mins()),
        };
        // Rounded up: an answer is never older than what it answers.
        let asked_ms = self.asked_at.as_nanosecond().div_euclid(1_000_000) + 1;
        format!("t1.{action}.{}.{asked_ms}", self.run.0)
    }

    /// Reads what a button carried.
    ///
    /// # Errors
    /// [`UnreadablePress`].
    pub fn read(value: &str) -> Result<Self, UnreadablePress> {
        let read = || {
            let mut parts = value.split('.');
            if parts.next() != Some("t1") {
                return None;
            }
            let action = match parts.next()? {
                "a" => Action::Acknowledge,
                "u" => Action::Unacknowledge,
                "e" => Action::Escalate,
                "r" => Action::Resolve,
                snooze => {
                    let minutes: u32 = snooze.strip_prefix('s')?.parse().ok()?;
                    Action::Snooze { span: SignedDuration::from_mins(minutes.into()) }
                }
            };
            let run = RunNumber(parts.next()?.parse().ok()?);
            let asked_at = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
            parts.next().is_none().then_some(Self { run, action, asked_at })
        };
        read().ok_or(UnreadablePress)
    }
}

/// One button: what it says, what it carries, and whether it is the one to press first.
pub(super) struct Button {
    pub(super) label: &'static str,
    pub(super) press: Press,
    pub(super) is_first: bool,
}

/// Returns the buttons that make sense for an item as it stands.
pub(super) fn buttons(item: &PageItem, asked_at: Timestamp) -> Vec<Button> {
    let snooze = ("Snooze 30 min", Action::Snooze { span: SNOOZE });
    let all: &[(&'static str, Action)] = match item.state {
        StateWord::Open => &[
            ("Acknowledge", Action::Acknowledge),
            ("Escalate", Action::Escalate),
            ("Resolve", Action::Resolve),
            snooze,
        ],
        StateWord::Acknowledged => {
            &[("Resolve", Action::Resolve), ("Give back", Action::Unacknowledge), snooze]
        }
        StateWord::Snoozed => &[
            ("Acknowledge", Action::Acknowledge),
            ("Resolve", Action::Resolve),
            ("Wake up", Action::Unacknowledge),
        ],
        StateWord::Resolved => &[],
    };
    let button = |(place, (label, action)): (usize, &(&'static str, Action))| Button {
        label,
        press: Press { run: item.run, action: *action, asked_at },
        is_first: place == 0,
    };
    all.iter().enumerate().map(button).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_comes_back_as_it_was() {
        let asked_at: Timestamp = "2026-11-28T03:12:00.5Z".parse().unwrap();
        for action in [
            Action::Acknowledge,
            Action::Unacknowledge,
            Action::Escalate,
            Action::Resolve,
            Action::Snooze { span: SNOOZE },
        ] {
            let value = Press { run: RunNumber(u64::MAX), action, asked_at }.value();
            assert!(value.len() <= 64, "{value}");
            let read = Press::read(&value).unwrap();
            assert_eq!((read.run, read.action), (RunNumber(u64::MAX), action));
            assert!(read.asked_at >= asked_at);
        }
        for value in ["", "t1.a.1", "t1.x.1.2", "t1.a.b.2", "t1.a.1.2.3", "t2.a.1.2"] {
            assert_eq!(Press::read(value), Err(UnreadablePress), "{value}");
        }
    }
}
