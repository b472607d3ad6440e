//! What each part measured, as rows of the report.

use std::time::Duration;

use super::load::Rate;
use super::report::{Figure, Unit};
use super::{Held, Results, STEADY_RATE, access, incidents, oncall, paging, render};

fn figure(
    name: String,
    unit: Unit,
    ours: Option<f64>,
    peer: Option<f64>,
    target: Option<f64>,
) -> Figure {
    Figure { name, unit, ours, peer, target }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

/// Taking alerts in and giving them out, beside the peer.
pub(super) fn ingestion(ours: &Results, peer: &Results, small: usize, large: usize) -> Vec<Figure> {
    let per_second = |rate: &Option<Rate>| rate.map(|rate| rate.alerts_per_second);
    let p99 = |rate: &Option<Rate>| rate.map(|rate| millis(rate.p99));
    let p50 = |rate: &Option<Rate>| rate.map(|rate| millis(rate.p50));
    let alerts = |held: &Option<Held>| held.as_ref().map(|held| millis(held.alerts));
    let groups = |held: &Option<Held>| held.as_ref().map(|held| millis(held.groups));
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let memory = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / 1_048_576.0);
    vec![
        figure(
            "re-sent alerts".into(),
            Unit::PerSecond,
            per_second(&ours.again),
            per_second(&peer.again),
            Some(5.0),
        ),
        figure(
            "re-sent alerts, p50 of a batch".into(),
            Unit::Milliseconds,
            p50(&ours.again),
            p50(&peer.again),
            None,
        ),
        figure(
            "re-sent alerts, p99 of a batch".into(),
            Unit::Milliseconds,
            p99(&ours.again),
            p99(&peer.again),
            Some(1.0),
        ),
        figure(
            "re-sent alerts, a key required in every request".into(),
            Unit::PerSecond,
            per_second(&ours.again_with_key),
            per_second(&peer.again),
            Some(5.0),
        ),
        figure(
            "new alerts (ours on disk before the answer)".into(),
            Unit::PerSecond,
            per_second(&ours.fresh),
            per_second(&peer.fresh),
            Some(2.0),
        ),
        figure(
            "new alerts, a key required in every request".into(),
            Unit::PerSecond,
            per_second(&ours.fresh_with_key),
            per_second(&peer.fresh),
            Some(2.0),
        ),
        figure(
            "new alerts, p50 of a batch".into(),
            Unit::Milliseconds,
            p50(&ours.fresh),
            p50(&peer.fresh),
            None,
        ),
        figure(
            "new alerts, p99 of a batch".into(),
            Unit::Milliseconds,
            p99(&ours.fresh),
            p99(&peer.fresh),
            Some(1.0),
        ),
        figure(
            format!("GET /api/v2/alerts with {small} alerts"),
            Unit::Milliseconds,
            alerts(&ours.small),
            alerts(&peer.small),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts with {large} alerts"),
            Unit::Milliseconds,
            alerts(&ours.large),
            alerts(&peer.large),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts/groups with {small} alerts"),
            Unit::Milliseconds,
            groups(&ours.small),
            groups(&peer.small),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts/groups with {large} alerts"),
            Unit::Milliseconds,
            groups(&ours.large),
            groups(&peer.large),
            Some(0.1),
        ),
        figure(
            format!("resident memory with {large} alerts"),
            Unit::Mebibytes,
            memory(ours.resident_bytes),
            memory(peer.resident_bytes),
            Some(0.5),
        ),
        figure(
            format!("start with {large} stored alerts"),
            Unit::AtMost(1_000.0),
            ours.restart.map(millis),
            None,
            None,
        ),
        figure(
            format!("steady load of {STEADY_RATE} alerts/s, rate that was kept"),
            Unit::PerSecond,
            ours.steady.map(|steady| steady.reached),
            peer.steady.map(|steady| steady.reached),
            None,
        ),
        figure(
            format!("accepted → webhook received, {STEADY_RATE} alerts/s, p50"),
            Unit::Milliseconds,
            ours.steady.map(|steady| millis(steady.p50)),
            peer.steady.map(|steady| millis(steady.p50)),
            None,
        ),
        figure(
            format!("accepted → webhook received, {STEADY_RATE} alerts/s, p99"),
            Unit::AtMost(50.0),
            ours.steady.map(|steady| millis(steady.p99)),
            peer.steady.map(|steady| millis(steady.p99)),
            None,
        ),
        figure(
            "PagerDuty events, one a request, each a new incident".into(),
            Unit::PerSecond,
            per_second(&ours.pagerduty),
            None,
            None,
        ),
        figure(
            "PagerDuty events, p99 of a request".into(),
            Unit::Milliseconds,
            p99(&ours.pagerduty),
            None,
            None,
        ),
        figure(
            "Grafana's webhook, 64 new alerts a request".into(),
            Unit::PerSecond,
            per_second(&ours.grafana),
            None,
            None,
        ),
    ]
}

