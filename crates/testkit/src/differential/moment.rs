//! Where in a second things happen.
//!
//! A schedule is counted in ticks of one second. Each kind of event has its own place in a tick,
//! far enough from the others that a busy machine does not change their order:
//!
//! ```text
//! 0 ms        150, 250        350        520, 690               850
//! orders      first flushes   a look     orders that flush      ends of alerts
//!             of groups                  at once: reloads,      and silences
//!                                        alerts that are old
//! ```
//!
//! A group's flushes repeat at whole seconds after its first one, so they keep their place. What
//! is compared about a message is the tick in which it came: see [`super::known`], `empty-groups`.
//! An instant is a number of milliseconds since the start of the schedule.

use std::ops::RangeInclusive;

/// The length of a tick.
pub const TICK_MS: i64 = 1_000;

/// Where first flushes lie: the values that `group_wait` may have.
pub const WAITS_MS: [i64; 2] = [150, 250];

/// Where the API is asked.
pub const LOOK_MS: i64 = 350;

/// Where orders lie that make groups flush at once. A schedule uses each of them once: a second
/// order at the same place would meet the flushes that follow from the first.
pub const AT_ONCE_MS: [i64; 2] = [520, 690];

/// Where alerts and silences end by themselves.
pub const END_MS: i64 = 850;

/// How late an order may be carried out before a run says nothing.
const GUARD_MS: i64 = 100;

/// How late one that flushes at once may be carried out; a reload takes its time.
const LONG_GUARD_MS: i64 = 150;

/// How long before the next thing happens the one before has to be done.
const MARGIN_MS: i64 = 10;

/// When messages come, in a tick: after a flush and before anything else happens.
const ARRIVALS_MS: [RangeInclusive<i64>; 2] =
    [WAITS_MS[0]..=AT_ONCE_MS[0] - MARGIN_MS, AT_ONCE_MS[0]..=END_MS - MARGIN_MS];

/// The instant at which the first tick begins within a second of the wall clock. Alertmanager
/// compares the starts of silences by the second, so no order may lie near the turn of one.
pub const OFFSET_IN_SECOND_MS: i64 = 100;

/// Returns whether a message that arrived at `at` came from a flush at its usual place, or from
/// one that was held up.
pub fn is_punctual(at: i64) -> bool {
    let phase = at.rem_euclid(TICK_MS);
    ARRIVALS_MS.iter().any(|range| range.contains(&phase))
}

/// Returns how late what is due at `at` may be done when the next order or look is due at `next`.
pub fn guard(at: i64, next: Option<i64>) -> i64 {
    match at.rem_euclid(TICK_MS) {
        0 => GUARD_MS,
        // Flushes change nothing that is looked at; orders and ends do.
        LOOK_MS => next.map_or(END_MS, |next| next - at).min(END_MS - LOOK_MS) - MARGIN_MS,
        _ => LONG_GUARD_MS,
    }
}

/// Returns the last place before `at` where orders and ends lie: as far as two servers that take
/// instants from their own clocks agree.
pub fn place(at: i64) -> i64 {
    let phase = at.rem_euclid(TICK_MS);
    let places = AT_ONCE_MS.into_iter().chain([END_MS]);
    at - phase + places.filter(|place| *place <= phase).max().unwrap_or(0)
}

/// Returns the tick that `at` lies in.
pub fn tick(at: i64) -> i64 {
    at.div_euclid(TICK_MS)
}

/// Returns `at` as a number of seconds, for reading.
pub fn text(at: i64) -> String {
    let (sign, ms) = if at < 0 { ('-', -at) } else { ('+', at) };
    match (ms / 1_000, ms % 1_000) {
        (seconds, 0) => format!("{sign}{seconds}s"),
        (seconds, rest) => format!("{sign}{seconds}s{rest}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_farther_apart_than_the_guards() {
        let order_and_flush = WAITS_MS[0] - GUARD_MS;
        let look_and_order = AT_ONCE_MS[0] - LOOK_MS - GUARD_MS;
        let orders = AT_ONCE_MS[1] - AT_ONCE_MS[0] - LONG_GUARD_MS;
        let order_and_end = END_MS - AT_ONCE_MS[1] - LONG_GUARD_MS;
        let end_and_order = TICK_MS - END_MS - GUARD_MS;
        for gap in [order_and_flush, look_and_order, orders, order_and_end, end_and_order] {
            assert!(gap >= 10, "{gap}");
        }
    }

    #[test]
    fn a_message_between_the_places_was_held_up() {
        assert!(is_punctual(3_155) && is_punctual(3_310) && is_punctual(530));
        assert!(!is_punctual(3_515) && !is_punctual(3_020) && !is_punctual(950));
    }

    #[test]
    fn what_an_order_causes_lies_at_its_place() {
        assert_eq!([3_000, 3_090, 3_519].map(place), [3_000; 3]);
        assert_eq!([3_520, 3_690, 3_849, 3_940].map(place), [3_520, 3_690, 3_690, 3_850]);
        assert_eq!(place(-480), -480);
    }

    #[test]
    fn a_look_has_time_until_something_changes() {
        assert_eq!(guard(3_350, Some(3_520)), 160);
        assert_eq!(guard(3_350, Some(4_000)), 490);
        assert_eq!(guard(3_000, Some(3_350)), 100);
    }

    #[test]
    fn instants_read_well() {
        assert_eq!(text(3_000), "+3s");
        assert_eq!(text(-520), "-0s520ms");
    }
}
