//! Reading calendars elsewhere, at an address or in a file.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use reqwest::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use tocsin_config::{CalendarPlace, CalendarSources, Secret, SecretSource};
use tocsin_core::notification::FailureClass;
use tocsin_core::oncall::{ImportLocation, ImportOutcome};
use tocsin_core::tenant::CalendarToRead;
use tocsin_wire::ical::{self, MAX_CALENDAR_BYTES, Reading};

use crate::Outbound;
use crate::failure::{Undelivered, chain};
use crate::http::{ClientError, Deadline, Request, Sender, Stamp};
use crate::outbound::Senders;
use crate::redact::{Redactor, origin};
use crate::secret;

/// How a calendar is called in errors.
const TARGET: &str = "the calendar";

/// How long one attempt may take; servers that put calendars together take their time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What names the edition of a calendar that was read last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// How one attempt to read a calendar ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRead {
    /// What it says, or why it could not be read.
    pub outcome: ImportOutcome,
    /// Which edition it was.
    pub edition: Edition,
    /// How long the other side asks us to wait.
    pub retry_after: Option<SignedDuration>,
}

/// A calendar that the configuration names.
type Source = (CalendarPlace, Arc<Sender>);

/// Everything that reads calendars.
pub(crate) struct Calendars {
    /// By schedule and name.
    sources: BTreeMap<(Arc<str>, Arc<str>), Source>,
    /// For addresses that people set.
    strict: Arc<Sender>,
}

impl Calendars {
    pub(crate) fn new(
        sources: &CalendarSources,
        senders: &mut Senders<'_>,
    ) -> Result<Self, ClientError> {
        let mut all = BTreeMap::new();
        for (key, source) in sources {
            let sender = senders.get(Some(&source.http))?;
            all.insert(key.clone(), (source.place.clone(), sender));
        }
        Ok(Self { sources: all, strict: senders.strict(None)? })
    }
}

impl Outbound {
    /// Reads a calendar once. With the edition that was read before, one that did not change since
    /// is not sent again.
    pub async fn read_calendar(
        &self,
        calendar: &CalendarToRead,
        edition: Option<&Edition>,
        now: Timestamp,
    ) -> CalendarRead {
        self.wait_until_ready().await;
        let mut redactor = Redactor::new();
        match self.try_calendar(calendar, edition, now, &mut redactor).await {
            Ok(read) => read,
            Err(undelivered) => {
                let (why, wait) = undelivered.into_parts(&redactor);
                let wait = wait.and_then(|wait| i64::try_from(wait).ok());
                CalendarRead {
                    outcome: ImportOutcome::Failed { why },
                    edition: Edition::default(),
                    retry_after: wait.map(SignedDuration::from_millis),
                }
            }
        }
    }

    async fn try_calendar(
        &self,
        calendar: &CalendarToRead,
        edition: Option<&Edition>,
        now: Timestamp,
        redactor: &mut Redactor,
    ) -> Result<CalendarRead, Undelivered> {
        let calendars = self.calendars();
        let key = (Arc::clone(&calendar.schedule), Arc::clone(&calendar.spec.name));
        let (sender, address) = match &calendar.spec.location {
            ImportLocation::Pushed => return Err(refused("it is sent in and not read")),
            ImportLocation::Url(url) => (&calendars.strict, Secret::new(url.as_str())),
            ImportLocation::Settings => {
                let Some((place, sender)) = calendars.sources.get(&key) else {
                    let why = "it is not in the running configuration any more";
                    return Err(refused(why));
                };
                let source = match place {
                    CalendarPlace::Url(url) => SecretSource::Inline(url),
                    CalendarPlace::UrlFile(path) => SecretSource::File(path),
                    CalendarPlace::File(path) => {
                        let body = read_file(path.clone()).await?;
                        let outcome = understood(calendar, body, now, path_of(path)).await?;
                        let edition = Edition::default();
                        return Ok(CalendarRead { outcome, edition, retry_after: None });
                    }
                };
                (sender, secret::read(source, redactor).await?)
            }
        };
        redactor.hide(address.expose());
        let url = parse(address.expose())?;
        let stamp = Stamp { idempotency_key: "", now };
        let mut request = Request::get(TARGET, url.clone(), stamp).reading(MAX_CALENDAR_BYTES);
        let known = edition.cloned().unwrap_or_default();
        for (name, value) in
            [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)]
        {
            if let Some(value) = value {
                request = request.with_header(name, Secret::new(value.as_str()));
            }
        }
        let answer = sender.send(request, Deadline::after(TIMEOUT), redactor).await?;
        let named = format!("{TARGET} at {}", origin(&url));
        if answer.status == 304 && known != Edition::default() {
            let outcome = ImportOutcome::Unchanged;
            return Ok(CalendarRead { outcome, edition: known, retry_after: None });
        }
        if !answer.is_success() {
            // What it says beside that is a page for people.
            let (status, wait) = (answer.status, answer.retry_after_ms);
            return Err(Undelivered::status(&named, status, wait, &[]));
        }
        if let Some(why) = answer.incomplete {
            return Err(failed(format!("{named}: {why}")));
        }
        let edition = Edition { etag: answer.etag, last_modified: answer.last_modified };
        let outcome = understood(calendar, answer.body, now, named).await?;
        Ok(CalendarRead { outcome, edition, retry_after: None })
    }
}

