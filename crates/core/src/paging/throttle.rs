//! How often one method may be used, so that a storm does not make a phone useless.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::channel::Channel;

/// The first window that is smooth.
const FIRST_SMOOTH: usize = 2;

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
    /// Returns when the method may be used next, not before `now`: the same whenever it is asked.
    /// `is_worst` leaves only the shortest window, so that nothing critical waits for hours.
    ///
    /// From the third on windows are smooth: once the next shorter one is used up, what is left of
    /// the long one is spread evenly over the rest of it.
    pub fn next_at(&self, windows: &Windows, now: Timestamp, is_worst: bool) -> Timestamp {
        let count = if is_worst { 1 } else { windows.0.len() };
        let windows = &windows.0[..count.min(windows.0.len())];
        let mut candidates: Vec<Timestamp> = Vec::new();
        for (index, window) in windows.iter().enumerate() {
            for (from, at) in self.used_at.iter().enumerate() {
                candidates.push(at.checked_add(window.span).unwrap_or(Timestamp::MAX));
                if index >= FIRST_SMOOTH {
                    candidates.extend(self.paced(window, from));
                }
            }
        }
        candidates.retain(|at| *at > now);
        candidates.push(now);
        candidates.sort_unstable();
        let last = candidates.last().copied().unwrap_or(now);
        candidates.into_iter().find(|at| self.is_free_at(windows, *at)).unwrap_or(last)
    }

    fn is_free_at(&self, windows: &[Window], at: Timestamp) -> bool {
        windows.iter().enumerate().all(|(index, window)| {
            let since = at.checked_sub(window.span).unwrap_or(Timestamp::MIN);
            let from = self.used_at.iter().take_while(|used| **used <= since).count();
            let inside = self.used_at.len() - from;
            let is_full = inside >= window.most;
            let shorter = index.checked_sub(1).and_then(|it| windows.get(it));
            let is_smooth = index >= FIRST_SMOOTH && shorter.is_some_and(|it| inside >= it.most);
            !(is_full || is_smooth && self.paced(window, from).is_some_and(|paced| at < paced))
        })
    }

    /// Returns when the next one would be at an even pace, with what was used from an index on.
    fn paced(&self, window: &Window, from: usize) -> Option<Timestamp> {
        let (first, last) = (self.used_at.get(from)?, self.used_at.back()?);
        let inside = self.used_at.len() - from;
        let left = i32::try_from(window.most.checked_sub(inside)? + 1).ok()?;
        let rest = first.checked_add(window.span).ok()?.duration_since(*last);
        last.checked_add(rest.checked_div(left)?).ok()
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
    fn windows_hold_whenever_somebody_asks() {
        let windows = Windows::usual(Channel::Voice);
        let mut throttle = Throttle::default();
        let second = SignedDuration::from_secs(1);
        let mut calls: Vec<Timestamp> = Vec::new();
        let mut now = at(1_000);
        while now < at(1_240) {
            let next = throttle.next_at(&windows, now, false);
            assert!(next >= now);
            if next == now {
                throttle.used(&windows, now);
                calls.push(now);
            } else {
                let early = throttle.next_at(&windows, next - second, false);
                assert_eq!(early, next, "the same whenever it is asked");
            }
            now += SignedDuration::from_secs(10);
        }
        for window in &windows.0 {
            for (index, from) in calls.iter().enumerate() {
                let inside = calls[index..].iter().filter(|at| **at < *from + window.span).count();
                assert!(inside <= window.most, "{inside} in {:#}: {calls:?}", window.span);
            }
        }
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
