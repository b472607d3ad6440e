//! WeChat for companies, as an application.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tocsin_config::{Secret, SecretSource, Template, WechatConfig, WechatMessageType};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::chat::{cut_bytes, own_words, put};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{below, key, step_key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "wechat";

/// Where applications are spoken for.
const API: &str = "https://qyapi.weixin.qq.com/cgi-bin/";

/// The most bytes of a text; WeChat cuts there, too, but between two bytes of a character.
const MAX_MESSAGE_BYTES: usize = 2_048;

/// The most tokens that are kept; beyond that the oldest is asked for anew.
const MAX_TOKENS: usize = 100;

/// How long before its end a token is not used any more.
const TOKEN_MARGIN: Duration = Duration::from_secs(5 * 60);

/// The token is not or no longer good: another one helps.
const STALE_TOKEN: [i64; 2] = [40_014, 42_001];

/// WeChat is busy; the same works a moment later.
const BUSY: i64 = -1;

/// Too many calls.
const RATE_LIMITED: [i64; 4] = [45_009, 45_011, 45_033, 45_047];

/// The company, the application, its secret or our address is not welcome.
const NOT_WELCOME: [i64; 6] = [40_001, 40_013, 40_056, 48_002, 60_011, 60_020];

/// Tokens by a hash of whom they are for, and until when they are used.
static TOKENS: LazyLock<Mutex<Tokens>> = LazyLock::new(Mutex::default);

type Tokens = BTreeMap<[u8; 32], (Secret, Timestamp)>;

/// What WeChat answers, with 200 whatever happened.
#[derive(Deserialize)]
struct MethodAnswer {
    errcode: Option<i64>,
    #[serde(default)]
    errmsg: String,
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_in: u32,
    #[serde(default)]
    invaliduser: String,
    #[serde(default)]
    invalidparty: String,
    #[serde(default)]
    invalidtag: String,
}

/// Why a question was not answered with yes.
struct Refusal {
    code: i64,
    undelivered: Undelivered,
}

impl From<Undelivered> for Refusal {
    fn from(undelivered: Undelivered) -> Self {
        Self { code: 0, undelivered }
    }
}

/// Posts one message; a token that is not good any more is replaced once.
pub(crate) async fn send(
    config: &WechatConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let base =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let source = SecretSource::of(config.api_secret.as_ref(), config.api_secret_file.as_deref());
    let secret = key(TARGET, "api_secret", source, job, redactor).await?;
    let corp = config.corp_id.as_deref().unwrap_or_default();
    let corp = job.texts.address(TARGET, "corp_id", corp)?;
    let message = message(config, job);

    let mut door = Door { base, corp, secret, sender, job, redactor };
    let token = match door.kept_token() {
        Some(token) => token,
        None => door.new_token().await?,
    };
    let refusal = match door.post(&token, &message, "post").await {
        Ok(()) => return Ok(Sent::default()),
        Err(refusal) => refusal,
    };
    if !STALE_TOKEN.contains(&refusal.code) {
        return Err(refusal.undelivered);
    }
    door.forget();
    let token = door.new_token().await?;
    door.post(&token, &message, "again").await.map_err(|refusal| refusal.undelivered)?;
    Ok(Sent::default())
}

fn message(config: &WechatConfig, job: &Job<'_>) -> Value {
    let fill = |field: &str, template: &Option<Template>, default: &str| {
        job.texts.text(field, template.as_ref(), default)
    };
    let text = fill("message", &config.message, defaults::WECHAT_MESSAGE);
    let text = if text.trim().is_empty() { own_words(job) } else { text };
    let kind = match config.message_type {
        WechatMessageType::Text => "text",
        WechatMessageType::Markdown => "markdown",
    };
    let mut message = Map::new();
    put(
        &mut message,
        "touser",
        fill("to_user", &config.to_user, defaults::WECHAT_TO_USER).trim().to_owned(),
    );
    put(
        &mut message,
        "toparty",
        fill("to_party", &config.to_party, defaults::WECHAT_TO_PARTY).trim().to_owned(),
    );
    put(
        &mut message,
        "totag",
        fill("to_tag", &config.to_tag, defaults::WECHAT_TO_TAG).trim().to_owned(),
    );
    let agent = fill("agent_id", &config.agent_id, defaults::WECHAT_AGENT_ID).trim().to_owned();
    match agent.parse::<u64>() {
        Ok(number) => message.insert("agentid".to_owned(), json!(number)),
        Err(_) => message.insert("agentid".to_owned(), json!(agent)),
    };
    put(&mut message, "msgtype", kind.to_owned());
    message.insert(kind.to_owned(), json!({ "content": cut_bytes(&text, MAX_MESSAGE_BYTES) }));
    message.insert("safe".to_owned(), json!(0));
    Value::Object(message)
}

