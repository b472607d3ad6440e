//! What people call the things in events, looked up where it is known: in memory, or else in the
//! history.
//!
//! Names are decoration. What cannot be found out is shown by its number, and no request fails
//! for want of a name.

use std::collections::BTreeSet;

use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::ids::AlertNumber;
use tocsin_core::labels::Fingerprint;
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY};
use tocsin_wire::v1::sentence::GroupName;
use tocsin_wire::v1::{Directory, Mentions};

use crate::App;

/// The most alerts whose lives are looked up one by one in the history for one request.
const MAX_HISTORY_LOOKUPS: usize = 100;

/// The most alerts or groups whose beginnings are looked for in the history for one request.
const MAX_SUBJECTS: usize = 1_000;

/// The most things that a list of names knows before it starts anew.
const MAX_NAMES: usize = 50_000;

/// Learns what the sentences about `events` mention and `directory` does not know.
pub(super) async fn learn(app: &App, directory: &mut Directory, events: &[Recorded]) {
    for recorded in events {
        directory.learn(recorded);
    }
    let mentions = Mentions::unknown(events.iter().map(|it| &it.event), directory);
    let has_rules_anew =
        events.iter().any(|recorded| matches!(recorded.event, Event::Reconfigured { .. }));
    if has_rules_anew || !mentions.is_empty() {
        look_up(app, directory, mentions).await;
    }
}

/// Returns a list of names that knows the rules of the configuration in effect.
pub(super) async fn directory(app: &App) -> Directory {
    let mut directory = Directory::default();
    look_up(app, &mut directory, Mentions::default()).await;
    directory
}

/// Starts `directory` anew when it has become large.
pub(super) fn keep_small(directory: &mut Directory) {
    if directory.len() > MAX_NAMES {
        directory.clear();
    }
}

/// Looks up what is mentioned.
pub(super) async fn look_up(app: &App, directory: &mut Directory, mut mentions: Mentions) {
    remember(app, directory, mentions.clone()).await;
    mentions.forget(directory);
    if !mentions.is_empty() {
        search(app, directory, mentions).await;
    }
}

/// Takes names from the engine's memory.
async fn remember(app: &App, directory: &mut Directory, mentions: Mentions) {
    let read = app.engine.read(move |tenant, now| {
        let mut alerts = Vec::new();
        let mut unclear = BTreeSet::new();
        for (number, fingerprint) in mentions.alerts {
            match fingerprint {
                Some(fingerprint) => {
                    let identity = tenant.identity(fingerprint).cloned();
                    alerts.extend(identity.map(|identity| (number, identity)));
                }
                None => {
                    unclear.insert(number);
                }
            }
        }
        let mut identities: Vec<_> =
            mentions.fingerprints.iter().filter_map(|it| tenant.identity(*it).cloned()).collect();
        if !unclear.is_empty() {
            identities.extend(tenant.identities(&unclear));
        }
        let groups: Vec<_> = mentions
            .groups
            .iter()
            .filter_map(|number| Some((*number, tenant.group_name(*number)?)))
            .collect();
        let silences: Vec<_> =
            mentions.silences.iter().filter_map(|id| Some(tenant.silence(*id, now)?.0)).collect();
        (alerts, identities, groups, silences, tenant.policy().clone())
    });
    let (alerts, identities, groups, silences, policy) = match read.await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "names are not looked up");
            return;
        }
    };
    for (number, identity) in &alerts {
        directory.add_alert(*number, identity);
    }
    for identity in &identities {
        directory.add_identity(identity);
    }
    for (number, (receiver, labels)) in groups {
        directory.add_group(number, GroupName { receiver, labels });
    }
    for silence in &silences {
        directory.add_silence(silence);
    }
    directory.set_rules(&policy.inhibit_rules);
}

/// Takes names from the history.
async fn search(app: &App, directory: &mut Directory, mentions: Mentions) {
    let mut lives: Vec<(Option<AlertNumber>, Fingerprint)> =
        mentions.fingerprints.iter().map(|fingerprint| (None, *fingerprint)).collect();
    let mut unclear = Vec::new();
    for (number, fingerprint) in mentions.alerts {
        match fingerprint {
            Some(fingerprint) => lives.push((Some(number), fingerprint)),
            None => unclear.push(Subject::Alert(number)),
        }
    }
    for recorded in beginnings(app, unclear, &["alert_fired", "alert_arrived_resolved"]).await {
        if let Event::AlertFired { alert, fingerprint, .. }
        | Event::AlertArrivedResolved { alert, fingerprint } = recorded.event
        {
            lives.push((Some(alert), fingerprint));
        }
    }
    let groups = mentions.groups.into_iter().map(Subject::Group).collect();
    for recorded in beginnings(app, groups, &["group_opened"]).await {
        directory.learn(&recorded);
    }
    let mut lookups = 0;
    for (number, fingerprint) in lives {
        if directory.identity(fingerprint).is_none() {
            if lookups == MAX_HISTORY_LOOKUPS {
                continue;
            }
            lookups += 1;
            let history = app.engine.store().alert_history(app.engine.tenant(), fingerprint, 1);
            match history.await {
                Ok(lives) => {
                    for life in &lives {
                        directory.add_identity(&life.identity);
                    }
                }
                Err(error) => tracing::debug!(%error, "names are not looked up"),
            }
        }
        if let (Some(number), Some(identity)) = (number, directory.identity(fingerprint).cloned()) {
            directory.add_alert(number, &identity);
        }
    }
}

async fn beginnings(app: &App, mut subjects: Vec<Subject>, kinds: &[&str]) -> Vec<Recorded> {
    subjects.truncate(MAX_SUBJECTS);
    if subjects.is_empty() {
        return Vec::new();
    }
    let query = EventQuery {
        subjects,
        kinds: kinds.iter().map(ToString::to_string).collect(),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    match app.engine.store().events(app.engine.tenant(), query).await {
        Ok(events) => events,
        Err(error) => {
            tracing::debug!(%error, "names are not looked up");
            Vec::new()
        }
    }
}
