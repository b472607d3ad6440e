//! What alerts, pages and changes tell is written into the timeline of their incident.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::acknowledge::Word;
use super::incident_alerts::{MAX_NAMED_ALERTS, alert_name};
use super::{Tenant, later};
use crate::change::Change;
use crate::escalation::PlaceTarget;
use crate::ids::RunNumber;
use crate::incident::{AlertsSaid, Author, Fact, IncidentNumber};
use crate::labels::Fingerprint;
use crate::paging::{Channel, Content, Page, PageState, Recipient};
use crate::rows::MAX_RECENT_CHANGES;

/// How often a row says at most which alerts of an incident fire.
const ALERTS_SAID_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The most rows of one incident that tell of pages, alerts and changes.
const MAX_SIGNALS: u32 = 5_000;

/// The most changes that are noted when an incident begins.
const MAX_CHANGES: usize = 5;

/// The most incidents that one change is noted in.
const MAX_CONCERNED: usize = 20;

impl Tenant {
    /// Writes what an escalation did into the timeline of its incident, if it has one.
    pub(super) fn tell_incident_of(&mut self, now: Timestamp, run: RunNumber, fact: Fact) {
        if let Some(number) = self.incidents.by_run.get(&run).copied() {
            self.tell_signal(now, number, &Author::system(), now, fact);
        }
    }

    /// Writes a row about alerts, pages or changes, as long as there are not too many.
    fn tell_signal(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        occurred_at: Timestamp,
        fact: Fact,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        if held.incident.signals < MAX_SIGNALS {
            held.incident.signals += 1;
            self.tell_incident(now, number, by, occurred_at, fact);
        }
    }

    /// A step asked people, or nobody.
    pub(super) fn tell_asked(
        &mut self,
        now: Timestamp,
        run: RunNumber,
        step: usize,
        (people, places): (&[(crate::identity::Handle, String)], &[PlaceTarget]),
        skipped: &str,
    ) {
        let fact = Fact::Asked {
            step: step + 1,
            people: people.iter().map(|(person, _)| person.clone()).collect(),
            places: places.iter().map(|place| place.name().to_string()).collect(),
            skipped: skipped.to_owned(),
        };
        self.tell_incident_of(now, run, fact);
    }

    /// A page went out, or will not.
    pub(super) fn tell_paged(
        &mut self,
        now: Timestamp,
        page: &Page,
        state: PageState,
        detail: &str,
    ) {
        match &page.content {
            Content::Page { .. } => {
                let runs: Vec<RunNumber> = page.runs().collect();
                self.tell_page_state(now, &runs, (&page.recipient, page.channel), state, detail);
            }
            // That it was told is a row already; that it was not has to be one, too.
            Content::Notice { incident, .. } if state == PageState::Failed => {
                let (to, channel) = (name_of(&page.recipient), page.channel);
                let (detail, is_message) = (detail.to_owned(), true);
                let fact = Fact::Paged { to, channel, state, detail, is_message };
                self.tell_signal(now, *incident, &Author::system(), now, fact);
            }
            _ => {}
        }
    }

    /// Something became of a page.
    pub(super) fn tell_page_state(
        &mut self,
        now: Timestamp,
        runs: &[RunNumber],
        (recipient, channel): (&Recipient, Channel),
        state: PageState,
        detail: &str,
    ) {
        let to = name_of(recipient);
        let told = runs.iter().filter_map(|run| self.incidents.by_run.get(run)).copied();
        let told: std::collections::BTreeSet<IncidentNumber> = told.collect();
        for number in told {
            let (to, detail, is_message) = (to.clone(), detail.to_owned(), false);
            let fact = Fact::Paged { to, channel, state, detail, is_message };
            self.tell_signal(now, number, &Author::system(), now, fact);
        }
    }

    /// Somebody works on single alerts, or no more. That their incident is taken or given back is
    /// told by itself.
    pub(super) fn tell_alerts_taken(
        &mut self,
        now: Timestamp,
        alerts: &[Fingerprint],
        word: &Word,
        taken: bool,
    ) {
        let by = Author::person(&word.by, "alert");
        let mut told: BTreeMap<IncidentNumber, usize> = BTreeMap::new();
        for fingerprint in alerts {
            let Some(number) = self.incidents.by_alert.get(fingerprint).copied() else { continue };
            let count = told.entry(number).or_default();
            *count += 1;
            if *count > MAX_NAMED_ALERTS {
                continue;
            }
            let Some(alert) = self.alerts.get(fingerprint) else { continue };
            let alert = alert_name(&alert.identity.labels);
            let fact = Fact::AlertTaken { alert, taken, note: word.comment.clone() };
            self.tell_signal(now, number, &by, now, fact);
        }
    }

