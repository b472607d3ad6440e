//! What went well and what could be better, by rules, and what follows from that.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::super::{Recommendation, Sentence, Source};
use super::factors;
use super::facts::{Facts, Words, count, listed, span};
use crate::action::{ActionCategory, ActionPriority};
use crate::event::Event;
use crate::incident::{Fact, MetricName, Mode, ResolutionCode, Status};

/// More hands than this lose time.
const MAX_ASSIGNMENTS: usize = 3;

/// More alerts than this about one problem are noise.
const MANY_ALERTS: usize = 20;

/// Later than this is late to notice harm.
const LATE_DETECTION_SECONDS: i64 = 15 * 60;

/// A change so soon before it began is likely to have a part in it.
const SOON_AFTER_A_CHANGE: SignedDuration = SignedDuration::from_hours(1);

/// What the rules say.
pub(super) struct Review<'a> {
    facts: &'a Facts,
    pub(super) well: Words,
    pub(super) badly: Words,
    pub(super) recommendations: Vec<Recommendation>,
}

pub(super) fn review(facts: &Facts) -> Review<'_> {
    let mut review = Review {
        facts,
        well: Words::default(),
        badly: Words::default(),
        recommendations: Vec::new(),
    };
    review.noticing();
    review.answering();
    review.paging();
    review.runbooks();
    review.repairing();
    review.noise();
    review.changes();
    review.repeating();
    review
}

