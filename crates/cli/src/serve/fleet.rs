//! All tenants of the process: started together, read anew together or one by one, added and
//! removed while the others go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use tocsin_config::{DEFAULT_TENANT, Tenant};
use tocsin_connect::paging::VapidKey;
use tocsin_core::identity::Actor;
use tocsin_core::ids::TenantId;
use tocsin_server::inbound::Inbounds;
use tocsin_server::reloader::{Lead, Prepared, ReloadError};
use tocsin_server::sign_in::{MasterKey, SignIns};
use tocsin_server::{App, Listed, Member, Options, Tenants, Web};
use tocsin_store::Store;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tracing::{Instrument as _, info, warn};

use super::address;
use super::source::{Source, Target};
use super::tenant::{Draft, Running};
use super::{first_run, reseal};
use crate::failure::Failure;

/// All tenants of the process.
pub(crate) struct Fleet {
    /// For the reloaders of its tenants.
    me: Weak<Self>,
    pub(crate) tenants: Arc<Tenants>,
    store: Arc<dyn Store>,
    web: Arc<Web>,
    vapid: Arc<VapidKey>,
    main: Running,
    /// Under which address this machine itself reaches the default tenant.
    local: Option<String>,
    others: Mutex<BTreeMap<String, Other>>,
    follower: JoinHandle<()>,
}

/// A tenant beside the default one.
struct Other {
    running: Running,
    member: Member,
    /// The name that its links have.
    first_host: Option<String>,
    follower: JoinHandle<()>,
}

/// All tenants as they were read, before anything runs.
pub(super) struct Drafts {
    main: Draft,
    others: Vec<(Tenant, Draft)>,
}

impl Drafts {
    /// Prepares all tenants that the main configuration lists.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub(super) fn new(
        source: &Source,
        first: tocsin_config::Loaded,
        options: Options,
    ) -> Result<Self> {
        let listed = first.config.tenants.clone();
        let mut complaints = own_host(&listed, &options);
        let base = options.clone();
        let main = Draft::new(source.clone(), first, options).map_err(Failure::usage)?;
        let mut others = Vec::new();
        for tenant in listed {
            match draft(source, &tenant, &base) {
                Ok(draft) => others.push((tenant, draft)),
                Err(why) => complaints.push(why),
            }
        }
        let drafts = others.iter().map(|(tenant, draft)| (tenant.name.as_str(), draft.inbounds()));
        complaints
            .extend(shared_keys(std::iter::once((DEFAULT_TENANT, main.inbounds())).chain(drafts)));
        if complaints.is_empty() {
            return Ok(Self { main, others });
        }
        Err(Failure::usage(complaints.join("\n")).into())
    }

    /// Takes up the work of all of them.
    pub(super) async fn start(
        self,
        store: Arc<dyn Store>,
        key: MasterKey,
        web: Arc<Web>,
        vapid: Arc<VapidKey>,
        local: Option<String>,
    ) -> Result<Arc<Fleet>> {
        let Self { main, others } = self;
        let sign_ins = SignIns::new(key);
        let main = Box::pin(main.start(&store, TenantId::DEFAULT, sign_ins, &web, &vapid)).await?;
        let tenants = Arc::new(Tenants::new(Arc::clone(&main.app)));
        let follower = follow(&main.app);
        let fleet = Arc::new_cyclic(|me| Fleet {
            me: me.clone(),
            tenants,
            store,
            web,
            vapid,
            main,
            local,
            others: Mutex::default(),
            follower,
        });
        fleet.main.app.reloader.follow(DEFAULT_TENANT, fleet.me.clone() as _);
        let mut started = BTreeMap::new();
        let mut listed = Vec::new();
        for (tenant, draft) in others {
            let other = Box::pin(fleet.start(&tenant, draft)).await?;
            listed.push(Listed { member: other.member.clone(), hosts: tenant.hosts });
            started.insert(tenant.name.to_string(), other);
        }
        fleet.tenants.replace(&listed);
        *fleet.others.lock().await = started;
        Ok(fleet)
    }
}

