//! What happened: the summary, the harm, the phases, how it was noticed and what was done.

use compact_str::CompactString;

use super::super::Source;
use super::facts::{Facts, Words, count, listed, said, span, time};
use crate::event::Event;
use crate::incident::{Fact, MetricName, Status};

/// How many similar incidents a summary names.
const MAX_NAMED_SIMILAR: usize = 3;

pub(super) fn summary(facts: &Facts) -> Words {
    let mut words = Words::default();
    let it = &facts.incident;
    let opened = facts.rows(|it| matches!(it, Fact::Opened { .. })).next();
    let opened = opened.map_or_else(|| Source::field("title"), |row| Source::entry(row.seq));
    let (severity, word) = (it.severity, it.severity.word());
    let detected = time(it.record.detected_at());
    let mut text =
        format!("{}: {severity} ({word}), detected at {detected}", said_inner(&it.title));
    let mut sources = vec![opened, Source::field("severity")];
    if let (Some(mttr), Some(row)) =
        (facts.metric(MetricName::Mttr), facts.row_to(Status::Resolved))
    {
        text.push_str(&format!(" and resolved after {}", span(mttr)));
        sources.extend([Source::entry(row.seq), Source::metric("mttr")]);
    }
    words.say(format!("{text}."), sources);
    let services = facts.services();
    if !services.is_empty() {
        let alerts = facts.alerts.iter().filter(|it| !it.service.is_empty());
        let sources = alerts.map(|it| Source::alert(it.number)).take(10);
        let own = (!it.service.is_empty()).then(|| Source::field("service"));
        let plural = if services.len() == 1 { "service" } else { "services" };
        words.say(
            format!("It concerned the {plural} {}.", listed(&services)),
            own.into_iter().chain(sources),
        );
    }
    if let Some((row, note)) = facts.note_of(Status::Resolved) {
        let code = it.record.cycle().resolution.map_or("resolved", |code| code.as_str());
        words.say(format!("It ended as {code}: {}", said(note)), [Source::entry(row.seq)]);
    }
    let cycles = it.record.cycles();
    if cycles.len() > 1 {
        let rows = facts.rows(
            |it| matches!(it, Fact::Moved { from, to, .. } if !from.is_active() && to.is_active()),
        );
        let times = count(cycles.len() - 1, "time");
        words.say(
            format!("It came back {times} after it was said to be over."),
            rows.map(|it| Source::entry(it.seq)),
        );
    }
    for like in facts.similar.iter().take(MAX_NAMED_SIMILAR) {
        let other = &like.candidate;
        let day = other.detected_at.strftime("%Y-%m-%d");
        // What was said at its end is not copied: it may have to be blacked out there one day.
        let is_end = |reason: &&String| reason.starts_with("ended as ");
        let code = other.resolution.map(|code| format!("ended as {code}"));
        let why = like.reasons.iter().filter(|it| !is_end(it)).cloned().chain(code);
        let why = why.collect::<Vec<_>>().join("; ");
        let text = format!(
            "Seen before: incident {} of {day}, {} ({why}).",
            other.number,
            said_inner(&other.title)
        );
        words.say(text, [Source::incident(other.number)]);
    }
    words
}

pub(super) fn impact(facts: &Facts) -> Words {
    let mut words = Words::default();
    let it = &facts.incident;
    let evidence = &it.evidence;
    let field = || [Source::field("evidence")];
    if let Some(percent) = evidence.users_percent {
        words.say(format!("{percent:.1} % of users were concerned."), field());
    }
    if let Some(rate) = evidence.error_rate {
        words.say(format!("{:.1} % of requests failed.", rate * 100.0), field());
    }
    if let Some(factor) = evidence.latency_factor {
        words.say(format!("Answers took {factor:.1} times as long as usual."), field());
    }
    let harm = &it.impact;
    let of_impact = || [Source::field("impact")];
    if let Some(users) = harm.users {
        words.say(format!("About {users} users were concerned, as was estimated."), of_impact());
    }
    if !harm.regions.is_empty() {
        let regions: Vec<&str> = harm.regions.iter().map(CompactString::as_str).collect();
        words.say(format!("Regions concerned: {}.", said_inner(&regions.join(", "))), of_impact());
    }
    if let Some(revenue) = harm.revenue_text() {
        words.say(format!("It cost about {revenue}, as was estimated."), of_impact());
    }
    match harm.sla_breach {
        Some(true) => words.say("What customers were promised was broken.", of_impact()),
        Some(false) => words.say("What customers were promised was kept.", of_impact()),
        None => {}
    }
    if let Some(told) = harm.customer_notifications {
        let told = usize::try_from(told).unwrap_or(usize::MAX);
        words.say(format!("Customers were sent {}.", count(told, "message")), of_impact());
    }
    match facts.metric(MetricName::ImpactDuration) {
        Some(seconds) => words.say(
            format!("Users were harmed for {}.", span(seconds)),
            [Source::metric("impact_duration"), Source::field("impact_started_at")],
        ),
        None => {
            if let Some(seconds) = facts.metric(MetricName::ActiveTime) {
                let text = format!(
                    "How long users were harmed is not recorded; the incident was open for {}.",
                    span(seconds)
                );
                words.say(text, [Source::metric("active_time")]);
            }
        }
    }
    if facts.alerts_total > 0 {
        let verb = if facts.alerts_total == 1 { "belongs" } else { "belong" };
        let rows = facts.rows(|it| matches!(it, Fact::AlertsJoined { .. }));
        let text = format!("{} {verb} to it.", count(facts.alerts_total, "alert"));
        words.say(text, rows.map(|it| Source::entry(it.seq)).take(10));
    }
    words
}

