//! Runs the steps of a scenario against a simulation.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tocsin_core::Tenant;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Reply};
use tocsin_core::event::Event;
use tocsin_core::identity::Actor;
use tocsin_core::ids::SilenceId;
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::maintenance::{MaintenanceWindow, Recurrence};
use tocsin_core::paging::{Channel, Recipient};
use tocsin_core::policy::Policy;
use tocsin_core::silence::SilenceRequest;

use super::action::{Action, End, NewConfig, Plan, Show, Telling, Told};
use super::cursor::{Trouble, suggestion};
use super::head::Head;
use super::names::Names;
use super::people::is_for;
use super::sentences::Teller;
use super::text::Scenario;
use crate::receivers::Behaviour;
use crate::simulation::{Happening, Simulation, What, receipt_of};

/// What a source remembers of an alert it tells.
#[derive(Clone, Debug)]
struct Source {
    last: IncomingAlert,
    end: Option<End>,
    fires: bool,
}

/// A scenario under way.
pub(super) struct World<'a> {
    scenario: &'a Scenario,
    simulation: Simulation,
    names: Names,
    sources: BTreeMap<Fingerprint, Source>,
    silences_made: u128,
    pub(super) pages_made: u128,
    pub(super) made: super::roster::Made,
    /// The configurations, by what calls them: the name of a block, or the line of a step.
    policies: BTreeMap<String, Arc<Policy>>,
    lines: Vec<String>,
    /// Pages that arrived: the channel, for whom, and what the provider calls it.
    sent: Vec<(Channel, Recipient, String)>,
    /// How many messages arrived.
    pub(super) notifications: usize,
    /// What should never be so.
    pub(super) complaints: Vec<String>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        policy: Arc<Policy>,
        policies: BTreeMap<String, Arc<Policy>>,
    ) -> Self {
        Self {
            scenario,
            simulation: Simulation::new(policy, scenario.origin.instant),
            names: Names::default(),
            sources: BTreeMap::new(),
            silences_made: 0,
            pages_made: 0,
            made: super::roster::Made::default(),
            sent: Vec::new(),
            policies,
            lines: Vec::new(),
            notifications: 0,
            complaints: Vec::new(),
        }
    }

    /// Runs one step and returns the lines of what happened since the last one.
    ///
    /// # Errors
    /// The line and what is wrong when the step cannot be done.
    pub(super) fn step(&mut self, index: usize) -> Result<Vec<String>, (usize, Trouble)> {
        let scenario = self.scenario;
        let Some(step) = scenario.steps.get(index) else { return Ok(Vec::new()) };
        self.simulation.advance_to(step.at);
        self.tell_happenings(step.at);
        let mut alerts: Vec<&Telling> = Vec::new();
        for (line, action) in &step.actions {
            if let Action::Tell(telling) = action {
                alerts.push(telling);
                continue;
            }
            self.ingest(&std::mem::take(&mut alerts));
            self.act(step.line, action).map_err(|trouble| (*line, trouble))?;
            self.tell_happenings(step.at);
        }
        self.ingest(&alerts);
        self.simulation.advance_to(step.at);
        self.tell_happenings(step.at);
        let at = scenario.origin.show(step.at);
        let complaints = self.simulation.take_complaints();
        self.complaints.extend(complaints.iter().map(|complaint| format!("{at}: {complaint}")));
        Ok(std::mem::take(&mut self.lines))
    }

    /// Sends the alerts of a step in one batch, as a source does.
    fn ingest(&mut self, tellings: &[&Telling]) {
        if tellings.is_empty() {
            return;
        }
        let now = self.simulation.now();
        let mut alerts = Vec::new();
        for telling in tellings {
            for labels in &telling.alerts {
                alerts.push(self.incoming(telling, labels, now));
            }
        }
        if self.simulation.submit(Command::Ingest { alerts }).is_none() {
            self.lines.push("not accepted: tocsin is down".to_owned());
        }
        self.tell_happenings(now);
    }

    fn incoming(&mut self, telling: &Telling, labels: &Labels, now: Timestamp) -> IncomingAlert {
        let fingerprint = labels.fingerprint();
        self.names.fingerprints.insert(fingerprint, labels.clone());
        let known = self.sources.get(&fingerprint);
        let mut incoming = IncomingAlert::new(labels.clone(), telling.annotations.clone());
        if let Some(known) = known
            && telling.annotations.is_empty()
            && telling.what != Told::Fires
        {
            incoming.annotations = known.last.annotations.clone();
        }
        let known_start = known.and_then(|known| known.last.starts_at);
        let mut end = telling.end;
        match telling.what {
            Told::Fires => {
                // Without both, the engine takes now for the start; with an end alone it takes the
                // end, as Alertmanager does, and no source means that.
                incoming.starts_at = telling.since.or(end.map(|_| now));
                incoming.ends_at = end.map(|end| end.from(now));
            }
            Told::Resolves => {
                incoming.starts_at = telling.since.or(known_start);
                incoming.ends_at = Some(end.map_or(now, |end| end.from(now)));
            }
            Told::Again => {
                incoming.starts_at = telling.since.or(known_start);
                end = end.or(known.and_then(|known| known.end));
                let ended = known.filter(|known| !known.fires).and_then(|k| k.last.ends_at);
                incoming.ends_at = ended.or(end.map(|end| end.from(now)));
            }
        }
        let fires = match telling.what {
            Told::Fires => true,
            Told::Resolves => false,
            Told::Again => known.is_none_or(|known| known.fires),
        };
        let mut last = incoming.clone();
        last.starts_at = last.starts_at.or(Some(now));
        self.sources.insert(fingerprint, Source { last, end, fires });
        incoming
    }

    fn act(&mut self, step_line: usize, action: &Action) -> Result<(), Trouble> {
        let now = self.simulation.now();
        match action {
            Action::Tell(_) | Action::Nothing => {}
            Action::Silence { by, name, matchers, from, end, comment } => {
                let starts_at = from.unwrap_or(now);
                let request = SilenceRequest {
                    id: None,
                    matchers: matchers.clone(),
                    starts_at,
                    ends_at: end.from(starts_at),
                    created_by: by.clone(),
                    comment: comment.clone(),
                    annotations: BTreeMap::new(),
                };
                let id = self.fresh_id();
                self.names.expect_silence(name, id);
                let command = Command::SetSilence { request, fresh_id: id };
                if let Some(Reply::Silence(id)) = self.submit(command) {
                    self.names.call_silence(name, id);
                }
            }
            Action::ChangeSilence { by, name, matchers, from, end, new_name } => {
                let request = self.changed(by, name, matchers.as_ref(), *from, *end, now)?;
                let id = request.id;
                let fresh_id = self.fresh_id();
                let new_name = new_name.clone().unwrap_or_else(|| format!("{name}'"));
                self.names.expect_silence(&new_name, fresh_id);
                let command = Command::SetSilence { request, fresh_id };
                if let Some(Reply::Silence(given)) = self.submit(command) {
                    if Some(given) == id {
                        self.lines.push(format!("{name} is changed in its place"));
                    } else {
                        self.lines.push(format!("{name} is replaced by {new_name}"));
                        self.names.call_silence(&new_name, given);
                    }
                }
            }
            Action::ExpireSilence { name } => {
                let id = self.silence_id(name)?;
                self.submit(Command::ExpireSilence { id });
            }
            Action::Acknowledge { by, alerts, end, comment } => {
                self.submit(Command::Acknowledge {
                    alerts: alerts.iter().map(Labels::fingerprint).collect(),
                    by: by.clone(),
                    comment: comment.clone(),
                    expires_at: end.map(|end| end.from(now)),
                });
            }
            Action::Unacknowledge { by, alerts } => {
                self.submit(Command::Unacknowledge {
                    alerts: alerts.iter().map(Labels::fingerprint).collect(),
                    by: by.clone(),
                    comment: String::new(),
                });
            }
            Action::PlanMaintenance(plan) => {
                let window = self.window(plan, now)?;
                self.submit(Command::SetMaintenanceWindow { window });
            }
            Action::CancelMaintenance { name } => {
                self.submit(Command::DeleteMaintenanceWindow { name: name.clone() });
            }
            Action::Receiver { name, behaviour, attempts } => {
                self.check_receiver(name)?;
                self.simulation.receivers.set(name, behaviour.clone(), *attempts);
            }
            Action::Restart { pause, config } => {
                let policy = self.policy(step_line, config);
                self.simulation.kill();
                self.simulation.start_after(*pause, policy);
            }
            Action::Reload { config } => {
                let policy = self.policy(step_line, config);
                let policy = policy.unwrap_or_else(|| Arc::clone(self.simulation.policy()));
                self.submit(Command::Reconfigure { policy });
            }
            Action::Paging(doing) => self.do_paging(doing)?,
            Action::Roster(change) => self.change_roster(change)?,
            Action::Incident(doing) => self.do_incident(doing),
            Action::Show(what) => self.show(what, now),
        }
        Ok(())
    }

    pub(super) fn submit(&mut self, command: Command) -> Option<Reply> {
        let now = self.simulation.now();
        let reply = self.simulation.submit(command);
        match &reply {
            None => self.lines.push("not accepted: tocsin is down".to_owned()),
            Some(Reply::Rejected(why)) => self.lines.push(format!("rejected: {why}")),
            Some(_) => {}
        }
        self.tell_happenings(now);
        reply
    }

    pub(super) fn now(&self) -> Timestamp {
        self.simulation.now()
    }

    pub(super) fn tenant(&self) -> Option<&Tenant> {
        self.simulation.tenant()
    }

    pub(super) fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    pub(super) fn set_actor(&mut self, actor: Actor) {
        self.simulation.actor = actor;
    }

    pub(super) fn set_receiver(&mut self, name: &str, behaviour: Behaviour, attempts: Option<u32>) {
        self.simulation.receivers.set(name, behaviour, attempts);
    }

    pub(super) fn people_of_head(&self) -> Head {
        self.scenario.head.without_policies()
    }

    /// Returns what the provider calls the last message that went there.
    pub(super) fn last_receipt(&self, channel: Channel, whom: &str) -> Option<String> {
        let is_meant = |it: &&(Channel, Recipient, String)| it.0 == channel && is_for(&it.1, whom);
        self.sent.iter().rev().find(is_meant).map(|(_, _, receipt)| receipt.clone())
    }

    fn changed(
        &self,
        by: &str,
        name: &str,
        matchers: Option<&tocsin_core::matcher::Matchers>,
        from: Option<Timestamp>,
        end: Option<End>,
        now: Timestamp,
    ) -> Result<SilenceRequest, Trouble> {
        let id = self.silence_id(name)?;
        let known = self
            .simulation
            .tenant()
            .and_then(|tenant| tenant.silence(id, now))
            .map(|(silence, _)| silence)
            .ok_or_else(|| self.trouble(format!("silence {name} is not known any more")))?;
        let starts_at = from.unwrap_or(known.starts_at);
        Ok(SilenceRequest {
            id: Some(id),
            matchers: matchers.unwrap_or(&known.matchers).clone(),
            starts_at,
            ends_at: end.map_or(known.ends_at, |end| end.from(starts_at.max(now))),
            created_by: by.to_owned(),
            comment: known.comment,
            annotations: known.annotations,
        })
    }

    fn window(&self, plan: &Plan, now: Timestamp) -> Result<MaintenanceWindow, Trouble> {
        let zone = match &plan.zone {
            None => TimeZone::UTC,
            Some(name) => tocsin_core::time_interval::time_zone(name)
                .map_err(|_| self.trouble(format!("there is no time zone `{name}`")))?,
        };
        let recurrence = plan
            .every
            .as_deref()
            .map(Recurrence::new)
            .transpose()
            .map_err(|error| self.trouble(error.to_string()))?;
        Ok(MaintenanceWindow {
            name: plan.name.as_str().into(),
            matchers: plan.matchers.clone(),
            starts_at: plan.from.unwrap_or_else(|| now.to_zoned(zone.clone()).datetime()),
            duration: plan.duration,
            zone,
            recurrence,
            comment: String::new(),
            created_by: plan.by.clone(),
        })
    }

    fn policy(&self, step_line: usize, config: &NewConfig) -> Option<Arc<Policy>> {
        let key = match config {
            NewConfig::Same => return None,
            NewConfig::Named(name) => name.clone(),
            NewConfig::Beneath => beneath(step_line),
        };
        self.policies.get(&key).cloned()
    }

    fn check_receiver(&self, name: &str) -> Result<(), Trouble> {
        let known: Vec<&str> =
            self.simulation.policy().receivers.iter().map(|receiver| &*receiver.name).collect();
        // Receivers may have slashes in their names; the longest that fits is meant.
        let is_known = known.iter().any(|known| {
            name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if is_known {
            return Ok(());
        }
        Err(self.trouble(format!("there is no receiver `{name}`{}", suggestion(name, &known))))
    }

    fn silence_id(&self, name: &str) -> Result<SilenceId, Trouble> {
        self.names.silence_id(name).ok_or_else(|| {
            let known = self.names.silence_names();
            let hint = if known.is_empty() { String::new() } else { suggestion(name, &known) };
            self.trouble(format!("no silence was made as `{name}`{hint}"))
        })
    }

    fn trouble(&self, message: String) -> Trouble {
        Trouble { offset: 0, message }
    }

    fn fresh_id(&mut self) -> SilenceId {
        self.silences_made += 1;
        uuid::Builder::from_random_bytes(self.silences_made.to_be_bytes()).into_uuid()
    }

    fn show(&mut self, what: &Show, now: Timestamp) {
        let Some(tenant) = self.simulation.tenant() else {
            self.lines.push("tocsin is down".to_owned());
            return;
        };
        let policy = Arc::clone(self.simulation.policy());
        let teller = self.teller(&policy);
        let lines = teller.show(what, tenant, self.simulation.rows(), now);
        self.lines.extend(lines);
    }

    fn teller<'t>(&'t self, policy: &'t Policy) -> Teller<'t> {
        Teller {
            names: &self.names,
            policy,
            origin: &self.scenario.origin,
            traces: self.scenario.options.traces,
        }
    }

    /// Appends what happened; what happened before `step_at` gets its own time in front.
    fn tell_happenings(&mut self, step_at: Timestamp) {
        let happenings = self.simulation.take_happenings();
        for happening in &happenings {
            self.learn(happening);
        }
        let policy = Arc::clone(self.simulation.policy());
        let lines: Vec<String> = happenings
            .iter()
            .filter_map(|happening| {
                let line = self.teller(&policy).tell(happening)?;
                if happening.at == step_at {
                    return Some(line);
                }
                Some(format!("{} {line}", self.scenario.origin.show(happening.at)))
            })
            .collect();
        self.lines.extend(lines);
    }

    /// Learns the names that an event brings.
    fn learn(&mut self, happening: &Happening) {
        let recorded = match &happening.what {
            What::Arrived { .. } => {
                self.notifications += 1;
                return;
            }
            What::Paged { page, .. } => {
                self.notifications += 1;
                let receipt = receipt_of(page);
                self.sent.push((page.channel, page.recipient.clone(), receipt));
                return;
            }
            What::Doubted { .. } | What::Lost { .. } => return,
            What::Recorded(recorded) => recorded,
        };
        match &recorded.event {
            Event::AlertFired { alert, fingerprint, .. }
            | Event::AlertResolved { alert, fingerprint, .. }
            | Event::AlertArrivedResolved { alert, fingerprint } => {
                // Alerts of our own were told by nobody.
                let own = self.simulation.rows().identity(*alert).map(|it| it.labels.clone());
                let labels = self.names.fingerprints.get(fingerprint).cloned().or(own);
                if let Some(labels) = labels {
                    self.names.fingerprints.insert(*fingerprint, labels.clone());
                    self.names.alerts.insert(*alert, labels);
                }
            }
            Event::GroupOpened { group, receiver, labels, .. } => {
                self.names.groups.insert(*group, (Arc::clone(receiver), labels.clone()));
            }
            _ => {}
        }
    }
}

impl End {
    pub(super) fn from(self, start: Timestamp) -> Timestamp {
        match self {
            Self::After(span) => start.checked_add(span).unwrap_or(Timestamp::MAX),
            Self::At(at) => at,
        }
    }
}

/// Returns what calls the configuration beneath a step.
pub(super) fn beneath(step_line: usize) -> String {
    format!("line {step_line}")
}
