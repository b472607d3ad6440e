//! The way of integrations' alerts into the engine.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tocsin_core::acknowledgement::SourceAlert;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Ingested, Reply};
use tocsin_core::identity::Actor;
use tocsin_engine::EngineError;
use tokio::sync::{Mutex, MutexGuard};

use super::Inbound;
use crate::App;

/// How many keys may be worked on at the same time.
const GATES: usize = 64;

/// Lets one request at a time look at an alert and change it, for each key.
#[derive(Debug)]
pub(crate) struct Gates([Mutex<()>; GATES]);

impl Default for Gates {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Gates {
    /// Waits until nobody else works on the key.
    pub(crate) async fn enter(&self, integration: &str, key: &str) -> MutexGuard<'_, ()> {
        self.0[Self::place(integration, key)].lock().await
    }

    /// Waits until nobody else works on any of the keys. Gates are entered in their order, so no
    /// two requests wait for each other.
    pub(crate) async fn enter_all<'k>(
        &self,
        integration: &str,
        keys: impl Iterator<Item = &'k str>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let places: BTreeSet<usize> = keys.map(|key| Self::place(integration, key)).collect();
        let mut entered = Vec::with_capacity(places.len());
        for place in places {
            entered.push(self.0[place].lock().await);
        }
        entered
    }

    fn place(integration: &str, key: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        (integration, key).hash(&mut hasher);
        usize::try_from(hasher.finish() % GATES as u64).unwrap_or_default()
    }
}

/// An alert of an integration, with the key by which that knows it.
#[derive(Clone, Debug)]
pub(crate) struct KeyedAlert {
    pub(crate) key: Option<String>,
    pub(crate) alert: IncomingAlert,
}

/// What became of told alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) firing: usize,
    pub(crate) resolved: usize,
    pub(crate) ingested: Ingested,
}

/// Tells alerts to the engine.
///
/// An alert whose labels changed under the same key takes the place of the one before: that ends
/// in the same command, so nobody sees both or neither.
pub(crate) async fn submit(
    app: &App,
    actor: Actor,
    inbound: &Inbound,
    alerts: Vec<KeyedAlert>,
) -> Result<Told, EngineError> {
    let now = app.engine.now();
    let mut told = Told::default();
    let mut all = Vec::with_capacity(alerts.len());
    for KeyedAlert { key, alert } in alerts {
        if let Some(key) = key
            && let Some(known) = find(app, inbound, key).await?
            && !known.is_resolved
            && known.alert.identity.fingerprint != alert.fingerprint
        {
            all.push(ended(&known, now));
        }
        if alert.ends_at.is_some_and(|end| end <= now) {
            told.resolved += 1;
        } else {
            told.firing += 1;
        }
        all.push(alert);
    }
    app.metrics.alerts_received(told.firing, told.resolved, 0);
    app.metrics.hook_received(&inbound.name, told.firing, told.resolved);
    if all.is_empty() {
        return Ok(told);
    }
    let command = Command::Ingest { alerts: all }.by(actor);
    if let Reply::Ingested(ingested) = app.engine.command(command).await? {
        app.metrics.alerts_limited(ingested.limited);
        told.ingested = ingested;
    }
    Ok(told)
}

/// Returns the alert that an integration knows by `key`.
pub(crate) async fn find(
    app: &App,
    inbound: &Inbound,
    key: String,
) -> Result<Option<SourceAlert>, EngineError> {
    let name = inbound.name.clone();
    app.engine.read(move |tenant, now| tenant.alert_by_source(&name, &key, now)).await
}

/// Returns what ends a known alert now, as its source would tell it.
pub(crate) fn ended(known: &SourceAlert, now: jiff::Timestamp) -> IncomingAlert {
    let view = &known.alert;
    IncomingAlert {
        fingerprint: view.identity.fingerprint,
        labels: view.identity.labels.clone(),
        annotations: view.description.annotations.clone(),
        generator_url: view.description.generator_url.clone(),
        starts_at: Some(view.activity.starts_at.min(now)),
        ends_at: Some(now),
    }
}
