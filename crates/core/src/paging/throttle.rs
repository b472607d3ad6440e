//! How often one method may be used, so that a storm does not make a phone useless.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::channel::Channel;

/// At most so many in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub most: usize,
    /// In how long.
    pub span: SignedDuration,
}

/// The windows of one kind of method, the shortest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows(pub Vec<Window>);

impl Windows {
    /// Returns the usual windows of a channel. Of the worst severity only the first counts.
    ///
    /// Source: GoAlert, `engine/message/ratelimit.go`.
    pub fn usual(channel: Channel) -> Self {
        let minute = SignedDuration::from_mins(1);
        let window = |most, minutes: i64| Window { most, span: SignedDuration::from_mins(minutes) };
        match channel {
            Channel::Voice => Self(vec![
                Window { most: 1, span: minute },
                window(3, 15),
                window(7, 60),
                window(15, 180),
            ]),
            Channel::Sms => Self(vec![
                Window { most: 1, span: minute },
                window(5, 15),
                window(11, 60),
                window(21, 180),
            ]),
            Channel::Email => Self(vec![Window { most: 1, span: minute }]),
            // The other side is a machine that counts each problem by itself.
            Channel::Webhook | Channel::Pagerduty | Channel::Opsgenie => Self(Vec::new()),
            // A chat or a push takes one every few seconds; what waits is bundled.
            _ => Self(vec![Window { most: 5, span: SignedDuration::from_secs(15) }]),
        }
    }

    fn longest(&self) -> SignedDuration {
        self.0.iter().map(|window| window.span).max().unwrap_or(SignedDuration::ZERO)
    }
}

/// When one method was used lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    used_at: VecDeque<Timestamp>,
}

impl Throttle {
    /// Returns when the method may be used next, not before `now`. `is_worst` leaves only the
    /// shortest window, so that nothing critical waits for hours.
    ///
    /// A long window is smooth: once the next shorter one is used up, what is left of the long one
    /// is spread evenly over the rest of it.
    pub fn next_at(&self, windows: &Windows, now: Timestamp, is_worst: bool) -> Timestamp {
        let count = if is_worst { 1 } else { windows.0.len() };
        let mut next = now;
        let mut shorter: Option<Window> = None;
        for window in windows.0.iter().take(count) {
            let since = now.checked_sub(window.span).unwrap_or(Timestamp::MIN);
            let inside: Vec<Timestamp> =
                self.used_at.iter().copied().filter(|at| *at > since).collect();
            let (Some(first), Some(last)) = (inside.first(), inside.last()) else { break };
            let full_until = first.checked_add(window.span).unwrap_or(Timestamp::MAX);
            if inside.len() >= window.most {
                // The one that is `most` back must have left the window.
                let back = inside[inside.len() - window.most];
                next = next.max(back.checked_add(window.span).unwrap_or(Timestamp::MAX));
            } else if shorter.is_some_and(|shorter| inside.len() >= shorter.most) {
                let left = i32::try_from(window.most - inside.len() + 1).unwrap_or(i32::MAX);
                let rest = full_until.duration_since(*last);
                let pace = rest.checked_div(left).unwrap_or(SignedDuration::ZERO);
                next = next.max(last.checked_add(pace).unwrap_or(Timestamp::MAX));
            }
            shorter = Some(*window);
        }
        next
    }

    /// Notes that the method is used, and forgets what no window reaches.
    pub fn used(&mut self, windows: &Windows, now: Timestamp) {
        let since = now.checked_sub(windows.longest()).unwrap_or(Timestamp::MIN);
        while self.used_at.front().is_some_and(|at| *at <= since) {
            self.used_at.pop_front();
        }
        let most = windows.0.iter().map(|window| window.most).max().unwrap_or(1).max(64);
        while self.used_at.len() >= most {
            self.used_at.pop_front();
        }
        self.used_at.push_back(now);
    }

    /// Returns whether nothing is remembered that any window reaches.
    pub fn is_idle(&self, windows: &Windows, now: Timestamp) -> bool {
        let since = now.checked_sub(windows.longest()).unwrap_or(Timestamp::MIN);
        self.used_at.back().is_none_or(|at| *at <= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    #[test]
    fn a_phone_rings_once_a_minute_and_then_ever_more_rarely() {
        let windows = Windows::usual(Channel::Voice);
        let mut throttle = Throttle::default();
        let mut now = at(1_000);
        let mut calls = Vec::new();
        while calls.len() < 15 {
            now = throttle.next_at(&windows, now, false);
            calls.push(now.duration_since(at(1_000)).as_mins());
            throttle.used(&windows, now);
        }
        let within = |minutes: i64| calls.iter().filter(|at| **at < minutes).count();
        assert!(within(15) <= 3 && within(60) <= 7 && within(180) <= 15, "{calls:?}");
        assert!(within(60) >= 5, "not needlessly rare: {calls:?}");
    }

    #[test]
    fn the_worst_waits_a_minute_at_most() {
        let windows = Windows::usual(Channel::Voice);
        let mut throttle = Throttle::default();
        for minute in 0..10 {
            throttle.used(&windows, at(minute));
        }
        let next = throttle.next_at(&windows, at(9), true);
        assert_eq!(next, at(10));
        assert!(throttle.next_at(&windows, at(9), false) > at(11));
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let windows = Windows::usual(Channel::Sms);
        let mut throttle = Throttle::default();
        throttle.used(&windows, at(0));
        assert!(!throttle.is_idle(&windows, at(100)));
        assert!(throttle.is_idle(&windows, at(181)));
        assert_eq!(throttle.next_at(&windows, at(181), false), at(181));
    }
}
