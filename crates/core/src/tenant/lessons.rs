//! What is learned: postmortems that begin when an incident ends, and what incidents have in
//! common.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use crate::action::{ActionId, ActionItem};
use crate::identity::Handle;
use crate::incident::{Author, Fact, Incident, IncidentNumber, Mode, ResolutionCode, Role};
use crate::knowledge::{Article, ArticleNumber, MAX_TRAITS};
use crate::labels::{ALERTNAME, Fingerprint};
use crate::lesson::{LessonRows, Runbook};
use crate::postmortem::{Postmortem, PostmortemState, due_at};

/// How long what changed stays in memory, so that no command about it carries what is older. It is
/// far longer than a request may take.
const LINGER: SignedDuration = SignedDuration::from_mins(15);

/// The most action items that are still to be done.
pub(super) const MAX_OPEN_ACTIONS: usize = 20_000;

/// The most characters of an address of a runbook; a longer one is not kept.
const MAX_RUNBOOK_CHARS: usize = 2_000;

/// The most characters of what an alert says of itself beside its runbook.
const MAX_RUNBOOK_TEXT_CHARS: usize = 1_000;

/// Labels that differ between incidents about the same, or have traits of their own.
const NO_TRAITS: [&str; 4] = [ALERTNAME, "service", "severity", "instance"];

/// What is learned, as far as it is open or changed lately.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    pub(super) postmortems: BTreeMap<IncidentNumber, Postmortem>,
    pub(super) actions: BTreeMap<ActionId, ActionItem>,
    pub(super) articles: BTreeMap<ArticleNumber, Article>,
    /// The highest number of an action item of each incident that has any.
    pub(super) action_numbers: BTreeMap<IncidentNumber, u32>,
    pub(super) highest_article: ArticleNumber,
    /// When somebody commented on a postmortem last, which is no change of its words.
    pub(super) commented: BTreeMap<IncidentNumber, Timestamp>,
}

impl Tenant {
    /// Returns a postmortem that is open or changed lately.
    pub fn postmortem(&self, incident: IncidentNumber) -> Option<&Postmortem> {
        self.lessons.postmortems.get(&incident)
    }

    /// Returns the postmortems that are open or changed lately, by incident.
    pub fn postmortems(&self) -> impl Iterator<Item = &Postmortem> {
        self.lessons.postmortems.values()
    }

    /// Returns an action item that is still to be done or changed lately.
    pub fn action(&self, id: ActionId) -> Option<&ActionItem> {
        self.lessons.actions.get(&id)
    }

    /// Returns an article that changed lately.
    pub fn article(&self, number: ArticleNumber) -> Option<&Article> {
        self.lessons.articles.get(&number)
    }

    /// Returns the action items that are still to be done or changed lately, by name.
    pub fn actions(&self) -> impl Iterator<Item = &ActionItem> {
        self.lessons.actions.values()
    }

    /// Returns the incidents from which something is still to be learned: a postmortem is open, or
    /// what was promised.
    pub(super) fn learned_from(&self) -> BTreeSet<IncidentNumber> {
        let postmortems = self.postmortems().filter(|it| it.state.is_open());
        let actions = self.actions().filter(|it| it.status.is_open());
        postmortems.map(|it| it.incident).chain(actions.map(|it| it.id.incident)).collect()
    }