impl Fleet {
    /// Returns what the handlers of the default tenant share.
    pub(crate) fn main(&self) -> &Arc<App> {
        &self.main.app
    }

    /// Returns what the handlers of each tenant share, the default one's first.
    pub(crate) fn apps(&self) -> Vec<Arc<App>> {
        let others = self.tenants.others();
        let others = others.iter().map(|member| Arc::clone(member.app()));
        std::iter::once(Arc::clone(&self.main.app)).chain(others).collect()
    }

    /// Writes down when tokens and sessions were used.
    pub(super) async fn flush(&self) {
        for app in self.apps() {
            app.known.flush(&app.engine).await;
        }
    }

    /// Returns a tenant whose engine has ended by itself.
    pub(super) fn ended(&self) -> Option<String> {
        let apps = self.apps();
        let ended = apps.iter().find(|app| app.engine.has_stopped());
        ended.map(|app| app.options.tenant.to_string())
    }

    /// Seals with this key from now on, and anew what older keys sealed.
    pub(super) async fn replace_key(&self, key: MasterKey) {
        self.main.app.sign_ins.replace_key(key);
        for app in self.apps() {
            app.sign_ins.follow_key(&self.main.app.sign_ins);
            app.follow_key();
            reseal(&app).await;
        }
    }

    /// Prints the links of administrators: of tenants that have none, or of all.
    pub(super) async fn welcome(&self, is_wanted: bool) {
        for app in self.apps() {
            self.welcome_to(&app, is_wanted).await;
        }
    }

    async fn welcome_to(&self, app: &App, is_wanted: bool) {
        let span = tocsin_server::tenants::span(&app.options.tenant);
        let main = &self.main.app.options.external_url;
        // How this machine reaches a tenant that has no host name of its own.
        let path = app.options.external_url.strip_prefix(main.as_str());
        let local = self.local.as_ref().zip(path).map(|(local, path)| format!("{local}{path}"));
        let welcome = first_run::welcome(app, local.as_deref(), is_wanted).instrument(span);
        if let Err(error) = welcome.await {
            // Alerts are taken all the same; `--admin-link` prints a link later.
            warn!("no link for an administrator: {error:#}");
        }
    }

    /// Ends the live feeds of the tenants beside the default one, whose own end with the listener.
    pub(super) fn end_feeds(&self) {
        for member in self.tenants.others() {
            member.end_feeds();
        }
    }

    /// Stops all engines, and then the store.
    pub(crate) async fn stop(&self) -> Result<()> {
        self.flush().await;
        let others = std::mem::take(&mut *self.others.lock().await);
        let stopping = others.into_values().map(Other::stop);
        futures_util::future::join(
            self.main.app.engine.stop(),
            futures_util::future::join_all(stopping),
        )
        .await;
        self.follower.abort();
        self.store.close().await?;
        Ok(())
    }

    async fn start(&self, tenant: &Tenant, draft: Draft) -> Result<Other> {
        let name = tenant.name.as_str();
        let number = self.store.tenant(name.to_owned()).await;
        let number = number.with_context(|| format!("tenant `{name}`"))?;
        let sign_ins = self.main.app.sign_ins.beside();
        let running = Box::pin(draft.start(&self.store, number, sign_ins, &self.web, &self.vapid));
        let running = running.await;
        let running = running.with_context(|| format!("tenant `{name}`"))?;
        running.app.reloader.follow(name, self.me.clone() as _);
        let member = Member::new(Arc::clone(&running.app));
        let follower = follow(&running.app);
        info!(tenant = name, "the tenant is at {}", running.app.options.external_url);
        Ok(Other { running, member, first_host: tenant.hosts.first().cloned(), follower })
    }

