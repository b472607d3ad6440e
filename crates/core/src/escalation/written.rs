//! A target as one text, the same in the configuration file, the API and the console.

use std::sync::Arc;

use compact_str::CompactString;

use super::policy::{PlaceTarget, SchedulePick, Target};
use crate::identity::Handle;
use crate::paging::Channel;

/// The most people of one expertise that a target means.
const MAX_EXPERTS: u32 = 20;

/// The words before the colon beside those of the channels.
pub const TARGET_KINDS: [&str; 3] = ["team", "schedule", "knows"];

/// The words after the name of a schedule.
pub const SCHEDULE_PICKS: [&str; 5] = ["current", "next", "previous", "all", "random"];

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither a handle nor anything with a colon.
    #[error("write a handle, `team:NAME`, `schedule:NAME`, `knows:TAG` or `CHANNEL:ADDRESS`")]
    NoHandle,
    /// Nothing follows the colon.
    #[error("something must follow `{kind}:`")]
    NothingFollows {
        /// What stands before it.
        kind: String,
    },
    /// What stands before the colon is not known.
    #[error("`{kind}:` means nothing here")]
    UnknownKind {
        /// What stands there.
        kind: String,
    },
    /// What follows the name of a schedule is not known.
    #[error("`/{pick}` is none of /current, /next, /previous, /all, /random, /+1 and /layer=NAME")]
    UnknownPick {
        /// What stands there.
        pick: String,
    },
    /// No number of places.
    #[error("`+{places}` is no number of places")]
    Places {
        /// What stands there.
        places: String,
    },
    /// No number of experts.
    #[error("after `*` comes how many of them, 1 to {MAX_EXPERTS}")]
    Count,
    /// No tag.
    #[error("after `knows:` come tags, as in `knows:postgres,backup`")]
    NoTags,
}

impl Target {
    /// Reads a handle, or one of `team:`, `schedule:`, `knows:` and the channels with what follows.
    ///
    /// # Errors
    /// [`TargetError`] says what would do.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let Some((kind, rest)) = text.split_once(':') else {
            let person = Handle::parse(text).map_err(|_| TargetError::NoHandle)?;
            return Ok(Self::Person { person });
        };
        if rest.is_empty() {
            return Err(TargetError::NothingFollows { kind: kind.to_owned() });
        }
        match kind {
            "team" => Ok(Self::Team { team: rest.into() }),
            "schedule" => {
                let (schedule, pick) = rest.split_once('/').unwrap_or((rest, "current"));
                Ok(Self::Schedule { schedule: schedule.into(), pick: parse_pick(pick)? })
            }
            "knows" => parse_expertise(rest),
            kind => match Channel::from_word(kind) {
                Some(channel) => Ok(Self::Place(PlaceTarget { channel, address: rest.to_owned() })),
                None => Err(TargetError::UnknownKind { kind: kind.to_owned() }),
            },
        }
    }

    /// Returns the text that [`Self::parse`] reads.
    pub fn written(&self) -> String {
        match self {
            Self::Person { person } => person.to_string(),
            Self::Team { team } => format!("team:{team}"),
            Self::Schedule { schedule, pick } => match pick {
                SchedulePick::Current => format!("schedule:{schedule}"),
                SchedulePick::Next => format!("schedule:{schedule}/next"),
                SchedulePick::Previous => format!("schedule:{schedule}/previous"),
                SchedulePick::All => format!("schedule:{schedule}/all"),
                SchedulePick::Random => format!("schedule:{schedule}/random"),
                SchedulePick::Layer { layer } => format!("schedule:{schedule}/layer={layer}"),
                SchedulePick::Nth { places } => format!("schedule:{schedule}/+{places}"),
            },
            Self::Expertise { tags, team, count } => {
                let mut text = format!("knows:{}", tags.join(","));
                if let Some(team) = team {
                    text.push('@');
                    text.push_str(team);
                }
                if *count > 1 {
                    text.push_str(&format!("*{count}"));
                }
                text
            }
            Self::Place(place) => format!("{}:{}", place.channel, place.address),
        }
    }
}

fn parse_pick(text: &str) -> Result<SchedulePick, TargetError> {
    if let Some(layer) = text.strip_prefix("layer=") {
        return Ok(SchedulePick::Layer { layer: layer.into() });
    }
    if let Some(places) = text.strip_prefix('+') {
        let places =
            places.parse().map_err(|_| TargetError::Places { places: places.to_owned() })?;
        return Ok(SchedulePick::Nth { places });
    }
    Ok(match text {
        "current" => SchedulePick::Current,
        "next" => SchedulePick::Next,
        "previous" => SchedulePick::Previous,
        "all" => SchedulePick::All,
        "random" => SchedulePick::Random,
        pick => return Err(TargetError::UnknownPick { pick: pick.to_owned() }),
    })
}

fn parse_expertise(text: &str) -> Result<Target, TargetError> {
    let (text, count) = match text.split_once('*') {
        Some((text, count)) => {
            let count = count.parse().ok().filter(|count| (1..=MAX_EXPERTS).contains(count));
            (text, count.ok_or(TargetError::Count)?)
        }
        None => (text, 1),
    };
    let (tags, team) = match text.split_once('@') {
        Some((tags, team)) => (tags, Some(Arc::from(team))),
        None => (text, None),
    };
    let tags: Vec<CompactString> =
        tags.split(',').map(str::trim).filter(|it| !it.is_empty()).map(Into::into).collect();
    if tags.is_empty() {
        return Err(TargetError::NoTags);
    }
    Ok(Target::Expertise { tags, team, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "ada",
            "team:db",
            "schedule:primary",
            "schedule:primary/next",
            "schedule:primary/layer=nights",
            "schedule:primary/+2",
            "schedule:primary/random",
            "knows:postgres,backup@db*2",
            "slack:#db",
            "webhook:https://hooks.example.org/x",
        ] {
            let target = Target::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(target.written(), text);
        }
    }

    #[test]
    fn what_means_nothing_says_so() {
        for (text, part) in [
            ("shedule:primary", "means nothing"),
            ("schedule:primary/nxt", "/next"),
            ("schedule:primary/+x", "no number"),
            ("knows:", "must follow"),
            ("knows:@db", "come tags"),
            ("knows:x*0", "1 to 20"),
            ("Ada Lovelace", "write a handle"),
        ] {
            let why = Target::parse(text).unwrap_err().to_string();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