    /// Says which alerts of the incidents fire whose alerts changed in this turn: at once, and
    /// after that every ten minutes at most.
    pub(super) fn say_alerts(&mut self, now: Timestamp) {
        for (number, joined) in std::mem::take(&mut self.incidents.stirred) {
            let Some(held) = self.incidents.held.get_mut(&number) else { continue };
            let (firing, total) = (held.firing, held.alerts.len());
            let said = held.incident.alerts_said;
            if said.is_some_and(|it| it.firing == firing && it.total == total) {
                continue;
            }
            // That some joined, and that nothing fires any more, was said by rows of their own.
            let is_said = joined || firing == 0 || !held.incident.is_active();
            let at = said.and_then(|it| it.at);
            if !is_said && at.is_some_and(|at| later(at, ALERTS_SAID_EVERY) > now) {
                self.set_incident_timer(now, number);
                continue;
            }
            let at = if is_said { at } else { Some(now) };
            held.incident.alerts_said = Some(AlertsSaid { at, firing, total });
            self.recorder.incidents.insert(number);
            if !is_said {
                self.say_which_fire(now, number, firing, total);
            }
            self.set_incident_timer(now, number);
        }
    }

    fn say_which_fire(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        count: usize,
        total: usize,
    ) {
        let Some(held) = self.incidents.held.get(&number) else { return };
        let firing = held.alerts.keys().filter(|fp| self.is_firing(**fp));
        let names = firing.take(MAX_NAMED_ALERTS).filter_map(|fp| self.alerts.get(fp));
        let firing: Vec<String> = names.map(|it| alert_name(&it.identity.labels)).collect();
        let fact = Fact::AlertsChanged { firing, count, total };
        self.tell_signal(now, number, &Author::system(), now, fact);
    }

    /// Returns when it has to be said which alerts of an incident fire; `None` when that is said.
    pub(super) fn alerts_due(&self, number: IncidentNumber) -> Option<Timestamp> {
        let held = self.incidents.held.get(&number).filter(|it| it.incident.is_active())?;
        let said = held.incident.alerts_said?;
        let is_said = said.firing == held.firing && said.total == held.alerts.len();
        let at = said.at.filter(|_| !is_said && held.firing > 0)?;
        Some(later(at, ALERTS_SAID_EVERY))
    }

    /// A change may have to do with what goes on.
    pub(super) fn note_change(&mut self, now: Timestamp, change: &Change) {
        let open = self.incidents().filter(|it| it.is_active() && change.concerns(&it.service));
        let concerned: Vec<IncidentNumber> = open.map(|it| it.number).take(MAX_CONCERNED).collect();
        for number in concerned {
            self.tell_signal(now, number, &told_by(change), change.occurred_at, noted(change));
        }
        if self.changes.len() >= MAX_RECENT_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change.clone());
    }

    /// Notes what was changed before an incident began.
    pub(super) fn note_earlier_changes(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(incident) = self.incident(number) else { return };
        let began = incident.record.detected_at();
        let is_before = |change: &&Change| {
            let before = began.duration_since(change.occurred_at);
            SignedDuration::ZERO <= before && before <= crate::change::WINDOW
        };
        let concerned = self.changes.iter().rev().filter(is_before);
        let concerned = concerned.filter(|it| it.concerns(&incident.service));
        let changes: Vec<Change> = concerned.take(MAX_CHANGES).cloned().collect();
        for change in changes.iter().rev() {
            self.tell_signal(now, number, &told_by(change), change.occurred_at, noted(change));
        }
    }
}

fn name_of(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Person { person, .. } => person.to_string(),
        Recipient::Place { name } => name.to_string(),
    }
}

fn told_by(change: &Change) -> Author {
    Author {
        name: change.integration.clone(),
        kind: crate::incident::AuthorKind::Program,
        via: "change".into(),
    }
}

fn noted(change: &Change) -> Fact {
    let source = Some(&change.source).filter(|it| **it != change.integration);
    let source = source.cloned().unwrap_or_default();
    Fact::ChangeNoted { summary: change.summary.clone(), source }
}
