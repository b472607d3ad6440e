//! What is counted, and how it is shown.

use crate::App;

/// The media type of the rendered metrics.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All counters of the process.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Returns all metrics as text.
    pub async fn render(&self, _app: &App) -> String {
        "# EOF\n".to_owned()
    }
}
