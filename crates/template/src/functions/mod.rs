//! The functions that Alertmanager adds to Go's templates, one file for each family.
//!
//! Source: Alertmanager's documentation, "Notification template reference", functions.

mod collection;
mod encoding;
mod layout;
mod text;
mod time;

use std::sync::Arc;

use crate::function::{Call, Function};
use crate::value::Value;

pub(crate) use time::zero;

/// All functions by name, in order.
const FUNCTIONS: &[(&str, Function)] = &[
    ("append", collection::append),
    ("base64decode", encoding::base64_decode),
    ("base64encode", encoding::base64_encode),
    ("date", time::date),
    ("dict", collection::dict),
    ("humanizeDuration", time::humanize_duration),
    ("join", text::join),
    ("list", collection::list),
    ("match", text::matches),
    ("mustToDate", time::must_to_date),
    ("now", time::now),
    ("reReplaceAll", text::replace_all),
    ("routeLabels", collection::route_labels),
    ("safeHtml", text::safe_html),
    ("safeUrl", text::safe_url),
    ("since", time::since),
    ("stringSlice", collection::list),
    ("title", text::title),
    ("toDate", time::to_date),
    ("toJson", encoding::to_json),
    ("toLower", text::to_lower),
    ("toUpper", text::to_upper),
    ("trimSpace", text::trim_space),
    ("tz", time::in_zone),
    ("urlUnescape", text::url_unescape),
];

/// Returns the function of that name.
pub(crate) fn lookup(name: &str) -> Option<Function> {
    let index = FUNCTIONS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    Some(FUNCTIONS[index].1)
}

/// Returns the arguments when there are exactly so many.
fn arguments<'c, const N: usize>(call: &Call<'c>) -> Result<&'c [Value; N], String> {
    call.arguments.try_into().map_err(|_| {
        let plural = if N == 1 { "" } else { "s" };
        format!("it takes {N} argument{plural}, not {}", call.arguments.len())
    })
}

/// Returns an argument that must be a text.
fn text_of(value: &Value) -> Result<Arc<str>, String> {
    match value.plain() {
        Value::Text(text) | Value::Trusted(_, text) => Ok(text),
        other => Err(format!("expected string; found {}", other.type_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_name() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(FUNCTIONS.iter().all(|(name, _)| lookup(name).is_some()));
        assert!(lookup("toupper").is_none());
    }
}
