//! The configuration inside a scenario.

use std::sync::Arc;

use tocsin_config::{LoadOptions, load_str};
use tocsin_core::policy::Policy;

use super::error::ScenarioError;
use super::head::Head;
use super::text::{Block, Options};

/// Compiles a block; places in complaints are those of the scenario file.
pub(super) fn read(
    name: &str,
    block: &Block,
    options: &Options,
    head: &Head,
) -> Result<Arc<Policy>, ScenarioError> {
    let defaults = LoadOptions::default();
    let reminders = options.reminders;
    let options = LoadOptions {
        retention: options.retention.unwrap_or(defaults.retention),
        start_delay: options.start_delay.unwrap_or(defaults.start_delay),
        ..defaults
    };
    let mut text = block.text.clone();
    head.complete(&mut text);
    match load_str(name, &text, &options) {
        Ok(loaded) => {
            let mut policy = Policy::clone(&loaded.policy);
            policy.incidents.remind &= reminders;
            Ok(Arc::new(policy))
        }
        Err(mut report) => {
            for diagnostic in &mut report.diagnostics {
                if diagnostic.line > 0 {
                    diagnostic.line += u32::try_from(block.first_line).unwrap_or(0);
                    diagnostic.column += u32::try_from(block.indent).unwrap_or(0);
                    diagnostic.excerpt.insert_str(0, &" ".repeat(block.indent));
                }
            }
            Err(ScenarioError::Config { message: report.to_string() })
        }
    }
}
