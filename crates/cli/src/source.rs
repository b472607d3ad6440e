//! Which configuration is read, and how.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use tocsin_config::LoadOptions;
use tocsin_core::matcher::ParseMode;

use crate::failure::Failure;

/// The file that Alertmanager reads when none is named.
pub(crate) const ALERTMANAGER_YML: &str = "alertmanager.yml";

/// Returns the configuration that is read when none is named: our own, else Alertmanager's.
pub(crate) fn default_path() -> PathBuf {
    let ours = PathBuf::from("tocsin.yaml");
    if ours.exists() { ours } else { PathBuf::from(ALERTMANAGER_YML) }
}

/// Returns how configurations are read: with this grammar and the process's environment.
pub(crate) fn load_options(mode: ParseMode) -> LoadOptions {
    let environment = Arc::new(|name: &str| std::env::var(name).ok());
    LoadOptions { parse_mode: mode, environment, ..LoadOptions::default() }
}

/// Returns the grammar that `--enable-feature` chooses.
pub(crate) fn parse_mode(features: &[String]) -> Result<ParseMode> {
    let has = |name: &str| features.iter().any(|feature| feature == name);
    match (has("classic-mode"), has("utf8-strict-mode")) {
        (true, true) => {
            let text = "classic-mode and utf8-strict-mode exclude each other; enable one";
            Err(Failure::usage(text).into())
        }
        (true, false) => Ok(ParseMode::Classic),
        (false, true) => Ok(ParseMode::Utf8Strict),
        (false, false) => Ok(ParseMode::Fallback),
    }
}
