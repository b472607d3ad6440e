//! The configuration in effect, and how a new one takes its place.

use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use tocsin_config::{Access, ChannelsConfig};
use tocsin_core::command::Command;
use tocsin_core::identity::Actor;
use tocsin_core::policy::Policy;
use tocsin_engine::{EngineError, EngineHandle};
use tokio::sync::OwnedMutexGuard;

use crate::inbound::Inbounds;
use crate::sign_in::SignInProvider;

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Compiled for the engine.
    pub policy: Arc<Policy>,
    /// Who tells us alerts beside Prometheus.
    pub inbounds: Arc<Inbounds>,
    /// Who is let in.
    pub access: Arc<Access>,
    /// How people are paged, and how their answers are proved.
    pub channels: Arc<ChannelsConfig>,
    /// Where people may sign in instead of here.
    pub provider: Option<Arc<SignInProvider>>,
    yaml: String,
    hash: u64,
}

impl Loaded {
    /// Builds one from its parts.
    pub fn new(policy: Arc<Policy>, yaml: String, hash: u64) -> Self {
        Self {
            policy,
            inbounds: Arc::default(),
            access: Arc::default(),
            channels: Arc::default(),
            provider: None,
            yaml,
            hash,
        }
    }

    /// Adds who tells us alerts beside Prometheus.
    #[must_use]
    pub fn with_inbounds(mut self, inbounds: Inbounds) -> Self {
        self.inbounds = Arc::new(inbounds);
        self
    }

    /// Adds who is let in.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = Arc::new(access);
        self
    }

    /// Adds how people are paged.
    #[must_use]
    pub fn with_channels(mut self, channels: Arc<ChannelsConfig>) -> Self {
        self.channels = channels;
        self
    }

    /// Adds where people may sign in instead of here.
    #[must_use]
    pub fn with_provider(mut self, provider: Option<SignInProvider>) -> Self {
        self.provider = provider.map(Arc::new);
        self
    }

    /// Returns the configuration as YAML with all defaults filled in and secrets masked.
    pub fn original_yaml(&self) -> &str {
        &self.yaml
    }

    /// Returns a hash of the files it was read from.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

/// Reads and checks the configuration files; the error is for people.
pub type Load = Arc<dyn Fn() -> Result<Loaded, String> + Send + Sync>;

/// Prepares everything a configuration needs outside the engine and returns what makes it take
/// effect. All that can fail happens before it returns.
pub type Apply = Arc<dyn Fn(&Loaded) -> Result<Commit, String> + Send + Sync>;

/// Makes a prepared configuration take effect and returns how to take that back; cannot fail.
pub type Commit = Box<dyn FnOnce() -> Undo + Send>;

/// Puts what was in effect before a [`Commit`] back into effect; cannot fail.
pub type Undo = Box<dyn FnOnce() + Send>;

/// How the last reload went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadState {
    /// Whether the last attempt succeeded.
    pub is_successful: bool,
    /// When a configuration last took effect.
    pub succeeded_at: Timestamp,
}

/// Why the configuration in effect was kept.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The files cannot be read, are wrong, or ask for what cannot be done.
    #[error("{0}")]
    Rejected(String),
    /// The engine did not take it.
    #[error("the engine did not take the new configuration")]
    Engine(#[source] EngineError),
}

/// Decides how a configuration is read anew where tenants share a process.
#[async_trait]
pub trait Lead: Send + Sync {
    /// Reads what belongs to this tenant anew; for the default one, everything.
    ///
    /// # Errors
    /// [`ReloadError`]; what was in effect stays.
    async fn reload(&self, tenant: &str, by: Actor) -> Result<(), ReloadError>;
}

/// A configuration that was read and prepared, and that nobody else may read meanwhile.
pub struct Prepared {
    /// What was read.
    pub loaded: Loaded,
    commit: Commit,
    _turn: OwnedMutexGuard<()>,
}

