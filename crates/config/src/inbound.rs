//! `integrations`: who may tell us alerts beside Prometheus, by which key, and how their words are
//! read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tocsin_core::mapping;

use crate::reader::{Fields, Reader};
use crate::section::{section, words};
use crate::values::{Secret, SecretSource};

/// The longest life of an alert from a source that does not refresh it.
const DEFAULT_EVENT_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The shortest key that nobody guesses.
const MIN_KEY_CHARS: usize = 16;

words! {
    /// What an integration speaks.
    InboundKind {
        /// The webhook of another Alertmanager.
        Alertmanager = "alertmanager",
        /// The webhook of Grafana's alerting.
        Grafana = "grafana",
        /// PagerDuty's Events API.
        Pagerduty = "pagerduty",
        /// Opsgenie's Alert API.
        Opsgenie = "opsgenie",
        /// Any JSON or form, read by expressions.
        Generic = "generic",
        /// Mail as providers of inbound mail post it.
        Email = "email",
        /// Amazon SNS, CloudWatch alarms above all.
        Sns = "sns",
    }
    default = Generic
}

section! {
    /// Somebody who tells us alerts.
    InboundConfig, check = check => {
        /// The name; alerts carry it as the label `integration`.
        @Native name: String;
        /// What it speaks.
        @Native r#type: InboundKind;
        /// The key that requests carry: in the path of a hook, in a header, or where the protocol
        /// has it.
        @Native key: Option<Secret>;
        /// A file that holds it, read at every reload.
        @Native key_file: Option<PathBuf>;
        /// The key before, which stays valid while clients are moved to the new one.
        @Native previous_key: Option<Secret>;
        /// Labels that every alert gets unless it has them already.
        @Native labels: BTreeMap<String, String>;
        /// How long an alert fires that is never told again; sources of events do not repeat them.
        @Native event_life: Duration = DEFAULT_EVENT_LIFE;
        /// How the fields of a body become an alert, as CEL expressions; see the manual.
        @Native mapping: MappingConfig;
        /// The ARNs of the topics that may post, for `sns`: everybody with an account at Amazon can
        /// sign messages of a topic.
        @Native topics: Vec<String>;
        /// Host names that may be asked to confirm a subscription or for a certificate; unset means
        /// those of Amazon SNS.
        @Native allowed_hosts: Vec<String>;
    }
}

section! {
    /// CEL expressions over `body`, `headers`, `query`, `now` (a text) and, with `items`, `item`.
    MappingConfig, check = check_mapping => {
        /// A list; each of its elements becomes an alert. Unset means that the body is one.
        @Native items: Option<String>;
        /// `firing` or `resolved`, or a truth: whether it fires.
        @Native status: Option<String>;
        /// The label `alertname`.
        @Native name: Option<String>;
        /// The label `severity`.
        @Native severity: Option<String>;
        /// What the source knows the alert by; the label `dedup_key`.
        @Native dedup_key: Option<String>;
        /// Further labels, a map.
        @Native labels: Option<String>;
        /// Annotations, a map.
        @Native annotations: Option<String>;
        /// When it began.
        @Native starts_at: Option<String>;
        /// When it ended.
        @Native ends_at: Option<String>;
        /// Where the source shows it.
        @Native url: Option<String>;
    }
}

impl InboundConfig {
    /// Returns where the key comes from.
    pub fn key_source(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.key.as_ref(), self.key_file.as_deref())
    }
}

impl MappingConfig {
    /// Returns the expressions that are there, by field.
    pub fn expressions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [
            &self.items,
            &self.status,
            &self.name,
            &self.severity,
            &self.dedup_key,
            &self.labels,
            &self.annotations,
            &self.starts_at,
            &self.ends_at,
            &self.url,
        ];
        let pairs = mapping::FIELDS.into_iter().zip(values);
        pairs.filter_map(|(field, value)| Some((field, value.as_deref()?)))
    }

    /// Builds a mapping from expressions by field.
    ///
    /// # Errors
    /// The first field that there is not.
    pub fn of_expressions(texts: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut mapping = Self::default();
        for (field, text) in texts {
            let place = match field.as_str() {
                "items" => &mut mapping.items,
                "status" => &mut mapping.status,
                "name" => &mut mapping.name,
                "severity" => &mut mapping.severity,
                "dedup_key" => &mut mapping.dedup_key,
                "labels" => &mut mapping.labels,
                "annotations" => &mut mapping.annotations,
                "starts_at" => &mut mapping.starts_at,
                "ends_at" => &mut mapping.ends_at,
                "url" => &mut mapping.url,
                _ => return Err(field.clone()),
            };
            *place = Some(text.clone());
        }
        Ok(mapping)
    }
}

fn check_mapping(config: &mut MappingConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    for (field, text) in config.expressions() {
        if let Err(why) = mapping::check_expression(text) {
            reader.error_at(fields, field, format!("`{field}`: {why}"));
        }
    }
}

fn check(config: &mut InboundConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name", "type"]);
    reader.exactly_one(fields, &["key", "key_file"]);
    for (name, key) in [("key", &config.key), ("previous_key", &config.previous_key)] {
        if key.as_ref().is_some_and(|key| key.stored().is_some()) {
            let message = format!(
                "`{name}` cannot be a stored secret: `tocsin token create NAME --integration {}` \
                 makes a key that is kept as a hash",
                config.name
            );
            reader.error_at(fields, name, message);
        }
        if key.as_ref().is_some_and(|key| key.expose().chars().count() < MIN_KEY_CHARS) {
            let message = format!("`{name}` is too short: use at least {MIN_KEY_CHARS} characters");
            reader.error_at(fields, name, message);
        }
    }
    if config.event_life.is_zero() {
        reader.error_at(fields, "event_life", "`event_life` must be longer than 0");
    }
    let is_sns = config.r#type == InboundKind::Sns;
    if is_sns && config.topics.is_empty() {
        let message = "an integration of type `sns` needs `topics`: list the ARNs of your topics, \
                       because everybody with an account at Amazon can sign messages of theirs";
        reader.error_at(fields, "topics", message);
    }
    if !is_sns && fields.has("topics") {
        reader.error_at(fields, "topics", "only `sns` has topics; remove `topics`");
    }
    let is_mapped =
        matches!(config.r#type, InboundKind::Generic | InboundKind::Email | InboundKind::Sns);
    if fields.has("mapping") && !is_mapped {
        let message = "only `generic`, `email` and `sns` are read by expressions";
        reader.error_at(fields, "mapping", message);
    }
}
