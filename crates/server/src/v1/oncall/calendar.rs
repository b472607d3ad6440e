//! Calendars that other programs subscribe to, under secret addresses.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use tocsin_core::identity::{Handle, Permission, SecretHash};
use tocsin_core::oncall::{CalendarFeed, Cause, FeedOf, OnCallChange, Roster};
use tocsin_wire::v1::CalendarFeedMade;
use uuid::Uuid;

use super::super::params::{Ask, FromQuery, Nothing, Params};
use super::super::people::fresh;
use super::super::problem::{Answer, Refusal};
use super::{change, handle, id, is_own, may, may_with};
use crate::App;
use crate::access::{Caller, FreshSecret};

/// How far back a calendar reaches.
const BACK: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How far ahead a calendar reaches.
const AHEAD: SignedDuration = SignedDuration::from_hours(365 * 24);
/// The most events of one calendar; later ones are left out.
const MAX_EVENTS: usize = 5_000;
/// The longest secret that is looked at.
const MAX_SECRET_BYTES: usize = 256;
/// How long a line of a calendar is (RFC 5545, section 3.1).
const MAX_LINE_BYTES: usize = 75;

/// The secret of the address.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Token {
    /// The secret; without it nothing is there.
    #[param(required = false)]
    token: String,
}

impl FromQuery for Token {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { token: params.text("token")?.unwrap_or_default() })
    }
}

/// Make the secret address of a schedule's calendar
///
/// Whoever knows it can read who is on call. It is shown once.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/calendar-token",
    operation_id = "create_schedule_calendar", tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    responses((status = 201, description = "The address", body = CalendarFeedMade))
)]
pub(super) async fn make_for_schedule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    may_with(&app, &caller, Permission::ScheduleOverride, &name).await?;
    make(&app, &caller, FeedOf::Schedule(name.into())).await
}

/// Make the secret address of a person's calendar
///
/// It shows when the person is on call, in all schedules.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/calendar-token",
    operation_id = "create_person_calendar", tag = "schedules",
    params(("handle" = String, Path, description = "The person")),
    responses((status = 201, description = "The address", body = CalendarFeedMade))
)]
pub(super) async fn make_for_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let person = handle("/handle", &name)?;
    if app.engine.directory().person(person.as_str()).is_none() {
        return Err(Refusal::not_found(format!("there is no person `{person}`")));
    }
    may_feed(&caller, &person)?;
    make(&app, &caller, FeedOf::Person(person)).await
}

/// Revoke the secret address of a calendar
#[utoipa::path(
    delete, path = "/api/v1/calendar-tokens/{id}", operation_id = "revoke_calendar",
    tag = "schedules",
    params(("id" = String, Path, description = "Which address")),
    responses((status = 204, description = "It leads nowhere any more"))
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(which): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let id = id(&which)?;
    let of = app.engine.read(move |tenant, _| {
        tenant.roster().feeds().find(|feed| feed.id == id).map(|feed| feed.of.clone())
    });
    match of.await? {
        Some(FeedOf::Person(person)) => may_feed(&caller, &person)?,
        Some(FeedOf::Schedule(name)) => {
            // A schedule that is gone has no team any more.
            let allowed = may_with(&app, &caller, Permission::ScheduleOverride, &name).await;
            allowed.or_else(|_| may(&caller, Permission::ScheduleOverride, None))?;
        }
        None => return Err(Refusal::not_found(format!("there is no calendar address {id}"))),
    }
    change(&app, &caller, OnCallChange::RevokeFeed { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a schedule's calendar
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/calendar.ics", operation_id = "read_schedule_calendar",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule"), Token),
    responses((status = 200, description = "Everybody's shifts", content_type = "text/calendar"))
)]
pub(super) async fn of_schedule(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(token): Ask<Token>,
) -> Answer<Response> {
    read(&app, token, FeedOf::Schedule(name.into())).await
}

/// Read a person's calendar
#[utoipa::path(
    get, path = "/api/v1/people/{handle}/calendar.ics", operation_id = "read_person_calendar",
    tag = "schedules",
    params(("handle" = String, Path, description = "The person"), Token),
    responses((status = 200, description = "The person's shifts", content_type = "text/calendar"))
)]
pub(super) async fn of_person(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(token): Ask<Token>,
) -> Answer<Response> {
    let person = Handle::parse(&name).map_err(|_| not_there())?;
    read(&app, token, FeedOf::Person(person)).await
}

fn may_feed(caller: &Caller, person: &Handle) -> Answer<()> {
    if is_own(caller, person) && caller.access.allows_somewhere(Permission::ScheduleOwn) {
        return Ok(());
    }
    may(caller, Permission::ScheduleOverride, None)
}

async fn make(app: &App, caller: &Caller, of: FeedOf) -> Answer<Response> {
    let secret = fresh(FreshSecret::plain())?;
    let (kind, name) = match &of {
        FeedOf::Schedule(name) => ("schedules", name.to_string()),
        FeedOf::Person(person) => ("people", person.to_string()),
    };
    let escaped: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let escaped = escaped.replace('+', "%20");
    let base = &app.options.external_url;
    let url = format!("{base}/api/v1/{kind}/{escaped}/calendar.ics?token={}", secret.expose());
    let feed = CalendarFeed {
        id: Uuid::new_v4(),
        hash: secret.hash(),
        of,
        created_at: app.engine.now(),
        created_by: caller.actor.who.name().to_owned(),
    };
    let id = feed.id;
    change(app, caller, OnCallChange::AddFeed(feed)).await?;
    Ok((StatusCode::CREATED, Json(CalendarFeedMade { id, url })).into_response())
}

