//! Lists and maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{arguments, text_of};
use crate::function::Call;
use crate::value::Value;

/// The most entries of a list or map that a template builds.
const MAX_ENTRIES: usize = 10_000;

/// `list VALUE…`, and `stringSlice TEXT…`.
pub(super) fn list(call: &Call<'_>) -> Result<Value, String> {
    Ok(Value::List(call.arguments.into()))
}

/// `append LIST VALUE…`.
pub(super) fn append(call: &Call<'_>) -> Result<Value, String> {
    let Some((list, values)) = call.arguments.split_first() else {
        return Err("it takes a list and what to append to it".to_owned());
    };
    let Value::List(known) = list.plain() else {
        return Err(format!("expected a list; found {}", list.type_name()));
    };
    if known.len() + values.len() > MAX_ENTRIES {
        return Err(format!("the list has more than {MAX_ENTRIES} entries"));
    }
    Ok(Value::List(known.iter().chain(values).cloned().collect()))
}

/// `dict NAME VALUE …`.
pub(super) fn dict(call: &Call<'_>) -> Result<Value, String> {
    if !call.arguments.len().is_multiple_of(2) {
        return Err("a name has no value: it takes pairs of a name and a value".to_owned());
    }
    let mut map = BTreeMap::new();
    for pair in call.arguments.chunks_exact(2) {
        map.insert(text_of(&pair[0])?.to_string(), pair[1].clone());
    }
    Ok(Value::Map(Arc::new(map)))
}

/// `routeLabels DATA`: the labels of the route.
pub(super) fn route_labels(call: &Call<'_>) -> Result<Value, String> {
    let [data] = arguments(call)?;
    match data {
        Value::Object(object) => object.field("RouteLabels"),
        _ => None,
    }
    .ok_or_else(|| "it takes the data of the notification, which is `.` or `$`".to_owned())
}
