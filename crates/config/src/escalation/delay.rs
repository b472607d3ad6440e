//! How long to wait: one duration, or one for each severity.

use std::collections::BTreeMap;
use std::time::Duration;

use tocsin_core::escalation::Delay;
use tocsin_core::severity::Severity;

use crate::reader::{Reader, Value, nearest};
use crate::section::{Entry, Flag, Out, Shape};
use crate::yaml::{Kind, Node};

/// A duration, or one for each severity.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayConfig(pub Delay);

impl Value for DelayConfig {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let span = Duration::decode(node, reader)?;
            return Some(Self(Delay::Fixed { seconds: seconds(span) }));
        };
        let mut table = BTreeMap::new();
        for (key, value) in entries {
            let known = Severity::ALL.into_iter().find(|it| it.as_str() == key.text);
            let Some(severity) = known else {
                let hint = nearest(&key.text, Severity::ALL.iter().map(|it| it.as_str()));
                let message = format!("`{}` is none of `sev1` to `sev5`{hint}", key.text);
                reader.error_span(key.span, message);
                continue;
            };
            let path = format!(".{}", key.text);
            let span = reader.inside(&path, value, |reader| Duration::decode(value, reader));
            table.extend(span.map(|span| (severity, seconds(span))));
        }
        Some(Self(Delay::Table { seconds: table }))
    }

    fn encode(&self) -> Out {
        let shown = |seconds: u32| Duration::from_secs(seconds.into()).encode();
        match &self.0 {
            Delay::BySeverity => Out::Null,
            Delay::Fixed { seconds } => shown(*seconds),
            Delay::Table { seconds } => Out::Map(
                seconds
                    .iter()
                    .map(|(severity, seconds)| Entry {
                        flag: Flag::Native,
                        ..Entry::new(severity.as_str(), shown(*seconds))
                    })
                    .collect(),
            ),
        }
    }

    fn shape() -> Shape {
        Shape::OneOf(vec![Duration::shape(), Shape::Map(Box::new(Duration::shape()))])
    }
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}
