//! How values are kept in columns, the same in every database.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tocsin_core::event::{Event, MuteCause};
use tocsin_core::labels::Fingerprint;

/// 1678-01-01 and 2262-01-01 in seconds: between them nanoseconds fit into 64 bits.
const FIRST_FINE_SECOND: i64 = -9_214_560_000;
const LAST_FINE_SECOND: i64 = 9_214_646_400;
const FIRST_FINE: i64 = FIRST_FINE_SECOND * 1_000_000_000;
const LAST_FINE: i64 = LAST_FINE_SECOND * 1_000_000_000;

/// Returns the instant as one number that sorts as the instants do.
///
/// Nanoseconds since 1970, except that instants before 1678 and after 2261 are counted in
/// milliseconds from there: a silence "until the year 9999" must neither fail nor become another
/// century, and nobody needs its nanoseconds.
pub(crate) fn instant(at: Timestamp) -> i64 {
    let nanosecond = at.as_nanosecond();
    let beyond = |limit: i64| {
        let millisecond = (nanosecond - i128::from(limit)).div_euclid(1_000_000);
        // A jiff timestamp lies within the years -9999 to 9999, for which this always fits.
        i64::try_from(millisecond).map_or(limit, |millisecond| limit.saturating_add(millisecond))
    };
    match i64::try_from(nanosecond) {
        Ok(nanosecond) if (FIRST_FINE..LAST_FINE).contains(&nanosecond) => nanosecond,
        _ if nanosecond < 0 => beyond(FIRST_FINE),
        _ => beyond(LAST_FINE),
    }
}

/// Returns the instant that [`instant`] turned into `stored`, or `None` when there is none.
pub(crate) fn read_instant(stored: i64) -> Option<Timestamp> {
    let beyond = |limit_second: i64, milliseconds: i64| {
        let nanosecond = i32::try_from(milliseconds.rem_euclid(1_000) * 1_000_000).ok()?;
        Timestamp::new(limit_second + milliseconds.div_euclid(1_000), nanosecond).ok()
    };
    if stored >= LAST_FINE {
        beyond(LAST_FINE_SECOND, stored - LAST_FINE)
    } else if stored < FIRST_FINE {
        beyond(FIRST_FINE_SECOND, stored - FIRST_FINE)
    } else {
        Timestamp::from_nanosecond(i128::from(stored)).ok()
    }
}

/// Returns the fingerprints as 8 bytes each, in their order.
pub(crate) fn fingerprints(list: impl ExactSizeIterator<Item = Fingerprint>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(list.len() * 8);
    for fingerprint in list {
        bytes.extend_from_slice(&fingerprint.0.to_le_bytes());
    }
    bytes
}

/// Returns the list that [`fingerprints`] wrote, or `None` when the bytes are no such list.
pub(crate) fn read_fingerprints(bytes: &[u8]) -> Option<Vec<Fingerprint>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| chunks.iter().map(|it| Fingerprint(u64::from_le_bytes(*it))).collect())
}

/// Returns what holds back which alerts of a group as JSON, `None` when nothing does.
///
/// Each cause is written once, with the positions it holds for: a silence over a storm would
/// otherwise be repeated for every alert.
pub(crate) fn held_back(
    alerts: &[(Fingerprint, Option<MuteCause>)],
) -> Result<Option<String>, serde_json::Error> {
    let mut by_cause: BTreeMap<&MuteCause, Vec<usize>> = BTreeMap::new();
    for (position, (_, cause)) in alerts.iter().enumerate() {
        if let Some(cause) = cause {
            by_cause.entry(cause).or_default().push(position);
        }
    }
    if by_cause.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&by_cause.iter().collect::<Vec<_>>()).map(Some)
}

/// Joins what [`fingerprints`] and [`held_back`] wrote for a group's alerts.
///
/// # Errors
/// A sentence that says what is wrong with the stored values.
pub(crate) fn read_group_alerts(
    alerts: &[u8],
    held_back: Option<&str>,
) -> Result<Vec<(Fingerprint, Option<MuteCause>)>, String> {
    let list = read_fingerprints(alerts).ok_or("the list of alerts has an odd length")?;
    let mut list: Vec<_> = list.into_iter().map(|fingerprint| (fingerprint, None)).collect();
    let Some(held_back) = held_back else { return Ok(list) };
    let by_cause: Vec<(MuteCause, Vec<usize>)> =
        serde_json::from_str(held_back).map_err(|error| error.to_string())?;
    for (cause, positions) in by_cause {
        for position in positions {
            let alert = list.get_mut(position).ok_or("held back is an alert it does not have")?;
            alert.1 = Some(cause.clone());
        }
    }
    Ok(list)
}

/// Returns an event's JSON without the kind that begins it, which has a column of its own.
pub(crate) fn without_kind<'a>(json: &'a mut [u8], kind: &str) -> &'a [u8] {
    let head = KIND_HEAD.len() + kind.len() + 1;
    debug_assert!(
        json.starts_with(KIND_HEAD) && &json[KIND_HEAD.len()..head - 1] == kind.as_bytes()
    );
    // What follows is either a comma and the first field, or the closing brace.
    if json.get(head) == Some(&b',') {
        json[head] = b'{';
        &json[head..]
    } else {
        b"{}"
    }
}

/// Returns the event whose kind and remaining JSON [`without_kind`] separated.
pub(crate) fn read_event(kind: &str, payload: &str) -> Result<Event, String> {
    let fields = payload.strip_prefix('{').ok_or("the payload is no JSON object")?;
    let comma = if fields == "}" { "" } else { "," };
    serde_json::from_str(&format!("{{\"kind\":\"{kind}\"{comma}{fields}"))
        .map_err(|error| format!("{kind}: {error}"))
}

/// How the JSON of every event begins.
const KIND_HEAD: &[u8] = b"{\"kind\":\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn round(at: &str) -> String {
        let stored = instant(at.parse().unwrap());
        read_instant(stored).unwrap_or_else(|| panic!("{at} became {stored}")).to_string()
    }

    #[test]
    fn instants_of_our_centuries_keep_their_nanoseconds() {
        for at in [
            "1678-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999999Z",
            "2026-11-21T03:00:00.123456789Z",
            "2261-12-31T23:59:59.999999999Z",
        ] {
            assert_eq!(round(at), at);
        }
    }

    #[test]
    fn far_away_instants_keep_their_milliseconds() {
        assert_eq!(round("2262-01-01T00:00:00Z"), "2262-01-01T00:00:00Z");
        assert_eq!(round("9999-12-30T22:00:00.123456Z"), "9999-12-30T22:00:00.123Z");
        assert_eq!(round("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
        assert_eq!(round(&Timestamp::MIN.to_string()), Timestamp::MIN.to_string());
    }

    #[test]
    fn stored_instants_sort_as_instants_do() {
        let ascending = [
            "-009999-01-02T01:59:59Z",
            "0001-01-01T00:00:00Z",
            "1677-12-31T23:59:59.9999999Z",
            "1678-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "2261-12-31T23:59:59.9Z",
            "2262-01-01T00:00:00Z",
            "9999-12-30T22:00:00Z",
        ]
        .map(|at| instant(at.parse().unwrap()));
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
    }

    #[test]
    fn a_number_outside_the_calendar_is_no_instant() {
        assert_eq!(read_instant(i64::MAX), None);
        assert_eq!(read_instant(i64::MIN), None);
    }
}