pub(super) fn phases(facts: &Facts) -> Words {
    let mut words = Words::default();
    let it = &facts.incident;
    let first = facts.first();
    let onset = facts.onset();
    let after = |at: jiff::Timestamp| span(at.duration_since(onset).as_secs().max(0));
    if onset < it.record.detected_at() {
        let source = match (facts.first_alert(), it.measure.impact_started_at) {
            (_, Some(at)) if at == onset => Source::field("impact_started_at"),
            (Some(alert), _) => Source::alert(alert.number),
            _ => Source::field("detected_at"),
        };
        words.say(format!("{}: it begins.", time(onset)), [source]);
    }
    let named = [
        ("detected", Some(it.record.detected_at()), "detected_at"),
        ("acknowledged", first.acknowledged_at, "mtta"),
        ("the cause is known", first.identified_at, "mtti"),
        ("mitigated", first.mitigated_at.filter(|_| !first.is_mitigation_assumed), "mttm"),
        ("resolved", first.resolved_at, "time_to_first_resolve"),
    ];
    for (what, at, name) in named {
        let Some(at) = at else { continue };
        let source = if name == "detected_at" { Source::field(name) } else { Source::metric(name) };
        words.say(format!("{}: {what}, {} after it began.", time(at), after(at)), [source]);
    }
    for cycle in it.record.cycles().iter().skip(1) {
        let source = Source::field("cycles");
        let end =
            cycle.resolved_at.map_or_else(String::new, |at| format!(", resolved at {}", time(at)));
        words.say(format!("{}: it comes back{end}.", time(cycle.opened_at)), [source]);
    }
    words
}

pub(super) fn detection(facts: &Facts) -> Words {
    let mut words = Words::default();
    let opened = facts.rows(|it| matches!(it, Fact::Opened { .. })).next();
    if let Some(row) = opened {
        let alert = facts.first_alert();
        let text = match (row.by.is_person(), alert) {
            (true, _) => format!("{} noticed it; no alert had told of it.", row.by.name),
            (false, Some(alert)) => {
                format!(
                    "The alert {} told of it; it fired at {}.",
                    alert.name,
                    time(alert.starts_at)
                )
            }
            (false, None) => "An alert told of it.".to_owned(),
        };
        let alert = alert.filter(|_| !row.by.is_person()).map(|it| Source::alert(it.number));
        words.say(text, std::iter::once(Source::entry(row.seq)).chain(alert));
    }
    match facts.metric(MetricName::Mttd) {
        Some(seconds) => words.say(
            format!("It took {} from the beginning of the harm to its detection.", span(seconds)),
            [Source::metric("mttd"), Source::field("impact_started_at")],
        ),
        None => words.say(
            "When harm began is not recorded, so the time to detect is unknown.",
            [Source::field("impact_started_at")],
        ),
    }
    words
}

pub(super) fn response(facts: &Facts) -> Words {
    let mut words = Words::default();
    let targets = &facts.targets;
    let is_sent = |it: &&crate::event::Recorded| matches!(it.event, Event::PageSent { .. });
    let sent: Vec<_> = facts.events.iter().filter(is_sent).collect();
    if !sent.is_empty() {
        let steps: std::collections::BTreeSet<_> = facts.steps().map(|(_, _, step)| step).collect();
        let text = format!(
            "{} went out in {} of escalation.",
            count(sent.len(), "message"),
            count(steps.len(), "step")
        );
        let reached = facts.steps().map(|(event, ..)| Source::event(event.sequence));
        let sent = sent.iter().map(|it| Source::event(it.sequence));
        words.say(text, reached.chain(sent).take(20));
    }
    let taken = facts
        .rows(|it| matches!(it, Fact::Moved { from: Status::Detected, to, .. } if to.is_active()))
        .next();
    match (taken, facts.metric(MetricName::Mtta)) {
        (Some(row), Some(seconds)) => {
            let target = targets.acknowledge_minutes;
            let text = format!(
                "{} took it after {} (the target is {target} minutes).",
                row.by.name,
                span(seconds)
            );
            words.say(text, [Source::entry(row.seq), Source::metric("mtta")]);
        }
        _ => words.say("Nobody took it.", [Source::metric("mtta")]),
    }
    for (status, what) in [
        (Status::Investigating, "The search began"),
        (Status::Identified, "The cause was known"),
        (Status::Mitigating, "Something was done against it"),
        (Status::Monitoring, "What was done was watched"),
        (Status::Resolved, "It was resolved"),
    ] {
        let Some(row) = facts.row_to(status) else { continue };
        let note = match facts.note_of(status) {
            Some((_, note)) => format!(": {}", said(note)),
            None => ".".to_owned(),
        };
        let text = format!("{what} at {}, by {}{note}", time(row.occurred_at), row.by.name);
        words.say(text, [Source::entry(row.seq)]);
    }
    words
}

/// Returns a title as part of a sentence.
fn said_inner(title: &str) -> String {
    said(title).trim_end_matches('.').to_owned()
}
