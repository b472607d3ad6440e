//! The configuration as Alertmanager's API shows it.

use crate::document::Document;
use crate::reader::Value as _;
use crate::section::{Entry, Flag, Out};
use crate::values::MASK;
use crate::yaml::{Style, write};

/// Stands for the address of a webhook: amtool 0.25 takes nothing there that is not an address.
const MASKED_URL: &str = "https://masked.invalid/";

/// Returns the document with Alertmanager's keys only, secrets masked.
pub(crate) fn original_yaml(document: &Document) -> String {
    write(&document.encode(), &Original)
}

struct Original;

impl Style for Original {
    fn keeps(&self, path: &str, entry: &Entry) -> bool {
        // Defaults are shown where people look for them: in `global` and at routes.
        let shows_defaults = path.starts_with(".global") || is_route_key(path);
        match entry.flag {
            Flag::Native => false,
            _ if is_empty(&entry.value) => entry.key == "group_by" && !entry.is_default,
            Flag::Classic if shows_defaults => true,
            Flag::Classic | Flag::Newer | Flag::Deprecated => !entry.is_default,
        }
    }

    fn secret(&self, path: &str) -> &'static str {
        let is_webhook = path.starts_with(".receivers[") && path.contains("].webhook_configs[");
        if is_webhook && path.ends_with("].url") { MASKED_URL } else { MASK }
    }

    fn comment(&self, _: &str) -> Option<String> {
        None
    }
}

fn is_route_key(path: &str) -> bool {
    path.starts_with(".route.") || path == ".route"
}

/// Returns whether nothing would be lost by leaving the value out.
fn is_empty(value: &Out) -> bool {
    match value {
        Out::List(items) => items.is_empty(),
        Out::Map(entries) => entries
            .iter()
            .all(|entry| entry.value == Out::Null || (entry.is_default && is_empty(&entry.value))),
        _ => false,
    }
}
