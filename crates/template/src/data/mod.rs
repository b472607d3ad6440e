//! What templates of notifications are given: the group, its alerts, their labels.
//!
//! Nothing is copied ahead: a template that asks for the status alone costs as much as that, however
//! many alerts the group has.
//!
//! Source: Alertmanager's documentation, "Notification template reference", data structures.

mod alerts;
mod pairs;

use std::sync::{Arc, OnceLock};

use tocsin_core::notification::Notification;

use self::alerts::Alerts;
use self::pairs::KeyValues;
use crate::value::{Object, Value};

/// Returns the data of a notification; links lead to `external_url`.
pub fn data(notification: &Arc<Notification>, external_url: &str) -> Value {
    Value::Object(Arc::new(Data {
        notification: Arc::clone(notification),
        external_url: external_url.into(),
        common_labels: OnceLock::new(),
        common_annotations: OnceLock::new(),
    }))
}

#[derive(Debug)]
struct Data {
    notification: Arc<Notification>,
    external_url: Arc<str>,
    common_labels: OnceLock<Value>,
    common_annotations: OnceLock<Value>,
}

const FIELDS: [&str; 11] = [
    "Receiver",
    "Status",
    "Alerts",
    "NotificationReason",
    "GroupLabels",
    "CommonLabels",
    "CommonAnnotations",
    "RouteLabels",
    "ExternalURL",
    "GroupKey",
    "TruncatedAlerts",
];

impl Object for Data {
    fn type_name(&self) -> &'static str {
        "template.Data"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let told = &self.notification;
        Some(match name {
            "Receiver" => regex_quoted(&told.receiver).into(),
            "Status" => status(told.is_firing()).into(),
            "Alerts" => Alerts::all(told),
            "NotificationReason" => told.reason.as_str().into(),
            "GroupLabels" => KeyValues::of(told.group_labels.clone()),
            "CommonLabels" => {
                self.common_labels.get_or_init(|| KeyValues::of(told.common_labels())).clone()
            }
            "CommonAnnotations" => self
                .common_annotations
                .get_or_init(|| KeyValues::of(told.common_annotations()))
                .clone(),
            "RouteLabels" => KeyValues::of(told.route_labels.clone()),
            "ExternalURL" => Value::Text(Arc::clone(&self.external_url)),
            "GroupKey" => Value::Text(Arc::clone(&told.group_key)),
            // What a receiver leaves out it leaves out itself.
            "TruncatedAlerts" => Value::Int(0),
            _ => return None,
        })
    }

    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn json_name<'n>(&self, field: &'n str) -> Option<&'n str> {
        Some(match field {
            "Receiver" => "receiver",
            "Status" => "status",
            "Alerts" => "alerts",
            "NotificationReason" => "notification_reason",
            "GroupLabels" => "groupLabels",
            "CommonLabels" => "commonLabels",
            "CommonAnnotations" => "commonAnnotations",
            "RouteLabels" => "routeLabels",
            "ExternalURL" => "externalURL",
            _ => return None,
        })
    }
}

fn status(is_firing: bool) -> &'static str {
    if is_firing { "firing" } else { "resolved" }
}

/// Alertmanager hands the receiver's name on as the regular expression that finds it.
fn regex_quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
