//! ntfy, and the push service of a browser: what is sealed is opened as the browser would.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::board::{Button, Entry, Kind};
use super::page::sent;

/// The most bytes that a service takes.
const MAX_PUSH_BYTES: usize = 4_096;

/// The keys of the only browser there is.
pub(crate) struct Browser {
    key: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Browser {
    pub(super) fn new() -> Result<Self, String> {
        let wrong = |_| "no key can be made".to_owned();
        let key = PrivateKey::generate(&ECDH_P256).map_err(wrong)?;
        let public = key.compute_public_key().map_err(wrong)?.as_ref().to_vec();
        Ok(Self { key, public, auth: *uuid::Uuid::new_v4().as_bytes() })
    }

    /// Opens what was sealed for it: RFC 8291.
    fn open(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = body.split_at_checked(16)?;
        let (&[_, _, _, _, length], rest) = rest.split_first_chunk::<5>()?;
        let (sender, sealed) = rest.split_at_checked(usize::from(length))?;
        let other = UnparsedPublicKey::new(&ECDH_P256, sender);
        let shared = agree(&self.key, other, (), |shared| Ok(shared.to_vec())).ok()?;
        let mac = |key: &[u8], bytes: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().to_vec()
        };
        let info = [b"WebPush: info\0".as_slice(), &self.public, sender, &[1]].concat();
        let pseudo = mac(salt, &mac(&mac(&self.auth, &shared), &info));
        let key = mac(&pseudo, b"Content-Encoding: aes128gcm\0\x01");
        let nonce = mac(&pseudo, b"Content-Encoding: nonce\0\x01");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).ok()?;
        let mut sealed = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        plain.strip_suffix(&[2]).map(<[u8]>::to_vec)
    }
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/ntfy", post(published))
        .route("/ntfy/", post(published))
        .route("/push/{name}", get(subscription).post(pushed))
}

async fn published(State(world): State<Arc<World>>, Json(message): Json<Value>) -> Response {
    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let priority = message["priority"].as_i64().unwrap_or(3);
    if text("topic").is_empty() || !(1..=5).contains(&priority) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "code": 40009, "error": "invalid" })))
            .into_response();
    }
    let actions = message["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if actions.len() > 3 || actions.iter().any(|it| !it["url"].is_string()) {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "code": 40018, "error": "actions invalid" })),
        )
            .into_response();
    }
    let buttons = actions.iter().map(|it| Button {
        label: it["label"].as_str().unwrap_or_default().to_owned(),
        value: it.to_string(),
        is_link: false,
    });
    let entry = Entry {
        title: text("title"),
        text: text("message"),
        buttons: buttons.collect(),
        raw: message.clone(),
        ..Entry::new("ntfy", Kind::Push, text("topic"))
    };
    let number = world.board.add(entry);
    Json(json!({ "id": format!("ntfy-{number}") })).into_response()
}

/// Presses a button of ntfy: the request that it describes.
pub(super) async fn press(world: &World, value: &str) -> Result<(), String> {
    let action: Value = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let url = action["url"].as_str().ok_or("the button leads nowhere")?;
    let body = action["body"].as_str().unwrap_or_default().to_owned();
    let kind = action["headers"]["Content-Type"].as_str().unwrap_or("text/plain");
    sent(world.client.post(url).header("content-type", kind).body(body)).await.map(drop)
}

/// Returns what the browser would hand out as its subscription.
async fn subscription(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    let host = headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    Json(json!({
        "endpoint": format!("http://{host}/push/{name}"),
        "keys": {
            "p256dh": URL_SAFE_NO_PAD.encode(&world.browser.public),
            "auth": URL_SAFE_NO_PAD.encode(world.browser.auth),
        },
    }))
}

async fn pushed(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if body.len() > MAX_PUSH_BYTES {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    if header("ttl").parse::<u32>().is_err() || header("content-encoding") != "aes128gcm" {
        return (StatusCode::BAD_REQUEST, "TTL and Content-Encoding are needed").into_response();
    }
    let topic = header("topic");
    let is_topic = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if topic.len() > 32 || !topic.bytes().all(is_topic) {
        return (StatusCode::BAD_REQUEST, "Topic is invalid").into_response();
    }
    let audience = format!("http://{}", header("host"));
    if let Err(why) = check_proof(header("authorization"), &audience, (world.setup.now)()) {
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let message =
        world.browser.open(&body).and_then(|plain| serde_json::from_slice::<Value>(&plain).ok());
    let Some(message) = message else {
        return (StatusCode::BAD_REQUEST, "the browser cannot open this").into_response();
    };
    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let link = Button { label: "Open".to_owned(), value: text("url"), is_link: true };
    world.board.add(Entry {
        title: text("title"),
        text: text("body"),
        buttons: vec![link],
        raw: message.clone(),
        ..Entry::new("web_push", Kind::Push, name)
    });
    StatusCode::CREATED.into_response()
}

/// Checks who sends: RFC 8292.
fn check_proof(authorization: &str, audience: &str, now: Timestamp) -> Result<(), &'static str> {
    let (token, public) = authorization
        .strip_prefix("vapid t=")
        .and_then(|rest| rest.split_once(", k="))
        .ok_or("Authorization is no VAPID proof")?;
    let (said, signature) = token.rsplit_once('.').ok_or("the token is no JWT")?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "no base64url");
    Verifier::new(&ECDSA_P256_SHA256_FIXED, decode(public)?)
        .verify(said.as_bytes(), &decode(signature)?)
        .map_err(|_| "the signature does not fit")?;
    let claims = decode(said.split_once('.').ok_or("the token is no JWT")?.1)?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| "the claims are no JSON")?;
    let now = now.as_second();
    let is_in_time = claims["exp"].as_i64().is_some_and(|end| end > now && end < now + 86_400);
    if !is_in_time || claims["aud"] != audience {
        return Err("the proof is for another service or another time");
    }
    Ok(())
}
