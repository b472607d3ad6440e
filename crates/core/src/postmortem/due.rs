//! When a postmortem is due.

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::incident::Targets;

/// Returns when the postmortem of an incident that ended then is due by what its severity asks for:
/// usually three days after the worst ones, five working days after any other that needs one.
pub fn due_at(targets: &Targets, resolved_at: Timestamp) -> Timestamp {
    let (days, is_business) = targets.postmortem_days();
    let mut at = resolved_at;
    let mut left = days;
    while left > 0 {
        at = at.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        let day = at.to_zoned(TimeZone::UTC).weekday();
        if !is_business || !matches!(day, Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
        if at == Timestamp::MAX {
            return at;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;

    #[test]
    fn weekends_count_only_for_the_worst() {
        // A Thursday.
        let end: Timestamp = "2026-01-29T10:00:00Z".parse().unwrap();
        let due = |severity| due_at(&Targets::usual(severity), end).to_string();
        assert_eq!(due(Severity::Sev1), "2026-02-01T10:00:00Z");
        assert_eq!(due(Severity::Sev2), "2026-02-05T10:00:00Z");
        assert_eq!(due_at(&Targets::usual(Severity::Sev2), Timestamp::MAX), Timestamp::MAX);
    }
}
