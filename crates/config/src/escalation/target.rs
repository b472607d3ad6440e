//! Who is paged by a step, as one text.

use std::sync::Arc;

use compact_str::CompactString;
use tocsin_core::escalation::{PlaceTarget, SchedulePick, Target};
use tocsin_core::identity::Handle;
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
            target => Out::text(&written(target)),
        }
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("target"))
    }
}

fn parse(text: &str) -> Result<Target, String> {
    let Some((kind, rest)) = text.split_once(':') else {
        let person = Handle::parse(text).map_err(|_| {
            "write a handle, `team:NAME`, `schedule:NAME`, `knows:TAG` or `CHANNEL:ADDRESS`"
                .to_owned()
        })?;
        return Ok(Target::Person { person });
    };
    if rest.is_empty() {
        return Err(format!("something must follow `{kind}:`"));
    }
    match kind {
        "team" => Ok(Target::Team { team: rest.into() }),
        "schedule" => {
            let (schedule, pick) = rest.split_once('/').unwrap_or((rest, "current"));
            Ok(Target::Schedule { schedule: schedule.into(), pick: parse_pick(pick)? })
        }
        "knows" => parse_expertise(rest),
        channel => {
            let Some(channel) = Channel::from_word(channel) else {
                let words = ["team", "schedule", "knows"];
                let channels = Channel::ALL.into_iter().map(Channel::as_str);
                let hint = nearest(channel, words.into_iter().chain(channels));
                return Err(format!("`{channel}:` means nothing here{hint}"));
            };
            Ok(Target::Place(PlaceTarget { channel, address: rest.to_owned() }))
        }
    }
}

fn parse_pick(text: &str) -> Result<SchedulePick, String> {
    if let Some(layer) = text.strip_prefix("layer=") {
        return Ok(SchedulePick::Layer { layer: layer.into() });
    }
    if let Some(places) = text.strip_prefix('+') {
        let places = places.parse().map_err(|_| format!("`+{places}` is no number of places"))?;
        return Ok(SchedulePick::Nth { places });
    }
    Ok(match text {
        "current" => SchedulePick::Current,
        "next" => SchedulePick::Next,
        "previous" => SchedulePick::Previous,
        "all" => SchedulePick::All,
        "random" => SchedulePick::Random,
        _ => {
            let words = ["current", "next", "previous", "all", "random"];
            let hint = nearest(text, words.into_iter());
            return Err(format!(
                "`/{text}` is none of /current, /next, /previous, /all, /random, /+1 and \
                 /layer=NAME{hint}"
            ));
        }
    })
}

fn parse_expertise(text: &str) -> Result<Target, String> {
    let (text, count) = match text.split_once('*') {
        Some((text, count)) => {
            let count = count.parse().ok().filter(|count| (1..=20).contains(count));
            (text, count.ok_or("after `*` comes how many of them, 1 to 20")?)
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
        return Err("after `knows:` come tags, as in `knows:postgres,backup`".to_owned());
    }
    Ok(Target::Expertise { tags, team, count })
}

fn written(target: &Target) -> String {
    match target {
        Target::Person { person } => person.to_string(),
        Target::Team { team } => format!("team:{team}"),
        Target::Schedule { schedule, pick } => match pick {
            SchedulePick::Current => format!("schedule:{schedule}"),
            SchedulePick::Next => format!("schedule:{schedule}/next"),
            SchedulePick::Previous => format!("schedule:{schedule}/previous"),
            SchedulePick::All => format!("schedule:{schedule}/all"),
            SchedulePick::Random => format!("schedule:{schedule}/random"),
            SchedulePick::Layer { layer } => format!("schedule:{schedule}/layer={layer}"),
            SchedulePick::Nth { places } => format!("schedule:{schedule}/+{places}"),
        },
        Target::Expertise { tags, team, count } => {
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
        Target::Place(place) => format!("{}:{}", place.channel, place.address),
    }
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
            let target = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(written(&target), text);
        }
    }

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
