//! Calls: what is said, and what keys mean.
//!
//! | key | does |
//! |---|---|
//! | 4 | acknowledges |
//! | 5, 0 | escalates |
//! | 6 | closes |
//! | 1 | asks whether calls should end: 3 ends them, 1 goes back |
//! | * | says it again |
//!
//! The keys are GoAlert's, with PagerDuty's beside them, so that nobody relearns.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;
use tocsin_connect::paging::{Call, paths};
use tocsin_core::command::Command;
use tocsin_core::paging::{Action, Answer, Answerer, Channel, Spoken};

use super::twilio::{Posted, from_twilio, twiml};
use super::{Untold, tell, tell_answer};
use crate::App;
use crate::access::Caller;
use crate::front::escape;

/// How often it is said when nobody presses anything.
const MAX_ROUNDS: u8 = 3;

/// How many seconds there are to press a key.
const KEY_SECONDS: u8 = 10;

/// What is explained after what it is about.
const MENU: &str = "Press 4 to acknowledge, 5 to escalate, 6 to close, star to repeat, \
                    or 1 to stop these calls.";

/// What is asked before calls end.
const STOP_MENU: &str =
    "Press 3 to get no more calls and messages to this number, or 1 to go back.";

/// What is said to a key that means nothing.
const SORRY: &str = "Sorry, I did not understand that.";

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    call: String,
    #[serde(default)]
    menu: String,
    #[serde(default)]
    round: u8,
}

/// Says what a call is about, or does what a key means.
pub(super) async fn speak(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let posted = Posted::read(&app, paths::TWILIO_VOICE, uri.query(), &headers, &body);
    let posted = match posted.await {
        Ok(posted) => posted,
        Err(refusal) => return refusal,
    };
    let voice = Voice::new(&app, &asked);
    let Some(call) = Call::open(&app.links, &asked.call) else {
        return voice.bye("This call is not one of ours.");
    };
    if call.runs.is_empty() {
        // There is nothing to answer; what matters is said twice.
        return voice.bye(&format!("{0} {0}", call.text));
    }
    if app.engine.now() >= call.expires_at {
        return voice.bye("What this call was about is long ago. Nothing was changed.");
    }
    let key = posted.value("Digits");
    let action = match (asked.menu.as_str(), key) {
        ("", "") if asked.round >= MAX_ROUNDS => {
            return voice.bye("Nobody answered. Somebody else may be called.");
        }
        ("", "" | "*") => return voice.ask(&format!("{} {MENU}", call.text), ""),
        ("stop", "") => return voice.ask(STOP_MENU, "stop"),
        ("stop", "1" | "*") => return voice.ask(&format!("{} {MENU}", call.text), ""),
        ("stop", "3") => {
            // Of a call that we make, our side is `From` and theirs is `To`.
            let address = posted.value("To").to_owned();
            let spoken = Spoken { channel: Channel::Voice, address, text: "stop".to_owned() };
            let reply = tell(&app, from_twilio(&caller), Command::Spoken(spoken)).await;
            let text = reply.map_or_else(Untold::text, |answered| answered.text);
            return voice.bye(&text);
        }
        ("stop", _) => return voice.ask(&format!("{SORRY} {STOP_MENU}"), "stop"),
        (_, "1") => return voice.ask(STOP_MENU, "stop"),
        (_, "4") => Action::Acknowledge,
        (_, "5" | "0") => Action::Escalate,
        (_, "6") => Action::Resolve,
        (_, _) => return voice.ask(&format!("{SORRY} {MENU}"), ""),
    };
    voice.bye(&carry_out(&app, &caller, &call, action).await)
}

/// Does the same for everything that a call is about, and says what became of it.
async fn carry_out(app: &App, caller: &Caller, call: &Call, action: Action) -> String {
    let by = match &call.person {
        Some(person) => Answerer::Person(person.clone()),
        None => Answerer::Outsider("a phone".to_owned()),
    };
    let mut said = Vec::new();
    for run in &call.runs {
        let answer = Answer {
            run: *run,
            by: by.clone(),
            action,
            comment: String::new(),
            via: "voice".to_owned(),
            asked_at: Some(call.asked_at),
        };
        let text = tell_answer(app, caller, answer).await;
        said.push(text.map_or_else(Untold::text, |answered| answered.text));
    }
    match said.as_slice() {
        [only] => format!("{}. Goodbye.", only.trim_end_matches('.')),
        all => format!("{}. That was done for {} alerts. Goodbye.", all[0], all.len()),
    }
}

/// How it is said.
struct Voice<'a> {
    language: String,
    voice: String,
    base: String,
    asked: &'a Asked,
}

impl<'a> Voice<'a> {
    fn new(app: &App, asked: &'a Asked) -> Self {
        let channels = &app.reloader.current().channels;
        let base = app.options.external_url.trim_end_matches('/');
        Self {
            language: channels.twilio.language.clone(),
            voice: channels.twilio.voice.clone(),
            base: format!("{base}/{}", paths::TWILIO_VOICE),
            asked,
        }
    }

    fn say(&self, text: &str) -> String {
        let voice = match self.voice.as_str() {
            "" => String::new(),
            voice => format!(" voice=\"{}\"", escape(voice)),
        };
        // Services that imitate Twilio read nothing that stands outside of `prosody`.
        format!(
            "<Say{voice} language=\"{}\"><prosody rate=\"slow\">{}</prosody></Say>",
            escape(&self.language),
            escape(text)
        )
    }

    fn url(&self, menu: &str, round: u8) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("call", &self.asked.call)
            .append_pair("menu", menu)
            .append_pair("round", &round.to_string())
            .finish();
        format!("{}?{query}", self.base)
    }

    /// Says something and waits for a key; says it again when none comes.
    fn ask(&self, text: &str, menu: &str) -> Response {
        let round = self.asked.round.saturating_add(1);
        twiml(&format!(
            "<Gather action=\"{}\" method=\"POST\" numDigits=\"1\" timeout=\"{KEY_SECONDS}\">{}\
             </Gather><Redirect method=\"POST\">{}</Redirect>",
            escape(&self.url(menu, 0)),
            self.say(text),
            escape(&self.url(menu, round)),
        ))
    }

    /// Says something and hangs up.
    fn bye(&self, text: &str) -> Response {
        twiml(&format!("{}<Hangup/>", self.say(text)))
    }
}
