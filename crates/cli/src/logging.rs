//! Log lines on standard error: logfmt as Alertmanager writes them, or JSON.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// `time=… level=INFO msg="…" key=value`
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// The least severe level that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogLevel {
    /// Everything, down to single requests.
    Debug,
    /// What an operator wants to know later.
    Info,
    /// What may need attention.
    Warn,
    /// What needs somebody to act.
    Error,
}

impl LogLevel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Starts writing log lines. `RUST_LOG` overrides the level part by part.
pub(crate) fn init(level: LogLevel, format: LogFormat) {
    let ours = format!("warn,tocsin={0}", level.as_str());
    let ours = ["core", "store", "connect", "engine", "server", "config", "cli"]
        .iter()
        .fold(ours, |filter, part| format!("{filter},tocsin_{part}={}", level.as_str()));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(ours));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (the tests of this crate) keeps the first one's format.
    let _ = match format {
        LogFormat::Logfmt => builder.with_ansi(false).event_format(Logfmt).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        use tocsin_engine::{Clock as _, SystemClock};
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = SystemClock.now();
        write!(writer, "time={now:.3} level={}", metadata.level())?;
        write!(
            writer,
            " source={} msg={}{}",
            metadata.target(),
            Quoted(&fields.message),
            fields.rest
        )?;
        // Whose it is: spans carry the tenant where it is not the default one.
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                write!(writer, " {fields}")?;
            }
        }
        writeln!(writer)
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            let _ = write!(self.rest, " {}={}", field.name(), Quoted(value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

/// Prints a value bare when it is one word and quoted otherwise, always on one line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = !self.0.is_empty()
            && self.0.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '=' && c != '\\');
        if is_word { f.write_str(self.0) } else { f.write_str(&tocsin_core::quote::go(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_only_when_they_must_be() {
        assert_eq!(Quoted("127.0.0.1:9093").to_string(), "127.0.0.1:9093");
        assert_eq!(Quoted("Listening on").to_string(), "\"Listening on\"");
        assert_eq!(Quoted("a\nb").to_string(), "\"a\\nb\"");
    }
}