/// The API, and who asks.
struct Door<'a, 'j> {
    base: Url,
    corp: String,
    secret: Secret,
    sender: &'a Sender,
    job: &'a Job<'j>,
    redactor: &'a mut Redactor,
}

impl Door<'_, '_> {
    fn name(&self) -> [u8; 32] {
        let parts = [self.base.as_str(), &self.corp, self.secret.expose()];
        Sha256::digest(parts.join("\n").as_bytes()).into()
    }

    fn kept_token(&mut self) -> Option<Secret> {
        let name = self.name();
        let tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, until) = tokens.get(&name)?;
        let token = (self.job.now < *until).then(|| token.clone())?;
        self.redactor.hide(token.expose());
        Some(token)
    }

    fn forget(&self) {
        TOKENS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name());
    }

    async fn new_token(&mut self) -> Result<Secret, Undelivered> {
        let mut url = below(&self.base, &["gettoken"]);
        url.query_pairs_mut()
            .append_pair("corpid", &self.corp)
            .append_pair("corpsecret", self.secret.expose());
        let own_key = step_key(self.job, "token");
        let request = Request::get(TARGET, url, self.job);
        let request = Request { idempotency_key: &own_key, ..request };
        let answer = self.sender.send(request, self.job.deadline, self.redactor).await?;
        let said = judge(&answer, "the sign-in").map_err(|refusal| refusal.undelivered)?;
        if said.access_token.is_empty() {
            let why = format!("{TARGET}: the sign-in gave no token");
            return Err(Undelivered::failed(FailureClass::Other, why));
        }
        let token = Secret::new(said.access_token);
        self.redactor.hide(token.expose());
        let life = Duration::from_secs(said.expires_in.into()).saturating_sub(TOKEN_MARGIN);
        let until = self.job.now.checked_add(life).unwrap_or(self.job.now);
        let mut tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(self.name(), (token.clone(), until));
        while tokens.len() > MAX_TOKENS {
            let oldest = tokens.iter().min_by_key(|(_, (_, until))| *until).map(|(name, _)| *name);
            let Some(oldest) = oldest else { break };
            tokens.remove(&oldest);
        }
        Ok(token)
    }

    async fn post(&mut self, token: &Secret, message: &Value, step: &str) -> Result<(), Refusal> {
        let mut url = below(&self.base, &["message", "send"]);
        url.query_pairs_mut().append_pair("access_token", token.expose());
        let own_key = step_key(self.job, step);
        let request = Request::json(TARGET, url, message, self.job);
        let request = Request { idempotency_key: &own_key, ..request };
        let answer = self.sender.send(request, self.job.deadline, self.redactor).await?;
        let said = judge(&answer, "the message")?;
        let missed = [&said.invaliduser, &said.invalidparty, &said.invalidtag];
        let missed: Vec<&str> =
            missed.into_iter().map(String::as_str).filter(|names| !names.is_empty()).collect();
        if !missed.is_empty() {
            self.job
                .texts
                .note(format!("WeChat does not know, and did not tell: {}", missed.join(", ")));
        }
        Ok(())
    }
}

fn judge(answer: &Answer, what: &str) -> Result<MethodAnswer, Refusal> {
    // Any status but a success comes from something between WeChat and us.
    answer.taken(TARGET, &[])?;
    let Ok(said) = serde_json::from_slice::<MethodAnswer>(&answer.body) else {
        let why = answer.incomplete.as_deref().unwrap_or("it is not what WeChat answers");
        let message = format!("{TARGET}: the answer cannot be read: {why}");
        return Err(Undelivered::failed(FailureClass::Other, message).into());
    };
    let code = said.errcode.unwrap_or(0);
    if code == 0 {
        return Ok(said);
    }
    let message = format!("{TARGET} refused {what}: {code} {}", said.errmsg);
    let undelivered = if code == BUSY {
        Undelivered::failed(FailureClass::ServerError, message)
    } else if RATE_LIMITED.contains(&code) {
        Undelivered::refused(FailureClass::RateLimited, message)
    } else if STALE_TOKEN.contains(&code) {
        Undelivered::failed(FailureClass::AuthError, message)
    } else if NOT_WELCOME.contains(&code) {
        Undelivered::refused(FailureClass::AuthError, message)
    } else {
        Undelivered::refused(FailureClass::ClientError, message)
    };
    Err(Refusal { code, undelivered })
}
