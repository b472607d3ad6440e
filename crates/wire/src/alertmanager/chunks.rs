//! Long lists in pieces, so that an answer never holds more in memory than a piece and the alerts
//! it still has to tell of.

use tocsin_core::alert::AlertView;
use tocsin_core::views::GroupView;

use super::encode::{group_end, group_start, write_alert};

/// A piece is sent once it has this many bytes; the last thing written may exceed it.
const CHUNK_BYTES: usize = 128 << 10;

/// Room beyond [`CHUNK_BYTES`] for what is written last.
const SLACK_BYTES: usize = 4 << 10;

/// `GET /alerts`, piece by piece.
pub struct AlertChunks {
    alerts: std::vec::IntoIter<AlertView>,
    place: Place,
}

/// `GET /alerts/groups`, piece by piece.
pub struct GroupChunks {
    groups: std::vec::IntoIter<GroupView>,
    /// The group being written, with those of its alerts that are still to come.
    open: Option<(GroupView, std::vec::IntoIter<AlertView>)>,
    place: Place,
}

/// Where a list stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// After an item, so the next one needs a comma.
    Middle,
    End,
}

/// Returns `GET /alerts` in pieces.
pub fn encode_alerts(alerts: Vec<AlertView>) -> AlertChunks {
    AlertChunks { alerts: alerts.into_iter(), place: Place::Start }
}

/// Returns `GET /alerts/groups` in pieces.
pub fn encode_groups(groups: Vec<GroupView>) -> GroupChunks {
    GroupChunks { groups: groups.into_iter(), open: None, place: Place::Start }
}

impl Iterator for AlertChunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = self.place.begin()?;
        while out.len() < CHUNK_BYTES {
            let Some(alert) = self.alerts.next() else {
                self.place.finish(&mut out);
                break;
            };
            self.place.separate(&mut out);
            write_alert(&mut out, &alert);
        }
        Some(out)
    }
}

impl Iterator for GroupChunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = self.place.begin()?;
        while out.len() < CHUNK_BYTES {
            let Some((group, alerts)) = &mut self.open else {
                let Some(mut group) = self.groups.next() else {
                    self.place.finish(&mut out);
                    break;
                };
                self.place.separate(&mut out);
                group_start(&mut out);
                let mut alerts = std::mem::take(&mut group.alerts).into_iter();
                if let Some(first) = alerts.next() {
                    write_alert(&mut out, &first);
                }
                self.open = Some((group, alerts));
                continue;
            };
            if let Some(alert) = alerts.next() {
                out.push(b',');
                write_alert(&mut out, &alert);
            } else {
                group_end(&mut out, group);
                self.open = None;
            }
        }
        Some(out)
    }
}

impl Place {
    /// Returns an empty piece, with the bracket that opens the list in the first; `None` after the
    /// last.
    fn begin(&mut self) -> Option<Vec<u8>> {
        if *self == Self::End {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK_BYTES + SLACK_BYTES);
        if *self == Self::Start {
            out.push(b'[');
        }
        Some(out)
    }

    /// Sets the next item apart from the one before.
    fn separate(&mut self, out: &mut Vec<u8>) {
        if *self == Self::Middle {
            out.push(b',');
        }
        *self = Self::Middle;
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.push(b']');
        *self = Self::End;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::encode::tests::{group, view};

    fn read(chunks: impl Iterator<Item = Vec<u8>>) -> (usize, Vec<serde_json::Value>) {
        let chunks: Vec<_> = chunks.collect();
        let longest = chunks.iter().map(Vec::len).max().unwrap();
        assert!(longest < CHUNK_BYTES + SLACK_BYTES);
        (chunks.len(), serde_json::from_slice(&chunks.concat()).unwrap())
    }

    #[test]
    fn nothing_is_one_empty_list() {
        assert_eq!(encode_alerts(Vec::new()).collect::<Vec<_>>(), [b"[]"]);
        assert_eq!(encode_groups(Vec::new()).collect::<Vec<_>>(), [b"[]"]);
    }

    #[test]
    fn many_alerts_come_in_pieces_of_one_list() {
        let (pieces, alerts) = read(encode_alerts(vec![view(Default::default()); 1_000]));
        assert!(pieces > 3);
        assert_eq!(alerts.len(), 1_000);
        assert!(alerts.iter().all(|alert| alert["fingerprint"] == "638fcf6831e8a35c"));
    }

    #[test]
    fn a_group_may_be_longer_than_a_piece() {
        let mut long = group();
        long.alerts = vec![view(Default::default()); 1_000];
        let (pieces, groups) = read(encode_groups(vec![group(), long, group()]));
        assert!(pieces > 3);
        let lengths = groups.iter().map(|group| group["alerts"].as_array().unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [0, 1_000, 0]);
    }
}