impl Review<'_> {
    /// Says what could be better, and what to do about it.
    fn improve(
        &mut self,
        rule: &str,
        text: String,
        sources: Vec<Source>,
        (title, category): (String, ActionCategory),
        is_urgent: bool,
    ) {
        if sources.is_empty() {
            return;
        }
        let priority = ActionPriority::of(self.facts.incident.severity);
        self.recommendations.push(Recommendation {
            rule: rule.into(),
            title,
            why: Sentence { text: text.clone(), sources: sources.clone() },
            category,
            priority: if is_urgent { priority.raised() } else { priority },
        });
        self.badly.say(text, sources);
    }

    fn noticing(&mut self) {
        let facts = self.facts;
        if facts.incident.mode == Mode::Backfilled {
            return;
        }
        let Some(opened) = facts.rows(|it| matches!(it, Fact::Opened { .. })).next() else {
            return;
        };
        let about = about(facts);
        if opened.by.is_person() {
            let text = format!("{} noticed it before any alert did.", opened.by.name);
            let to_do =
                (format!("Add an alert that notices this{about}"), ActionCategory::Monitoring);
            self.improve("missing_alert", text, vec![Source::entry(opened.seq)], to_do, false);
        } else if !facts.alerts.is_empty() || facts.alerts_total > 0 {
            self.well.say("An alert noticed it.", [Source::entry(opened.seq)]);
        }
        let Some(late) = facts.metric(MetricName::Mttd).filter(|it| *it > LATE_DETECTION_SECONDS)
        else {
            return;
        };
        let text = format!("Harm was done for {} before anything noticed it.", span(late));
        let to_do = (format!("Notice this sooner{about}"), ActionCategory::Monitoring);
        self.improve("late_detection", text, vec![Source::metric("mttd")], to_do, false);
    }

    fn answering(&mut self) {
        let facts = self.facts;
        let minutes = facts.targets.acknowledge_minutes;
        let target = i64::from(minutes) * 60;
        let taken = facts.rows(
            |it| matches!(it, Fact::Moved { from: Status::Detected, to, .. } if to.is_active()),
        );
        let rows: Vec<Source> = taken.map(|it| Source::entry(it.seq)).take(1).collect();
        match facts.metric(MetricName::Mtta) {
            Some(seconds) if seconds <= target => {
                let text = format!(
                    "It was taken within {}; the target is {minutes} minutes.",
                    span(seconds)
                );
                self.well.say(text, rows.into_iter().chain([Source::metric("mtta")]));
            }
            Some(seconds) => {
                let late = span(seconds - target);
                let text = format!(
                    "It was taken {late} later than the target of {minutes} minutes asks for."
                );
                let sources = rows.into_iter().chain([Source::metric("mtta")]).collect();
                let title = "Review who is paged first, and how long each step waits".to_owned();
                self.improve(
                    "late_acknowledgement",
                    text,
                    sources,
                    (title, ActionCategory::Process),
                    false,
                );
            }
            None => {
                let text = "Nobody took it.".to_owned();
                let title = "Find out whom this should have reached".to_owned();
                self.improve(
                    "not_acknowledged",
                    text,
                    vec![Source::metric("mtta")],
                    (title, ActionCategory::Process),
                    false,
                );
            }
        }
        let assigned: Vec<Source> = facts
            .rows(|it| matches!(it, Fact::Assigned { to: Some(_), .. }))
            .map(|it| Source::entry(it.seq))
            .collect();
        if assigned.len() > MAX_ASSIGNMENTS {
            let text = format!("It changed hands {}.", count(assigned.len(), "time"));
            let title = format!("Say which team owns this{}", about(facts));
            self.improve("many_hands", text, assigned, (title, ActionCategory::Process), false);
        }
    }

    fn paging(&mut self) {
        let facts = self.facts;
        let steps: BTreeSet<(u32, usize)> =
            facts.steps().map(|(_, round, step)| (round, step)).collect();
        let reached: Vec<Source> =
            facts.steps().map(|(it, ..)| Source::event(it.sequence)).collect();
        let unanswered: Vec<Source> = facts
            .events
            .iter()
            .filter(|it| matches!(it.event, Event::EscalationUnanswered { .. }))
            .map(|it| Source::event(it.sequence))
            .collect();
        if !unanswered.is_empty() {
            let text = "Nobody answered to any step of the escalation.".to_owned();
            let title =
                "Let somebody be reachable at every hour: mend the escalation policy".to_owned();
            self.improve("unanswered", text, unanswered, (title, ActionCategory::Process), true);
        } else if steps.len() > 1 {
            let text = format!(
                "It took {} of escalation until somebody answered.",
                count(steps.len(), "step")
            );
            let title = "Review the first step of the escalation policy".to_owned();
            self.improve("many_steps", text, reached, (title, ActionCategory::Process), false);
        } else if steps.len() == 1 && facts.metric(MetricName::Mtta).is_some() {
            self.well.say("Whoever was paged first answered.", reached);
        }
        let lost: Vec<Source> = facts
            .events
            .iter()
            .filter(|it| {
                matches!(
                    &it.event,
                    Event::PageAttemptFailed { retry_at: None, .. } | Event::PageFellBack { .. }
                )
            })
            .map(|it| Source::event(it.sequence))
            .take(20)
            .collect();
        if !lost.is_empty() {
            let text = format!("{} did not get through.", count(lost.len(), "message"));
            let title = "Test the contact methods of everybody on call".to_owned();
            self.improve("lost_pages", text, lost, (title, ActionCategory::Tooling), true);
        }
    }

    fn runbooks(&mut self) {
        let facts = self.facts;
        let (with, without): (Vec<_>, Vec<_>) =
            facts.alerts.iter().partition(|alert| alert.runbook.is_some());
        if let Some(alert) = with.first() {
            let text = format!("The alert {} names a runbook.", alert.name);
            self.well.say(text, [Source::alert(alert.number)]);
        } else if let Some(first) = without.first() {
            let names: BTreeSet<&str> = without.iter().map(|it| it.name.as_str()).collect();
            let some: Vec<&str> = names.iter().copied().take(3).collect();
            let text = format!("No alert says what to do ({}).", listed(&some));
            let sources = without.iter().map(|it| Source::alert(it.number)).take(10).collect();
            let title = format!("Write a runbook for {}", first.name);
            self.improve(
                "no_runbook",
                text,
                sources,
                (title, ActionCategory::Documentation),
                false,
            );
        }
    }

    fn repairing(&mut self) {
        let facts = self.facts;
        let targets = &facts.targets;
        if let (Some(minutes), Some(took)) =
            (targets.resolve_minutes, facts.metric(MetricName::ActiveTime))
        {
            let target = i64::from(minutes) * 60;
            let sources = vec![Source::metric("active_time"), Source::field("severity")];
            if took <= target {
                let text =
                    format!("It was over within {}; the target is {minutes} minutes.", span(took));
                self.well.say(text, sources);
            } else {
                let text = format!(
                    "It took {} longer than the target of {minutes} minutes.",
                    span(took - target)
                );
                let title = format!("Make this quicker to repair{}", about(facts));
                self.improve(
                    "late_resolution",
                    text,
                    sources,
                    (title, ActionCategory::Tooling),
                    false,
                );
            }
        }
        let back: Vec<Source> = facts
            .rows(|it| matches!(it, Fact::Moved { from, to, .. } if !from.is_active() && to.is_active()))
            .map(|it| Source::entry(it.seq))
            .collect();
        if !back.is_empty() {
            let text =
                format!("It came back {} after it was said to be over.", count(back.len(), "time"));
            let title =
                "Find out why the first repair did not hold, and how that could be seen".to_owned();
            self.improve("came_back", text, back, (title, ActionCategory::Tooling), false);
        }
        let end = facts.incident.record.cycle();
        if end.resolution == Some(ResolutionCode::SelfRecovered)
            && let Some(row) = facts.row_to(Status::Resolved)
        {
            let text = "It went away by itself, so its cause is still there.".to_owned();
            let title = "Find out why it went away, and what brings it back".to_owned();
            self.improve(
                "self_recovered",
                text,
                vec![Source::entry(row.seq)],
                (title, ActionCategory::Tooling),
                false,
            );
        }
        self.updates();
    }

    /// Long silences while it was open.
    fn updates(&mut self) {
        let facts = self.facts;
        let every = i64::from(facts.targets.update_minutes) * 60;
        let Some(end) = facts.first().resolved_at else { return };
        let mut last = (facts.incident.record.detected_at(), None);
        let mut longest = (0, None);
        let said = facts.entries.iter().filter(|it| it.by.is_person() && it.occurred_at <= end);
        for entry in said {
            let gap = entry.occurred_at.duration_since(last.0).as_secs();
            if gap > longest.0 {
                longest = (gap, Some(entry.seq));
            }
            last = (entry.occurred_at.max(last.0), Some(entry.seq));
        }
        if let (gap, Some(seq)) = longest
            && gap > 2 * every
        {
            let text = format!(
                "For {} nobody wrote down what was going on; the cadence is {} minutes.",
                span(gap),
                every / 60
            );
            let title = "Agree on who writes updates while others repair".to_owned();
            let sources = vec![Source::entry(seq)];
            self.improve("no_updates", text, sources, (title, ActionCategory::Process), false);
        }
    }

    fn noise(&mut self) {
        let total = self.facts.alerts_total;
        if total <= MANY_ALERTS {
            return;
        }
        let text = format!("{} told of one problem.", count(total, "alert"));
        let rows = self.facts.rows(|it| matches!(it, Fact::AlertsJoined { .. }));
        let sources = rows.map(|it| Source::entry(it.seq)).take(10).collect();
        let title = "Inhibit or group the alerts that follow from this one".to_owned();
        self.improve("noise", text, sources, (title, ActionCategory::Monitoring), false);
    }

    fn changes(&mut self) {
        let facts = self.facts;
        let soon: Vec<Source> = factors::changes(facts)
            .iter()
            .filter(|(_, change)| {
                facts.onset().duration_since(change.occurred_at) <= SOON_AFTER_A_CHANGE
            })
            .map(|(recorded, _)| Source::event(recorded.sequence))
            .collect();
        if soon.is_empty() {
            return;
        }
        let text = format!("It began within an hour of {}.", count(soon.len(), "change"));
        let title = format!(
            "Check a change{} before it reaches everybody, and undo it by itself",
            about(facts)
        );
        self.improve("after_change", text, soon, (title, ActionCategory::Tooling), false);
    }

    fn repeating(&mut self) {
        let facts = self.facts;
        if !facts.open_actions.is_empty() {
            let ids: Vec<String> = facts.open_actions.iter().map(|it| it.id.to_string()).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).take(5).collect();
            let text = format!(
                "What was promised after earlier incidents was not done yet: {}.",
                listed(&ids)
            );
            let sources =
                facts.open_actions.iter().map(|it| Source::action(it.id)).take(5).collect();
            let title = format!("Raise the priority of {}", listed(&ids));
            self.improve("open_actions", text, sources, (title, ActionCategory::Process), true);
        } else if !facts.similar.is_empty() {
            let text = format!("{} like it came before.", count(facts.similar.len(), "incident"));
            let sources =
                facts.similar.iter().map(|it| Source::incident(it.candidate.number)).collect();
            let title = "Mend the cause that these incidents have in common".to_owned();
            self.improve("seen_before", text, sources, (title, ActionCategory::Tooling), false);
        }
    }
}

/// Returns ` of SERVICE` where the service is known.
fn about(facts: &Facts) -> String {
    match facts.services().first() {
        Some(service) => format!(" of {service}"),
        None => String::new(),
    }
}