/// Says the same whether the secret is wrong or there is nothing.
fn not_there() -> Refusal {
    Refusal::not_found("there is no calendar under this address")
}

async fn read(app: &App, Token { token }: Token, of: FeedOf) -> Answer<Response> {
    if token.is_empty() || token.len() > MAX_SECRET_BYTES {
        return Err(not_there());
    }
    let hash = SecretHash::of(token.as_bytes());
    let now = app.engine.now();
    let directory = app.engine.directory();
    let text = app.engine.read(move |tenant, _| {
        let roster = tenant.roster();
        let feed = roster.feed_by_hash(&hash).filter(|feed| feed.of == of)?;
        if let FeedOf::Person(person) = &feed.of {
            directory.person(person.as_str()).filter(|person| person.is_active)?;
        }
        calendar(roster, &feed.of, now)
    });
    let text = text.await?.ok_or_else(not_there)?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, text).into_response())
}

/// Writes the shifts as a calendar.
fn calendar(roster: &Roster, of: &FeedOf, now: Timestamp) -> Option<String> {
    let from = now.checked_sub(BACK).unwrap_or(now);
    let to = now.checked_add(AHEAD).unwrap_or(now);
    let (title, names, only) = match of {
        FeedOf::Schedule(name) => {
            roster.entry(name)?;
            (format!("On call: {name}"), vec![Arc::clone(name)], None)
        }
        FeedOf::Person(person) => {
            let names = roster.schedules_of(person, now);
            (format!("On call: {person}"), names, Some(person))
        }
    };
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tocsin//EN\r\n");
    line(&mut text, "X-WR-CALNAME", &title);
    let mut left = MAX_EVENTS;
    for name in names {
        let Some(view) = roster.final_view(&name, from, to, now) else { continue };
        for segment in &view.segments {
            let duties = segment.duties.iter();
            for duty in duties.filter(|duty| only.is_none_or(|only| duty.person == *only)) {
                if left == 0 {
                    break;
                }
                left -= 1;
                let event = Event {
                    schedule: &name,
                    person: &duty.person,
                    cause: &duty.cause,
                    from: segment.from,
                    to: segment.to,
                    now,
                };
                event.write(&mut text);
            }
        }
    }
    text.push_str("END:VCALENDAR\r\n");
    Some(text)
}

struct Event<'e> {
    schedule: &'e str,
    person: &'e Handle,
    cause: &'e Cause,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
}

impl Event<'_> {
    fn write(&self, text: &mut String) {
        let stamp = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        // The same shift has the same identity each time the calendar is read.
        let identity = format!("{}/{}/{}", self.schedule, self.person, self.from);
        let uid = Uuid::from_u64_pair(hash(&identity, 1), hash(&identity, 2));
        text.push_str("BEGIN:VEVENT\r\n");
        line(text, "UID", &format!("{uid}@tocsin"));
        line(text, "DTSTAMP", &stamp(self.now));
        line(text, "DTSTART", &stamp(self.from));
        line(text, "DTEND", &stamp(self.to));
        line(text, "SUMMARY", &format!("{} on call: {}", self.person, self.schedule));
        line(text, "DESCRIPTION", &self.cause.sentence(Some(self.person)));
        text.push_str("TRANSP:TRANSPARENT\r\nEND:VEVENT\r\n");
    }
}

/// A plain hash, FNV-1a, for identities that need not withstand anybody.
fn hash(text: &str, seed: u64) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Writes a line, its text escaped and folded (RFC 5545, sections 3.1 and 3.3.11).
fn line(text: &mut String, name: &str, value: &str) {
    let mut whole = format!("{name}:");
    for c in value.chars() {
        match c {
            '\\' | ';' | ',' => {
                whole.push('\\');
                whole.push(c);
            }
            '\n' => whole.push_str("\\n"),
            c if c.is_control() => {}
            c => whole.push(c),
        }
    }
    let mut width = 0;
    for c in whole.chars() {
        if width + c.len_utf8() > MAX_LINE_BYTES {
            text.push_str("\r\n ");
            width = 1;
        }
        let _ = text.write_char(c);
        width += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_escaped_and_folded_between_characters() {
        let mut text = String::new();
        line(&mut text, "SUMMARY", "a, b; c\\ d\nend");
        assert_eq!(text, "SUMMARY:a\\, b\\; c\\\\ d\\nend\r\n");
        let mut text = String::new();
        line(&mut text, "X", &"ä".repeat(80));
        let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= MAX_LINE_BYTES), "{lines:?}");
        assert!(lines[1..].iter().all(|line| line.starts_with(' ')), "{lines:?}");
        let unfolded = text.replace("\r\n ", "");
        assert_eq!(unfolded.trim_end(), format!("X:{}", "ä".repeat(80)));
    }
}
