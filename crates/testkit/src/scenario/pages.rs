//! Pages and escalations, as short sentences.

use tocsin_core::escalation::{End, EscalationRun, RunState};
use tocsin_core::event::Event;
use tocsin_core::paging::{Content, Page, PageItem, Recipient, StateWord};
use tocsin_core::tenant::EscalationState;

use super::sentences::Teller;

impl Teller<'_> {
    pub(super) fn paged(&self, page: &Page, is_again: bool) -> String {
        let mut notes = Vec::new();
        if page.attempts > 1 {
            notes.push(format!("attempt {}", page.attempts));
        }
        if is_again {
            notes.push("again with the same key".to_owned());
        }
        let notes =
            if notes.is_empty() { String::new() } else { format!(" [{}]", notes.join(", ")) };
        let whom = whom(&page.recipient);
        let text = match &page.content {
            Content::Page { items } => {
                let items: Vec<String> = items.iter().map(item).collect();
                let verb = if page.recipient.person().is_some() { "page" } else { "tell" };
                format!("{verb} {whom}: {}", items.join("; "))
            }
            Content::Update { item } => format!("update {whom}: {}", standing(item)),
            Content::Verification { code } => format!("code {code} to {whom}"),
            Content::Test => format!("test to {whom}"),
            Content::Handoff { text, open, .. } if open.is_empty() => {
                format!("handoff to {whom}: {text}")
            }
            Content::Handoff { text, open, .. } => {
                format!("handoff to {whom}: {text} Open: {}", open.join("; "))
            }
            Content::Notice { incident, lines, .. } => {
                format!("notice {whom}: INC-{incident} {}", lines.join(" "))
            }
        };
        format!("{text}{notes}")
    }

    /// Says what happened with an escalation or a page; `None` when it is something else.
    pub(super) fn about_paging(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::EscalationStarted { run, severity, title, why, .. } => {
                format!("escalation {run} begins: {title} ({severity}; {why})")
            }
            Event::EscalationJoined { run, alerts } => {
                let alerts: Vec<String> = alerts.iter().map(|it| self.names.alert(*it)).collect();
                format!("escalation {run} is also about {}", alerts.join(", "))
            }
            Event::EscalationWorsened { run, from, to } => {
                format!("escalation {run} goes from {from} to {to}")
            }
            Event::StepReached { .. } => self.step(event)?,
            Event::EscalationStandsStill { run, why } => {
                format!("escalation {run} stands still: {}", self.names.put_into(why))
            }
            Event::EscalationWentOn { run, stood_since } => {
                let since = self.time(*stood_since);
                format!("escalation {run} goes on, it stood still since {since}")
            }
            Event::EscalationAnswered { run, by, action, via, comment, .. } => {
                let what = match action.as_str() {
                    "acknowledge" => "acknowledged",
                    "unacknowledge" => "given back",
                    "escalate" => "escalated",
                    "resolve" => "resolved",
                    "snooze" => "snoozed",
                    other => other,
                };
                let comment =
                    if comment.is_empty() { String::new() } else { format!(" {comment:?}") };
                format!("escalation {run} {what} by {by} ({via}){comment}")
            }
            Event::EscalationReopened { run, step, why } => {
                format!("escalation {run} goes on with step {step}: {why}")
            }
            Event::EscalationUnanswered { run, told, .. } => {
                let told = told.as_ref().map_or("nobody else is there".to_owned(), |(who, why)| {
                    format!("{who} is told ({why})")
                });
                format!("escalation {run}: nobody answered to any step, {told}")
            }
            Event::StepMissed { run, step, due_at, .. } => {
                format!("escalation {run}: step {step} of {} is missing", self.time(*due_at))
            }
            Event::EscalationEnded { run, why } => {
                let why = match why {
                    End::AlertsResolved => "its alerts are over".to_owned(),
                    End::Resolved { by } => format!("resolved by {by}"),
                    End::Orphaned => "nothing pages for it any more".to_owned(),
                };
                format!("escalation {run} ended: {why}")
            }
            Event::PageHeld { recipient, until, why, .. } => {
                format!("not paged: {} until {}, {why}", whom(recipient), self.time(*until))
            }
            Event::PageAttemptFailed { recipient, attempt, failure, retry_at, .. } => {
                let next = match retry_at {
                    Some(at) => format!("next at {}", self.time(*at)),
                    None => "given up".to_owned(),
                };
                let (whom, message) = (whom(recipient), &failure.message);
                format!("{whom}: attempt {attempt} failed ({message}), {next}")
            }
            Event::PageDropped { recipient, why, .. } => {
                format!("not sent: {}, {why}", whom(recipient))
            }
            Event::PageFellBack { recipient, why, .. } => {
                format!("{} instead: {why}", whom(recipient))
            }
            Event::PageConfirmed { recipient, state, detail, .. } => {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                format!("{}: {}{detail}", whom(recipient), state.as_str())
            }
            Event::ChannelDown { channel, until } => {
                format!("channel {channel} is left alone until {}", self.time(*until))
            }
            Event::ContactStopped { person, channel, is_stopped } => {
                let what = if *is_stopped { "wants no more" } else { "wants again" };
                format!("{person} {what} messages by {channel}")
            }
            Event::HeartbeatMissed { name, heard_at } => {
                let last = heard_at.map_or("never heard".to_owned(), |at| {
                    format!("heard last at {}", self.time(at))
                });
                format!("heartbeat {name} missed, {last}")
            }
            Event::HeartbeatHeard { name, missed_since } => {
                format!("heartbeat {name} heard, missed since {}", self.time(*missed_since))
            }
            _ => return None,
        })
    }

    fn step(&self, event: &Event) -> Option<String> {
        let Event::StepReached {
            run, round, step, level, people, places, left_out, skipped, ..
        } = event
        else {
            return None;
        };
        let mut text = format!("escalation {run} step {step}");
        if !level.is_empty() {
            text.push_str(&format!(" {level}"));
        }
        if *round > 1 {
            text.push_str(&format!(" of round {round}"));
        }
        if !skipped.is_empty() {
            text.push_str(&format!(" finds nobody: {skipped}"));
            return Some(text);
        }
        let people: Vec<&str> = people.iter().map(|(person, _)| person.as_str()).collect();
        if !people.is_empty() {
            text.push_str(&format!(" pages {}", people.join(", ")));
        }
        if !places.is_empty() {
            text.push_str(&format!(" tells {}", places.join(", ")));
        }
        if !left_out.is_empty() {
            text.push_str(&format!("; without {}", left_out.join("; ")));
        }
        Some(text)
    }

    pub(super) fn escalation_lines(&self, state: &EscalationState) -> Vec<String> {
        state.runs.iter().map(|run| self.run_line(run)).collect()
    }

    fn run_line(&self, run: &EscalationRun) -> String {
        let (word, by) = run.state.word();
        let mut line = format!("escalation {} {}", run.number, word.as_str());
        if !by.is_empty() {
            line.push_str(&format!(" by {by}"));
        }
        match &run.state {
            RunState::Acknowledged { until: Some(until), .. } | RunState::Snoozed { until, .. } => {
                line.push_str(&format!(" until {}", self.time(*until)));
            }
            _ => {}
        }
        line.push_str(&format!(": {} ({})", run.title, run.severity));
        if let Some(since) = run.still_since {
            line.push_str(&format!(", stands still since {}", self.time(since)));
        }
        if let Some(next) = run.next.filter(|_| run.is_open()) {
            line.push_str(&format!(", step {} due {}", next.step + 1, self.time(next.due_at)));
        }
        for (person, paged) in &run.people {
            line.push_str(&format!(", {person} is {}", paged.code));
            if paged.acknowledged_at.is_some() {
                line.push_str(" and acknowledged");
            }
        }
        for planned in &run.planned {
            let (person, method) = (&planned.person, &planned.method);
            line.push_str(&format!(", {person} by {method} at {}", self.time(planned.at)));
        }
        for waiting in &run.waiting {
            line.push_str(&format!(", {} waits", whom(&waiting.recipient)));
        }
        line
    }
}

fn whom(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Person { person, method } => format!("{person} by {method}"),
        Recipient::Place { name } => name.to_string(),
    }
}

fn item(item: &PageItem) -> String {
    let code = if item.code == 0 { String::new() } else { format!("{} ", item.code) };
    let (step, steps) = item.step;
    let why = if item.why.is_empty() { String::new() } else { format!(": {}", item.why) };
    format!("{code}{} ({}, step {step}/{steps}{why})", item.title, item.severity)
}

fn standing(item: &PageItem) -> String {
    let mut text = item.state.as_str().to_owned();
    if item.state == StateWord::Open {
        text.push_str(" again");
    }
    if !item.by.is_empty() {
        text.push_str(&format!(" by {}", item.by));
    }
    format!("{text}: {}", item.title)
}
