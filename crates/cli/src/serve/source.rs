//! Where a configuration comes from, and what flags add to it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use parking_lot::Mutex;
use tocsin_config::{LoadOptions, Loaded, SecretStore, Tenant};
use tocsin_core::policy::Policy;
use tocsin_server::secrets::Vault;

use super::duration;
use super::flags::{CompatPreset, ServeFlags};
use crate::source::{ALERTMANAGER_YML, default_path, load_options, parse_mode};

/// Where the configuration of one tenant comes from. Clones read the same.
#[derive(Clone)]
pub(super) struct Source {
    target: Arc<Mutex<Target>>,
    /// Opens what the configuration refers to; each tenant has its own.
    pub(super) vault: Arc<Vault>,
    options: LoadOptions,
    silences: usize,
    silence_bytes: usize,
    alerts_per_alertname: usize,
}

/// What is read.
#[derive(Clone)]
pub(super) enum Target {
    /// The main configuration, which is the default tenant's.
    Main(PathBuf),
    /// That of another tenant.
    Tenant(Tenant),
}

impl Source {
    /// Returns where the main configuration comes from.
    pub(super) fn new(flags: &ServeFlags) -> Result<Self> {
        let path = flags.config_file.clone().unwrap_or_else(|| match flags.compat {
            Some(CompatPreset::Alertmanager) => PathBuf::from(ALERTMANAGER_YML),
            _ => default_path(),
        });
        let vault = Arc::new(Vault::default());
        Ok(Self {
            target: Arc::new(Mutex::new(Target::Main(path))),
            vault: Arc::clone(&vault),
            options: LoadOptions {
                retention: duration("--data.retention", &flags.data_retention)?,
                start_delay: duration("--dispatch.start-delay", &flags.dispatch_start_delay)?,
                compat: flags.compat.map(CompatPreset::switches),
                secrets: Some(vault),
                ..load_options(parse_mode(&flags.enable_feature)?)
            },
            silences: flags.silences_max,
            silence_bytes: flags.silences_max_bytes,
            alerts_per_alertname: flags.alerts_per_alertname,
        })
    }

    /// Returns where that of another tenant comes from; flags hold for it, too.
    pub(super) fn of_tenant(&self, tenant: Tenant) -> Self {
        let vault = Arc::new(Vault::default());
        let secrets: Arc<dyn SecretStore> = Arc::clone(&vault) as _;
        let options = LoadOptions { secrets: Some(secrets), ..self.options.clone() };
        let target = Arc::new(Mutex::new(Target::Tenant(tenant)));
        Self { target, vault, options, ..self.clone() }
    }

    /// Reads something else from now on and returns what it was.
    pub(super) fn aim(&self, target: Target) -> Target {
        std::mem::replace(&mut *self.target.lock(), target)
    }

    /// Reads it; the error is for people.
    pub(super) fn read(&self) -> Result<Loaded, String> {
        let target = self.target.lock().clone();
        let loaded = match &target {
            Target::Main(path) => tocsin_config::load(path, &self.options),
            Target::Tenant(tenant) => tenant.load(&self.options),
        };
        loaded.map_err(|report| match &target {
            Target::Main(_) => report.to_string(),
            Target::Tenant(tenant) => tenant.complaint(&report),
        })
    }

    /// Returns the compiled configuration with what flags say; a flag that was given wins.
    pub(super) fn policy_of(&self, loaded: &Loaded) -> Arc<Policy> {
        let mut policy = Policy::clone(&loaded.policy);
        let given = |flag: usize, file: usize| if flag > 0 { flag } else { file };
        policy.limits.silences = given(self.silences, policy.limits.silences);
        policy.limits.silence_bytes = given(self.silence_bytes, policy.limits.silence_bytes);
        policy.limits.alerts_per_alertname =
            given(self.alerts_per_alertname, policy.limits.alerts_per_alertname);
        Arc::new(policy)
    }
}
