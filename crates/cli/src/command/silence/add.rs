//! `tocsin silence add`.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tocsin_engine::{Clock as _, SystemClock};

use super::set;
use crate::args;
use crate::client::shapes::{Silence, SilenceMatcher};
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format};

#[derive(clap::Args, Clone, Debug)]
pub(super) struct Add {
    /// Which alerts: conditions that must all hold, such as severity=critical or 'job=~"db.*"'.
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,

    /// Why they are muted.
    #[arg(short, long, value_name = "TEXT")]
    comment: String,

    /// How long from the start.
    #[arg(
        short,
        long,
        default_value = "1h",
        value_parser = args::duration,
        conflicts_with = "end",
        value_name = "DURATION"
    )]
    duration: SignedDuration,

    /// When it begins; now unless given.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    start: Option<Timestamp>,

    /// When it ends, in the place of --duration.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    end: Option<Timestamp>,

    /// Who mutes them; the name of the user who runs this unless given.
    #[arg(short, long, value_name = "NAME")]
    author: Option<String>,

    /// Free text to keep with the silence; may be given several times.
    #[arg(long = "annotation", value_name = "NAME=VALUE")]
    annotations: Vec<String>,
}

/// Sets a silence and prints its id.
pub(super) async fn run(client_args: &ClientArgs, add: Add) -> Result<()> {
    let silence = silence(add, SystemClock.now(), user())?;
    let id = set(&Client::new(&client_args.server)?, &silence).await?;
    match client_args.output {
        Format::Json => output::print(&serde_json::json!({ "silenceID": id }).to_string()),
        Format::Simple | Format::Extended => output::print(&id),
    }
}

fn silence(add: Add, now: Timestamp, user: Option<String>) -> Result<Silence, Failure> {
    let starts_at = add.start.unwrap_or(now);
    let ends_at = match add.end {
        Some(end) => end,
        None if !add.duration.is_positive() => {
            return Err(Failure::usage("--duration must be longer than zero, like 2h"));
        }
        None => starts_at.checked_add(add.duration).map_err(|_| {
            Failure::usage("--duration reaches beyond the year 9999; give a shorter one")
        })?,
    };
    if ends_at <= starts_at {
        return Err(Failure::usage("the silence would end before it begins; change --end"));
    }
    let created_by = add.author.or(user).filter(|author| !author.is_empty()).ok_or_else(|| {
        Failure::usage("who you are is not known here; name yourself with --author")
    })?;
    if add.comment.trim().is_empty() {
        return Err(Failure::usage("--comment is empty; say why the alerts are muted"));
    }
    let matchers = args::matchers(&add.matchers)?;
    if matchers.iter().all(|matcher| matcher.matches_value("")) {
        return Err(Failure::usage(
            "these matchers also match alerts without any of the labels, so they would mute \
             everything; add one that demands a value, such as severity=warning",
        ));
    }
    Ok(Silence {
        id: String::new(),
        matchers: matchers
            .iter()
            .map(|matcher| SilenceMatcher {
                name: matcher.name().to_owned(),
                value: matcher.value().to_owned(),
                is_regex: matcher.op().is_regex(),
                is_equal: matcher.op().is_equal(),
            })
            .collect(),
        starts_at,
        ends_at,
        created_by,
        comment: add.comment,
        annotations: annotations(&add.annotations)?,
        updated_at: None,
        status: None,
    })
}

fn annotations(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    args::pairs(texts, "an annotation", "ticket=OPS-42")
}

/// Returns the name of the user who runs this: what the environment says, else the account's name.
fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .or_else(|| {
            let status = std::fs::read_to_string("/proc/self/status").ok()?;
            let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
            account_name(&status, &accounts)
        })
}

/// Returns the name of the account that a process status names by number. Containers and timers
/// often have no environment that says it.
fn account_name(status: &str, accounts: &str) -> Option<String> {
    let uid =
        status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn an_account_is_named_where_the_environment_says_nothing() {
        let status = "Name:\ttocsin\nUid:\t1000\t1000\t1000\t1000\n";
        let accounts = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/srv/ada:/bin/sh\n";
        assert_eq!(account_name(status, accounts).as_deref(), Some("ada"));
        assert_eq!(account_name("Uid:\t7\t7\t7\t7\n", accounts), None);
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        add: Add,
    }

    fn read(line: &[&str]) -> Result<Silence, Failure> {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let arguments = ["add", "-c", "why"].iter().chain(line);
        silence(Line::try_parse_from(arguments).unwrap().add, now, Some("ada".to_owned()))
    }

    #[test]
    fn a_silence_lasts_an_hour_from_now_unless_told_otherwise() {
        let silence = read(&["DiskFull", "job!~db.*"]).unwrap();
        assert_eq!(silence.ends_at.to_string(), "2026-11-21T11:00:00Z");
        assert_eq!(silence.matchers(), "alertname=\"DiskFull\" job!~\"db.*\"");
        assert_eq!(silence.created_by, "ada");
        let silence = read(&["a=b", "--start", "2026-12-01T00:00:00Z", "-d", "1d"]).unwrap();
        assert_eq!(silence.ends_at.to_string(), "2026-12-02T00:00:00Z");
    }

    #[test]
    fn what_would_mute_everything_or_nothing_is_refused() {
        assert!(read(&["a=~.*"]).unwrap_err().to_string().contains("everything"));
        assert!(read(&["a=b", "-d", "0s"]).is_err());
        let error = read(&["a=b", "--end", "2026-11-21T09:00:00Z"]).unwrap_err();
        assert!(error.to_string().contains("before it begins"), "{error}");
    }
}
