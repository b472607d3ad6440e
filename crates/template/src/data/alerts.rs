//! The alerts of a notification.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tocsin_core::notification::Notification;

use super::pairs::KeyValues;
use super::status;
use crate::function::Call;
use crate::functions::zero;
use crate::value::{Object, Value};

/// A list of alerts, by their places in the notification.
#[derive(Clone, Debug)]
pub(super) struct Alerts {
    notification: Arc<Notification>,
    places: Arc<[usize]>,
}

#[derive(Debug)]
struct Alert {
    notification: Arc<Notification>,
    place: usize,
}

impl Alerts {
    pub(super) fn all(notification: &Arc<Notification>) -> Value {
        let places = (0..notification.alerts.len()).collect();
        Value::Object(Arc::new(Self { notification: Arc::clone(notification), places }))
    }

    fn only(&self, is_resolved: bool) -> Value {
        let alerts = &self.notification.alerts;
        let places = self.places.iter().copied();
        // Go hands on a plain list of alerts, which is this type again.
        Value::Object(Arc::new(Self {
            notification: Arc::clone(&self.notification),
            places: places.filter(|place| alerts[*place].is_resolved == is_resolved).collect(),
        }))
    }
}

impl Object for Alerts {
    fn type_name(&self) -> &'static str {
        "template.Alerts"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Firing" => Some(self.only(false)),
            "Resolved" => Some(self.only(true)),
            _ => None,
        }
    }

    fn method(&self, name: &str, call: &Call<'_>) -> Option<Result<Value, String>> {
        let value = self.field(name)?;
        Some(if call.arguments.is_empty() {
            Ok(value)
        } else {
            Err(format!("{name} takes no arguments"))
        })
    }

    fn inner(&self) -> Option<Value> {
        let alert = |place: &usize| {
            let notification = Arc::clone(&self.notification);
            Value::Object(Arc::new(Alert { notification, place: *place }))
        };
        Some(Value::List(self.places.iter().map(alert).collect()))
    }
}

const FIELDS: [&str; 7] =
    ["Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"];

impl Object for Alert {
    fn type_name(&self) -> &'static str {
        "template.Alert"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let alert = &self.notification.alerts[self.place];
        let time = |at: jiff::Timestamp| Value::Time(Box::new(at.to_zoned(TimeZone::UTC)));
        Some(match name {
            "Status" => status(!alert.is_resolved).into(),
            "Labels" => KeyValues::of(alert.labels.clone()),
            "Annotations" => KeyValues::of(alert.annotations.clone()),
            "StartsAt" => time(alert.starts_at),
            // While it fires it has no end.
            "EndsAt" if !alert.is_resolved => Value::Time(Box::new(zero())),
            "EndsAt" => time(alert.ends_at),
            "GeneratorURL" => alert.generator_url.as_str().into(),
            "Fingerprint" => alert.fingerprint.to_string().into(),
            _ => return None,
        })
    }

    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn json_name<'n>(&self, field: &'n str) -> Option<&'n str> {
        Some(match field {
            "Status" => "status",
            "Labels" => "labels",
            "Annotations" => "annotations",
            "StartsAt" => "startsAt",
            "EndsAt" => "endsAt",
            "GeneratorURL" => "generatorURL",
            "Fingerprint" => "fingerprint",
            _ => return None,
        })
    }
}
