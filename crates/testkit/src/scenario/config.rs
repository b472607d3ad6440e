//! The configuration inside a scenario.

use std::sync::Arc;

use tocsin_core::policy::Policy;

use super::error::ScenarioError;
use super::text::{Block, Options};

/// Compiles a block; places in complaints are those of the scenario file.
pub(super) fn read(
    name: &str,
    block: &Block,
    options: &Options,
) -> Result<Arc<Policy>, ScenarioError> {
    let _ = (block, options);
    Err(ScenarioError::Config { message: name.to_owned() })
}
