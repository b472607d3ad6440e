//! Keys that only Tocsin knows: switches, planned quiet times, retention and limits.

use std::time::Duration;

use jiff::civil::DateTime;
use tocsin_core::compat::Compat;
use tocsin_core::maintenance::Recurrence;

use crate::interval::Zone;
use crate::reader::{Fields, Reader, Value, nearest};
use crate::route::MatcherList;
use crate::section::{Entry, FieldInfo, Flag, Out, SectionInfo, Shape, Text, section, words};
use crate::values::Bytes;
use crate::yaml::{Kind, Node};

const DAY: Duration = Duration::from_secs(24 * 3600);

section! {
    /// How long the past is kept.
    RetentionConfig => {
        /// History, timelines and audit.
        @Native events: Duration = DAY * 90;
        /// Resolved alerts.
        @Native alerts: Duration = DAY * 90;
    }
}

section! {
    /// Bounds on what is held and taken; 0 means none.
    LimitsConfig, check = check_limits => {
        /// The most silences, expired ones included; also `--silences.max-silences`.
        @Native max_silences: usize;
        /// The largest silence in bytes; also `--silences.max-silence-size-bytes`.
        @Native max_silence_size_bytes: usize;
        /// The most firing alerts with the same `alertname`; also `--alerts.per-alertname-limit`.
        @Native alerts_per_alertname: usize;
        /// The most alerts altogether. Known ones keep refreshing at the limit.
        @Native max_alerts: usize;
        /// The largest body of a request, after decompression.
        @Native max_request_bytes: Bytes = Bytes(32 * 1024 * 1024);
        /// The most requests per second from one client.
        @Native requests_per_second: u32;
    }
}

fn check_limits(limits: &mut LimitsConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if limits.max_request_bytes.0 == 0 {
        reader.error_at(fields, "max_request_bytes", "`max_request_bytes` must be more than 0");
    }
}

section! {
    /// A planned quiet time for the alerts that match.
    MaintenanceWindowConfig, check = check_window => {
        /// The name, shown wherever an alert is held back.
        @Native name: String;
        /// Which alerts are held back, all of it.
        @Native matchers: MatcherList;
        /// The local start of the first occurrence, `2026-11-01T02:00`.
        @Native starts_at: Option<LocalTime>;
        /// How long each occurrence lasts.
        @Native duration: Option<Duration>;
        /// The zone of `starts_at`; unset means UTC. The local time stays through clock changes.
        @Native time_zone: Option<Zone>;
        /// When it recurs (RFC 5545), `FREQ=WEEKLY;BYDAY=SU`; unset means once.
        @Native recurrence: Option<Rule>;
        /// Why.
        @Native comment: String;
    }
}

fn check_window(
    window: &mut MaintenanceWindowConfig,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) {
    reader.require(fields, &["name", "matchers", "starts_at", "duration"]);
    if fields.has("matchers") && window.matchers.0.is_empty() {
        reader.error_at(fields, "matchers", "without matchers every alert would be held back");
    }
    if window.duration.is_some_and(|duration| duration.is_zero()) {
        reader.error_at(fields, "duration", "`duration` must be longer than 0");
    }
}

/// A date and a time without a zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalTime(pub DateTime);

impl Value for LocalTime {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "a local date and time", |text| {
            let time = text.get(10..).unwrap_or_default();
            if time.contains(['Z', 'z', '+', '-', '[']) {
                return Err("it carries a zone; that belongs in `time_zone`".to_owned());
            }
            if time.is_empty() {
                return Err("it needs a time, as in `2026-11-01T02:00`".to_owned());
            }
            text.parse().map(Self).map_err(|_| "write it as `2026-11-01T02:00`".to_owned())
        })
    }

    fn encode(&self) -> Out {
        Out::text(&self.0)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("local date and time"))
    }
}

/// A recurrence rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule(pub Recurrence);

impl Value for Rule {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match Recurrence::new(reader.text(node, "a recurrence rule")?) {
            Ok(rule) => Some(Self(rule)),
            Err(error) => {
                reader.error(node, error.to_string());
                None
            }
        }
    }

    fn encode(&self) -> Out {
        Out::text(self.0.as_str())
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("recurrence rule"))
    }
}

words! {
    /// A named set of switches.
    Preset {
        /// Every improvement.
        Native = "native",
        /// None of them: Alertmanager's exact behaviour.
        Alertmanager = "alertmanager",
    }
    default = Native
}

/// Which improvements over Alertmanager are on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompatConfig(pub Compat);

/// The key that names the set from which the switches of a mapping depart.
const PRESET: &str = "preset";

impl Preset {
    fn compat(self) -> Compat {
        match self {
            Self::Native => Compat::NATIVE,
            Self::Alertmanager => Compat::ALERTMANAGER,
        }
    }
}

impl Value for CompatConfig {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            return Preset::decode(node, reader).map(|preset| Self(preset.compat()));
        };
        let preset = entries.iter().find(|(key, _)| key.text == PRESET);
        let mut compat = Compat::default();
        if let Some((_, value)) = preset {
            compat = Preset::decode(value, reader).unwrap_or_default().compat();
            // The preset is where the switches come from that are not given one by one.
            for (name, _) in Compat::SWITCHES {
                reader.inside(&format!(".{name}"), value, |_| ());
            }
        }
        for (key, value) in entries.iter().filter(|(key, _)| key.text != PRESET) {
            let Some(switch) = compat.switch(&key.text) else {
                let known = Compat::SWITCHES.iter().map(|(name, _)| *name).chain([PRESET]);
                let hint = nearest(&key.text, known);
                reader.error_span(key.span, format!("unknown key `{}` in compat{hint}", key.text));
                continue;
            };
            let path = format!(".{}", key.text);
            let is_on = reader.inside(&path, value, |reader| bool::decode(value, reader));
            *switch = is_on.unwrap_or(*switch);
        }
        Some(Self(compat))
    }

    fn encode(&self) -> Out {
        let mut compat = self.0;
        let mut entries = Vec::new();
        for (name, _) in Compat::SWITCHES {
            if let Some(switch) = compat.switch(name) {
                entries.push(Entry { flag: Flag::Native, ..Entry::new(name, switch.encode()) });
            }
        }
        Out::Map(entries)
    }

    fn shape() -> Shape {
        Shape::OneOf(vec![Preset::shape(), Shape::Section(compat_info)])
    }
}

fn compat_info() -> SectionInfo {
    let switch = |(name, doc): (&'static str, &'static str)| FieldInfo {
        name,
        doc: sentence(doc),
        flag: Flag::Native,
        shape: Shape::Bool,
        default: Out::word("true"),
    };
    let preset = FieldInfo {
        name: PRESET,
        doc: "What the switches that are not given are set to.".to_owned(),
        flag: Flag::Native,
        shape: Preset::shape(),
        default: Preset::default().encode(),
    };
    SectionInfo {
        name: "CompatConfig",
        doc: "Switches between our improvements and Alertmanager's exact behaviour.".to_owned(),
        fields: std::iter::once(preset).chain(Compat::SWITCHES.map(switch)).collect(),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
