//! Tasks of incidents, and what has to be done before one is closed.

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::{check_title, impossible};
use crate::identity::Handle;
use crate::incident::{
    Author, Fact, IncidentNumber, IncidentRejection, MAX_TASKS, Task, TaskDraft, TaskEdit,
    TaskStatus, TaskStep,
};
use crate::text::one_line;

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Does something about tasks; returns whether that changed anything.
    pub(super) fn task_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: TaskStep,
    ) -> Changed {
        match step {
            TaskStep::Add(draft) => self.add_task(now, number, by, draft),
            TaskStep::Change { task, edit } => self.change_task(now, number, by, task, edit),
        }
    }

    fn add_task(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        draft: TaskDraft,
    ) -> Changed {
        check_title(&draft.title)?;
        if let Some(person) = &draft.assignee {
            self.check_person(person)?;
            self.check_circle(number, person)?;
        }
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let tasks = &mut held.incident.tasks;
        if tasks.len() >= MAX_TASKS {
            return Err(impossible(format!("it has {MAX_TASKS} tasks already")));
        }
        let task = tasks.last().map_or(1, |it| it.number + 1);
        let title = one_line(&draft.title);
        tasks.push(Task {
            number: task,
            title: title.clone(),
            assignee: draft.assignee.clone(),
            due_at: draft.due_at,
            priority: draft.priority,
            status: TaskStatus::Open,
            is_blocking: draft.is_blocking,
            by: by.name.clone(),
            created_at: now,
            ended_at: None,
        });
        let (assignee, due_at) = (draft.assignee, draft.due_at);
        let fact = Fact::TaskAdded { task, title, assignee: assignee.clone(), due_at };
        self.tell_incident(now, number, by, now, fact);
        self.tell_assignee(now, number, by, task, assignee);
        Ok(true)
    }

    fn change_task(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        task: u32,
        edit: TaskEdit,
    ) -> Changed {
        if let Some(title) = &edit.title {
            check_title(title)?;
        }
        if let Some(Some(person)) = &edit.assignee {
            self.check_person(person)?;
            self.check_circle(number, person)?;
        }
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let Some(known) = held.incident.tasks.iter_mut().find(|it| it.number == task) else {
            return Err(IncidentRejection::UnknownPart { what: "task", number: task });
        };
        let before = known.clone();
        if let Some(title) = edit.title {
            known.title = one_line(&title);
        }
        known.assignee = edit.assignee.unwrap_or_else(|| known.assignee.clone());
        known.due_at = edit.due_at.or(known.due_at);
        known.priority = edit.priority.unwrap_or(known.priority);
        known.is_blocking = edit.is_blocking.unwrap_or(known.is_blocking);
        if let Some(status) = edit.status.filter(|it| *it != known.status) {
            known.status = status;
            known.ended_at = status.is_over().then_some(now);
        }
        if *known == before {
            return Ok(false);
        }
        let known = known.clone();
        let changes = differences(&before, &known);
        let assignee = known.assignee.clone().filter(|_| known.assignee != before.assignee);
        let fact = Fact::TaskChanged { task, title: known.title, changes };
        self.tell_incident(now, number, by, now, fact);
        self.tell_assignee(now, number, by, task, assignee);
        Ok(true)
    }

    fn tell_assignee(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        task: u32,
        assignee: Option<Handle>,
    ) {
        let Some(person) = assignee else { return };
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.incident.participants.insert(person.clone());
        let Some(known) = held.incident.tasks.iter().find(|it| it.number == task) else { return };
        if person.as_str() == by.name {
            return;
        }
        let due = known.due_at.map(|at| format!(", due {at:.0}")).unwrap_or_default();
        let line = format!("Task {task} is yours, says {}: {}{due}.", by.name, known.title);
        self.notify(now, number, &person, &[line]);
    }

    /// Returns what has to be done before an incident is closed.
    pub(super) fn missing_to_close(&self, number: IncidentNumber) -> Vec<String> {
        let Some(incident) = self.incident(number) else { return Vec::new() };
        let duties = &self.policy.incidents.close_requires;
        duties.iter().filter_map(|duty| duty.missing(incident, &self.policy.incidents)).collect()
    }

    /// What a leaver was to do gets their successor, or nobody.
    pub(super) fn pass_tasks_on(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        leaver: &Handle,
        successor: Option<&Handle>,
    ) {
        let theirs: Vec<u32> = self
            .incident(number)
            .into_iter()
            .flat_map(|it| &it.tasks)
            .filter(|it| it.assignee.as_ref() == Some(leaver) && !it.status.is_over())
            .map(|it| it.number)
            .collect();
        let successor = successor.cloned();
        for task in theirs {
            let edit = TaskEdit { assignee: Some(successor.clone()), ..TaskEdit::default() };
            // Whoever stands in is there, so nothing can be refused.
            let _ = self.change_task(now, number, &Author::system(), task, edit);
        }
    }
}

fn differences(before: &Task, after: &Task) -> String {
    let mut list = Vec::new();
    if before.status != after.status {
        list.push(after.status.as_str().replace('_', " "));
    }
    if before.title != after.title {
        list.push(format!("was called {}", before.title));
    }
    if before.assignee != after.assignee {
        let to = after.assignee.as_ref().map_or("nobody", Handle::as_str);
        list.push(format!("is for {to}"));
    }
    if before.due_at != after.due_at
        && let Some(due_at) = after.due_at
    {
        list.push(format!("due {due_at:.0}"));
    }
    if before.priority != after.priority {
        list.push(after.priority.to_string());
    }
    if before.is_blocking != after.is_blocking {
        list.push(if after.is_blocking { "blocks" } else { "blocks no more" }.to_owned());
    }
    list.join(", ")
}
