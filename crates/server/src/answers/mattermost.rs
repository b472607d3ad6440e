//! Mattermost: buttons. What rides along in a button is known to the server only, and signed by us.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tocsin_connect::paging::{MATTERMOST_PURPOSE, Press};
use tocsin_core::paging::{Answer, Answerer, Channel};

use super::{Untold, person_at, tell_answer, unproved};
use crate::App;
use crate::access::Caller;

#[derive(Deserialize)]
struct Pressed {
    #[serde(default)]
    user_name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    press: String,
}

/// Takes a button.
pub(super) async fn action(State(app): State<Arc<App>>, caller: Caller, body: Bytes) -> Response {
    let Ok(pressed) = serde_json::from_slice::<Pressed>(&body) else {
        return (StatusCode::BAD_REQUEST, "the body cannot be read\n").into_response();
    };
    let Some(value) = app.links.open(MATTERMOST_PURPOSE, &pressed.context.press) else {
        return unproved("the button is none of ours");
    };
    let text = press(&app, &caller, &pressed.user_name, &String::from_utf8_lossy(&value)).await;
    Json(json!({ "ephemeral_text": text })).into_response()
}

async fn press(app: &App, caller: &Caller, user: &str, value: &str) -> String {
    let press = match Press::read(value) {
        Ok(press) => press,
        Err(error) => return error.to_string(),
    };
    let names = vec![format!("@{user}"), user.to_owned()];
    let person = match person_at(app, Channel::Mattermost, names).await {
        Ok(Some(person)) => person,
        Ok(None) => {
            return format!(
                "Tocsin does not know you yet, so nothing was changed. Add the Mattermost name \
                 `@{}` to your contact methods at {}.",
                user.chars().take(64).collect::<String>(),
                app.options.external_url
            );
        }
        Err(untold) => return untold.text(),
    };
    let answer = Answer {
        run: press.run,
        by: Answerer::Person(person),
        action: press.action,
        comment: String::new(),
        via: "mattermost".to_owned(),
        asked_at: Some(press.asked_at),
    };
    let told = tell_answer(app, caller, answer).await;
    told.map_or_else(Untold::text, |answered| answered.text)
}