    /// Returns the incidents whose postmortems wait for a draft.
    pub fn postmortems_to_draft(&self) -> Vec<IncidentNumber> {
        if !self.policy.incidents.automation.drafts_postmortems {
            return Vec::new();
        }
        let waits = |it: &&Postmortem| it.drafted_at.is_none() && it.state.is_editable();
        let waiting = self.postmortems().filter(waits).map(|it| it.incident);
        // Asked for again when memory had forgotten what was settled.
        let is_forgotten = |it: &&Incident| {
            it.postmortem.is_some_and(PostmortemState::is_open)
                && !self.postmortem(it.number).is_some_and(|known| known.state.is_open())
        };
        let forgotten = self.incidents().filter(is_forgotten).map(|it| it.number);
        waiting.chain(forgotten).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// An incident is over: if it asks for a postmortem, one begins.
    pub(super) fn incident_is_over(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(incident) = self.incident(number).filter(|it| is_reviewed(it)) else { return };
        let resolved_at = incident.record.cycle().resolved_at.unwrap_or(now);
        let due_at = due_at(self.policy.incidents.targets(incident.severity), resolved_at);
        let is_required = self.policy.incidents.requires_postmortem(incident.severity);
        match incident.postmortem {
            None if is_required && self.policy.incidents.automation.begins_postmortems => {
                self.begin_postmortem(now, number, &Author::system(), Some(due_at));
            }
            None => {}
            // It came back and ended again: there is more to tell, and time for it.
            Some(state) if state.is_open() => {
                let Some(mut it) = self.postmortem(number).cloned() else { return };
                it.is_required |= is_required;
                it.due_at = Some(due_at).filter(|_| it.is_required);
                it.drafted_at = None;
                self.write_postmortem(now, it, "tocsin");
            }
            Some(_) if is_required => self.ask_again(now, number, due_at),
            Some(_) => {}
        }
    }

    /// It came back after all had been said about it, and ended again: its postmortem goes on as a
    /// draft. Where memory has forgotten that, whoever drafts it brings it along.
    fn ask_again(&mut self, now: Timestamp, number: IncidentNumber, due_at: Timestamp) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.incident.postmortem = Some(PostmortemState::Draft);
        if let Some(mut it) = self.postmortem(number).cloned() {
            reopen(&mut it, due_at);
            self.write_postmortem(now, it, "tocsin");
        }
        let note = format!("it came back; due at {due_at:.0}");
        let fact = Fact::Postmortem { state: PostmortemState::Draft, note };
        self.tell_incident(now, number, &Author::system(), now, fact);
    }

    /// Takes up a settled postmortem that is asked for again.
    pub(super) fn take_up_again(&self, it: &mut Postmortem) {
        let Some(incident) = self.incident(it.incident) else { return };
        if incident.postmortem.is_some_and(PostmortemState::is_open) && !it.state.is_open() {
            let resolved_at = incident.record.cycle().resolved_at.unwrap_or(it.changed_at);
            reopen(it, due_at(self.policy.incidents.targets(incident.severity), resolved_at));
        }
    }

    /// It turns out to have been worse than it was held to be, after its end: that may ask for a
    /// postmortem, from now on.
    pub(super) fn was_worse(&mut self, now: Timestamp, number: IncidentNumber) {
        let is_over = |it: &&Incident| !it.is_active() && is_reviewed(it);
        let Some(incident) = self.incident(number).filter(is_over) else { return };
        if !self.policy.incidents.requires_postmortem(incident.severity) {
            return;
        }
        let due_at = due_at(self.policy.incidents.targets(incident.severity), now);
        match self.postmortem(number).cloned() {
            Some(mut it) if it.state.is_open() && !it.is_required => {
                (it.is_required, it.due_at) = (true, Some(due_at));
                self.write_postmortem(now, it, "tocsin");
            }
            _ if incident.postmortem.is_none()
                && self.policy.incidents.automation.begins_postmortems =>
            {
                self.begin_postmortem(now, number, &Author::system(), Some(due_at));
            }
            _ => {}
        }
    }

    /// What a draft may have quoted must not be read any more: it is drafted again.
    pub(super) fn draft_anew(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(it) = self.postmortem(number) else { return };
        if it.state.is_editable() && it.drafted_at.is_some() {
            let it = Postmortem { drafted_at: None, ..it.clone() };
            self.write_postmortem(now, it, "tocsin");
        }
    }