/// Takes a calendar apart where that stops nobody else.
async fn understood(
    calendar: &CalendarToRead,
    body: Vec<u8>,
    now: Timestamp,
    named: String,
) -> Result<ImportOutcome, Undelivered> {
    let reading = Reading::at(now, calendar.zone.clone(), calendar.spec.kind);
    let read = move || ical::read(&body, &reading);
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(ical::Calendar { events, trouble })) => {
            Ok(ImportOutcome::Fetched { events, trouble })
        }
        Ok(Err(why)) => Err(failed(format!("{named}: {why}"))),
        Err(error) => Err(failed(format!("{named}: {error}"))),
    }
}

async fn read_file(path: PathBuf) -> Result<Vec<u8>, Undelivered> {
    secret::offload(move || {
        let named = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", path_of(&path)))
        };
        let mut body = Vec::new();
        let file = std::fs::File::open(&path).map_err(named)?;
        // One byte more, so that a longer one is noticed.
        file.take(MAX_CALENDAR_BYTES as u64 + 1).read_to_end(&mut body).map_err(named)?;
        Ok(body)
    })
    .await
}

fn path_of(path: &Path) -> String {
    format!("{TARGET} {}", path.display())
}

/// Reads an address; `webcal` is what programs that subscribe to calendars write for `https`.
fn parse(address: &str) -> Result<Url, Undelivered> {
    let trimmed = address.trim();
    let (scheme, rest) = trimmed.split_once("://").unwrap_or(("", trimmed));
    let is_webcal = ["webcal", "webcals"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
    let text = if is_webcal { format!("https://{rest}") } else { trimmed.to_owned() };
    let url = Url::parse(&text).map_err(|error| refused(&format!("no URL: {}", chain(&error))))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        return Ok(url);
    }
    Err(refused("its address begins with https://, http:// or webcal://"))
}

fn failed(why: String) -> Undelivered {
    Undelivered::failed(FailureClass::Other, why)
}

fn refused(why: &str) -> Undelivered {
    Undelivered::refused(FailureClass::Other, format!("{TARGET}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webcal_means_https() {
        let shown = |text: &str| parse(text).map(|url| url.to_string()).ok();
        let address = "https://calendar.example/a.ics?key=b";
        assert_eq!(shown("webcal://calendar.example/a.ics?key=b").as_deref(), Some(address));
        assert_eq!(shown("WebCals://calendar.example/a.ics?key=b").as_deref(), Some(address));
        assert_eq!(shown(" https://calendar.example/a.ics?key=b\n").as_deref(), Some(address));
        assert_eq!(shown("http://a/b").as_deref(), Some("http://a/b"));
        for text in ["", "calendar.example/a.ics", "ftp://a/b", "file:///etc/passwd", "webcal://"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
