//! `tenants`: others who share this process, each with a configuration of its own.

use std::path::PathBuf;
use std::sync::Arc;

use tocsin_core::identity::Handle;

use crate::Report;
use crate::document::Document;
use crate::identity::{HandleText, Loopback};
use crate::load::{LoadOptions, Loaded, load};
use crate::reader::{Fields, Reader};
use crate::section::section;

/// The most tenants one process has beside the default one; more are a mistake of the file.
pub const MAX_TENANTS: usize = 100;

/// The name of the tenant that the main file itself configures.
pub const DEFAULT_TENANT: &str = "default";

section! {
    /// A tenant beside the default one. It shares the process and nothing else.
    TenantConfig, check = check_tenant => {
        /// The name, as in `/t/NAME`: `a` to `z`, digits, `.`, `-` and `_`.
        @Native name: Option<HandleText>;
        /// Its configuration: a file, or a directory of files, with everything but `tenants`.
        @Native config: Option<PathBuf>;
        /// Host names under which its people and programs reach it, without a port.
        @Native hosts: Vec<String>;
    }
}

/// A tenant beside the default one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name.
    pub name: Handle,
    /// Its configuration, a file or a directory.
    pub config: PathBuf,
    /// Host names under which it is reached, lower-case; the first is that of links.
    pub hosts: Vec<String>,
}

impl Tenant {
    pub(crate) fn of(config: &TenantConfig) -> Option<Self> {
        Some(Self {
            name: config.name.as_ref()?.0.clone(),
            config: config.config.clone()?,
            hosts: config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        })
    }

    /// Returns how the configuration of this tenant is read: as `options` say, but variables of
    /// the environment are the default tenant's, and nobody is let in without credentials unless
    /// the file says so.
    pub fn options(&self, options: &LoadOptions) -> LoadOptions {
        LoadOptions {
            environment: Arc::new(|_| None),
            tenant: Some(self.name.clone()),
            ..options.clone()
        }
    }

    /// Reads the configuration of this tenant.
    ///
    /// # Errors
    /// [`Report`] with everything that is wrong.
    pub fn load(&self, options: &LoadOptions) -> Result<Loaded, Report> {
        let mut loaded = load(&self.config, &self.options(options))?;
        // Browsers reach it under its own names.
        loaded.config.access.hosts.extend(self.hosts.iter().cloned());
        Ok(loaded)
    }

    /// Returns what there is to say about the file that lists a tenant which cannot be used.
    pub fn complaint(&self, report: &Report) -> String {
        let errors = report.errors().count();
        let mistakes = if errors == 1 { "mistake" } else { "mistakes" };
        format!("tenant `{}`: {errors} {mistakes}\n{report}", self.name)
    }
}

fn check_tenant(tenant: &mut TenantConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name", "config"]);
    if tenant.name.as_ref().is_some_and(|name| name.0.as_str() == DEFAULT_TENANT) {
        let why = "`default` is the tenant that this file itself configures; choose another name";
        reader.error_at(fields, "name", why);
    }
    for host in &tenant.hosts {
        if let Some(why) = bad_host(host) {
            reader.error_at(fields, "hosts", format!("`{host}` is no host name: {why}"));
        }
    }
}

/// Returns what is wrong with a host name.
fn bad_host(host: &str) -> Option<&'static str> {
    if host.contains("://") || host.contains('/') {
        return Some("write the name alone, as in `acme.example.org`");
    }
    if host.contains(':') {
        return Some("leave the port out; every port of the server counts");
    }
    let is_name = |label: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.chars().all(is_allowed)
    };
    if !host.split('.').all(is_name) {
        return Some("use letters, digits, `-` and dots");
    }
    // Whoever works on this machine reaches the default tenant by these.
    let is_local =
        host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok();
    is_local.then_some("it means this machine, whose tenant is the default one")
}

/// Complains about what only the whole list shows, and about tenants of a tenant.
pub(crate) fn check(document: &Document, options: &LoadOptions, reader: &mut Reader<'_>) {
    if document.tenants.is_empty() {
        return;
    }
    let mut complaints = Vec::new();
    if let Some(name) = &options.tenant {
        let why = format!(
            "this configures the tenant `{name}`, which cannot have tenants; list them in the \
             main file"
        );
        complaints.push((".tenants".to_owned(), why));
    }
    if document.tenants.len() > MAX_TENANTS {
        let why = format!("more than {MAX_TENANTS} tenants; start another process for the others");
        complaints.push((".tenants".to_owned(), why));
    }
    let mut hosts = std::collections::BTreeMap::new();
    for host in &document.access.hosts {
        hosts.insert(host.to_ascii_lowercase(), DEFAULT_TENANT.to_owned());
    }
    let mut names = std::collections::BTreeSet::new();
    for (index, tenant) in document.tenants.iter().enumerate() {
        let name = tenant.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default();
        if !name.is_empty() && !names.insert(name.clone()) {
            let place = format!(".tenants[{index}].name");
            complaints.push((place, format!("a second tenant is named `{name}`")));
        }
        for (position, host) in tenant.hosts.iter().enumerate() {
            let owner = hosts.insert(host.to_ascii_lowercase(), name.clone());
            if let Some(owner) = owner {
                let place = format!(".tenants[{index}].hosts[{position}]");
                complaints.push((place, format!("`{host}` leads to the tenant `{owner}` already")));
            }
        }
    }
    for (place, why) in complaints {
        let span = reader.place(&place);
        reader.error_span(span, why);
    }
}

/// Lets nobody in without credentials unless the file of a tenant says so: its people work on
/// other machines.
pub(crate) fn close_loopback(document: &mut Document, options: &LoadOptions, is_given: bool) {
    if options.tenant.is_some() && !is_given {
        document.access.loopback = Loopback::Closed;
    }
}
