//! Alertmanager's API v2: what clients post and what they get back, to the letter.
//!
//! Decoding has two speeds. The fast one reads well-formed bodies straight into domain types. When
//! it stumbles, a slow one reads the same body the way Go's decoder would, so that everything
//! Alertmanager accepts is accepted and everything it refuses is refused in its words.

mod alerts;
mod chunks;
mod encode;
mod error;
mod go_json;
mod request_uri;
mod silences;
mod slow;
mod status;
mod time;

pub use alerts::{AlertContext, PostedAlerts, decode_alerts};
pub use chunks::{AlertChunks, GroupChunks, encode_alerts, encode_groups};
pub use encode::{encode_receivers, encode_silence, encode_silences};
pub use error::{ApiError, regex_complaint};
pub use silences::{PostedSilence, decode_silence, parse_silence_id, rejection};
pub use status::{Cluster, Peer, Status, VersionInfo};
pub use time::format_millis;
