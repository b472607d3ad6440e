//! Cursors: where the next page of a list begins, opaque to clients.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tocsin_wire::v1::{FieldError, ProblemCode};

use super::problem::{Answer, Refusal};

/// The most entries of a page.
pub(super) const MAX_LIMIT: usize = 1_000;

/// The entries of a page unless asked otherwise.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// The longest cursor that is looked at; names of maintenance windows are the longest keys.
const MAX_CURSOR_BYTES: usize = 4_096;

/// The lists that have pages. A cursor names its list, so that one of another list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Alerts,
    Groups,
    Silences,
    MaintenanceWindows,
    Receivers,
    Notifications,
    Events,
    Changes,
    People,
    Escalations,
    Incidents,
    IncidentAlerts,
    Pages,
    PastPages,
    Audit,
    Schedules,
    Postmortems,
    Actions,
    Knowledge,
    Mentions,
}

impl List {
    fn tag(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Groups => "groups",
            Self::Silences => "silences",
            Self::MaintenanceWindows => "maintenance_windows",
            Self::Receivers => "receivers",
            Self::Notifications => "notifications",
            Self::Events => "events",
            Self::Changes => "changes",
            Self::People => "people",
            Self::Escalations => "escalations",
            Self::Incidents => "incidents",
            Self::IncidentAlerts => "incident_alerts",
            Self::Pages => "pages",
            Self::PastPages => "past_pages",
            Self::Audit => "audit",
            Self::Schedules => "schedules",
            Self::Postmortems => "postmortems",
            Self::Actions => "actions",
            Self::Knowledge => "knowledge",
            Self::Mentions => "mentions",
        }
    }

    /// Returns the cursor for what follows the entry with `key`.
    pub(super) fn cursor(self, key: impl Display) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{key}", self.tag()))
    }

    /// Returns the key in a cursor of this list.
    ///
    /// # Errors
    /// The cursor was not given out by this list.
    pub(super) fn key<K: FromStr>(self, cursor: Option<&str>) -> Answer<Option<K>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let key = self.decode(cursor);
        key.map(Some).ok_or_else(|| {
            let message = "is not a `next_cursor` that this list gave out";
            Refusal::about(ProblemCode::InvalidCursor, FieldError::of("cursor", message))
        })
    }

    fn decode<K: FromStr>(self, cursor: &str) -> Option<K> {
        if cursor.len() > MAX_CURSOR_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        text.strip_prefix(self.tag())?.strip_prefix(':')?.parse().ok()
    }

    /// Cuts a list of up to one more than `limit` entries to its page, and returns the cursor of
    /// the next page when there is one.
    pub(super) fn page<T, K: Display>(
        self,
        items: &mut Vec<T>,
        limit: usize,
        key: impl FnOnce(&T) -> K,
    ) -> Option<String> {
        if items.len() <= limit {
            return None;
        }
        items.truncate(limit);
        items.last().map(|last| self.cursor(key(last)))
    }
}

#[cfg(test)]
mod tests {
    use tocsin_core::labels::Fingerprint;

    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let cursor = List::Alerts.cursor(Fingerprint(0x6c4d));
        let key: Option<Fingerprint> = List::Alerts.key(Some(&cursor)).unwrap();
        assert_eq!(key, Some(Fingerprint(0x6c4d)));
        let name = List::MaintenanceWindows.cursor("a: ü/b");
        let key: Option<String> = List::MaintenanceWindows.key(Some(&name)).unwrap();
        assert_eq!(key.as_deref(), Some("a: ü/b"));
        assert_eq!(List::Events.key::<u64>(None).unwrap(), None);
    }

    #[test]
    fn what_no_list_gave_out_is_refused() {
        let other = List::Groups.cursor(7);
        let no_number = List::Events.cursor("seven");
        let long = "A".repeat(MAX_CURSOR_BYTES + 1);
        for cursor in ["", "!", "YWxlcnRz", &other, &no_number, &long] {
            let refusal = List::Events.key::<u64>(Some(cursor)).unwrap_err();
            assert_eq!(refusal.problem().code, ProblemCode::InvalidCursor, "{cursor}");
        }
    }

    #[test]
    fn only_a_page_that_something_follows_has_a_next_one() {
        let mut items = vec![1, 2, 3];
        assert_eq!(List::Groups.page(&mut items, 3, |item| *item), None);
        let next = List::Groups.page(&mut items, 2, |item| *item).unwrap();
        assert_eq!(items, [1, 2]);
        assert_eq!(List::Groups.key::<u64>(Some(&next)).unwrap(), Some(2));
    }
}
