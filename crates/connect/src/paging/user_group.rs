//! A user group of Slack that holds whoever is on call.
//!
//! A group is never emptied: when nobody on call is known to Slack it stays as it is, and a channel
//! is told. Services that imitate Slack say `ok: false` without an error where it worked.

use serde::Deserialize;
use tocsin_config::UserGroupConfig;
use tocsin_core::paging::Channel;

use super::Channels;
use super::slack::{Api, escape};
use crate::failure::Undelivered;
use crate::http::{Answer, Deadline, Stamp};
use crate::outbound::DEFAULT_TIMEOUT;
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "slack";

/// What was done to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// It holds these people now.
    Set {
        /// How many.
        people: usize,
    },
    /// Nobody on call is known to Slack; it was left as it is.
    LeftAlone,
}

/// Why a group could not be changed, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("user group `{group}`: {why}")]
pub struct UserGroupError {
    /// Which.
    pub group: String,
    /// What Slack said.
    pub why: String,
    /// How long it asks us to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Listed {
    ok: Option<bool>,
    #[serde(default)]
    error: String,
    usergroups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    handle: String,
}

#[derive(Default, Deserialize)]
struct Updated {
    ok: Option<bool>,
    #[serde(default)]
    error: String,
    usergroup: Option<serde_json::Value>,
}

/// Makes a group hold exactly these members.
pub(crate) async fn sync(
    channels: &Channels,
    group: &UserGroupConfig,
    members: &[String],
    now: jiff::Timestamp,
) -> Result<GroupChange, UserGroupError> {
    let mut redactor = Redactor::new();
    let key = format!("{}-{}", group.user_group, members.join("-"));
    let stamp = Stamp { idempotency_key: &key, now };
    let outcome = apply(channels, group, members, stamp, &mut redactor).await;
    outcome.map_err(|undelivered| {
        let (why, retry_after_ms) = undelivered.into_parts(&redactor);
        UserGroupError { group: group.user_group.clone(), why, retry_after_ms }
    })
}

async fn apply(
    channels: &Channels,
    group: &UserGroupConfig,
    members: &[String],
    stamp: Stamp<'_>,
    redactor: &mut Redactor,
) -> Result<GroupChange, Undelivered> {
    let config = &channels.config().slack;
    let sender = channels.sender(Channel::Slack)?;
    let deadline = Deadline::after(DEFAULT_TIMEOUT);
    let mut api = Api::new(config, sender, stamp, deadline, redactor).await?;
    if members.is_empty() {
        if let Some(channel) = &group.error_channel {
            let schedule = escape(&group.schedule);
            let text = format!(
                "Nobody who is on call for {schedule} is known to Slack, so the user group \
                 {} was left as it is. Add a Slack member id to their contact methods.",
                escape(&group.user_group)
            );
            let fields = [("channel", channel.clone()), ("text", text)];
            crate::slack::judge_method(&api.call("chat.postMessage", &fields).await?)
                .map_err(|(_, undelivered)| undelivered)?;
        }
        return Ok(GroupChange::LeftAlone);
    }
    let id = find(&mut api, &group.user_group).await?;
    let fields = [("usergroup", id), ("users", members.join(","))];
    let answer = api.call("usergroups.users.update", &fields).await?;
    let said: Updated = read(&answer)?;
    succeeded(&answer, said.ok, &said.error, said.usergroup.is_some())?;
    Ok(GroupChange::Set { people: members.len() })
}

/// Returns the id of a group that is given by it or by its handle.
async fn find(api: &mut Api<'_>, name: &str) -> Result<String, Undelivered> {
    let answer = api.call("usergroups.list", &[]).await?;
    let said: Listed = read(&answer)?;
    succeeded(&answer, said.ok, &said.error, said.usergroups.is_some())?;
    let name = name.trim_start_matches('@');
    let groups = said.usergroups.unwrap_or_default();
    let found = groups.iter().find(|group| group.id == name || group.handle == name);
    found.map(|group| group.id.clone()).ok_or_else(|| refused(&answer, "subteam_not_found"))
}

fn read<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, Undelivered> {
    answer.taken(TARGET, &[])?;
    serde_json::from_slice(&answer.body).map_err(|_| {
        let why = answer.incomplete.as_deref().unwrap_or("it is not what Slack answers");
        let message = format!("{TARGET}: the answer cannot be read: {why}");
        Undelivered::failed(tocsin_core::notification::FailureClass::Other, message)
    })
}

fn succeeded(
    answer: &Answer,
    ok: Option<bool>,
    error: &str,
    has_payload: bool,
) -> Result<(), Undelivered> {
    if ok == Some(true) || (error.is_empty() && has_payload) {
        return Ok(());
    }
    Err(refused(answer, error))
}

fn refused(answer: &Answer, error: &str) -> Undelivered {
    let hint = match error {
        "subteam_not_found" => ": there is no such user group",
        "invalid_users" | "user_not_found" => ": a member id among the contact methods is wrong",
        "missing_scope" => ": the app needs the scopes usergroups:read and usergroups:write",
        _ => "",
    };
    crate::slack::refusal(answer, &format!("{error}{hint}"))
}
