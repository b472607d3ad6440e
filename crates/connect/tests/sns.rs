//! Amazon's message and token services, imitated as strictly as the real ones read their requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use support::{
    CANARY, GROUP_ID, Reply, Seen, Server, address, assert_delivered, delivered_with_notes, entry,
    failed, outbound, refused, secret, text,
};
use tocsin_config::{Settings, Sigv4, SnsConfig, Template};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";

fn error(status: u16, headers: &str, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    Reply::status(status, headers, &body)
}

/// Checks what every request carries; `day` is that of the signature.
fn unsigned(seen: &Seen, scope: &str, key: &str) -> Option<Reply> {
    let authorization = seen.header("authorization").unwrap_or_default();
    let has_token = seen.header("x-amz-security-token").is_some();
    let token = if has_token { ";x-amz-security-token" } else { "" };
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20261120/{scope}/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date{token}, Signature="
    );
    let is_signed = authorization.strip_prefix(&expected).is_some_and(|signature| {
        signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    (!is_signed).then(|| error(403, "", "InvalidClientTokenId", "The security token is invalid."))
}

/// Checks a message that is published.
fn published(seen: &Seen, key: &str) -> Reply {
    if let Some(unsigned) = unsigned(seen, "eu-central-1/sns", key) {
        return unsigned;
    }
    let form = seen.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let wrong =
        |what: &str| error(400, "", "InvalidParameter", &format!("Invalid parameter: {what}"));
    if field("Action") != "Publish" || field("Version") != "2010-03-31" {
        return error(400, "", "InvalidAction", "Could not find operation");
    }
    if ["TopicArn", "TargetArn", "PhoneNumber"]
        .iter()
        .filter(|name| !field(name).is_empty())
        .count()
        != 1
    {
        return wrong("TopicArn or TargetArn");
    }
    let message = field("Message");
    let sizes = form.iter().filter(|(name, _)| name.starts_with("MessageAttributes"));
    let attributes: usize = sizes.map(|(_, value)| value.len()).sum();
    if message.is_empty() || message.len() + attributes > 256 * 1024 {
        return wrong("Message");
    }
    if form.get("Subject").is_some_and(|subject| {
        subject.is_empty() || subject.len() > 100 || !subject.is_ascii() || subject.contains('\n')
    }) {
        return wrong("Subject");
    }
    let is_fifo = field("TopicArn").ends_with(".fifo");
    if is_fifo != form.contains_key("MessageGroupId") {
        return wrong("MessageGroupId");
    }
    Reply::ok(
        "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    )
}

fn topic(seen: &Seen) -> Reply {
    published(seen, "AKIDEXAMPLE")
}

fn topic_for_the_role(seen: &Seen) -> Reply {
    if seen.header("x-amz-security-token") != Some(&format!("session-{CANARY}")) {
        return error(403, "", "InvalidClientTokenId", "no token");
    }
    published(seen, "ASIAROLE")
}

fn tokens(seen: &Seen) -> Reply {
    if let Some(unsigned) = unsigned(seen, "eu-central-1/sts", "AKIDEXAMPLE") {
        return unsigned;
    }
    let form = seen.form();
    if form["Action"] != "AssumeRole"
        || form["ExternalId"] != "ext"
        || form["RoleSessionName"].len() < 2
    {
        return error(403, "", "AccessDenied", "not authorized to perform: sts:AssumeRole");
    }
    Reply::ok(&format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>role-{CANARY}</SecretAccessKey><SessionToken>session-{CANARY}</SessionToken>\
         <Expiration>2026-11-20T16:10:31Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ))
}

fn config(server: &Server) -> SnsConfig {
    SnsConfig {
        api_url: text(&server.url("/")),
        sigv4: Sigv4 {
            region: "eu-central-1".to_owned(),
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: secret("aws-"),
            ..Sigv4::default()
        },
        topic_arn: text(TOPIC),
        subject: text("PgDown"),
        message: text("pg is down"),
        ..SnsConfig::default()
    }
}

async fn attempt(config: SnsConfig) -> AttemptOutcome {
    outbound("sns", Settings::Sns(config)).attempt(&entry("sns"), "1-42").await
}

#[tokio::test]
async fn every_field_arrives_signed() {
    let server = Server::start(vec![Reply::Vendor(topic)]).await;
    let attributes = [("team", "db"), ("empty", "")]
        .map(|(name, value)| (name.to_owned(), Template::new(value)));
    assert_delivered(
        &attempt(SnsConfig { attributes: attributes.into(), ..config(&server) }).await,
    );
    let form = server.only().form();
    let pairs = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(
        pairs.collect::<Vec<_>>(),
        [
            ("Action", "Publish"),
            ("Message", "pg is down"),
            ("MessageAttributes.entry.1.Name", "team"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", "db"),
            ("Subject", "PgDown"),
            ("TopicArn", TOPIC),
            ("Version", "2010-03-31"),
        ]
    );
    assert_eq!(server.only().header("x-amz-date"), Some("20261120T151031Z"));
}

#[tokio::test]
async fn the_region_is_that_of_the_topic_when_none_is_given() {
    let server = Server::start(vec![Reply::Vendor(topic)]).await;
    let mut config = config(&server);
    config.sigv4.region = String::new();
    assert_delivered(&attempt(config).await);
}

#[tokio::test]
async fn a_topic_in_order_gets_the_group_and_a_name_for_each_message() {
    let server = Server::start(vec![Reply::Vendor(topic)]).await;
    let config = SnsConfig { topic_arn: text(&format!("{TOPIC}.fifo")), ..config(&server) };
    let outbound = outbound("sns", Settings::Sns(config));
    for key in ["1-42", "1-42", "1-43"] {
        assert_delivered(&outbound.attempt(&entry("sns"), key).await);
    }
    let forms: Vec<_> = server.seen().iter().map(Seen::form).collect();
    assert!(forms.iter().all(|form| form["MessageGroupId"] == GROUP_ID));
    let names: Vec<_> = forms.iter().map(|form| &form["MessageDeduplicationId"]).collect();
    assert_eq!(names[0], names[1]);
    assert_ne!(names[1], names[2]);
}

#[tokio::test]
async fn long_texts_are_cut_and_say_so() {
    let server = Server::start(vec![Reply::Vendor(topic)]).await;
    let long = "ä".repeat(200_000);
    let to_topic = SnsConfig { message: text(&long), subject: text(&long), ..config(&server) };
    assert_delivered(&attempt(to_topic.clone()).await);
    let to_phone =
        SnsConfig { topic_arn: None, phone_number: text("+491234567"), ..to_topic.clone() };
    assert_delivered(&attempt(to_phone).await);
    let empty = SnsConfig { message: text(" "), subject: text(""), ..to_topic };
    assert!(delivered_with_notes(attempt(empty).await).is_empty());
    let [topic, phone, empty] = [0, 1, 2].map(|index| server.seen()[index].form());
    assert!(topic["Message"].len() > 256 * 1024 - 40, "{}", topic["Message"].len());
    assert_eq!(topic["MessageAttributes.entry.1.Name"], "truncated");
    assert_eq!(topic["MessageAttributes.entry.1.Value.StringValue"], "true");
    assert_eq!(topic["Subject"].len(), 100);
    assert_eq!(phone["Message"].chars().count(), 1_600);
    assert_eq!(phone["PhoneNumber"], "+491234567");
    assert_eq!(phone.get("Subject"), None);
    assert_eq!((empty["Message"].as_str(), empty.get("Subject")), ("[FIRING:1] PgDown", None));
}

#[tokio::test]
async fn a_role_is_taken_on_once() {
    let for_role = Reply::Vendor(topic_for_the_role);
    let server = Server::start(vec![Reply::Vendor(tokens), for_role.clone(), for_role]).await;
    let mut config = config(&server);
    config.sigv4.role_arn = "arn:aws:iam::123456789012:role/alerts".to_owned();
    config.sigv4.external_id = "ext".to_owned();
    config.sigv4.sts_url = address(&server, "/");
    let outbound = outbound("sns", Settings::Sns(config));
    assert_delivered(&outbound.attempt(&entry("sns"), "1-42").await);
    assert_delivered(&outbound.attempt(&entry("sns"), "1-43").await);
    let actions: Vec<_> = server.seen().iter().map(|seen| seen.form()["Action"].clone()).collect();
    assert_eq!(actions, ["AssumeRole", "Publish", "Publish"]);
}

#[tokio::test]
async fn a_role_that_may_not_be_taken_on_is_named_so() {
    let server = Server::start(vec![Reply::Vendor(tokens)]).await;
    let mut config = config(&server);
    config.sigv4.role_arn = "arn:aws:iam::123456789012:role/other".to_owned();
    config.sigv4.external_id = "not that".to_owned();
    config.sigv4.sts_url = address(&server, "/");
    let failure = refused(attempt(config).await, FailureClass::AuthError);
    assert!(failure.message.starts_with("sns refused the role: AccessDenied"), "{failure:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_by_theirs() {
    let date = "date: Fri, 20 Nov 2026 18:00:00 GMT\r\n";
    let late = error(403, date, "RequestExpired", "Request has expired");
    let server = Server::start(vec![late, Reply::Vendor(topic)]).await;
    assert_delivered(&attempt(config(&server)).await);
    let dates: Vec<_> =
        server.seen().iter().map(|seen| seen.header("x-amz-date").unwrap().to_owned()).collect();
    assert_eq!(dates, ["20261120T151031Z", "20261120T180000Z"]);
}

#[tokio::test]
async fn what_amazon_says_decides_what_it_means() {
    let refusals = [
        ("InvalidParameter", FailureClass::ClientError),
        ("SignatureDoesNotMatch", FailureClass::AuthError),
        ("AuthorizationError", FailureClass::AuthError),
    ];
    for (code, class) in refusals {
        let said = format!("because of aws-{CANARY}");
        let server = Server::start(vec![error(400, "", code, &said)]).await;
        let failure = refused(attempt(config(&server)).await, class);
        assert_eq!(
            failure.message,
            format!("sns refused the message: {code}: because of <secret>")
        );
    }
    let server = Server::start(vec![error(400, "", "Throttling", "Rate exceeded")]).await;
    failed(attempt(config(&server)).await, FailureClass::RateLimited);
    let server = Server::start(vec![error(500, "", "InternalError", "")]).await;
    failed(attempt(config(&server)).await, FailureClass::ServerError);
}

#[tokio::test]
async fn nobody_to_send_to_is_said() {
    let server = Server::start(vec![Reply::Vendor(topic)]).await;
    let config = SnsConfig { topic_arn: text(""), ..config(&server) };
    let failure = refused(attempt(config).await, FailureClass::Other);
    assert!(failure.message.contains("`topic_arn`"), "{failure:?}");
    assert!(server.seen().is_empty());
}
