//! Calendars elsewhere that schedules import.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tocsin_core::oncall::{Combine, ImportKind, ImportLocation, ImportSpec};

use crate::document::Document;
use crate::http::HttpConfig;
use crate::identity::HandleText;
use crate::reader::{Fields, Reader, Value};
use crate::schedule::CombineWord;
use crate::section::{Out, Shape, Text, section, words};
use crate::values::{MASK, Secret, check_url};
use crate::yaml::Node;

section! {
    /// A calendar elsewhere that says who is on call, who is away, or which days are holidays.
    CalendarConfig, check = check => {
        /// The name.
        @Native name: String;
        /// Where it is fetched: the secret or public address that ends in `.ics`. `webcal://` is
        /// the same as `https://`.
        @Native url: Option<CalendarUrl>;
        /// A file that holds the address, read when it is used.
        @Native url_file: Option<PathBuf>;
        /// A file on this machine that is read in the place of an address.
        @Native file: Option<PathBuf>;
        /// Nothing is read: it is sent in.
        @Native pushed: bool;
        /// What its events mean.
        @Native kind: CalendarKindWord;
        /// The higher one wins, among layers and calendars.
        @Native rank: u32;
        /// What happens to those of lower rank where this calendar has somebody.
        @Native combine: CombineWord;
        /// How often it is read, `1m` to `1d`.
        @Native refresh: Duration = Duration::from_secs(600);
        /// People under names that the calendar calls them by and nobody else does.
        @Native names: BTreeMap<String, HandleText>;
        /// How the client is set up; the global one when it is not given.
        @Native http_config: Option<HttpConfig>;
    }
}

words! {
    /// What the events of a calendar mean.
    CalendarKindWord {
        /// Shifts at the rank of the calendar.
        Shifts = "shifts",
        /// Shifts above all layers.
        Overrides = "overrides",
        /// Days that are holidays.
        Holidays = "holidays",
        /// Times in which people are away.
        OutOfOffice = "out_of_office",
    }
    default = Shifts
}

/// The address of a calendar, which is a secret: whoever knows it can read the calendar.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarUrl(Secret);

impl CalendarUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// Says in a few words why the text is not one, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text != MASK {
            check_url(text, &["https", "http", "webcal", "webcals"])?;
        }
        Ok(Self(Secret::new(text)))
    }

    /// Returns the address, which may be stored and has to be fetched then.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for CalendarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Value for CalendarUrl {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(secret) = Secret::decode(node, reader)?.into_stored() {
            return Some(Self(secret));
        }
        reader.parsed_secret(node, "an address", Self::parse)
    }

    fn encode(&self) -> Out {
        Out::Secret
    }

    fn shape() -> Shape {
        Shape::Text(Text::SecretUrl)
    }
}

fn check(it: &mut CalendarConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
    let sources = ["url", "url_file", "file", "pushed"];
    reader.exactly_one(fields, &sources);
    if fields.has("pushed") && !it.pushed {
        reader.error_at(fields, "pushed", "leave it out, and say where the calendar is read");
    }
    if !it.refresh.as_secs().is_multiple_of(60) {
        reader.error_at(fields, "refresh", "it is counted in minutes");
    }
}

/// From where a calendar of the configuration is read.
#[derive(Clone, Debug, PartialEq)]
pub struct CalendarSource {
    /// Where it lies.
    pub place: CalendarPlace,
    /// How the client is set up.
    pub http: HttpConfig,
}

/// Where a calendar of the configuration lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarPlace {
    /// At an address.
    Url(Secret),
    /// At the address that a file holds.
    UrlFile(PathBuf),
    /// In a file.
    File(PathBuf),
}

/// The calendars of a configuration, by schedule and name.
pub type CalendarSources = BTreeMap<(Arc<str>, Arc<str>), CalendarSource>;

/// Returns from where the calendars of a document are read.
pub(crate) fn sources(document: &Document) -> CalendarSources {
    let mut sources = CalendarSources::new();
    for schedule in &document.schedules {
        for config in &schedule.imports {
            let place = match (&config.url, &config.url_file, &config.file) {
                (Some(url), _, _) => CalendarPlace::Url(url.secret().clone()),
                (None, Some(path), _) => CalendarPlace::UrlFile(path.clone()),
                (None, None, Some(path)) => CalendarPlace::File(path.clone()),
                (None, None, None) => continue,
            };
            let http = config.http_config.as_ref().unwrap_or(&document.global.http_config).clone();
            let key = (Arc::from(schedule.name.as_str()), Arc::from(config.name.as_str()));
            sources.insert(key, CalendarSource { place, http });
        }
    }
    sources
}

/// Returns what the core has to know of a calendar; not where it lies.
pub(crate) fn spec(config: &CalendarConfig) -> ImportSpec {
    let minutes = config.refresh.as_secs() / 60;
    ImportSpec {
        name: Arc::from(config.name.as_str()),
        location: if config.pushed { ImportLocation::Pushed } else { ImportLocation::Settings },
        kind: match config.kind {
            CalendarKindWord::Shifts => ImportKind::Shifts,
            CalendarKindWord::Overrides => ImportKind::Overrides,
            CalendarKindWord::Holidays => ImportKind::Holidays,
            CalendarKindWord::OutOfOffice => ImportKind::OutOfOffice,
        },
        rank: config.rank,
        combine: match config.combine {
            CombineWord::Replace => Combine::Replace,
            CombineWord::Add => Combine::Add,
        },
        refresh_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        names: config.names.iter().map(|(name, it)| (name.clone(), it.0.clone())).collect(),
    }
}
