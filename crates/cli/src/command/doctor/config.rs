//! Can the configuration be used?

use std::path::Path;

use tocsin_config::Loaded;
use tocsin_core::matcher::ParseMode;

use super::report::Findings;
use crate::output::count;
use crate::source::load_options;

const SUBJECT: &str = "configuration";

/// Reads the configuration; `None` when it cannot be used.
pub(super) fn examine(path: &Path, mode: ParseMode, findings: &mut Findings) -> Option<Loaded> {
    match tocsin_config::load(path, &load_options(mode)) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                findings.warning(SUBJECT, warning.to_string());
            }
            let receivers = count(loaded.policy.receivers.len(), "receiver", "receivers");
            let routes = count(loaded.policy.routes.nodes.len(), "route", "routes");
            findings.ok(SUBJECT, format!("{}: {receivers}, {routes}", path.display()));
            Some(loaded)
        }
        Err(report) => {
            findings.failed(SUBJECT, format!("{} cannot be used\n{report}", path.display()));
            None
        }
    }
}
