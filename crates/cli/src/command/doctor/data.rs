//! Is there room to write, is the database whole, and does the clock agree with it?

use std::path::Path;

use jiff::SignedDuration;
use tocsin_config::{DEFAULT_TENANT, Loaded};
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_store::{BackupSummary, Inspection, inspect};

use super::exposure;
use super::report::Findings;
use crate::output::count;

/// Below this a storm can fill the disk before anybody looks.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// Below this writing fails any moment.
const MIN_USABLE_BYTES: u64 = 64 << 20;

/// The clock may be behind the newest event by this: events of one turn are recorded ahead of
/// nothing, so more means that it stepped back.
const MAX_BEHIND: SignedDuration = SignedDuration::from_secs(2);

/// Looks at the data directory and at what the clock says beside it; returns what it holds.
pub(super) fn examine(
    directory: &Path,
    url: &str,
    loaded: Option<&Loaded>,
    findings: &mut Findings,
) -> Option<Inspection> {
    if !directory.exists() {
        let text = format!("{} does not exist yet; the first start makes it", directory.display());
        findings.skipped("data", text);
        return None;
    }
    examine_room(directory, findings);
    exposure::examine_files(directory, findings);
    match inspect(directory) {
        Ok(None) => {
            findings.skipped("data", "there is no database yet; the first start makes it");
            None
        }
        Ok(Some(inspection)) => {
            findings.ok("data", words(&inspection));
            if let Some(loaded) = loaded {
                examine_secrets(&inspection, loaded, DEFAULT_TENANT, "", findings);
            }
            exposure::examine_address(url, inspection.accounts, findings);
            examine_clock(&inspection, findings);
            Some(inspection)
        }
        Err(error) => {
            let text = format!(
                "{error}\nstop the server and put a backup back: tocsin restore FILE --force"
            );
            findings.failed("data", text);
            None
        }
    }
}

fn examine_room(directory: &Path, findings: &mut Findings) {
    if let Err(error) = tempfile::Builder::new().prefix(".doctor-").tempfile_in(directory) {
        findings.failed("data", format!("{} cannot be written: {error}", directory.display()));
    }
    match rustix::fs::statvfs(directory) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{} MiB are free", free >> 20);
            if free < MIN_USABLE_BYTES {
                findings.failed("disk", format!("only {text}; nothing can be accepted soon"));
            } else if free < MIN_FREE_BYTES {
                findings.warning("disk", format!("only {text}; make room"));
            } else {
                findings.ok("disk", text);
            }
        }
        Err(error) => findings.warning("disk", format!("its room cannot be told: {error}")),
    }
}

/// Are the secrets there that a tenant's configuration refers to? `whose` begins each finding; it
/// is empty for the default tenant.
pub(super) fn examine_secrets(
    inspection: &Inspection,
    loaded: &Loaded,
    tenant: &str,
    whose: &str,
    findings: &mut Findings,
) {
    const SUBJECT: &str = "secrets";
    if loaded.secrets.is_empty() {
        return;
    }
    let stored = inspection.secrets_of(tenant);
    let mut is_whole = true;
    for name in loaded.secrets.iter().filter(|name| !stored.contains(name)) {
        is_whole = false;
        let why = tocsin_config::NotStored::Missing(name.clone());
        let with =
            if whose.is_empty() { String::new() } else { format!(" (with `--tenant {tenant}`)") };
        findings.failed(SUBJECT, format!("{whose}{why}{with}"));
    }
    if is_whole {
        let referred = count(loaded.secrets.len(), "secret is", "secrets are");
        findings.ok(SUBJECT, format!("{whose}{referred} referred to, and stored"));
    }
}

/// Returns how much there is of incidents and what was learned from them.
pub(crate) fn lessons(summary: &BackupSummary) -> String {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    format!(
        "{}, {}, {}, {}",
        count(whole(summary.incidents), "incident", "incidents"),
        count(whole(summary.postmortems), "postmortem", "postmortems"),
        count(whole(summary.actions), "action item", "action items"),
        count(whole(summary.articles), "article", "articles"),
    )
}

fn words(inspection: &Inspection) -> String {
    let summary = &inspection.summary;
    format!(
        "database whole, {} bytes, {}, {}, {}, {}",
        summary.bytes,
        count(summary.open_alerts, "open alert", "open alerts"),
        count(summary.silences, "silence", "silences"),
        count(summary.unsent_notifications, "unsent notification", "unsent notifications"),
        lessons(summary),
    )
}

fn examine_clock(inspection: &Inspection, findings: &mut Findings) {
    let Some(newest) = inspection.newest_event_at else { return };
    let behind = newest.duration_since(SystemClock.now());
    if behind > MAX_BEHIND {
        findings.failed(
            "clock",
            format!(
                "it is {} s behind the newest recorded event ({newest:.0}): it stepped back, or \
                 the data come from another machine; set it by NTP",
                behind.as_secs()
            ),
        );
    } else {
        findings.ok("clock", "not behind what has been recorded");
    }
}
