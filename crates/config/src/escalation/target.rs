//! Who is paged by a step, as one text.

use tocsin_core::escalation::{SCHEDULE_PICKS, TARGET_KINDS, Target, TargetError};
use tocsin_core::paging::Channel;

use crate::reader::{Reader, Value, nearest};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// A handle, or one of `team:`, `schedule:`, `knows:` and the channels with what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetText(pub Target);

impl Value for TargetText {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        // The address of a webhook is as good as a secret.
        if let crate::yaml::Kind::Scalar { text, .. } = &node.kind
            && text.contains("://")
        {
            return reader.parsed_secret(node, "a target", |text| parse(text).map(Self));
        }
        reader.parsed(node, "a target", |text| parse(text).map(Self))
    }

    fn encode(&self) -> Out {
        match &self.0 {
            Target::Place(place) if place.address.contains("://") => Out::Secret,
            target => Out::text(&target.written()),
        }
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("target"))
    }
}

/// Reads a target; what is misspelt gets the nearest word that means something.
fn parse(text: &str) -> Result<Target, String> {
    Target::parse(text).map_err(|error| {
        let hint = match &error {
            TargetError::UnknownKind { kind } => {
                let channels = Channel::ALL.into_iter().map(Channel::as_str);
                nearest(kind, TARGET_KINDS.into_iter().chain(channels))
            }
            TargetError::UnknownPick { pick } => nearest(pick, SCHEDULE_PICKS.into_iter()),
            _ => String::new(),
        };
        format!("{error}{hint}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_says_what_would() {
        for (text, hint) in [
            ("shedule:primary", "did you mean `schedule`"),
            ("schedule:primary/nxt", "did you mean `next`"),
            ("knows:", "must follow"),
            ("knows:@db", "come tags"),
            ("Ada Lovelace", "write a handle"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(hint), "{text}: {why}");
        }
    }
}
