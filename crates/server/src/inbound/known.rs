//! The integrations of the configuration in effect, found by their keys.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};

use compact_str::CompactString;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use tocsin_config::{InboundConfig, InboundKind, MappingConfig, SecretSource};
use tocsin_core::identity::SecretHash;
use tocsin_core::labels::{DEDUP_KEY, INTEGRATION, Labels};
use tocsin_core::mapping::{Mapping, MappingError};

use super::preset;

/// How long an alert of an integration that nobody configured fires when it is never told again.
const DEFAULT_EVENT_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A key, hashed: what is compared tells nothing about what was guessed.
type KeyHash = [u8; 32];

/// One who tells us alerts.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// What alerts carry as the label `integration`.
    pub name: Arc<str>,
    /// What it speaks.
    pub kind: InboundKind,
    /// Labels that alerts get unless they have them.
    pub labels: Labels,
    /// How long an alert fires that is never told again.
    pub event_life: SignedDuration,
    /// How a body becomes alerts, where expressions say it.
    pub mapping: Arc<Mapping>,
    /// The topics that may post.
    pub topics: Vec<String>,
    /// Hosts that may be asked to confirm something.
    pub allowed_hosts: Vec<String>,
    keys: Vec<KeyHash>,
}

/// All integrations of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Inbounds {
    all: Vec<Arc<Inbound>>,
    keys: HashSet<KeyHash>,
}

/// No integration of that kind has the key that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no integration of the configuration has this key")]
pub struct UnknownKey;

impl Inbounds {
    /// Reads the keys of all integrations and compiles their expressions.
    ///
    /// # Errors
    /// A key file cannot be read or is empty, two integrations have the same key, or an expression
    /// cannot be compiled; the text names the integration.
    pub fn new(configs: &[InboundConfig]) -> Result<Self, String> {
        let all = configs.iter().map(|config| Inbound::new(config).map(Arc::new));
        let all: Vec<_> = all.collect::<Result<_, _>>()?;
        let mut owners: BTreeMap<KeyHash, &str> = BTreeMap::new();
        for inbound in &all {
            for key in &inbound.keys {
                let owner = owners.insert(*key, &inbound.name);
                if let Some(owner) = owner.filter(|owner| *owner != &*inbound.name) {
                    let name = &inbound.name;
                    return Err(format!(
                        "the integrations `{owner}` and `{name}` have the same key; \
                         each needs one of its own"
                    ));
                }
            }
        }
        let keys = all.iter().flat_map(|inbound| &inbound.keys).copied().collect();
        Ok(Self { all, keys })
    }

    /// Returns whether one of the integrations has the key with that hash.
    pub(crate) fn has_key(&self, hash: &SecretHash) -> bool {
        self.keys.contains(&hash.0)
    }

    /// Returns an integration that has the same key as one of `others`, by name.
    pub fn shares_key_with(&self, others: &Self) -> Option<&str> {
        let shares =
            |inbound: &&Arc<Inbound>| inbound.keys.iter().any(|key| others.keys.contains(key));
        self.all.iter().find(shares).map(|inbound| &*inbound.name)
    }

    /// Returns the integration of that kind with that key.
    ///
    /// As long as none of the kind is configured any key will do, and alerts are marked by the
    /// name of the kind: whoever reaches the port can post alerts to Alertmanager's API, too.
    ///
    /// # Errors
    /// Some are configured, and none of them has the key.
    pub fn find(&self, kind: InboundKind, key: &str) -> Result<Arc<Inbound>, UnknownKey> {
        if !self.all.iter().any(|inbound| inbound.kind == kind) {
            return open(kind).ok_or(UnknownKey);
        }
        let hash = hash(key);
        let of_kind = self.all.iter().filter(|inbound| inbound.kind == kind);
        let mut having = of_kind.filter(|inbound| inbound.keys.contains(&hash));
        having.next().cloned().ok_or(UnknownKey)
    }

    /// Returns the integration of that name; `kind` is what it speaks where nothing is configured
    /// of it. For keys that were made through the API, which name their integration.
    pub(crate) fn named(&self, name: &str, kind: Option<InboundKind>) -> Option<Arc<Inbound>> {
        let is_it =
            |it: &&Arc<Inbound>| *it.name == *name && kind.is_none_or(|kind| it.kind == kind);
        if let Some(known) = self.all.iter().find(is_it) {
            return Some(Arc::clone(known));
        }
        let by_name = || KINDS.into_iter().find(|kind| kind.as_str() == name);
        let kind = kind.or_else(by_name).unwrap_or(InboundKind::Generic);
        let open = open(kind)?;
        Some(Arc::new(Inbound { name: name.into(), ..Inbound::clone(&open) }))
    }

    /// Returns the integration of any kind with that key. The name of a kind that is not
    /// configured stands for its open one.
    ///
    /// # Errors
    /// There is none.
    pub fn by_key(&self, key: &str) -> Result<Arc<Inbound>, UnknownKey> {
        let hash = hash(key);
        if let Some(inbound) = self.all.iter().find(|inbound| inbound.keys.contains(&hash)) {
            return Ok(Arc::clone(inbound));
        }
        let kind = KINDS.into_iter().find(|kind| kind.as_str() == key).ok_or(UnknownKey)?;
        let is_configured = self.all.iter().any(|inbound| inbound.kind == kind);
        if is_configured { Err(UnknownKey) } else { open(kind).ok_or(UnknownKey) }
    }
}

/// Every kind there is.
const KINDS: [InboundKind; 7] = [
    InboundKind::Alertmanager,
    InboundKind::Grafana,
    InboundKind::Pagerduty,
    InboundKind::Opsgenie,
    InboundKind::Generic,
    InboundKind::Email,
    InboundKind::Sns,
];