    /// Reads everything anew: the main configuration, that of each tenant, and which there are.
    async fn reload_all(&self, by: Actor) -> Result<(), ReloadError> {
        let mut others = self.others.lock().await;
        let main = self.main.app.reloader.prepare().await?;
        let listed = self.main.latest.lock().tenants.clone();
        let mut kept: Vec<(String, Prepared)> = Vec::new();
        let mut drafts = Vec::new();
        let mut aimed = Vec::new();
        let mut complaints = own_host(&listed, &self.main.app.options);
        for tenant in &listed {
            let name = tenant.name.as_str();
            if let Some(other) = others.get(name) {
                let source = other.running.source.clone();
                aimed.push((source.clone(), source.aim(Target::Tenant(tenant.clone()))));
                match other.running.app.reloader.prepare().await {
                    Ok(prepared) => kept.push((name.to_owned(), prepared)),
                    Err(why) => complaints.push(why.to_string()),
                }
                continue;
            }
            let (source, options) = (self.main.source.clone(), self.main.app.options.clone());
            let listed = tenant.clone();
            let read = move || draft(&source, &listed, &options);
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(draft)) => drafts.push((tenant, draft)),
                Ok(Err(why)) => complaints.push(why),
                Err(panic) => {
                    complaints.push(format!("tenant `{name}`: reading panicked: {panic}"));
                }
            }
        }
        let inbounds = std::iter::once((DEFAULT_TENANT, &main.loaded.inbounds))
            .chain(kept.iter().map(|(name, prepared)| (name.as_str(), &prepared.loaded.inbounds)))
            .chain(drafts.iter().map(|(tenant, draft)| (tenant.name.as_str(), draft.inbounds())));
        complaints.extend(shared_keys(inbounds));
        let mut started = Vec::new();
        if complaints.is_empty() {
            for (tenant, draft) in drafts {
                match Box::pin(self.start(tenant, draft)).await {
                    Ok(other) => started.push(other),
                    Err(error) => complaints.push(format!("{error:#}")),
                }
            }
        }
        let outcome = match complaints.is_empty() {
            true => self.main.app.reloader.take(&self.main.app.engine, main, by.clone()).await,
            false => Err(ReloadError::Rejected(complaints.join("\n"))),
        };
        if let Err(error) = outcome {
            for (source, before) in aimed {
                source.aim(before);
            }
            for other in started {
                other.stop().await;
            }
            return Err(error);
        }
        for (name, prepared) in kept {
            let Some(other) = others.get(&name) else { continue };
            let app = &other.running.app;
            let taken = app.reloader.take(&app.engine, prepared, by.clone()).await;
            tocsin_server::tenants::span(&name).in_scope(|| app.reloader.note(&app.engine, &taken));
        }
        self.replace(&mut others, &listed, started).await;
        Ok(())
    }

    /// Serves the tenants that are listed now, and stops those that are not any more.
    async fn replace(
        &self,
        others: &mut BTreeMap<String, Other>,
        listed: &[Tenant],
        started: Vec<Other>,
    ) {
        let fresh: Vec<_> = started.iter().map(|other| Arc::clone(&other.running.app)).collect();
        others.extend(started.into_iter().map(|other| (other.running.name().to_owned(), other)));
        let mut members = Vec::new();
        for tenant in listed {
            let Some(other) = others.get(tenant.name.as_str()) else { continue };
            if other.first_host.as_ref() != tenant.hosts.first() {
                warn!(
                    tenant = tenant.name.as_str(),
                    "links of the tenant keep their host name until the next start"
                );
            }
            let member = other.member.clone();
            members.push(Listed { member, hosts: tenant.hosts.clone() });
        }
        self.tenants.replace(&members);
        let is_listed = |name: &String| listed.iter().any(|it| it.name.as_str() == name.as_str());
        let gone: Vec<String> = others.keys().filter(|name| !is_listed(name)).cloned().collect();
        for name in gone {
            let Some(other) = others.remove(&name) else { continue };
            other.stop().await;
            info!(tenant = name, "the tenant is not served any more; its data stay");
        }
        for app in fresh {
            self.welcome_to(&app, false).await;
        }
    }

    /// Reads the configuration of one tenant anew.
    async fn reload_one(&self, name: &str, by: Actor) -> Result<(), ReloadError> {
        let others = self.others.lock().await;
        let Some(other) = others.get(name) else {
            let why = format!("the tenant `{name}` is not served any more");
            return Err(ReloadError::Rejected(why));
        };
        let app = &other.running.app;
        let prepared = app.reloader.prepare().await?;
        let of_others: Vec<_> = self
            .apps()
            .iter()
            .filter(|it| *it.options.tenant != *name)
            .map(|it| (it.options.tenant.to_string(), Arc::clone(&it.reloader.current().inbounds)))
            .collect();
        let is_shared = of_others
            .iter()
            .find_map(|(_, others)| prepared.loaded.inbounds.shares_key_with(others));
        if let Some(integration) = is_shared {
            // Whose it is would tell one tenant about another.
            let why = format!("the key of the integration `{integration}` is taken; use another");
            return Err(ReloadError::Rejected(why));
        }
        app.reloader.take(&app.engine, prepared, by).await
    }
}

