//! Amazon SNS, by its query API.

mod credentials;
mod message;
mod sigv4;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::HeaderName;
use tocsin_config::{Secret, Sigv4, SnsConfig, Template};
use tocsin_core::notification::FailureClass;

use self::credentials::{Credentials, RoleKey, of_answer, own, region};
use self::sigv4::Signing;
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::step_key;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "sns";

/// The version of the API.
const VERSION: &str = "2010-03-31";

/// The version of the token service.
const STS_VERSION: &str = "2011-06-15";

/// The type of the body, which is part of the signature.
const FORM: &str = "application/x-www-form-urlencoded";

/// How the token service writes down who took a role on.
const SESSION_NAME: &str = "tocsin";

/// Amazon's words for "too fast".
const THROTTLED: [&str; 3] = ["Throttling", "ThrottledException", "ThrottlingException"];

/// Amazon's words for a key that is not good, or not good enough.
const BAD_KEY: [&str; 6] = [
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "AuthorizationError",
    "AccessDenied",
    "ExpiredToken",
    "UnrecognizedClientException",
];

/// Amazon's words for a signature of the wrong time.
const WRONG_TIME: [&str; 3] = ["RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"];

/// Publishes one message.
pub(crate) async fn send(
    config: &SnsConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let form = message::form(config, job)?;
    let region = region(&config.sigv4, form.arn())?;
    let url = api_url(config, &region, job)?;
    let own = own(&config.sigv4).await?;
    own.hide(redactor);
    let mut amazon = Amazon { sender, job, redactor, region: &region };
    let role = (!config.sigv4.role_arn.is_empty()).then(|| role_key(&config.sigv4, &own));
    let credentials = match &role {
        Some(role) => amazon.assume(&config.sigv4, role, &own).await?,
        None => own,
    };
    let answer = amazon.ask("sns", url, &form.fields(), &credentials).await?;
    if let Some(role) = &role
        && matches!(error_code(&answer).as_deref(), Some("ExpiredToken" | "InvalidClientTokenId"))
    {
        credentials::forget(role);
    }
    judge(&answer, "sns")?;
    Ok(Sent::default())
}

fn api_url(config: &SnsConfig, region: &str, job: &Job<'_>) -> Result<Url, Undelivered> {
    let text = match config.api_url.as_ref().map(Template::text).filter(|url| !url.is_empty()) {
        Some(url) => job.texts.address(TARGET, "api_url", url)?,
        None => format!("https://sns.{region}.{}/", domain(region)),
    };
    parse_url(TARGET, "api_url", &text)
}

/// Returns where a region's services are.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn role_key(config: &Sigv4, own: &Credentials) -> RoleKey {
    (config.role_arn.clone(), config.external_id.clone(), own.access_key.clone())
}

/// Amazon, and who asks.
struct Amazon<'a, 'j> {
    sender: &'a Sender,
    job: &'a Job<'j>,
    redactor: &'a mut Redactor,
    region: &'a str,
}

impl Amazon<'_, '_> {
    /// Returns the key of a role; it is asked for when there is none that is good for a while.
    async fn assume(
        &mut self,
        config: &Sigv4,
        role: &RoleKey,
        own: &Credentials,
    ) -> Result<Credentials, Undelivered> {
        if let Some(known) = credentials::remembered(role, self.job.now) {
            known.hide(self.redactor);
            return Ok(known);
        }
        let host = if config.use_fips_sts_endpoint { "sts-fips" } else { "sts" };
        let url = match &config.sts_url {
            Some(url) => url.as_str().to_owned(),
            None => format!("https://{host}.{}.{}/", self.region, domain(self.region)),
        };
        let url = parse_url(TARGET, "sts_url", &url)?;
        let mut fields = vec![
            ("Action", "AssumeRole"),
            ("Version", STS_VERSION),
            ("RoleArn", &config.role_arn),
            ("RoleSessionName", SESSION_NAME),
        ];
        if !config.external_id.is_empty() {
            fields.push(("ExternalId", &config.external_id));
        }
        let answer = self.ask("sts", url, &fields, own).await?;
        judge(&answer, "sts")?;
        let xml = String::from_utf8_lossy(&answer.body);
        let Some((credentials, until)) = of_answer(&xml) else {
            let why = format!("{TARGET}: the answer of the token service cannot be read");
            return Err(Undelivered::failed(FailureClass::Other, why));
        };
        credentials.hide(self.redactor);
        credentials::remember(role.clone(), credentials.clone(), until);
        Ok(credentials)
    }

    /// Asks; when the signature is not of the right time, once more with the other side's.
    async fn ask(
        &mut self,
        service: &str,
        url: Url,
        fields: &[(&str, &str)],
        credentials: &Credentials,
    ) -> Result<Answer, Undelivered> {
        let answer = self.ask_at(service, url.clone(), fields, credentials, self.job.now).await?;
        let is_wrong_time =
            error_code(&answer).is_some_and(|code| WRONG_TIME.contains(&code.as_str()));
        match answer.date {
            Some(date) if is_wrong_time => {
                self.ask_at(service, url, fields, credentials, date).await
            }
            _ => Ok(answer),
        }
    }

    async fn ask_at(
        &mut self,
        service: &str,
        url: Url,
        fields: &[(&str, &str)],
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Answer, Undelivered> {
        let key = step_key(self.job, service);
        let mut request = Request::form(TARGET, url, fields, self.job);
        request.idempotency_key = &key;
        let signing = Signing {
            url: &request.url,
            content_type: FORM,
            body: &request.body,
            region: self.region,
            service,
            now,
        };
        let signed = signing.sign(credentials);
        request.authorization = Some(Secret::new(signed.authorization));
        let date = HeaderName::from_static("x-amz-date");
        request = request.with_header(date, Secret::new(signed.date));
        if let Some(token) = &credentials.session_token {
            let name = HeaderName::from_static("x-amz-security-token");
            request = request.with_header(name, token.clone());
        }
        self.sender.send(request, self.job.deadline, self.redactor).await
    }
}

/// Makes an error of every status but 200 to 299. Amazon says 400 for most of what can be wrong;
/// its code tells more.
fn judge(answer: &Answer, service: &str) -> Result<(), Undelivered> {
    let code = error_code(answer).unwrap_or_default();
    if answer.is_success() || answer.status >= 500 || code.is_empty() {
        return answer.taken(TARGET, &[429]);
    }
    let xml = String::from_utf8_lossy(&answer.body);
    let message = xml_text(&xml, "Message").unwrap_or_default();
    let what = if service == "sns" { "the message" } else { "the role" };
    let sentence = format!("{TARGET} refused {what}: {code}: {message}");
    let undelivered = if THROTTLED.contains(&code.as_str()) {
        Undelivered::failed(FailureClass::RateLimited, sentence)
    } else if BAD_KEY.contains(&code.as_str()) {
        Undelivered::refused(FailureClass::AuthError, sentence)
    } else {
        Undelivered::refused(FailureClass::ClientError, sentence)
    };
    Err(undelivered.retry_after_ms(answer.retry_after_ms))
}

fn error_code(answer: &Answer) -> Option<String> {
    if answer.is_success() {
        return None;
    }
    xml_text(&String::from_utf8_lossy(&answer.body), "Code")
}

/// Returns the text of the first element of this name. Amazon's answers are flat enough for it.
fn xml_text(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(text.replace("&apos;", "'").replace("&amp;", "&").trim().to_owned())
}