/// The integrations of the kinds that nobody configured.
static OPEN: LazyLock<Vec<Arc<Inbound>>> = LazyLock::new(|| {
    // A topic that nobody named could be anybody's.
    let kinds = KINDS.into_iter().filter(|kind| *kind != InboundKind::Sns);
    kinds.filter_map(|kind| Inbound::open(kind).ok().map(Arc::new)).collect()
});

fn open(kind: InboundKind) -> Option<Arc<Inbound>> {
    OPEN.iter().find(|inbound| inbound.kind == kind).cloned()
}

impl Inbound {
    fn new(config: &InboundConfig) -> Result<Self, String> {
        let mut keys = Vec::new();
        let previous = config.previous_key.as_ref().map(SecretSource::Inline);
        for source in config.key_source().into_iter().chain(previous) {
            let key = source
                .read()
                .map_err(|error| format!("integration `{}`: key_file: {error}", config.name))?;
            if key.is_empty() {
                return Err(format!("integration `{}`: its key is empty", config.name));
            }
            keys.push(hash(key.expose()));
        }
        let mapping = preset::mapping(config.r#type, &config.mapping)
            .map_err(|error| format!("integration `{}`: mapping: {error}", config.name))?;
        Ok(Self {
            name: config.name.as_str().into(),
            kind: config.r#type,
            labels: config.labels.clone().into_iter().collect(),
            event_life: SignedDuration::try_from(config.event_life).unwrap_or(DEFAULT_EVENT_LIFE),
            mapping: Arc::new(mapping),
            topics: config.topics.clone(),
            allowed_hosts: config.allowed_hosts.clone(),
            keys,
        })
    }

    fn open(kind: InboundKind) -> Result<Self, MappingError> {
        Ok(Self {
            name: kind.as_str().into(),
            kind,
            labels: Labels::default(),
            event_life: DEFAULT_EVENT_LIFE,
            mapping: Arc::new(preset::mapping(kind, &MappingConfig::default())?),
            topics: Vec::new(),
            allowed_hosts: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// Returns whether nobody configured it, so that any key will do.
    pub(crate) fn is_open(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the labels of an alert with what the integration adds: its name, the key, and its
    /// own labels where the alert has none.
    pub fn labelled(&self, labels: &Labels, dedup_key: Option<&str>) -> Labels {
        let own = self.labels.iter().filter(|(name, _)| labels.get(name).is_none());
        let key = dedup_key.map(|key| (DEDUP_KEY, key));
        let all = own.chain(labels.iter()).chain([(INTEGRATION, &*self.name)]).chain(key);
        let owned =
            |(name, value): (&str, &str)| (CompactString::from(name), CompactString::from(value));
        Labels::new(all.map(owned).collect())
    }
}

fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use tocsin_config::{LoadOptions, load_str};

    use super::*;

    fn inbounds(integrations: &str) -> Inbounds {
        read(integrations).unwrap()
    }

    fn read(integrations: &str) -> Result<Inbounds, String> {
        let text = format!("route: {{ receiver: a }}\nreceivers: [{{ name: a }}]\n{integrations}");
        let loaded = load_str("test.yml", &text, &LoadOptions::default());
        let loaded = loaded.unwrap_or_else(|report| panic!("{report}"));
        Inbounds::new(&loaded.config.inbound)
    }

    #[test]
    fn a_key_belongs_to_one_integration() {
        let error = read(
            "integrations:\n- { name: a, type: pagerduty, key: key-1234567890123 }\n\
             - { name: b, type: generic, key: key-4567890123456, \
             previous_key: key-1234567890123 }\n",
        );
        let why = "the integrations `a` and `b` have the same key; each needs one of its own";
        assert_eq!(error.unwrap_err(), why);
    }

    #[test]
    fn both_keys_are_valid_while_one_replaces_the_other() {
        let known = inbounds(
            "integrations:\n- { name: cloud, type: pagerduty, key: new-key-1234567890, \
             previous_key: old-key-1234567890, labels: { team: web } }\n",
        );
        for key in ["new-key-1234567890", "old-key-1234567890"] {
            assert_eq!(&*known.find(InboundKind::Pagerduty, key).unwrap().name, "cloud");
            assert_eq!(&*known.by_key(key).unwrap().name, "cloud");
        }
        let wrong = known.find(InboundKind::Pagerduty, "another-key-1234567");
        assert_eq!(wrong.unwrap_err(), UnknownKey);
        assert_eq!(known.by_key("pagerduty").unwrap_err(), UnknownKey);
        // Nobody configured an Opsgenie, so it is open.
        assert_eq!(&*known.find(InboundKind::Opsgenie, "any").unwrap().name, "opsgenie");
        assert_eq!(&*known.by_key("opsgenie").unwrap().name, "opsgenie");
        assert_eq!(known.by_key("sns").unwrap_err(), UnknownKey);
        assert_eq!(OPEN.len(), KINDS.len() - 1, "the usual expressions compile");
    }

    #[test]
    fn an_integration_adds_its_labels_and_never_overrides() {
        let known = inbounds(
            "integrations:\n- { name: cloud, type: generic, key: key-1234567890123, \
             labels: { team: web, env: prod } }\n",
        );
        let inbound = known.by_key("key-1234567890123").unwrap();
        let labels = Labels::from([("alertname", "A"), ("team", "db"), ("integration", "x")]);
        let labelled = inbound.labelled(&labels, Some("k1"));
        assert_eq!(
            labelled.to_string(),
            r#"{alertname="A", dedup_key="k1", env="prod", integration="cloud", team="db"}"#
        );
    }
}
