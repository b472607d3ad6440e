//! `tocsin serve --compat=alertmanager`: the server under Alertmanager's name.
//!
//! `contrib/alertmanager` starts us this way, so whatever starts an `alertmanager` gets the flags,
//! the wording of complaints and the exit codes that it knows.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args as _, Command, FromArgMatches as _};

use super::flags::ServeFlags;
use crate::output;

/// The exit code for everything that goes wrong, usage included.
const FAILED: u8 = 1;

/// The flag that asks for this, as one word and as two.
const FLAG: &str = "--compat";
const VALUE: &str = "alertmanager";

/// Returns the flags when the process was started in Alertmanager's place.
pub(crate) fn flags_of(words: &[OsString]) -> Option<&[OsString]> {
    let (_, rest) = words.split_first()?;
    let (command, flags) = rest.split_first()?;
    let one = format!("{FLAG}={VALUE}");
    let is_meant = flags.iter().any(|word| *word == *one)
        || flags.windows(2).any(|pair| pair[0] == FLAG && pair[1] == VALUE);
    (command == "serve" && is_meant).then_some(flags)
}

/// Runs the server with these flags until it is told to stop.
pub(crate) fn main(flags: &[OsString], run: impl FnOnce(ServeFlags) -> Result<()>) -> ExitCode {
    let given = |names: &[&str]| flags.iter().any(|word| names.iter().any(|name| word == name));
    let ended = if given(&["--help", "-h", "--help-long"]) {
        output::print(&help())
    } else {
        match parse(flags) {
            Err(complaint) => Err(anyhow::anyhow!("{complaint}, try --help")),
            Ok(parsed) if given(&["--version"]) => output::print(&version(&parsed.compat_version)),
            Ok(parsed) => run(parsed),
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("alertmanager: error: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

fn command() -> Command {
    let command = Command::new("alertmanager")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .override_usage("alertmanager [<flags>]")
        .arg(clap::Arg::new("version").long("version").num_args(0).hide(true))
        .max_term_width(100);
    ServeFlags::augment_args(command)
}

fn parse(flags: &[OsString]) -> Result<ServeFlags, String> {
    let matches = command().try_get_matches_from(flags).map_err(|error| complaint(&error))?;
    ServeFlags::from_arg_matches(&matches).map_err(|error| complaint(&error))
}

/// Words what is wrong with the flags as Alertmanager does, so that scripts that read it go on
/// understanding it.
fn complaint(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    // clap appends the name of the value: `--log.level <LOG_LEVEL>`.
    let flag = argument.split([' ', '=']).next().unwrap_or_default();
    let value = text(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => {
            format!("unknown long flag '{flag}'")
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown short flag '{flag}'")
        }
        ErrorKind::UnknownArgument => format!("unexpected {argument}"),
        ErrorKind::TooManyValues => format!("unexpected {value}"),
        ErrorKind::ArgumentConflict => {
            format!("flag '{}' cannot be repeated", flag.trim_start_matches('-'))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("expected argument for flag '{flag}'")
        }
        ErrorKind::InvalidValue if flag == "--log.level" => {
            format!("unrecognized log level {value:?}")
        }
        ErrorKind::InvalidValue if flag == "--log.format" => {
            format!("unrecognized log format {value:?}")
        }
        _ => format!("flag '{flag}' does not take {value:?}"),
    }
}

fn help() -> String {
    let mut command = command().help_template("usage: {usage}\n\nFlags:\n{options}\n");
    command.render_help().to_string()
}

fn version(claimed: &str) -> String {
    format!(
        "alertmanager, version {claimed} (branch: tocsin, revision: {})\n  platform:         {}/{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn only_serve_with_the_flag_stands_in() {
        for text in ["tocsin serve --compat=alertmanager --x", "tocsin serve --compat alertmanager"]
        {
            assert!(flags_of(&words(text)).is_some(), "{text}");
        }
        for text in ["tocsin", "tocsin serve", "tocsin serve --compat=native", "tocsin scenario"] {
            assert!(flags_of(&words(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn every_flag_is_taken_as_one_word_and_as_two() {
        let flags = "--config.file=a.yml --storage.path=d --data.retention=1h \
            --data.maintenance-interval=1m --silences.max-silences=1 \
            --silences.max-silence-size-bytes=2 --alerts.gc-interval=30m \
            --alerts.per-alertname-limit=3 --dispatch.maintenance-interval=30s \
            --dispatch.start-delay=5s --web.listen-address=:1 --web.listen-address=:2 \
            --web.config.file=w --web.external-url=http://x --web.route-prefix=/p \
            --web.get-concurrency=4 --web.timeout=9s --auto-gomemlimit.ratio=0.9 \
            --cluster.listen-address=:3 --cluster.advertise-address=a --cluster.peer-name=b \
            --cluster.peer=c --cluster.peer=d --cluster.peer-timeout=15s \
            --cluster.peers-resolve-timeout=15s --cluster.gossip-interval=200ms \
            --cluster.pushpull-interval=60s --cluster.tcp-timeout=10s \
            --cluster.probe-timeout=500ms --cluster.probe-interval=1s \
            --cluster.settle-timeout=0s --cluster.reconnect-interval=10s \
            --cluster.reconnect-timeout=6h --cluster.tls-config=t --cluster.label=l \
            --enable-feature=classic-mode --log.level=debug --log.format=json";
        let switches = "--log.silences --web.systemd-socket \
            --cluster.allow-insecure-public-advertise-address-discovery";
        for spelled in [flags.to_owned(), flags.replace('=', " ")] {
            let parsed = parse(&words(&format!("{spelled} {switches}"))).unwrap();
            assert_eq!(parsed.web_listen_address, [":1", ":2"]);
            assert!(parsed.ignored.web_systemd_socket);
            assert!(parsed.ignored.given().contains(&"--log.silences"));
        }
        let off = parse(&words(&switches.replace("--", "--no-"))).unwrap();
        assert!(!off.ignored.web_systemd_socket);
        assert!(off.ignored.given().is_empty());
        let last_wins = parse(&words("--log.silences --no-log.silences")).unwrap();
        assert!(last_wins.ignored.given().is_empty());
        assert!(parse(&words("--cluster.listen-address=")).is_ok());
    }

    #[test]
    fn complaints_are_worded_as_expected() {
        for (flags, said) in [
            ("--nope", "unknown long flag '--nope'"),
            ("--nope=1", "unknown long flag '--nope'"),
            ("--no-log.level", "unknown long flag '--no-log.level'"),
            ("-x", "unknown short flag '-x'"),
            ("word", "unexpected word"),
            ("--config.file", "expected argument for flag '--config.file'"),
            ("--config.file=a --config.file=b", "flag 'config.file' cannot be repeated"),
            ("--log.level=loud", "unrecognized log level \"loud\""),
            ("--log.silences=true", "unexpected true"),
            ("--silences.max-silences=few", "flag '--silences.max-silences' does not take \"few\""),
        ] {
            assert_eq!(parse(&words(flags)).unwrap_err(), said, "{flags}");
        }
    }

    #[test]
    fn help_and_version_carry_its_name() {
        assert!(help().starts_with("usage: alertmanager [<flags>]"), "{}", help());
        assert!(help().contains("--config.file"), "{}", help());
        assert!(version("0.34.0").starts_with("alertmanager, version 0.34.0 (branch: "));
    }
}