/// Escalation and paging.
pub(super) fn paging(paged: &paging::Paged) -> Vec<Figure> {
    vec![
        figure(
            format!("alert accepted → page at its provider, {} alerts/s, p50", paging::STEADY_RATE),
            Unit::Milliseconds,
            Some(millis(paged.p50)),
            None,
            None,
        ),
        figure(
            format!("alert accepted → page at its provider, {} alerts/s, p99", paging::STEADY_RATE),
            Unit::AtMost(100.0),
            Some(millis(paged.p99)),
            None,
            None,
        ),
        figure(
            format!("pages in a burst of {} escalations", paging::BURST),
            Unit::AtLeast(2_000.0),
            Some(paged.per_second),
            None,
            None,
        ),
        figure(
            format!(
                "lateness of steps with {} open escalations, {} steps/s, p99",
                paged.open,
                paging::OPENING_RATE
            ),
            Unit::AtMost(100.0),
            Some(paged.lateness_p99_ms),
            None,
            None,
        ),
    ]
}

/// What finding out who asks costs.
pub(super) fn access((asked, asked_p99): (Duration, Duration)) -> Vec<Figure> {
    vec![
        figure(
            format!("a request that shows a token, {} tenants, p50", access::TENANTS),
            Unit::AtMostMicroseconds(20.0),
            Some(micros(asked)),
            None,
            None,
        ),
        figure(
            format!("a request that shows a token, {} tenants, p99", access::TENANTS),
            Unit::Microseconds,
            Some(micros(asked_p99)),
            None,
            None,
        ),
    ]
}

/// Schedules.
pub(super) fn on_call(on_call: &oncall::Times) -> Vec<Figure> {
    vec![
        figure(
            format!("who is on call in {} schedules, for the first time", oncall::SCHEDULES),
            Unit::AtMost(200.0),
            Some(millis(on_call.cold)),
            None,
            None,
        ),
        figure(
            format!("who is on call in {} schedules, asked again", oncall::SCHEDULES),
            Unit::AtMost(5.0),
            Some(millis(on_call.cached)),
            None,
            None,
        ),
        figure(
            format!("final view of a schedule over {} days", oncall::DAYS),
            Unit::AtMost(10.0),
            Some(millis(on_call.view)),
            None,
            None,
        ),
    ]
}

/// Incidents, and what is found of them.
pub(super) fn incidents(incidents: &incidents::Times) -> Vec<Figure> {
    vec![
        figure(
            "incidents declared".into(),
            Unit::AtLeast(1_000.0),
            Some(incidents.declared_per_second),
            None,
            None,
        ),
        figure(
            format!(
                "status of an incident, {} incidents open and {} alerts firing, p99",
                incidents::OPEN,
                incidents::ALERTS
            ),
            Unit::AtMost(50.0),
            Some(millis(incidents.moved)),
            None,
            None,
        ),
        figure(
            format!("page of an incident with {} alerts, p99", incidents::ALERTS),
            Unit::AtMost(200.0),
            Some(millis(incidents.page)),
            None,
            None,
        ),
        figure(
            format!("list of incidents, {} of them, p99", incidents::PAST),
            Unit::AtMost(100.0),
            Some(millis(incidents.list)),
            None,
            None,
        ),
        figure(
            "the same by service, status and title, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.filtered)),
            None,
            None,
        ),
        figure(
            format!(
                "search of the knowledge base, {} rows of timelines, p99",
                incidents::PAST * incidents::ROWS
            ),
            Unit::AtMost(100.0),
            Some(millis(incidents.search)),
            None,
            None,
        ),
        figure(
            "the same for two words, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.narrow)),
            None,
            None,
        ),
        figure(
            "similar incidents, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.similar)),
            None,
            None,
        ),
    ]
}

/// Messages that are written.
pub(super) fn messages((rendered, rendered_p99): (Duration, Duration)) -> Vec<Figure> {
    vec![
        figure(
            format!("default Slack message of {} alerts, p50", render::ALERTS),
            Unit::AtMost(2.0),
            Some(millis(rendered)),
            None,
            None,
        ),
        figure(
            format!("default Slack message of {} alerts, p99", render::ALERTS),
            Unit::Milliseconds,
            Some(millis(rendered_p99)),
            None,
            None,
        ),
    ]
}
