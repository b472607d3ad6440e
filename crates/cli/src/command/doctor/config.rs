//! Can the configuration be used?

use std::path::Path;

use ipnet::IpNet;
use tocsin_config::{Loaded, Report, Tenant};
use tocsin_core::identity::Permission;
use tocsin_core::matcher::ParseMode;

use super::report::Findings;
use crate::output::count;
use crate::source::load_options;

const SUBJECT: &str = "configuration";

const ACCESS: &str = "access";

/// Reads the configuration; `None` when it cannot be used.
pub(super) fn examine(path: &Path, mode: ParseMode, findings: &mut Findings) -> Option<Loaded> {
    judge(tocsin_config::load(path, &load_options(mode)), path, "", findings)
}

/// Reads the configuration of another tenant.
pub(super) fn examine_tenant(
    tenant: &Tenant,
    mode: ParseMode,
    findings: &mut Findings,
) -> Option<Loaded> {
    let whose = format!("tenant `{}`: ", tenant.name);
    judge(tenant.load(&load_options(mode)), &tenant.config, &whose, findings)
}

/// Notes whether a configuration can be used, and who is let in by it.
fn judge(
    read: Result<Loaded, Report>,
    path: &Path,
    whose: &str,
    findings: &mut Findings,
) -> Option<Loaded> {
    match read {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                findings.warning(SUBJECT, format!("{whose}{warning}"));
            }
            let receivers = count(loaded.policy.receivers.len(), "receiver", "receivers");
            let routes = count(loaded.policy.routes.nodes.len(), "route", "routes");
            findings.ok(SUBJECT, format!("{whose}{}: {receivers}, {routes}", path.display()));
            access(&loaded, whose, findings);
            Some(loaded)
        }
        Err(report) => {
            findings.failed(SUBJECT, format!("{whose}{} cannot be used\n{report}", path.display()));
            None
        }
    }
}

/// Looks who is let in without saying who they are.
fn access(loaded: &Loaded, whose: &str, findings: &mut Findings) {
    let access = &loaded.config.access;
    let mut is_careful = true;
    for rule in &access.allow {
        for net in rule.from.iter().filter(|net| is_public(net)) {
            is_careful = false;
            let may: Vec<_> = rule.permissions.iter().map(Permission::as_str).collect();
            let (name, may) = (&rule.name, may.join(", "));
            findings.warning(
                ACCESS,
                format!(
                    "{whose}`{name}` lets in whoever comes from {net}, which is not a private network, \
                     WITHOUT CREDENTIALS, to: {may}; make a token instead, or name a smaller network"
                ),
            );
        }
    }
    if is_careful {
        let rules = count(access.allow.len(), "network", "networks");
        let text = format!(
            "{whose}{rules} without credentials; this machine: {}",
            access.loopback.as_str()
        );
        findings.ok(ACCESS, text);
    }
}

/// Returns whether a network reaches beyond what only its own people can use.
fn is_public(net: &IpNet) -> bool {
    const PRIVATE: [&str; 8] = [
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    ];
    let covers = |text: &&str| text.parse::<IpNet>().is_ok_and(|private| private.contains(net));
    !PRIVATE.iter().any(covers)
}
