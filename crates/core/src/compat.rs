//! The switches between our improvements and Alertmanager's exact behaviour.

use serde::{Deserialize, Serialize};

/// Which improvements are on. All are by default; `compat: alertmanager` turns all off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compat {
    /// An alert that was told as firing is always told as resolved, even when it is silenced,
    /// inhibited or muted by then; one that was never told as firing is never told as resolved;
    /// and when it fires again, that is told again.
    pub resolve_follows_page: bool,
    /// An integration's final refusal is tried again before the next flush, at the time the
    /// other side asks for (`Retry-After`) or after a back-off.
    pub retry_refused: bool,
    /// Sibling routes with equal matchers have groups and logs of their own, and a receiver that
    /// two of them share is told once.
    pub route_identity: bool,
    /// Alerts, groups and their timers survive a restart.
    pub durable_alerts: bool,
    /// An unchanged group repeats exactly after `repeat_interval`, not at the flush after next.
    pub exact_repeat: bool,
    /// When a silence, a maintenance window or a mute interval ends and an alert still fires, it
    /// is told at once.
    pub renotify_on_unmute: bool,
}

impl Compat {
    /// Everything on.
    pub const NATIVE: Self = Self {
        resolve_follows_page: true,
        retry_refused: true,
        route_identity: true,
        durable_alerts: true,
        exact_repeat: true,
        renotify_on_unmute: true,
    };

    /// Everything off: `compat: alertmanager`.
    pub const ALERTMANAGER: Self = Self {
        resolve_follows_page: false,
        retry_refused: false,
        route_identity: false,
        durable_alerts: false,
        exact_repeat: false,
        renotify_on_unmute: false,
    };

    /// The names of the switches as they are written under `compat:`, with what each does.
    pub const SWITCHES: [(&'static str, &'static str); 6] = [
        ("resolve_follows_page", "a resolve always follows a page, and only a page"),
        (
            "retry_refused",
            "refused notifications are retried before the next flush, honouring Retry-After",
        ),
        (
            "route_identity",
            "equal sibling routes have groups of their own and do not tell a receiver twice",
        ),
        ("durable_alerts", "alerts, groups and timers survive a restart"),
        ("exact_repeat", "repeat_interval is kept to the second"),
        ("renotify_on_unmute", "the end of a silence or mute window is told at once"),
    ];

    /// Returns the switch of that name for writing; `None` when there is none.
    pub fn switch(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "resolve_follows_page" => &mut self.resolve_follows_page,
            "retry_refused" => &mut self.retry_refused,
            "route_identity" => &mut self.route_identity,
            "durable_alerts" => &mut self.durable_alerts,
            "exact_repeat" => &mut self.exact_repeat,
            "renotify_on_unmute" => &mut self.renotify_on_unmute,
            _ => return None,
        })
    }
}

impl Default for Compat {
    fn default() -> Self {
        Self::NATIVE
    }
}
