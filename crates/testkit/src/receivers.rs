//! Receivers that can be slow, wrong or down, in virtual time.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tocsin_core::notification::{AttemptOutcome, Failure, FailureClass};

/// How a receiver behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes everything at once.
    Up,
    /// Refuses the connection.
    Down,
    /// Answers with a status that is not a success.
    Answers {
        /// The HTTP status.
        status: u16,
        /// What it says in `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
    /// Says nothing until the sender gives up after this long.
    Hangs {
        /// The sender's time-out.
        span: SignedDuration,
    },
    /// The message arrives at once, and nothing is said until the sender gives up after this long.
    Swallows {
        /// The sender's time-out.
        span: SignedDuration,
    },
    /// The message arrives after this long.
    Takes {
        /// How long.
        span: SignedDuration,
    },
    /// The message arrives at once, its confirmation only after this long.
    Confirms {
        /// How long.
        span: SignedDuration,
    },
}

/// What one attempt meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// When the attempt is over, counted from its start.
    pub ends_after: SignedDuration,
    /// When the message arrives, counted from the start; `None` when it does not.
    pub arrives_after: Option<SignedDuration>,
    /// What the sender learns.
    pub outcome: AttemptOutcome,
}

/// The behaviour of all receivers; those that are not named are up.
#[derive(Clone, Debug, Default)]
pub struct Receivers {
    /// By integration (`receiver/kind[index]`), kind (`receiver/kind`) or receiver.
    faults: BTreeMap<String, (Behaviour, Option<u32>)>,
}

impl Receivers {
    /// Makes a receiver, or one of its integrations, behave like this; for the given number of
    /// attempts or until told otherwise.
    pub fn set(&mut self, name: &str, behaviour: Behaviour, attempts: Option<u32>) {
        self.faults.retain(|known, _| !is_part(known, name));
        self.faults.insert(name.to_owned(), (behaviour, attempts));
    }

    /// Returns what an attempt to send to `integration` meets.
    pub fn meet(&mut self, integration: &str) -> Meeting {
        let behaviour = self.next_behaviour(integration);
        meeting(&behaviour)
    }

    /// Returns what a page meets that goes by `channel` to an address of somebody: what the
    /// address, the person or the whole channel was told to do.
    pub fn meet_page(&mut self, channel: &str, address: &str, whom: &str) -> Meeting {
        let names = [format!("channel {channel}/{address}"), format!("channel {channel}/{whom}")];
        let is_told = |name: &&String| self.faults.get(*name).is_some_and(|it| it.1 != Some(0));
        let name = names.iter().find(is_told).cloned().unwrap_or(format!("channel {channel}"));
        meeting(&self.next_behaviour(&name))
    }

    fn next_behaviour(&mut self, integration: &str) -> Behaviour {
        // The most particular name wins; names are compared by length because each is a prefix.
        let name = self
            .faults
            .iter()
            .filter(|(_, (_, left))| *left != Some(0))
            .map(|(name, _)| name)
            .filter(|name| is_part(integration, name))
            .max_by_key(|name| name.len())
            .cloned();
        let Some((behaviour, left)) = name.and_then(|name| self.faults.get_mut(&name)) else {
            return Behaviour::Up;
        };
        if let Some(left) = left {
            *left -= 1;
        }
        behaviour.clone()
    }
}

