//! How often somebody may guess.
//!
//! Guesses are counted for each address, and for each name from one address. A name from all
//! addresses together has a bound, too, that only holds addresses back from which that name never
//! signed in: guessing from everywhere locks nobody out of their own machine.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// In which time failures are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Failures of one name from one address.
const MAX_OF_BOTH: u32 = 5;

/// Failures from one address, whatever the names.
const MAX_OF_ADDRESS: u32 = 30;

/// Failures of one name from addresses it is not known at.
const MAX_OF_NAME: u32 = 50;

/// How many counters and known places are kept before all are forgotten.
const MAX_REMEMBERED: usize = 20_000;

type Client = Option<IpAddr>;

#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: HashMap<Key, (Timestamp, u32)>,
    known: HashSet<(String, Client)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Both(String, Client),
    Address(Client),
    Name(String),
}

impl Throttle {
    /// Returns how many seconds to wait before another guess; `None` when it may be made now.
    pub(super) fn wait(&self, name: &str, client: Client, now: Timestamp) -> Option<i64> {
        let state = self.state.lock();
        let client = client.map(network);
        let is_known = state.known.contains(&(name.to_owned(), client));
        let bounds = [
            (Key::Both(name.to_owned(), client), MAX_OF_BOTH, true),
            (Key::Address(client), MAX_OF_ADDRESS, !is_known),
            (Key::Name(name.to_owned()), MAX_OF_NAME, !is_known),
        ];
        let waits =
            bounds.into_iter().filter(|(_, _, holds)| *holds).filter_map(|(key, most, _)| {
                let (since, count) = state.failures.get(&key)?;
                let over = since.checked_add(WINDOW).ok()?;
                (*count >= most && now < over).then(|| over.duration_since(now).as_secs() + 1)
            });
        waits.max()
    }

    /// Counts a wrong guess.
    pub(super) fn failed(&self, name: &str, client: Client, now: Timestamp) {
        let mut state = self.state.lock();
        if state.failures.len() > MAX_REMEMBERED {
            let is_recent =
                |since: Timestamp| since.checked_add(WINDOW).is_ok_and(|over| now < over);
            state.failures.retain(|_, (since, _)| is_recent(*since));
            if state.failures.len() > MAX_REMEMBERED {
                state.failures.clear();
            }
        }
        let client = client.map(network);
        let name = name.to_owned();
        for key in [Key::Both(name.clone(), client), Key::Address(client), Key::Name(name)] {
            let (since, count) = state.failures.entry(key).or_insert((now, 0));
            if now.duration_since(*since) >= WINDOW {
                (*since, *count) = (now, 0);
            }
            *count += 1;
        }
    }

    /// Notes that somebody signed in.
    pub(super) fn succeeded(&self, name: &str, client: Client) {
        let mut state = self.state.lock();
        let client = client.map(network);
        state.failures.remove(&Key::Both(name.to_owned(), client));
        if state.known.len() >= MAX_REMEMBERED {
            state.known.clear();
        }
        state.known.insert((name.to_owned(), client));
    }
}

/// Returns what counts as one place: an IPv4 address, or the /64 one IPv6 host has at will.
fn network(address: IpAddr) -> IpAddr {
    crate::limits::client_of(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn address(last: u8) -> Client {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_name_is_held_up_where_it_was_guessed_and_nowhere_else() {
        let throttle = Throttle::default();
        for _ in 0..MAX_OF_BOTH {
            assert_eq!(throttle.wait("ada", address(1), at(0)), None);
            throttle.failed("ada", address(1), at(0));
        }
        assert_eq!(throttle.wait("ada", address(1), at(5)), Some(601));
        assert_eq!(throttle.wait("ada", address(2), at(5)), None);
        assert_eq!(throttle.wait("bob", address(1), at(5)), None);
        assert_eq!(throttle.wait("ada", address(1), at(15)), None);
    }

    #[test]
    fn guessing_from_everywhere_does_not_lock_out_who_signs_in_from_a_known_place() {
        let throttle = Throttle::default();
        throttle.succeeded("ada", address(200));
        for number in 0..60 {
            throttle.failed("ada", address(number), at(0));
        }
        assert!(throttle.wait("ada", address(100), at(1)).is_some());
        assert_eq!(throttle.wait("ada", address(200), at(1)), None);
    }

    #[test]
    fn an_address_that_tries_many_names_is_held_up() {
        let throttle = Throttle::default();
        for number in 0..MAX_OF_ADDRESS {
            throttle.failed(&format!("n{number}"), address(1), at(0));
        }
        assert!(throttle.wait("ada", address(1), at(1)).is_some());
        assert_eq!(throttle.wait("ada", address(2), at(1)), None);
    }
}
