//! Label sets and the fingerprint that identifies an alert.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The label that names an alert; Prometheus always sets it.
pub const ALERTNAME: &str = "alertname";

/// The label that names the team something belongs to.
pub const TEAM: &str = "team";

/// The label that names the integration an alert came through; Prometheus has none.
pub const INTEGRATION: &str = "integration";

/// The label that carries the key by which an integration knows an alert.
pub const DEDUP_KEY: &str = "dedup_key";

/// A set of label names and values, sorted by name, each name at most once.
///
/// A label with an empty value is the same as no label at all, so none is ever stored.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Box<[(CompactString, CompactString)]>);

impl Labels {
    /// Builds a set from pairs in any order; a later pair with the same name wins and empty
    /// values are dropped.
    pub fn new(mut pairs: Vec<(CompactString, CompactString)>) -> Self {
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            // `dedup_by` drops the later of two neighbours, so the values are swapped first.
            pairs.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(&mut later.1, &mut kept.1);
                }
                same
            });
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs.into_boxed_slice())
    }

    /// Returns the value of `name`, or `None` when the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok().map(|i| self.0[i].1.as_str())
    }

    /// Returns the value of `name`, the empty string when the label is absent: everywhere in
    /// routing, silencing and inhibition the two are the same.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// Iterates over the pairs in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Returns how many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the subset whose names are listed in `names`; absent labels stay absent.
    pub fn only(&self, names: &[CompactString]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(name)).cloned().collect())
    }

    /// Returns the pairs that every one of `sets` shares; the empty set when there is none.
    pub fn common<'a>(mut sets: impl Iterator<Item = &'a Self>) -> Self {
        let Some(first) = sets.next() else { return Self::default() };
        let mut pairs = first.0.to_vec();
        for set in sets {
            pairs.retain(|(name, value)| set.get(name) == Some(value.as_str()));
            if pairs.is_empty() {
                break;
            }
        }
        Self(pairs.into_boxed_slice())
    }

    /// Returns the stable hash of the set.
    ///
    /// FNV-1a, 64 bits, over name, 0xFF, value, 0xFF in the order of the names: the same number
    /// that Prometheus and Alertmanager print.
    pub fn fingerprint(&self) -> Fingerprint {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mut hash = OFFSET;
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
            }
            hash = (hash ^ 0xff).wrapping_mul(PRIME);
        };
        for (name, value) in &self.0 {
            feed(name.as_bytes());
            feed(value.as_bytes());
        }
        Fingerprint(hash)
    }

    /// Compares two sets the way Alertmanager orders groups: fewer labels first, then name by
    /// name, then value by value.
    pub fn compare_as_groups(&self, other: &Self) -> std::cmp::Ordering {
        self.len().cmp(&other.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self::new(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self::new(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Labels {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
    }
}

/// Prints `{name="value", other="value"}` with Go's string quoting, as group keys need it.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}={}", crate::quote::name(name), crate::quote::go(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Labels, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(12).min(64));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Labels::new(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The hash that identifies an alert by its labels; see [`Labels::fingerprint`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not sixteen hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a fingerprint; expected 16 hexadecimal digits")]
pub struct NotAFingerprint(String);

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        if text.len() != 16 {
            return Err(NotAFingerprint(text.to_owned()));
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotAFingerprint(text.to_owned()))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_the_numbers_alertmanager_prints() {
        let alert = Labels::from([
            ("alertname", "DiskFull"),
            ("cluster", "eu1"),
            ("instance", "a:9100"),
            ("severity", "critical"),
        ]);
        assert_eq!(alert.fingerprint().to_string(), "6c4d0d558f7061a9");
        assert_eq!(Labels::from([("ok", "1")]).fingerprint().to_string(), "8d4653b8b9db0024");
        assert_eq!(Labels::default().fingerprint().to_string(), "cbf29ce484222325");
    }

    #[test]
    fn the_last_of_two_equal_names_wins_and_empty_values_vanish() {
        let labels = Labels::from([("b", "1"), ("a", "x"), ("b", "2"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="x", b="2"}"#);
    }

    #[test]
    fn common_labels_are_those_that_all_share() {
        let a = Labels::from([("a", "1"), ("b", "2")]);
        let b = Labels::from([("a", "1"), ("b", "3")]);
        assert_eq!(Labels::common([&a, &b].into_iter()), Labels::from([("a", "1")]));
    }
}
