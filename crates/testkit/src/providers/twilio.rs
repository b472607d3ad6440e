//! Twilio: text messages and calls, with signed callbacks and states as the real one has them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::World;
use super::board::{Button, Entry, Kind};

/// The most characters of a message.
const MAX_BODY_CHARS: usize = 1_600;

/// How long a message takes to arrive, and a phone to be picked up.
const ON_THE_WAY: Duration = Duration::from_millis(100);

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/twilio/2010-04-01/Accounts/{account}/{resource}", post(create))
}

type Form = Vec<(String, String)>;

fn value<'a>(form: &'a Form, name: &str) -> &'a str {
    form.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
}

async fn create(
    State(world): State<Arc<World>>,
    Path((account, resource)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (own, token, numbers) = &world.setup.twilio;
    let expected = format!("Basic {}", STANDARD.encode(format!("{own}:{token}")));
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shown != Some(expected.as_str()) || account != *own {
        return refuse(401, 20003, "Authenticate");
    }
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let to = value(&form, "To").to_owned();
    let from = value(&form, "From");
    let is_number = |text: &str| {
        text.len() >= 8 && text.starts_with('+') && text[1..].bytes().all(|b| b.is_ascii_digit())
    };
    if !is_number(&to) {
        return refuse(400, 21211, &format!("Invalid 'To' Phone Number: {to}"));
    }
    let has_service =
        resource == "Messages.json" && !value(&form, "MessagingServiceSid").is_empty();
    if !has_service && !numbers.iter().any(|number| number == from) {
        return refuse(
            400,
            21606,
            "The 'From' phone number provided is not a valid number of yours",
        );
    }
    let callback = value(&form, "StatusCallback").to_owned();
    if !callback.is_empty() && !is_absolute(&callback) {
        return refuse(400, 11100, "StatusCallback is not a valid URL");
    }
    match resource.as_str() {
        "Messages.json" => message(&world, &form, to, callback),
        "Calls.json" => call(&world, &form, to, callback),
        _ => refuse(404, 20404, "The requested resource was not found"),
    }
}

fn is_absolute(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn refuse(status: u16, code: u32, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({
        "code": code, "message": message, "status": status.as_u16(),
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    (status, Json(body)).into_response()
}

fn sid(kind: &str) -> String {
    format!("{kind}{}", uuid::Uuid::new_v4().simple())
}

fn message(world: &Arc<World>, form: &Form, to: String, callback: String) -> Response {
    let text = value(form, "Body");
    if text.is_empty() {
        return refuse(400, 21602, "Message body is required.");
    }
    if text.chars().count() > MAX_BODY_CHARS {
        return refuse(
            400,
            21617,
            "The concatenated message body exceeds the 1600 character limit",
        );
    }
    let id = sid("SM");
    let entry = Entry {
        id: id.clone(),
        text: text.to_owned(),
        state: "queued".to_owned(),
        raw: json!(form),
        ..Entry::new("twilio", Kind::Sms, to.clone())
    };
    world.board.add(entry);
    let answer = json!({ "sid": id, "status": "queued", "to": to, "body": text });
    let world = Arc::clone(world);
    tokio::spawn(async move {
        for state in ["sent", "delivered"] {
            tokio::time::sleep(ON_THE_WAY).await;
            world.board.change(&id, |entry| state.clone_into(&mut entry.state));
            let pairs = [("MessageSid", &*id), ("MessageStatus", state), ("To", &*to)];
            if !callback.is_empty() {
                // Whoever does not listen misses it, as with the real one.
                let _ = post_signed(&world, &callback, &pairs).await;
            }
        }
    });
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn call(world: &Arc<World>, form: &Form, to: String, callback: String) -> Response {
    let url = value(form, "Url").to_owned();
    if !is_absolute(&url) {
        return refuse(400, 21205, "Url parameter is not a valid URL");
    }
    let id = sid("CA");
    let entry = Entry {
        id: id.clone(),
        title: "Tocsin calls".to_owned(),
        state: "ringing".to_owned(),
        raw: json!({ "form": form, "next": url, "callback": callback }),
        ..Entry::new("twilio", Kind::Call, to.clone())
    };
    world.board.add(entry);
    let answer = json!({ "sid": id, "status": "queued", "to": to });
    let world = Arc::clone(world);
    tokio::spawn(async move {
        tokio::time::sleep(ON_THE_WAY).await;
        world.board.change(&id, |entry| "in-progress".clone_into(&mut entry.state));
        let pairs = [("CallSid", &*id), ("CallStatus", "in-progress"), ("To", &*to)];
        if !callback.is_empty() {
            let _ = post_signed(&world, &callback, &pairs).await;
        }
        say(&world, &id, &url, &to, "").await;
    });
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// Presses a key of a call, or picks it up when there is none yet.
pub(super) async fn press(world: &World, entry: &Entry, key: &str) -> Result<(), String> {
    let next = entry.raw["next"].as_str().filter(|_| entry.state == "in-progress");
    let next = next.ok_or("the call is over")?;
    say(world, &entry.id, next, &entry.to, key).await;
    Ok(())
}

/// Sends a text message from the phone.
pub(super) async fn reply(world: &World, from: &str, text: &str) -> Result<(), String> {
    let number = world.setup.twilio.2.first().cloned().unwrap_or_default();
    let url = format!("{}/answers/twilio/sms", world.setup.tocsin_url);
    let id = sid("SM");
    let pairs = [("MessageSid", &*id), ("From", from), ("To", &*number), ("Body", text)];
    world.board.add(Entry {
        text: text.to_owned(),
        state: "reply".to_owned(),
        ..Entry::new("twilio", Kind::Sms, from.to_owned())
    });
    let answer = post_signed(world, &url, &pairs).await?;
    for said in between(&answer, "<Message>", "</Message>") {
        world.board.add(Entry {
            text: unescape(said),
            state: "delivered".to_owned(),
            ..Entry::new("twilio", Kind::Sms, from.to_owned())
        });
    }
    Ok(())
}

/// Fetches what is said next and does what it says.
async fn say(world: &World, id: &str, url: &str, to: &str, key: &str) {
    let number = world.setup.twilio.2.first().cloned().unwrap_or_default();
    let mut pairs = vec![("CallSid", id), ("To", to), ("From", &*number)];
    if !key.is_empty() {
        pairs.push(("Digits", key));
    }
    let answer = match post_signed(world, url, &pairs).await {
        Ok(answer) => answer,
        Err(why) => format!(
            "<Response><Say><prosody>An application error: {why}</prosody></Say><Hangup/></Response>"
        ),
    };
    // What stands outside of `prosody` is not seen, as with others that imitate Twilio.
    let said: Vec<String> = between(&answer, "<prosody", "</prosody>")
        .map(|part| unescape(part.split_once('>').map_or("", |(_, text)| text)))
        .collect();
    let action = between(&answer, "<Gather", ">").next().and_then(|it| attribute(it, "action"));
    let action = action.map(|it| unescape(&it)).filter(|it| is_absolute(it));
    let callback = world.board.entries().into_iter().find(|entry| entry.id == id);
    let callback = callback.and_then(|it| it.raw["callback"].as_str().map(str::to_owned));
    world.board.change(id, |entry| {
        entry.text = said.join("\n");
        entry.changes += 1;
        match &action {
            Some(action) => {
                entry.raw["next"] = json!(action);
                entry.buttons = "1234567890*"
                    .chars()
                    .map(|key| Button {
                        label: key.to_string(),
                        value: key.to_string(),
                        is_link: false,
                    })
                    .collect();
            }
            None => {
                entry.buttons.clear();
                "completed".clone_into(&mut entry.state);
            }
        }
    });
    if let (None, Some(callback)) = (&action, callback.filter(|it| !it.is_empty())) {
        let pairs = [("CallSid", id), ("CallStatus", "completed"), ("To", to)];
        let _ = post_signed(world, &callback, &pairs).await;
    }
}

/// Posts a form as Twilio does; the answer must be a success, and not empty unless it is 204.
async fn post_signed(world: &World, url: &str, pairs: &[(&str, &str)]) -> Result<String, String> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut said = url.to_owned();
    sorted.iter().for_each(|(name, value)| {
        said.push_str(name);
        said.push_str(value);
    });
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        world.setup.twilio.1.as_bytes(),
    );
    let signature = STANDARD.encode(aws_lc_rs::hmac::sign(&key, said.as_bytes()));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let answer = world
        .client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(body)
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.without_url().to_string())?;
    match status {
        StatusCode::NO_CONTENT => Ok(text),
        status if status.is_success() && !text.is_empty() => Ok(text),
        status => Err(format!("{status}: {text}")),
    }
}

fn between<'t>(text: &'t str, start: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(start).skip(1).filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}