#[async_trait]
impl Lead for Fleet {
    async fn reload(&self, tenant: &str, by: Actor) -> Result<(), ReloadError> {
        let is_main = tenant == DEFAULT_TENANT;
        let outcome = if is_main {
            Box::pin(self.reload_all(by)).await
        } else {
            self.reload_one(tenant, by).await
        };
        let app = self.apps().into_iter().find(|app| *app.options.tenant == *tenant);
        if let Some(app) = app {
            app.reloader.note(&app.engine, &outcome);
        }
        outcome
    }
}

impl Other {
    /// Ends what is under way and stops the engine.
    async fn stop(self) {
        let app = &self.running.app;
        self.member.end_feeds();
        app.known.flush(&app.engine).await;
        app.engine.stop().await;
        self.follower.abort();
    }
}

/// Counts what the engine tells.
fn follow(app: &App) -> JoinHandle<()> {
    tokio::spawn(Arc::clone(&app.metrics).follow(app.engine.subscribe()))
}

/// Reads and prepares a tenant beside the one with `base`.
fn draft(source: &Source, tenant: &Tenant, base: &Options) -> Result<Draft, String> {
    let source = source.of_tenant(tenant.clone());
    let loaded = source.read()?;
    let options = address::options_of(base, tenant, &loaded.config.limits);
    Draft::new(source, loaded, options)
        .map_err(|why| format!("tenant `{}`: {}: {why}", tenant.name, tenant.config.display()))
}

/// Says which tenants want the host name that is the default tenant's.
fn own_host(listed: &[Tenant], base: &Options) -> Vec<String> {
    let own = address::host_of(&base.external_url);
    let wants = |tenant: &&Tenant| tenant.hosts.iter().any(|host| host == own);
    let complaint = |tenant: &Tenant| {
        format!(
            "tenant `{}`: the host `{own}` is that of --web.external-url, where the default tenant \
             is; give it another name",
            tenant.name
        )
    };
    listed.iter().filter(wants).map(complaint).collect()
}

/// Says which integrations have keys that others have, too: nobody could tell whose alerts come.
fn shared_keys<'a>(all: impl Iterator<Item = (&'a str, &'a Arc<Inbounds>)>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen: Vec<(&str, &Arc<Inbounds>)> = Vec::new();
    for (name, inbounds) in all {
        for (other, theirs) in &seen {
            if let Some(integration) = inbounds.shares_key_with(theirs) {
                complaints.push(format!(
                    "tenant `{name}`: its integration `{integration}` has a key of the tenant \
                     `{other}`; each needs keys of its own"
                ));
            }
        }
        seen.push((name, inbounds));
    }
    complaints
}
