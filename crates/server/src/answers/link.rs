//! Links in messages: a page that shows what it is about, and asks. Opening it changes nothing,
//! because programs that look for malware open every link in a mail.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tocsin_connect::links::{Link, LinkError};
use tocsin_core::identity::Who;
use tocsin_core::paging::{Action, Answer, Answerer, MethodId, PageItem, Recipient, StateWord};

use super::look::{self, Shown};
use super::{Untold, sentence, tell_answer};
use crate::App;
use crate::access::Caller;

/// How long a snooze by link lasts.
const SNOOZE: jiff::SignedDuration = jiff::SignedDuration::from_mins(30);

/// The most characters of a comment; what is longer is cut.
const MAX_COMMENT_CHARS: usize = 1_000;

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    action: String,
    #[serde(default)]
    comment: String,
}

impl Wanted {
    /// Reads a form; anything else says nothing.
    fn of_form(body: &[u8]) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "action" => wanted.action = value.into_owned(),
                "comment" => wanted.comment = value.into_owned(),
                _ => {}
            }
        }
        wanted
    }
}

/// Shows what a link is about, with a button for each answer.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(token): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let link = match read(&app, &token) {
        Ok(link) => link,
        Err(error) => return ended(&app, error).await,
    };
    let by = answerer(&caller, &link);
    match item(&app, &link).await {
        Some(item) => {
            let zone = zone(&app, &by);
            look::ask(&Shown { link: &link, by: &by, item: &item, zone }, &wanted.action)
        }
        None => {
            look::say(StatusCode::GONE, "This is long over", "Nothing is left to answer.", None)
        }
    }
}

/// Takes an answer.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(token): Path<String>,
    Query(query): Query<Wanted>,
    body: Bytes,
) -> Response {
    let link = match read(&app, &token) {
        Ok(link) => link,
        Err(error) => return ended(&app, error).await,
    };
    let form = Wanted::of_form(&body);
    let word = if form.action.is_empty() { query.action } else { form.action };
    let Some(action) = action(&word) else {
        let text = "acknowledge, unacknowledge, escalate, resolve and snooze are.";
        return look::say(StatusCode::BAD_REQUEST, "This is no answer", text, None);
    };
    let by = answerer(&caller, &link);
    let answer = Answer {
        run: link.run,
        by: by.clone(),
        action,
        comment: form.comment.trim().chars().take(MAX_COMMENT_CHARS).collect(),
        via: format!("link by {}", link.channel),
        asked_at: Some(link.asked_at),
    };
    let outcome = tell_answer(&app, &caller, answer).await;
    let item = item(&app, &link).await;
    let shown =
        item.as_ref().map(|item| Shown { link: &link, by: &by, item, zone: zone(&app, &by) });
    let shown = shown.as_ref();
    match outcome {
        Ok(answered) => {
            let title = if answered.has_changed { "Done" } else { "Nothing changed" };
            look::say(StatusCode::OK, title, &answered.text, shown)
        }
        Err(Untold::Rejected(why)) => {
            look::say(StatusCode::CONFLICT, "Nothing changed", &why, shown)
        }
        Err(Untold::Trouble(why)) => {
            look::say(StatusCode::SERVICE_UNAVAILABLE, "That did not work", &why, shown)
        }
    }
}

fn read(app: &App, token: &str) -> Result<Link, LinkError> {
    app.links.read(token, app.engine.now())
}

/// Says why a link does nothing; of one that was ours, how things stand.
async fn ended(app: &App, error: LinkError) -> Response {
    let text = sentence(&error);
    match error {
        LinkError::Forged => {
            look::say(StatusCode::NOT_FOUND, "This link does not work", &text, None)
        }
        LinkError::Expired(link) => {
            let item = item(app, &link).await;
            let shown = item.as_ref().map(|item| Shown {
                link: &link,
                by: &link.by,
                item,
                zone: zone(app, &link.by),
            });
            look::say(StatusCode::GONE, "This link has ended", &text, shown.as_ref())
        }
    }
}

/// Returns who answers: whoever the page was for; of a page to a place, whoever is signed in.
fn answerer(caller: &Caller, link: &Link) -> Answerer {
    match (&link.by, &caller.actor.who) {
        (Answerer::Outsider(_), Who::Person(person)) => Answerer::Person(person.clone()),
        (Answerer::Outsider(place), _) => Answerer::Outsider(format!("somebody at {place}")),
        (person, _) => person.clone(),
    }
}

/// Returns where whoever answers lives; UTC when that is not known.
fn zone(app: &App, by: &Answerer) -> TimeZone {
    let Answerer::Person(person) = by else { return TimeZone::UTC };
    let directory = app.engine.directory();
    let zone = directory.person(person.as_str()).map(|it| TimeZone::get(&it.time_zone));
    zone.and_then(Result::ok).unwrap_or(TimeZone::UTC)
}

/// Returns how the escalation stands now.
async fn item(app: &App, link: &Link) -> Option<PageItem> {
    let run = link.run;
    let recipient = match &link.by {
        Answerer::Person(person) => Recipient::Person {
            person: person.clone(),
            method: MethodId::parse(&link.method).ok()?,
        },
        Answerer::Outsider(place) => Recipient::Place { name: place.as_str().into() },
    };
    app.engine.read(move |tenant, _| tenant.item(run, &recipient)).await.ok().flatten()
}

/// Reads what is wanted.
fn action(word: &str) -> Option<Action> {
    Some(match word {
        "acknowledge" => Action::Acknowledge,
        "unacknowledge" => Action::Unacknowledge,
        "escalate" => Action::Escalate,
        "resolve" => Action::Resolve,
        "snooze" => Action::Snooze { span: SNOOZE },
        _ => return None,
    })
}

/// Returns the answers that make sense for an escalation as it stands: word and label.
pub(super) fn answers(state: StateWord) -> &'static [(&'static str, &'static str)] {
    match state {
        StateWord::Open => &[
            ("acknowledge", "Acknowledge"),
            ("escalate", "Escalate"),
            ("resolve", "Resolve"),
            ("snooze", "Snooze 30 min"),
        ],
        StateWord::Acknowledged => {
            &[("resolve", "Resolve"), ("unacknowledge", "Give back"), ("escalate", "Escalate")]
        }
        StateWord::Snoozed => {
            &[("acknowledge", "Acknowledge"), ("resolve", "Resolve"), ("unacknowledge", "Wake up")]
        }
        StateWord::Resolved => &[],
    }
}
