//! What was said in a chat, read so that it can be put into a timeline: the messages of a Slack
//! export, or lines as people copy them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The most characters of one message; a longer one is refused with its place.
const MAX_MESSAGE_CHARS: usize = 10_000;

/// The most messages that are read.
const MAX_MESSAGES: usize = 1_000;

/// A step back of more than this means that midnight has passed.
const MIDNIGHT_HOURS: i8 = 12;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// When it was said.
    pub at: Timestamp,
    /// Who said it, by the name they have there.
    pub author: String,
    /// What.
    pub text: String,
}

/// Why a chat could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// It is no list of messages.
    #[error("not the messages of a Slack export: {message}")]
    Json {
        /// What is wrong, and where.
        message: String,
    },
    /// A message is not as expected.
    #[error("message {number} {message}")]
    Message {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A line is not as expected.
    #[error("line {number} {message}")]
    Line {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        message: String,
    },
    /// There is nothing to read.
    #[error("there is no message in it")]
    Empty,
}

/// A message as Slack exports it.
#[derive(Deserialize)]
struct SlackMessage {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    subtype: String,
    #[serde(default)]
    ts: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    user_profile: Option<SlackProfile>,
}

#[derive(Deserialize)]
struct SlackProfile {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    real_name: String,
}

/// What Slack writes about a channel rather than what people say in it.
const NOT_SAID: [&str; 6] = [
    "channel_join",
    "channel_leave",
    "channel_topic",
    "channel_purpose",
    "channel_name",
    "channel_archive",
];

/// Reads the messages of a Slack export: one of its files, or the answer of its API.
///
/// # Errors
/// It is no such list, or a message has no time.
pub fn read_slack(text: &str) -> Result<Vec<ChatMessage>, ChatError> {
    let wrong = |why: serde_json::Error| ChatError::Json { message: why.to_string() };
    let value: serde_json::Value = serde_json::from_str(text).map_err(wrong)?;
    let list = value.get("messages").cloned().unwrap_or(value);
    let messages: Vec<SlackMessage> = serde_json::from_value(list).map_err(wrong)?;
    let mut read = Vec::new();
    for (number, message) in (1..).zip(messages) {
        let is_said = message.r#type == "message" && !NOT_SAID.contains(&&*message.subtype);
        if !is_said || message.text.trim().is_empty() {
            continue;
        }
        let at = slack_time(&message.ts).ok_or_else(|| {
            let message = "has no time that can be read in `ts`".to_owned();
            ChatError::Message { number, message }
        })?;
        let text = plain_slack(&message.text);
        check(&text).map_err(|message| ChatError::Message { number, message })?;
        read.push(ChatMessage { at, author: slack_author(message), text });
        if read.len() > MAX_MESSAGES {
            let message = format!("is one too many; {MAX_MESSAGES} are taken at once");
            return Err(ChatError::Message { number, message });
        }
    }
    read.sort_by_key(|it| it.at);
    if read.is_empty() { Err(ChatError::Empty) } else { Ok(read) }
}

/// Reads `1512085950.000216`: seconds, and what makes it unique.
fn slack_time(ts: &str) -> Option<Timestamp> {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    let micros: String = rest.chars().chain("000000".chars()).take(6).collect();
    let (seconds, micros): (i64, i64) = (seconds.parse().ok()?, micros.parse().ok()?);
    Timestamp::from_microsecond(seconds.checked_mul(1_000_000)?.checked_add(micros)?).ok()
}

fn slack_author(message: SlackMessage) -> String {
    let profile = message.user_profile;
    let known = profile.map(|it| [it.display_name, it.real_name]).into_iter().flatten();
    let mut names = known.chain([message.username, message.user]);
    names.find(|it| !it.trim().is_empty()).unwrap_or_else(|| "somebody".to_owned())
}

