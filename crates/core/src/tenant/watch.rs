//! What those who watch the engine itself report: a step that is missing, a watcher outside that
//! cannot be told that we are alive.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Tenant, Timer};
use crate::alert::IncomingAlert;
use crate::escalation::MissedStep;
use crate::event::Event;
use crate::ids::RunNumber;
use crate::labels::{ALERTNAME, Labels};
use crate::severity::SEVERITY;

/// The names of the alerts.
const STEP_MISSED: &str = "TocsinStepMissed";
const UNREACHABLE: &str = "TocsinWatcherUnreachable";

impl Tenant {
    /// Steps fell due and the history does not have that they ran: somebody hears of it, and the
    /// escalations are looked at anew, in case it was only their timer that was lost.
    pub(super) fn report_missed(&mut self, now: Timestamp, missed: Vec<(RunNumber, MissedStep)>) {
        for (number, MissedStep { due_at, round, step }) in missed {
            self.record(now, Event::StepMissed { run: number, round, step, due_at });
            let run = self.escalations.runs.get(&number);
            let policy = run.map(|run| Arc::clone(&run.policy.name)).unwrap_or_default();
            let text = format!(
                "step {step} of escalation {number} was due at {due_at:.0} and never ran; \
                 whoever it pages may not know"
            );
            self.own_alert(now, STEP_MISSED, &[("policy", &policy)], &text);
            if let Some(run) = self.escalations.runs.get_mut(&number) {
                if let Some(at) = run.wake_at.take() {
                    self.timers.remove(&(at, Timer::Escalation(number)));
                }
                self.advance_run(now, number);
            }
        }
    }

    /// The watcher outside could be told that we are alive, or could not several times in a row.
    pub(super) fn report_watcher(&mut self, now: Timestamp, failing: Option<(u32, String)>) {
        match failing {
            Some((failures, why)) => {
                let text = format!(
                    "the watcher outside could not be told {failures} times in a row that we are \
                     alive, so it may think that we are not: {why}"
                );
                if !std::mem::replace(&mut self.is_watcher_lost, true) {
                    self.record(now, Event::WatcherUnreachable { failures, why });
                }
                self.own_alert(now, UNREACHABLE, &[], &text);
            }
            None => {
                self.is_watcher_lost = false;
                self.record(now, Event::WatcherReached);
                self.end_own_alert(now, UNREACHABLE, &[]);
            }
        }
    }

    /// Ends an alert of our own, if there is one with these labels.
    pub(super) fn end_own_alert(&mut self, now: Timestamp, name: &str, labels: &[(&str, &str)]) {
        let own = [(ALERTNAME, name), (SEVERITY, "critical"), ("source", "tocsin")];
        let labels: Labels = own.into_iter().chain(labels.iter().copied()).collect();
        let known = self.alerts.get(&labels.fingerprint()).filter(|alert| !alert.is_resolved);
        let Some(known) = known else { return };
        let mut over = IncomingAlert::new(labels, known.description.annotations.clone());
        over.starts_at = Some(known.activity.starts_at);
        over.ends_at = Some(now);
        self.ingest(now, vec![over]);
    }
}
