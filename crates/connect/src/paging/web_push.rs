//! Browsers that subscribed: a message that only the browser can read, by way of its maker's
//! service.

mod seal;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_config::{Secret, SecretSource, WebPushChannelConfig};
use tocsin_core::notification::FailureClass;
use tocsin_core::paging::{Content, StateWord, Urgency};

use super::{Errand, VapidKey, no_address, unset};
use crate::chat::fit;
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::{Context, Sent};
use crate::redact::Redactor;
use crate::secret;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "web_push";

/// The most bytes of what is sealed; with its envelope that makes the 4096 that services take.
const MAX_PLAIN_BYTES: usize = 3_900;

/// How long a service keeps a message for a browser that is off, in seconds.
const TTL: &str = "86400";

/// A subscription as browsers hand it out.
#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

/// Pushes one message.
pub(super) async fn send(
    config: &WebPushChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let wrong = || no_address(TARGET, "is not the JSON of a subscription");
    let address: Subscription = serde_json::from_str(&errand.page.address).map_err(|_| wrong())?;
    let decode =
        |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| wrong());
    let (public, auth) = (decode(&address.keys.p256dh)?, decode(&address.keys.auth)?);
    redactor.hide(&address.keys.auth);
    let url = parse_url(TARGET, "address", &address.endpoint)?;
    let text = errand.words.plain(|_| None);
    let (message, _) = fit(&text, MAX_PLAIN_BYTES, |text| message(errand, text));
    let body = seal::seal(&public, &auth, message.to_string().as_bytes()).ok_or_else(wrong)?;

    let audience = url.origin().ascii_serialization();
    let subject = subject(config, errand.context);
    let key = match (&config.private_key_file, errand.context.vapid.get()) {
        (Some(path), _) => {
            let text = secret::read(SecretSource::File(path), redactor).await?;
            let place = path.display().to_string();
            Arc::new(VapidKey::parse(text.expose(), &place).map_err(|error| {
                Undelivered::refused(FailureClass::Other, format!("{TARGET}: {error}"))
            })?)
        }
        (None, Some(key)) => Arc::clone(key),
        (None, None) => return Err(unset(TARGET, "web_push.private_key_file")),
    };
    let authorization = key.authorization(&audience, &subject, errand.now).ok_or_else(|| {
        Undelivered::failed(FailureClass::Other, format!("{TARGET}: the proof cannot be signed"))
    })?;
    let header =
        |name: &'static str, value: &str| (HeaderName::from_static(name), Secret::new(value));
    let mut request = Request::post(TARGET, url, "application/octet-stream", body, errand);
    request.authorization = Some(Secret::new(authorization));
    request.headers = vec![
        header("content-encoding", "aes128gcm"),
        header("ttl", TTL),
        header("urgency", if errand.page.urgency == Urgency::High { "high" } else { "normal" }),
    ];
    if let [only] = errand.page.content.items() {
        // A newer message about the same takes the place of one that has not been fetched yet.
        request.headers.push(header("topic", &format!("run-{}", only.run)));
    }
    let answer = sender.send(request, errand.deadline, redactor).await?;
    if matches!(answer.status, 404 | 410) {
        let why = format!("{TARGET}: the browser has ended its subscription; subscribe it anew");
        return Err(Undelivered::refused(FailureClass::ClientError, why));
    }
    answer.taken(TARGET, &[])?;
    Ok(Sent::default())
}

/// Returns whom a service can reach about misuse.
fn subject(config: &WebPushChannelConfig, context: &Context) -> String {
    if let Some(subject) = &config.subject {
        return subject.clone();
    }
    if context.external_url.starts_with("https://") {
        return context.external_url.clone();
    }
    // Services refuse a subject that is neither; one that leads nowhere is better than none.
    "mailto:tocsin@localhost.localdomain".to_owned()
}

fn message(errand: &Errand<'_>, text: &str) -> Value {
    let first = errand.words.items().next();
    let link = first.as_ref().map_or(&errand.context.external_url, |(_, words)| &words.link);
    let tag = first.as_ref().map_or_else(
        || format!("tocsin-{}", errand.page.content.kind()),
        |(item, _)| format!("tocsin-run-{}", item.run),
    );
    let is_open = first.as_ref().is_some_and(|(item, _)| item.state == StateWord::Open);
    let is_page = matches!(errand.page.content, Content::Page { .. });
    let actions = if is_open && is_page && errand.page.content.items().len() == 1 {
        json!([
            { "action": "acknowledge", "title": "Acknowledge" },
            { "action": "escalate", "title": "Escalate" },
        ])
    } else {
        json!([])
    };
    json!({
        "title": errand.words.subject(),
        "body": text,
        "url": link,
        "tag": tag,
        "actions": actions,
        "renotify": is_page,
        "require_interaction": is_page && errand.page.urgency == Urgency::High,
    })
}