/// Holds the configuration in effect and reads it anew on request, one request at a time.
pub struct Reloader {
    load: Load,
    apply: Apply,
    current: ArcSwap<Loaded>,
    state: Mutex<ReloadState>,
    turnstile: Arc<tokio::sync::Mutex<()>>,
    lead: OnceLock<(String, Weak<dyn Lead>)>,
}

impl Reloader {
    /// Builds one around the configuration the process started with.
    pub fn new(initial: Loaded, load: Load, apply: Apply, now: Timestamp) -> Self {
        Self {
            load,
            apply,
            current: ArcSwap::from_pointee(initial),
            state: Mutex::new(ReloadState { is_successful: true, succeeded_at: now }),
            turnstile: Arc::default(),
            lead: OnceLock::new(),
        }
    }

    /// Leaves it to `lead` how the configuration of `tenant` is read anew.
    pub fn follow(&self, tenant: &str, lead: Weak<dyn Lead>) {
        // Whoever was first goes on leading.
        let _ = self.lead.set((tenant.to_owned(), lead));
    }

    /// Returns the configuration in effect.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Returns how the last reload went.
    pub fn state(&self) -> ReloadState {
        *self.state.lock()
    }

    /// Reads the configuration anew and puts it into effect.
    ///
    /// # Errors
    /// [`ReloadError`]; the configuration in effect is untouched.
    pub async fn reload(&self, engine: &EngineHandle, by: Actor) -> Result<(), ReloadError> {
        if let Some((tenant, lead)) = self.lead.get()
            && let Some(lead) = lead.upgrade()
        {
            return lead.reload(tenant, by).await;
        }
        let outcome = match self.prepare().await {
            Ok(prepared) => self.take(engine, prepared, by).await,
            Err(error) => Err(error),
        };
        self.note(engine, &outcome);
        outcome
    }

    /// Notes how a reload went, for whoever looks and in the log.
    pub fn note(&self, engine: &EngineHandle, outcome: &Result<(), ReloadError>) {
        let mut state = self.state.lock();
        state.is_successful = outcome.is_ok();
        match outcome {
            Ok(()) => {
                state.succeeded_at = engine.now();
                tracing::info!("configuration reloaded");
            }
            Err(error) => tracing::error!(%error, "configuration not reloaded, the old one stays"),
        }
    }

    /// Reads the configuration and prepares everything that can fail; nothing takes effect yet.
    ///
    /// # Errors
    /// [`ReloadError::Rejected`].
    pub async fn prepare(&self) -> Result<Prepared, ReloadError> {
        let turn = Arc::clone(&self.turnstile).lock_owned().await;
        let (load, apply) = (Arc::clone(&self.load), Arc::clone(&self.apply));
        // Reading files and building clients may block.
        let prepared = tokio::task::spawn_blocking(move || {
            let loaded = load()?;
            let commit = apply(&loaded)?;
            Ok((loaded, commit))
        });
        let (loaded, commit) = prepared
            .await
            .unwrap_or_else(|panic| Err(format!("reading the configuration panicked: {panic}")))
            .map_err(ReloadError::Rejected)?;
        Ok(Prepared { loaded, commit, _turn: turn })
    }

    /// Puts what was prepared into effect.
    ///
    /// # Errors
    /// [`ReloadError::Engine`]; the configuration in effect is untouched.
    pub async fn take(
        &self,
        engine: &EngineHandle,
        prepared: Prepared,
        by: Actor,
    ) -> Result<(), ReloadError> {
        let Prepared { loaded, commit, _turn } = prepared;
        let policy = Arc::clone(&loaded.policy);
        // The integrations first: the engine may tell a new one something in the very turn that
        // takes the configuration.
        let undo = commit();
        if let Err(error) = engine.command(Command::Reconfigure { policy }.by(by)).await {
            undo();
            return Err(ReloadError::Engine(error));
        }
        self.current.store(Arc::new(loaded));
        Ok(())
    }
}
