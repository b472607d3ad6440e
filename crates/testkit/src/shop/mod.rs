//! A simulated shop for the demo: a script of what goes wrong when, read from `shop.toml`.
//!
//! The simulation is a function of time: asked for an instant, it says which alerts fire. Whoever
//! drives it sends them to the public API as a Prometheus server would.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;
use tocsin_core::labels::{ALERTNAME, Fingerprint, Labels};

const BUILT_IN: &str = include_str!("shop.toml");

/// The script: services and what happens to them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Length of one loop, in seconds.
    pub loop_seconds: u32,
    /// The services.
    #[serde(rename = "service")]
    pub services: Vec<Service>,
    /// What happens, in any order.
    #[serde(rename = "act")]
    pub acts: Vec<Act>,
}

/// A service of the shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub team: String,
    /// How many instances run.
    pub instances: u32,
    /// The services it calls.
    pub depends_on: Vec<String>,
}

/// Something that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// For the audience.
    pub title: String,
    /// When, in seconds after the start of the loop.
    pub at: u32,
    /// What alerts it causes.
    #[serde(default, rename = "wave")]
    pub waves: Vec<Wave>,
}

/// Alerts with a common cause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// When, in seconds after the act.
    pub at: u32,
    /// The services that complain.
    pub services: Vec<String>,
    /// The names of the alerts.
    pub rules: Vec<String>,
    /// The label `severity`.
    pub severity: String,
    /// Whether each instance has its own alert.
    pub per_instance: bool,
    /// How long they fire, in seconds.
    pub lasts: u32,
    /// Goes on and off instead of firing through.
    #[serde(default)]
    pub flap: Option<Flap>,
    /// The annotation `summary`.
    pub summary: String,
    /// The annotation `runbook_url`.
    #[serde(default)]
    pub runbook: Option<String>,
}

/// A rhythm, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flap {
    /// How long it fires.
    pub on: u32,
    /// How long it does not.
    pub off: u32,
}

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopAlert {
    /// What identifies it.
    pub labels: Labels,
    /// What describes it.
    pub annotations: Labels,
}

/// A script that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// It cannot be read.
    #[error("the shop's script cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// A wave names a service that does not exist.
    #[error("act `{act}` names the unknown service `{service}`")]
    UnknownService {
        /// The act.
        act: String,
        /// The service.
        service: String,
    },
}

impl Shop {
    /// Returns the shop that comes with the demo.
    ///
    /// # Errors
    /// [`ShopError`] when the script is broken, which a test rules out.
    pub fn built_in() -> Result<Self, ShopError> {
        Self::from_toml(BUILT_IN)
    }

    /// Reads a script.
    ///
    /// # Errors
    /// [`ShopError`] when it cannot be read or names what does not exist.
    pub fn from_toml(text: &str) -> Result<Self, ShopError> {
        let shop: Self = toml::from_str(text)?;
        for act in &shop.acts {
            for service in act.waves.iter().flat_map(|wave| &wave.services) {
                if !shop.services.iter().any(|known| known.name == *service) {
                    return Err(ShopError::UnknownService {
                        act: act.title.clone(),
                        service: service.clone(),
                    });
                }
            }
        }
        Ok(shop)
    }

    /// Returns the length of one loop.
    pub fn loop_length(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.loop_seconds))
    }

    /// Returns the titles of the acts that begin in `from..to`, both after the start of the loop.
    pub fn acts_between(&self, from: SignedDuration, to: SignedDuration) -> Vec<&str> {
        let mut acts: Vec<&Act> = self
            .acts
            .iter()
            .filter(|act| {
                let at = SignedDuration::from_secs(i64::from(act.at));
                from <= at && at < to
            })
            .collect();
        acts.sort_by_key(|act| act.at);
        acts.into_iter().map(|act| act.title.as_str()).collect()
    }

    /// Returns what fires at `at` after the start of the loop.
    pub fn firing_at(&self, at: SignedDuration) -> BTreeMap<Fingerprint, ShopAlert> {
        let second = at.as_secs();
        let mut firing = BTreeMap::new();
        for act in &self.acts {
            for wave in &act.waves {
                if wave.fires_at(second - i64::from(act.at) - i64::from(wave.at)) {
                    self.collect(wave, &mut firing);
                }
            }
        }
        firing
    }

    fn collect(&self, wave: &Wave, firing: &mut BTreeMap<Fingerprint, ShopAlert>) {
        let named = self.services.iter().filter(|service| wave.services.contains(&service.name));
        for service in named {
            let instances = if wave.per_instance { service.instances } else { 1 };
            for rule in &wave.rules {
                for instance in 0..instances {
                    let alert = wave.alert(service, rule, wave.per_instance.then_some(instance));
                    firing.insert(alert.labels.fingerprint(), alert);
                }
            }
        }
    }
}

impl Wave {
    fn fires_at(&self, second: i64) -> bool {
        if second < 0 || second >= i64::from(self.lasts) {
            return false;
        }
        match self.flap {
            None => true,
            Some(Flap { on, off }) => second % i64::from((on + off).max(1)) < i64::from(on),
        }
    }

    fn alert(&self, service: &Service, rule: &str, instance: Option<u32>) -> ShopAlert {
        let mut labels = vec![
            (ALERTNAME.to_owned(), rule.to_owned()),
            ("service".to_owned(), service.name.clone()),
            ("team".to_owned(), service.team.clone()),
            ("severity".to_owned(), self.severity.clone()),
            ("shop".to_owned(), "demo".to_owned()),
        ];
        if let Some(instance) = instance {
            labels.push(("instance".to_owned(), format!("{}-{instance}", service.name)));
        }
        let mut annotations = vec![("summary".to_owned(), self.summary.clone())];
        if let Some(runbook) = &self.runbook {
            annotations.push(("runbook_url".to_owned(), runbook.clone()));
        }
        ShopAlert {
            labels: labels.into_iter().collect(),
            annotations: annotations.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: i64) -> SignedDuration {
        SignedDuration::from_secs(n)
    }

    #[test]
    fn the_built_in_shop_behaves_degrades_and_recovers() {
        let shop = Shop::built_in().unwrap();
        assert_eq!(shop.services.len(), 10);
        assert!(shop.firing_at(seconds(0)).is_empty());
        assert!(shop.firing_at(seconds(10)).len() > 30);
        assert!(shop.firing_at(seconds(45)).len() > 60);
        assert!(shop.firing_at(seconds(i64::from(shop.loop_seconds) - 1)).is_empty());
    }

    #[test]
    fn a_flapping_alert_goes_on_and_off() {
        let shop = Shop::built_in().unwrap();
        let disk_at = |second| {
            shop.firing_at(seconds(second))
                .values()
                .filter(|alert| alert.labels.value(ALERTNAME) == "DiskAlmostFull")
                .count()
        };
        assert_eq!([disk_at(8), disk_at(10), disk_at(12)], [3, 0, 3]);
    }

    #[test]
    fn a_script_that_names_an_unknown_service_is_refused() {
        let broken = BUILT_IN.replace("services = [\"checkout\"]", "services = [\"chekout\"]");
        let error = Shop::from_toml(&broken).unwrap_err();
        assert!(error.to_string().contains("`chekout`"), "{error}");
    }
}
