//! People are reminded of what they promised: all of it in one message, at most once a day.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Tenant, later};
use crate::action::{ActionId, ActionItem, ActionPriority, ActionStatus};
use crate::identity::Handle;
use crate::incident::Mode;
use crate::paging::Urgency;

/// How long before it is due somebody hears of it first.
const AHEAD: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How often somebody hears of what is overdue.
const AGAIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How often of what was to be done at once, and how often anybody hears anything at most.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How often somebody is reminded until their manager hears it, too.
const REMINDED_ALONE: u32 = 2;

/// How many items one message names; the others are counted.
pub(super) const MAX_NAMED: usize = 10;

impl Tenant {
    /// Reminds everybody who has something to do soon, or should have done it.
    pub(super) fn remind_of_actions(&mut self, now: Timestamp) {
        let settings = &self.policy.incidents;
        if !settings.remind || !settings.automation.tracks_actions {
            return;
        }
        let mut owned: BTreeMap<Handle, Vec<&ActionItem>> = BTreeMap::new();
        for item in self.actions().filter(|it| is_soon(it, now)) {
            if let Some(owner) = &item.owner
                && self.may_hear_of(item, owner)
            {
                owned.entry(owner.clone()).or_default().push(item);
            }
        }
        owned.retain(|_, items| {
            let last = items.iter().filter_map(|it| it.reminded_at).max();
            let is_quiet = last.is_none_or(|at| now >= later(at, DAY));
            is_quiet && items.iter().any(|it| wants_reminder(it, now))
        });
        let owned: Vec<(Handle, Vec<ActionItem>)> = owned
            .into_iter()
            .map(|(owner, items)| {
                let mut items: Vec<ActionItem> = items.into_iter().cloned().collect();
                items.sort_by_key(ActionItem::order);
                (owner, items)
            })
            .collect();
        for (owner, items) in owned {
            self.remind_owner(now, &owner, &items);
        }
    }

    /// Returns whether somebody may hear of an action item: not whoever may not know of its
    /// incident, and nobody of what was only tried out. While it is open, memory holds that.
    fn may_hear_of(&self, item: &ActionItem, person: &Handle) -> bool {
        let incident = self.incident(item.id.incident);
        incident.is_some_and(|it| it.mode != Mode::Test && self.may_know(it, person))
    }

    fn remind_owner(&mut self, now: Timestamp, owner: &Handle, items: &[ActionItem]) {
        self.remind_person(now, owner, None, items);
        let is_ignored =
            items.iter().any(|it| it.is_overdue(now) && it.reminders >= REMINDED_ALONE);
        if is_ignored && let Some(manager) = self.substitute_of(owner) {
            let items: Vec<ActionItem> =
                items.iter().filter(|it| self.may_hear_of(it, &manager)).cloned().collect();
            self.remind_person(now, &manager, Some(owner), &items);
        }
        for item in items {
            self.note_reminded(now, item.id);
        }
    }

    /// Reminds somebody of what they promised, or of what somebody else did.
    fn remind_person(
        &mut self,
        now: Timestamp,
        person: &Handle,
        of: Option<&Handle>,
        items: &[ActionItem],
    ) {
        let Some(first) = items.first() else { return };
        let mut lines: Vec<String> =
            items.iter().take(MAX_NAMED).map(|it| line_of(it, now)).collect();
        if items.len() > MAX_NAMED {
            lines.push(format!("and {} more", items.len() - MAX_NAMED));
        }
        let overdue = items.iter().filter(|it| it.is_overdue(now)).count();
        let title = match (items.len(), overdue) {
            (1, 0) => "An action item is due soon".to_owned(),
            (1, _) => "An action item is overdue".to_owned(),
            (all, 0) => format!("{all} action items are due soon"),
            (all, late) => format!("{all} action items wait, {late} of them overdue"),
        };
        let title = match of {
            Some(owner) => format!("{owner}: {title}"),
            None => title,
        };
        self.tell_person(now, first.id.incident, person, title, Urgency::Low, &lines);
    }

    /// That somebody was reminded is no change of what they have to do.
    fn note_reminded(&mut self, now: Timestamp, id: ActionId) {
        let Some(item) = self.lessons.actions.get_mut(&id) else { return };
        item.reminded_at = Some(now);
        item.reminders += 1;
        let item = item.clone();
        self.recorder.lessons.actions.retain(|written| written.id != id);
        self.recorder.lessons.actions.push(item);
    }
}

/// Returns whether it is due soon or overdue. What was put off is only asked for when its new date
/// is over.
fn is_soon(item: &ActionItem, now: Timestamp) -> bool {
    match item.status {
        ActionStatus::Open | ActionStatus::InProgress => now >= ahead_of(item),
        ActionStatus::Deferred => now >= item.due_at,
        ActionStatus::Completed => false,
    }
}

fn ahead_of(item: &ActionItem) -> Timestamp {
    item.due_at.checked_sub(AHEAD).unwrap_or(Timestamp::MIN)
}

/// Returns whether its owner has not heard of it in this stage: three days before, on the day, then
/// every week, or every day of what was to be done at once.
fn wants_reminder(item: &ActionItem, now: Timestamp) -> bool {
    let Some(last) = item.reminded_at else { return true };
    if now < item.due_at {
        return last < ahead_of(item);
    }
    let again = if item.priority == ActionPriority::P0 { DAY } else { AGAIN };
    last < item.due_at || now >= later(last, again)
}

fn line_of(item: &ActionItem, now: Timestamp) -> String {
    let due = item.due_at.strftime("%Y-%m-%d");
    let (id, priority, title) = (item.id, item.priority, &item.title);
    let word = if item.is_overdue(now) { "was due" } else { "is due" };
    let recurred = match item.recurred.len() {
        0 => String::new(),
        1 => "; the problem has come back since".to_owned(),
        times => format!("; the problem has come back {times} times since"),
    };
    format!("{id} ({priority}) {word} {due}: {title}{recurred}")
}
