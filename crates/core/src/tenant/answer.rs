//! What people answer to pages.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::acknowledge::Word;
use super::escalate::acknowledged_until;
use super::{Tenant, later};
use crate::command::Rejection;
use crate::escalation::{AckMode, End, EscalationRun, Next, RunState};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::Author;
use crate::labels::Fingerprint;
use crate::paging::{
    Action, Answer, AnswerRejection, Answered, Answerer, Channel, Spoken, parse_words,
};

/// The shortest and the longest snooze.
const MIN_SNOOZE: SignedDuration = SignedDuration::from_mins(1);
const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Words that stop messages to a number, as carriers know them.
const STOP_WORDS: [&str; 6] = ["stop", "stopall", "unsubscribe", "cancel", "end", "quit"];

/// Words that let them come again.
const START_WORDS: [&str; 3] = ["start", "yes", "unstop"];

impl Tenant {
    /// Carries out what somebody answered to a page.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        answer: &Answer,
    ) -> Result<Answered, Rejection> {
        let Answer { run: number, by, action, comment, via, asked_at } = answer;
        if let Answerer::Person(handle) = by
            && !self.directory.person(handle.as_str()).is_some_and(|it| it.is_active)
        {
            return Err(AnswerRejection::Stranger { who: handle.to_string() }.into());
        }
        let Some(run) = self.escalations.runs.get(number) else {
            return Err(AnswerRejection::UnknownRun { run: *number }.into());
        };
        if let RunState::Ended { at, .. } = &run.state {
            return Err(AnswerRejection::Over { title: run.title.clone(), at: *at }.into());
        }
        if let (Some(asked_at), Some(reopened_at)) = (asked_at, run.reopened_at)
            && *asked_at < reopened_at
        {
            return Err(AnswerRejection::Stale { asked_at: *asked_at }.into());
        }
        // One page moves an escalation by one step, however often its button arrives.
        if *action == Action::Escalate
            && let Some(asked_at) = asked_at
            && run.reached.last().is_some_and(|reached| reached.at > *asked_at)
        {
            return Err(AnswerRejection::Stale { asked_at: *asked_at }.into());
        }
        let title = run.title.clone();
        let text = match action {
            Action::Acknowledge => self.acknowledge_run(now, *number, by, comment),
            Action::Unacknowledge => {
                if run.state == RunState::Open {
                    let text = standing(run, by);
                    return Ok(Answered { text, has_changed: false });
                }
                // What they say comes first, what follows from it after.
                self.record_answer(now, *number, by, *action, via, comment);
                self.give_back_run(now, *number, by);
                return Ok(Answered { text: format!("given back: {title}"), has_changed: true });
            }
            Action::Escalate => self.escalate_by_hand(now, *number, by)?,
            Action::Resolve => {
                self.acknowledge_alerts_of(now, *number, by.name(), "said to be resolved", None);
                let why = End::Resolved { by: by.name().to_owned() };
                self.record_answer(now, *number, by, *action, via, comment);
                self.end_run(now, *number, why);
                self.incident_resolved_by_answer(
                    now,
                    *number,
                    &Author::person(by.name(), via),
                    comment,
                );
                return Ok(Answered { text: format!("resolved: {title}"), has_changed: true });
            }
            Action::Snooze { span } => {
                if *span < MIN_SNOOZE || *span > MAX_SNOOZE {
                    return Err(AnswerRejection::SnoozeSpan.into());
                }
                self.snooze_run(now, *number, by, *span)
            }
        };
        let Some(text) = text else {
            let run = self.escalations.runs.get(number);
            let text = run.map(|run| standing(run, by)).unwrap_or_default();
            return Ok(Answered { text, has_changed: false });
        };
        self.record_answer(now, *number, by, *action, via, comment);
        if matches!(action, Action::Acknowledge | Action::Snooze { .. }) {
            self.announce(now, *number, Some(by.name()));
        }
        self.incident_follows_run(now, *number, &Author::person(by.name(), via), comment);
        self.advance_run(now, *number);
        Ok(Answered { text: format!("{text}: {title}"), has_changed: true })
    }

    pub(super) fn record_answer(
        &mut self,
        now: Timestamp,
        run: RunNumber,
        by: &Answerer,
        action: Action,
        via: &str,
        comment: &str,
    ) {
        let event = Event::EscalationAnswered {
            run,
            by: by.name().to_owned(),
            action: action.as_str().into(),
            via: via.to_owned(),
            comment: comment.to_owned(),
            until: match action {
                Action::Acknowledge | Action::Snooze { .. } => {
                    self.escalations.runs.get(&run).and_then(EscalationRun::taken_until)
                }
                _ => None,
            },
            still_asked: match action {
                Action::Acknowledge => self.still_asked(run),
                _ => Vec::new(),
            },
        };
        self.record(now, event);
    }

    /// Returns who has not acknowledged yet although everybody has to.
    fn still_asked(&self, run: RunNumber) -> Vec<Handle> {
        let run = self.escalations.runs.get(&run).filter(|run| run.state == RunState::Open);
        let asked = run.into_iter().flat_map(|run| &run.people);
        let asked = asked.filter(|(_, paged)| paged.acknowledged_at.is_none());
        asked.map(|(person, _)| person.clone()).collect()
    }

    /// Returns what happened; `None` when they had it already.
    pub(super) fn acknowledge_run(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        by: &Answerer,
        comment: &str,
    ) -> Option<String> {
        let run = self.escalations.runs.get_mut(&number)?;
        if matches!(&run.state, RunState::Acknowledged { by: known, .. } if known == by.name()) {
            return None;
        }
        let until = acknowledged_until(run, now);
        let taken = RunState::Acknowledged { by: by.name().to_owned(), at: now, until };
        let person = match by {
            Answerer::Person(handle) => Some(handle.clone()),
            Answerer::Outsider(_) => None,
        };
        let waits_for_all = run.policy.acknowledgement == AckMode::All;
        let paged = person.clone().filter(|it| run.people.contains_key(it));
        if waits_for_all && let Some(person) = paged {
            let paged = run.people.get_mut(&person)?;
            if paged.acknowledged_at.is_some() {
                return None;
            }
            paged.acknowledged_at = Some(now);
            // Nobody else is drawn in from here on, but those who were are not spared.
            run.spare(Some(&person));
            self.recorder.runs.insert(number);
            let left: Vec<String> = run
                .people
                .iter()
                .filter(|(_, paged)| paged.acknowledged_at.is_none())
                .map(|(person, _)| person.to_string())
                .collect();
            if !left.is_empty() {
                return Some(format!("acknowledged, {} still asked for", left.join(", ")));
            }
        } else if let Some(paged) = person.and_then(|person| run.people.get_mut(&person)) {
            paged.acknowledged_at = Some(now);
        }
        run.state = taken;
        run.still_since = None;
        run.spare(None);
        self.recorder.runs.insert(number);
        self.acknowledge_alerts_of(now, number, by.name(), comment, until);
        Some("acknowledged".to_owned())
    }

    /// Whoever works on the escalation works on its alerts.
    fn acknowledge_alerts_of(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        by: &str,
        comment: &str,
        until: Option<Timestamp>,
    ) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let firing: Vec<Fingerprint> = run
            .alerts
            .iter()
            .copied()
            .filter(|fp| self.alerts.get(fp).is_some_and(|alert| !alert.is_resolved))
            .take(crate::acknowledgement::MAX_ALERTS)
            .collect();
        if !firing.is_empty() {
            let word = Word::new(by.to_owned(), comment.to_owned());
            // They fire and the end lies ahead, so nothing can be refused.
            let _ = self.acknowledge(now, firing, &word, until);
        }
    }

    pub(super) fn give_back_run(&mut self, now: Timestamp, number: RunNumber, by: &Answerer) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let alerts: Vec<Fingerprint> = run.alerts.iter().copied().collect();
        self.reopen_run(now, number, format!("{} gave it back", by.name()), false);
        let word = Word::new(by.name().to_owned(), "given back".to_owned());
        // Alerts that nobody had acknowledged need not be given back.
        let _ = self.unacknowledge(now, &alerts, &word);
    }

    fn escalate_by_hand(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        by: &Answerer,
    ) -> Result<Option<String>, Rejection> {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return Ok(None) };
        if run.policy.steps.is_empty() {
            let policy = run.policy.name.to_string();
            return Err(AnswerRejection::NoFurtherStep { policy }.into());
        }
        let following = match run.next {
            Some(next) => next.step,
            // After the last one comes the first again.
            None => (run.current_step() + 1) % run.policy.steps.len(),
        };
        let mut given_back = Vec::new();
        if run.state != RunState::Open {
            given_back.extend(run.alerts.iter().copied());
            run.state = RunState::Open;
            run.reopened_at = Some(now);
            for paged in run.people.values_mut() {
                paged.acknowledged_at = None;
                paged.used.clear();
            }
        }
        run.still_since = None;
        run.unanswered_at = None;
        run.next = Some(Next { step: following, due_at: now });
        self.recorder.runs.insert(number);
        if !given_back.is_empty() {
            self.incident_given_back(now, number, &Author::person(by.name(), ""), "escalated");
            // Who asks for others does not work on it alone any more.
            let word = Word::new(by.name().to_owned(), "escalated".to_owned());
            let _ = self.unacknowledge(now, &given_back, &word);
        }
        Ok(Some(format!("escalated to step {}", following + 1)))
    }

    fn snooze_run(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        by: &Answerer,
        span: SignedDuration,
    ) -> Option<String> {
        let run = self.escalations.runs.get_mut(&number)?;
        let until = later(now, span);
        run.state = RunState::Snoozed { by: by.name().to_owned(), at: now, until };
        run.still_since = None;
        run.spare(None);
        self.recorder.runs.insert(number);
        Some(format!("snoozed until {until:.0}"))
    }

    /// Alerts were acknowledged, or are no longer: their escalations follow.
    pub(super) fn runs_follow(&mut self, now: Timestamp, alerts: &[Fingerprint], by: &str) {
        let runs: std::collections::BTreeSet<RunNumber> = alerts
            .iter()
            .filter_map(|fp| self.escalations.by_alert.get(fp))
            .flatten()
            .copied()
            .collect();
        for number in runs {
            let Some(run) = self.escalations.runs.get(&number) else { continue };
            let mut firing =
                run.alerts.iter().filter_map(|fp| self.alerts.get(fp)).filter(|it| !it.is_resolved);
            let is_taken = firing.clone().next().is_some()
                && firing.all(|alert| alert.acknowledgement.is_some());
            match (&run.state, is_taken) {
                (RunState::Open | RunState::Snoozed { .. }, true) => {
                    let Some(run) = self.escalations.runs.get_mut(&number) else { continue };
                    let until = acknowledged_until(run, now);
                    run.state = RunState::Acknowledged { by: by.to_owned(), at: now, until };
                    run.still_since = None;
                    run.spare(None);
                    self.recorder.runs.insert(number);
                    let answerer = Answerer::Outsider(by.to_owned());
                    self.record_answer(now, number, &answerer, Action::Acknowledge, "alerts", "");
                    self.announce(now, number, Some(by));
                    self.incident_follows_run(now, number, &Author::person(by, "alerts"), "");
                    self.advance_run(now, number);
                }
                (RunState::Acknowledged { .. }, false) => {
                    let why = format!("its alerts are no longer acknowledged: {by}");
                    self.reopen_run(now, number, why, false);
                }
                _ => {}
            }
        }
    }

    /// Carries out a text message, or keys that were pressed.
    pub(super) fn spoken(
        &mut self,
        now: Timestamp,
        spoken: &Spoken,
    ) -> Result<Answered, Rejection> {
        let Spoken { channel, address, text } = spoken;
        let silence = Answered { text: String::new(), has_changed: false };
        // Strangers get no answer: it would cost money and tell them that somebody is here.
        let Some(person) = self.person_at(*channel, address) else { return Ok(silence) };
        let word = text.trim().to_ascii_lowercase();
        if STOP_WORDS.contains(&word.as_str()) || START_WORDS.contains(&word.as_str()) {
            let is_stopped = STOP_WORDS.contains(&word.as_str());
            let has_changed = self.set_stopped(now, &person, *channel, address, is_stopped);
            let text = if is_stopped {
                "You will get no more messages here. Answer START to get them again."
            } else {
                "Messages will come here again. Answer STOP to end them."
            };
            return Ok(Answered { text: text.to_owned(), has_changed });
        }
        let Some(words) = parse_words(text) else {
            let text = "Answer with the number of the alert and a letter: 1a acknowledges, \
                        1e escalates, 1c closes. STOP ends all messages.";
            return Ok(Answered { text: text.to_owned(), has_changed: false });
        };
        let meant: Vec<RunNumber> = match (words.is_all, words.code) {
            (true, _) => {
                self.escalations.by_person.get(&person).into_iter().flatten().copied().collect()
            }
            (false, Some(code)) => self.run_by_code(&person, code).into_iter().collect(),
            (false, None) => self.latest_run_of(&person).into_iter().collect(),
        };
        if meant.is_empty() {
            let text = match words.code {
                Some(code) => format!("There is no alert {code} for you."),
                None => "There is no alert for you.".to_owned(),
            };
            return Ok(Answered { text, has_changed: false });
        }
        let mut said = Vec::new();
        let mut has_changed = false;
        for run in meant {
            let answer = Answer {
                run,
                by: Answerer::Person(person.clone()),
                action: words.action,
                comment: String::new(),
                via: channel.as_str().to_owned(),
                asked_at: None,
            };
            match self.answer(now, &answer) {
                Ok(answered) => {
                    has_changed |= answered.has_changed;
                    said.push(answered.text);
                }
                Err(rejection) => said.push(rejection.to_string()),
            }
        }
        let count = said.len();
        let mut text = said.into_iter().take(3).collect::<Vec<_>>().join("\n");
        if count > 3 {
            text.push_str(&format!("\nand {} more", count - 3));
        }
        Ok(Answered { text, has_changed })
    }

    /// Returns whose address it is. A number is one person's for calls and for text messages.
    pub fn person_at(&self, channel: Channel, address: &str) -> Option<Handle> {
        let is_phone = |it: Channel| matches!(it, Channel::Sms | Channel::Voice);
        let same_kind = |it: Channel| it == channel || is_phone(it) && is_phone(channel);
        let mut having =
            self.directory.people().filter(|person| person.is_active).filter(|person| {
                let contacts = self.contacts_of(&person.handle);
                contacts.methods.iter().any(|method| {
                    same_kind(method.channel)
                        && method.address.eq_ignore_ascii_case(address)
                        && (method.is_usable() || method.is_stopped)
                })
            });
        let first = having.next()?;
        // An address that two people share names neither.
        having.next().is_none().then(|| first.handle.clone())
    }

    fn run_by_code(&self, person: &Handle, code: u32) -> Option<RunNumber> {
        let has_code =
            |run: &&EscalationRun| run.people.get(person).is_some_and(|paged| paged.code == code);
        let open = self.escalations.by_person.get(person).into_iter().flatten();
        let open = open.filter_map(|number| self.escalations.runs.get(number)).find(has_code);
        // One that is over lately is meant rather than none, so that the answer can say so.
        let ended = || {
            let ended = self.escalations.ended.iter().rev();
            ended.filter_map(|(_, number)| self.escalations.runs.get(number)).find(has_code)
        };
        open.or_else(ended).map(|run| run.number)
    }

    fn latest_run_of(&self, person: &Handle) -> Option<RunNumber> {
        let open = self.escalations.by_person.get(person)?;
        open.iter()
            .filter_map(|number| {
                let run = self.escalations.runs.get(number)?;
                Some((run.people.get(person)?.since, *number))
            })
            .max()
            .map(|(_, number)| number)
    }
}

/// Says in one sentence how an escalation stands.
fn standing(run: &EscalationRun, answerer: &Answerer) -> String {
    if let Answerer::Person(person) = answerer
        && run.state == RunState::Open
        && run.people.get(person).is_some_and(|paged| paged.acknowledged_at.is_some())
    {
        return format!("nothing changed, you have acknowledged it already: {}", run.title);
    }
    let (word, by) = run.state.word();
    let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
    format!("nothing changed, it is {} already{by}: {}", word.as_str(), run.title)
}

impl From<AnswerRejection> for Rejection {
    fn from(rejection: AnswerRejection) -> Self {
        Self::Answer(Arc::new(rejection))
    }
}