    /// Begins the postmortem of an incident that has none.
    pub(super) fn begin_postmortem(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        due_at: Option<Timestamp>,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.incident.postmortem = Some(PostmortemState::Draft);
        let title = held.incident.title.clone();
        let commander = held.incident.crew.holders(Role::IncidentCommander).next();
        let owner = held.incident.owner.as_ref().or(commander).cloned();
        let note = due_at.map(|at| format!("due at {at:.0}")).unwrap_or_default();
        let postmortem = Postmortem {
            incident: number,
            version: 0,
            state: PostmortemState::Draft,
            title,
            is_required: due_at.is_some(),
            due_at,
            created_at: now,
            created_by: by.clone(),
            changed_at: now,
            changed_by: by.name.clone(),
            owner: owner.clone(),
            review_at: None,
            published_at: None,
            waived_because: None,
            drafted_at: None,
            drafted_from: 0,
            sections: BTreeMap::new(),
            recommendations: Vec::new(),
            tags: BTreeSet::new(),
            comments: 0,
            frozen: None,
        };
        self.write_postmortem(now, postmortem, &by.name);
        let line = match due_at {
            Some(at) => format!("Its postmortem has begun and is yours, due at {at:.0}."),
            None => "Its postmortem has begun and is yours.".to_owned(),
        };
        let fact = Fact::Postmortem { state: PostmortemState::Draft, note };
        self.tell_incident(now, number, by, now, fact);
        let owner: BTreeSet<Handle> =
            owner.filter(|it| it.as_str() != by.name).into_iter().collect();
        self.notify_later(now, number, &owner, &[line]);
    }

    /// Writes the next version of a postmortem.
    pub(super) fn write_postmortem(&mut self, now: Timestamp, mut it: Postmortem, by: &str) {
        it.version += 1;
        it.changed_at = now;
        by.clone_into(&mut it.changed_by);
        self.recorder.lessons.postmortems.push(it.clone());
        self.lessons.postmortems.insert(it.incident, it);
    }

    /// Writes an action item; within one turn the last word counts.
    pub(super) fn write_action(&mut self, now: Timestamp, mut it: ActionItem, by: &str) {
        it.version += 1;
        it.changed_at = now;
        by.clone_into(&mut it.changed_by);
        self.recorder.lessons.actions.retain(|written| written.id != it.id);
        self.recorder.lessons.actions.push(it.clone());
        self.lessons.actions.insert(it.id, it);
    }

    /// Notes what an incident has in common with others, from the alerts that joined it.
    pub(super) fn note_traits(&mut self, number: IncidentNumber, new: &[Fingerprint]) {
        let mut traits = BTreeSet::new();
        let mut runbooks = BTreeSet::new();
        for fingerprint in new {
            let Some(alert) = self.alerts.get(fingerprint) else { continue };
            let labels = &alert.identity.labels;
            traits.extend(labels.get(ALERTNAME).map(|name| format!("alert:{name}")));
            traits.extend(labels.get("service").map(|name| format!("service:{name}")));
            let others = labels.iter().filter(|(name, _)| !NO_TRAITS.contains(name));
            traits.extend(others.map(|(name, value)| format!("label:{name}={value}")));
            let annotations = &alert.description.annotations;
            if let Some(url) = annotations.get("runbook_url").or_else(|| annotations.get("runbook"))
                && url.chars().count() <= MAX_RUNBOOK_CHARS
            {
                let text = annotations.get("summary").or_else(|| annotations.get("description"));
                let text = text.unwrap_or_default().chars().take(MAX_RUNBOOK_TEXT_CHARS);
                runbooks.insert(Runbook {
                    url: url.to_owned(),
                    alert: labels.value(ALERTNAME).to_owned(),
                    text: text.collect(),
                });
            }
        }
        self.add_traits(number, traits);
        let known = &self.recorder.lessons.runbooks;
        let new: Vec<_> =
            runbooks.into_iter().map(|it| (number, it)).filter(|it| !known.contains(it)).collect();
        self.recorder.lessons.runbooks.extend(new);
    }

    /// Adds traits that an incident does not have yet, as long as there is room.
    pub(super) fn add_traits(
        &mut self,
        number: IncidentNumber,
        traits: impl IntoIterator<Item = String>,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        for it in traits {
            if held.incident.traits.len() >= MAX_TRAITS {
                return;
            }
            if held.incident.traits.insert(it.clone()) {
                self.recorder.incidents.insert(number);
                self.recorder.lessons.traits.push((number, it));
            }
        }
    }

