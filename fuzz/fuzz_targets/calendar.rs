//! Any bytes as a calendar. The first byte selects what it is read for and by which clock.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tocsin_core::oncall::{ImportKind, MAX_IMPORTED_EVENTS, Zone};
use tocsin_wire::ical::{Reading, read};

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/Chicago", "Pacific/Apia"];
const KINDS: [ImportKind; 4] = [
    ImportKind::Shifts,
    ImportKind::Overrides,
    ImportKind::Holidays,
    ImportKind::OutOfOffice,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else { return };
    let choice = usize::from(*choice);
    let zone = Zone::named(ZONES[choice % 4]).expect("the zone is there");
    let now: Timestamp = "2027-03-01T00:00:00Z".parse().expect("an instant");
    let reading = Reading::at(now, zone, KINDS[choice / 4 % 4]);
    // Half of the time as the inside of one, where a mutation goes further.
    let inside = [b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n".as_slice(), body, b"\nEND:VCALENDAR"].concat();
    let body = if choice < 128 { body } else { &inside };
    let Ok(calendar) = read(body, &reading) else { return };
    assert!(calendar.events.len() <= MAX_IMPORTED_EVENTS);
    assert!(calendar.events.is_sorted());
    for event in &calendar.events {
        assert!(event.from < event.to, "{event:?}");
        assert!(event.from < reading.to && event.to > reading.from, "{event:?}");
    }
});