/// Returns what an attempt meets where somebody behaves like this.
fn meeting(behaviour: &Behaviour) -> Meeting {
    let zero = SignedDuration::ZERO;
    let delivered = || AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() };
    match *behaviour {
        Behaviour::Up => {
            Meeting { ends_after: zero, arrives_after: Some(zero), outcome: delivered() }
        }
        Behaviour::Takes { span } => {
            Meeting { ends_after: span, arrives_after: Some(span), outcome: delivered() }
        }
        Behaviour::Confirms { span } => {
            Meeting { ends_after: span, arrives_after: Some(zero), outcome: delivered() }
        }
        Behaviour::Down => {
            let outcome = failed(FailureClass::Other, "connection refused".to_owned());
            Meeting { ends_after: zero, arrives_after: None, outcome }
        }
        Behaviour::Hangs { span } => {
            let message = format!("no answer within {span:#}");
            let outcome = in_doubt(message);
            Meeting { ends_after: span, arrives_after: None, outcome }
        }
        Behaviour::Swallows { span } => {
            let outcome = in_doubt(format!("no answer within {span:#}"));
            Meeting { ends_after: span, arrives_after: Some(zero), outcome }
        }
        Behaviour::Answers { status, retry_after } => {
            let outcome = answer(status, retry_after);
            Meeting { ends_after: zero, arrives_after: None, outcome }
        }
    }
}

/// Returns whether `part` is `whole` or an integration of it.
fn is_part(part: &str, whole: &str) -> bool {
    part.strip_prefix(whole)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('['))
}

fn failed(class: FailureClass, message: String) -> AttemptOutcome {
    AttemptOutcome::Failed(Failure {
        class,
        message,
        retry_after_ms: None,
        may_have_arrived: false,
    })
}

/// Judges silence: it was sent, and may have arrived.
fn in_doubt(message: String) -> AttemptOutcome {
    let class = FailureClass::ContextDeadlineExceeded;
    let failure = Failure { class, message, retry_after_ms: None, may_have_arrived: true };
    AttemptOutcome::Failed(failure)
}

/// Judges an answer as a webhook does: 5xx is worth another try, other codes are refusals.
fn answer(status: u16, retry_after: Option<SignedDuration>) -> AttemptOutcome {
    let class = match status {
        401 | 403 => FailureClass::AuthError,
        429 => FailureClass::RateLimited,
        500..=599 => FailureClass::ServerError,
        400..=499 => FailureClass::ClientError,
        _ => FailureClass::Other,
    };
    let failure = Failure {
        class,
        message: format!("answered {status}"),
        retry_after_ms: retry_after.and_then(|span| u64::try_from(span.as_millis()).ok()),
        may_have_arrived: false,
    };
    match status {
        200..=299 => AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() },
        500..=599 => AttemptOutcome::Failed(failure),
        _ => AttemptOutcome::Refused(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_particular_name_wins() {
        let mut receivers = Receivers::default();
        receivers.set("team", Behaviour::Down, None);
        receivers.set("team/webhook[1]", Behaviour::Up, None);
        assert_eq!(receivers.meet("team/webhook[0]").arrives_after, None);
        assert_eq!(receivers.meet("team/webhook[1]").arrives_after, Some(SignedDuration::ZERO));
        assert!(receivers.meet("team2/webhook[0]").arrives_after.is_some());
        receivers.set("team", Behaviour::Up, None);
        assert!(receivers.meet("team/webhook[0]").arrives_after.is_some());
    }

    #[test]
    fn a_counted_fault_passes() {
        let mut receivers = Receivers::default();
        let answer = Behaviour::Answers { status: 503, retry_after: None };
        receivers.set("team/webhook", answer, Some(1));
        assert!(matches!(receivers.meet("team/webhook[0]").outcome, AttemptOutcome::Failed(_)));
        assert!(receivers.meet("team/webhook[0]").arrives_after.is_some());
    }

    #[test]
    fn only_server_errors_are_worth_another_try() {
        assert!(matches!(answer(500, None), AttemptOutcome::Failed(_)));
        assert!(matches!(answer(204, None), AttemptOutcome::Delivered { .. }));
        let AttemptOutcome::Refused(failure) = answer(429, Some(SignedDuration::from_secs(30)))
        else {
            panic!("429 is a refusal");
        };
        assert_eq!(failure.class, FailureClass::RateLimited);
        assert_eq!(failure.retry_after_ms, Some(30_000));
    }
}