    pub(super) fn restore_lessons(&mut self, rows: LessonRows) {
        self.lessons = Lessons {
            postmortems: rows.postmortems.into_iter().map(|it| (it.incident, it)).collect(),
            actions: rows.actions.into_iter().map(|it| (it.id, it)).collect(),
            articles: BTreeMap::new(),
            action_numbers: rows.action_numbers.into_iter().collect(),
            highest_article: rows.article,
            commented: BTreeMap::new(),
        };
    }

    /// Forgets what is settled and changed some time ago; the store keeps it.
    pub(super) fn sweep_lessons(&mut self, now: Timestamp) {
        let since = now.checked_sub(LINGER).unwrap_or(Timestamp::MIN);
        self.lessons.commented.retain(|_, at| *at > since);
        let commented = &self.lessons.commented;
        self.lessons.postmortems.retain(|number, it| {
            it.state.is_open() || it.changed_at > since || commented.contains_key(number)
        });
        self.lessons.actions.retain(|_, it| it.status.is_open() || it.changed_at > since);
        self.lessons.articles.retain(|_, it| it.changed_at > since);
        self.pass_lessons_of_leavers(now);
        self.remind_of_actions(now);
    }

    /// What a leaver had to write or to do gets whoever takes over, or nobody.
    pub(super) fn pass_lessons_of_leavers(&mut self, now: Timestamp) {
        let has_left = |tenant: &Self, owner: &Option<Handle>| {
            let person = owner.as_ref().map(|it| tenant.directory.person(it.as_str()));
            person.is_some_and(|person| !person.is_some_and(|it| it.is_active))
        };
        let postmortems: Vec<Postmortem> = self
            .postmortems()
            .filter(|it| it.state.is_open() && has_left(self, &it.owner))
            .cloned()
            .collect();
        for mut it in postmortems {
            let Some(leaver) = it.owner.take() else { continue };
            it.owner = self.heir_of_lesson(it.incident, &leaver);
            let (number, owner) = (it.incident, it.owner.iter().cloned().collect());
            self.write_postmortem(now, it, "tocsin");
            let line = format!("Its postmortem is yours now: {leaver} has left.");
            self.notify_later(now, number, &owner, &[line]);
        }
        let actions: Vec<ActionItem> = self
            .actions()
            .filter(|it| it.status.is_open() && has_left(self, &it.owner))
            .cloned()
            .collect();
        for mut it in actions {
            let Some(leaver) = it.owner.take() else { continue };
            it.owner = self.heir_of_lesson(it.id.incident, &leaver);
            let (id, owner) = (it.id, it.owner.iter().cloned().collect());
            let line = format!("{id} is yours now, {leaver} has left: {}", it.title);
            self.write_action(now, it, "tocsin");
            self.notify_later(now, id.incident, &owner, &[line]);
        }
    }

    /// Returns who takes over what somebody was to learn from an incident, however long it is over.
    fn heir_of_lesson(&self, incident: IncidentNumber, leaver: &Handle) -> Option<Handle> {
        match self.incident(incident) {
            // What few may see does not get to others by what is to be written about it.
            Some(known) => {
                let heir = self.heir_of(incident, leaver).filter(|it| self.may_know(known, it));
                heir.or_else(|| known.owner.clone().filter(|it| it != leaver))
            }
            None => self.substitute_of(leaver),
        }
    }
}

/// Returns whether an incident ended in a way from which something is learned.
fn is_reviewed(incident: &Incident) -> bool {
    let is_real = matches!(incident.mode, Mode::Real | Mode::Backfilled);
    is_real && incident.record.cycle().resolution.is_some_and(ResolutionCode::is_reviewed)
}

/// What was settled is open again; the version that was published is kept.
fn reopen(it: &mut Postmortem, due_at: Timestamp) {
    it.state = PostmortemState::Draft;
    (it.is_required, it.due_at) = (true, Some(due_at));
    (it.drafted_at, it.waived_because, it.frozen) = (None, None, None);
}
