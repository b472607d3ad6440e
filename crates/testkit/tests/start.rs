//! What a start does with rows that an earlier version, or an earlier machine, left behind.

use jiff::Timestamp;
use tocsin_config::{LoadOptions, load_str};
use tocsin_core::Tenant;
use tocsin_core::event::Event;
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::rows::{MaintenanceRow, TenantRows};

#[test]
fn a_maintenance_window_that_cannot_be_read_is_told_and_spoils_no_other() {
    let row = |name: &str, zone: &str| MaintenanceRow {
        name: name.to_owned(),
        matchers: Matchers::new(vec![Matcher::equal("team".to_owned(), "db".to_owned())]),
        starts_at: "2026-11-24T12:00:00".parse().unwrap(),
        duration_seconds: 3_600,
        time_zone: zone.to_owned(),
        recurrence: None,
        comment: "upgrade".to_owned(),
        created_by: "ada".to_owned(),
    };
    let rows = TenantRows {
        maintenance_windows: vec![row("lost", "Mars/Base"), row("kept", "UTC")],
        ..TenantRows::default()
    };
    let text = "route: { receiver: none }\nreceivers: [{ name: none }]";
    let policy = load_str("test.yml", text, &LoadOptions::default()).unwrap().policy;
    let now: Timestamp = "2026-11-24T12:30:00Z".parse().unwrap();
    let mut tenant = Tenant::restore(policy, rows, now);

    let open = tenant.maintenance_windows(now);
    let names: Vec<&str> = open.iter().map(|view| &*view.window.name).collect();
    assert_eq!(names, ["kept"]);
    let events = tenant.turn(now, Vec::new()).writes.events;
    let told: Vec<_> = events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::MaintenanceWindowUnreadable { name, why } => Some((&**name, why.as_str())),
            _ => None,
        })
        .collect();
    let [(name, why)] = told[..] else { panic!("{events:#?}") };
    assert_eq!(name, "lost");
    assert!(why.contains("no usable time zone") && why.contains("Mars/Base"), "{why}");
}