/// Undoes what Slack does to three characters.
fn plain_slack(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Reads lines of the form `HH:MM name: text`, beginning on `date`; seconds and brackets are taken,
/// too. A line without a time goes on with the message before. A time that is hours earlier than
/// the one before it is of the next day.
///
/// # Errors
/// The first line has no time, or a time does not exist in the zone.
pub fn read_lines(text: &str, date: Date, zone: &TimeZone) -> Result<Vec<ChatMessage>, ChatError> {
    let mut read: Vec<ChatMessage> = Vec::new();
    let mut date = date;
    let mut before: Option<Time> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |message: String| ChatError::Line { number, message };
        let Some((time, author, said)) = split(line) else {
            if line.trim().is_empty() {
                continue;
            }
            let Some(last) = read.last_mut() else {
                let message = "does not begin as `HH:MM name: text`".to_owned();
                return Err(wrong(message));
            };
            last.text.push('\n');
            last.text.push_str(line.trim_end());
            check(&last.text).map_err(wrong)?;
            continue;
        };
        if before.is_some_and(|it| it.hour() - time.hour() >= MIDNIGHT_HOURS) {
            date = date.tomorrow().map_err(|why| wrong(why.to_string()))?;
        }
        before = Some(time);
        let at = zone.to_timestamp(date.to_datetime(time)).map_err(|why| wrong(why.to_string()))?;
        check(said).map_err(wrong)?;
        read.push(ChatMessage { at, author: author.to_owned(), text: said.to_owned() });
        if read.len() > MAX_MESSAGES {
            let message = format!("is one too many; {MAX_MESSAGES} are taken at once");
            return Err(wrong(message));
        }
    }
    if read.is_empty() { Err(ChatError::Empty) } else { Ok(read) }
}

/// Splits `[10:32:05] Ada: text` into its parts.
fn split(line: &str) -> Option<(Time, &str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix('[').unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_digit() && c != ':')?;
    let (clock, rest) = line.split_at(end);
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, rest_of_clock @ ..] = parts.as_slice() else { return None };
    let second = match rest_of_clock {
        [] => "0",
        [second] => second,
        _ => return None,
    };
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() <= 2);
    let time = Time::new(number(hour)?, number(minute)?, number(second)?, 0).ok()?;
    let rest = rest.trim_start_matches(']').trim_start();
    let (author, said) = rest.split_once(':')?;
    let (author, said) = (author.trim(), said.trim());
    (!author.is_empty() && !said.is_empty()).then_some((time, author, said))
}

fn check(text: &str) -> Result<(), String> {
    if text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(format!("has more than {MAX_MESSAGE_CHARS} characters"));
    }
    Ok(())
}

/// Returns the day of an instant in a zone, on which lines without a date begin.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    at.checked_add(SignedDuration::ZERO).unwrap_or(at).to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lines_are_read_as_people_copy_them() {
        let text = "23:58 Ada: looks like the disk\n[23:59:30] Bob B.: =1+1: really?\n  and more\n\n00:03 Ada: fixed\n";
        let date = jiff::civil::date(2026, 1, 31);
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let read = read_lines(text, date, &berlin).unwrap();
        let plain: Vec<_> =
            read.iter().map(|it| (it.at, it.author.as_str(), it.text.as_str())).collect();
        assert_eq!(
            plain,
            [
                (utc("2026-01-31T22:58:00Z"), "Ada", "looks like the disk"),
                (utc("2026-01-31T22:59:30Z"), "Bob B.", "=1+1: really?\n  and more"),
                (utc("2026-01-31T23:03:00Z"), "Ada", "fixed"),
            ]
        );
        let error = read_lines("hello\n", date, &berlin).unwrap_err();
        assert_eq!(error.to_string(), "line 1 does not begin as `HH:MM name: text`");
        assert_eq!(read_lines("\n", date, &berlin), Err(ChatError::Empty));
        assert!(read_lines("25:00 Ada: x", date, &berlin).is_err());
    }

    #[test]
    fn a_slack_export_is_read() {
        let text = r#"[
            {"type":"message","subtype":"channel_join","ts":"1512085950.000216","text":"joined"},
            {"type":"message","user":"U1","user_profile":{"real_name":"Bob","display_name":""},
             "ts":"1512085961.5","text":"a &lt;b&gt; &amp; c"},
            {"type":"message","user":"U2","ts":"1512085951.000217","text":"first"},
            {"type":"message","username":"bot","ts":"1512085952","text":"  "}
        ]"#;
        let read = read_slack(text).unwrap();
        let plain: Vec<_> =
            read.iter().map(|it| (it.at, it.author.as_str(), it.text.as_str())).collect();
        assert_eq!(
            plain,
            [
                (utc("2017-11-30T23:52:31.000217Z"), "U2", "first"),
                (utc("2017-11-30T23:52:41.5Z"), "Bob", "a <b> & c"),
            ]
        );
        let wrapped = r#"{"ok":true,"messages":[{"type":"message","ts":"x","text":"a"}]}"#;
        let error = read_slack(wrapped).unwrap_err();
        assert_eq!(error.to_string(), "message 1 has no time that can be read in `ts`");
        assert!(matches!(read_slack("{"), Err(ChatError::Json { .. })));
        assert_eq!(read_slack("[]"), Err(ChatError::Empty));
    }
}
