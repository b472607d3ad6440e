//! Receivers that page people.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::reader::{Fields, Reader};
use crate::section::section;
use crate::values::{Any, Secret, Template, Url};

section! {
    /// Events for PagerDuty: with `routing_key` through version 2 of its API, with `service_key`
    /// through version 1.
    PagerdutyConfig, check = check_pagerduty => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The key of the integration, version 2.
        routing_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer routing_key_file: Option<PathBuf>;
        /// The key of the integration, version 1.
        service_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer service_key_file: Option<PathBuf>;
        /// The address of the API; `pagerduty_url` when it is not given.
        url: Option<Url>;
        /// The name of the sender.
        client: Option<Template>;
        /// Where that name leads.
        client_url: Option<Template>;
        /// What happened.
        description: Option<Template>;
        /// How bad it is: `critical`, `error`, `warning` or `info`; unset means `error`.
        severity: Option<Template>;
        /// Further facts, nested as you like.
        details: BTreeMap<String, Any>;
        /// Pictures.
        images: Vec<PagerdutyImage>;
        /// Links.
        links: Vec<PagerdutyLink>;
        /// What is affected; unset means `client`.
        @Newer source: Option<Template>;
        /// The part that is affected.
        component: Option<Template>;
        /// The cluster of parts.
        group: Option<Template>;
        /// The kind of event.
        class: Option<Template>;
        /// The longest that one request may take; 0 means as long as the group waits.
        @Newer timeout: Duration;
    }
}

section! {
    /// One picture.
    PagerdutyImage => {
        /// Where it is.
        src: Option<Template>;
        /// What it shows.
        alt: Option<Template>;
        /// Where it leads.
        href: Option<Template>;
    }
}

section! {
    /// One link.
    PagerdutyLink => {
        /// Where it leads.
        href: Option<Template>;
        /// What it says.
        text: Option<Template>;
    }
}

section! {
    /// Alerts for Opsgenie. What is not given comes from the `opsgenie_*` keys of `global`.
    OpsgenieConfig, check = |_, fields, reader: &mut Reader<'_>| {
        reader.exclusive(fields, &["api_key", "api_key_file"]);
    } => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The key of the integration.
        api_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        api_key_file: Option<PathBuf>;
        /// The address of the API.
        api_url: Option<Url>;
        /// The title; at most 130 characters are sent.
        message: Option<Template>;
        /// What happened.
        description: Option<Template>;
        /// Where it comes from.
        source: Option<Template>;
        /// Further facts.
        details: BTreeMap<String, Template>;
        /// What is affected.
        entity: Option<Template>;
        /// Who is told.
        responders: Vec<OpsgenieResponder>;
        /// Actions to offer, separated by commas.
        actions: Option<Template>;
        /// Tags, separated by commas.
        tags: Option<Template>;
        /// A note.
        note: Option<Template>;
        /// `P1` to `P5`.
        priority: Option<Template>;
        /// Whether message and description of an open alert are changed.
        update_alerts: bool;
    }
}

section! {
    /// One who is told.
    OpsgenieResponder, check = check_responder => {
        /// The identifier.
        id: Option<Template>;
        /// The name.
        name: Option<Template>;
        /// The user name.
        username: Option<Template>;
        /// `team`, `teams`, `user`, `escalation` or `schedule`.
        r#type: Template;
    }
}

section! {
    /// Alerts for VictorOps (Splunk On-Call). What is not given comes from the `victorops_*` keys
    /// of `global`.
    VictoropsConfig, check = check_victorops => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The key of the integration.
        api_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        api_key_file: Option<PathBuf>;
        /// The address of the API.
        api_url: Option<Url>;
        /// Where it is routed.
        routing_key: Template;
        /// The kind of message while alerts fire.
        message_type: Template = Template::new("CRITICAL");
        /// What happened.
        state_message: Option<Template>;
        /// The title.
        entity_display_name: Option<Template>;
        /// Where it comes from.
        monitoring_tool: Option<Template>;
        /// Further facts.
        custom_fields: BTreeMap<String, Template>;
    }
}

section! {
    /// Pushes to phones by Pushover.
    PushoverConfig, check = check_pushover => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address that messages are posted to, for a relay; unset means Pushover's own.
        @Native api_url: Option<Url>;
        /// The key of the person or group.
        user_key: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer user_key_file: Option<PathBuf>;
        /// The token of the application.
        token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer token_file: Option<PathBuf>;
        /// The title.
        title: Option<Template>;
        /// The text.
        message: Option<Template>;
        /// A link.
        url: Option<Template>;
        /// What the link says.
        url_title: Option<Template>;
        /// The device to push to; unset means all.
        @Newer device: Option<Template>;
        /// The sound to play.
        sound: Option<Template>;
        /// From -2 to 2; unset means 2 while alerts fire.
        priority: Option<Template>;
        /// How often an emergency is repeated.
        retry: Duration = Duration::from_secs(60);
        /// How long an emergency is repeated.
        expire: Duration = Duration::from_secs(3600);
        /// How long a message is kept.
        @Newer ttl: Option<Duration>;
        /// Whether the text is HTML.
        html: bool;
        /// Whether the text is set in a fixed width.
        @Newer monospace: bool;
    }
}

section! {
    /// Messages on a topic of Amazon SNS.
    SnsConfig, check = check_sns => {
        /// Whether resolved alerts are told.
        send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        http_config: Option<HttpConfig>;
        /// The address of the API; unset means that of the region.
        api_url: Option<Template>;
        /// How requests are signed.
        sigv4: Sigv4;
        /// The topic.
        topic_arn: Option<Template>;
        /// The device.
        target_arn: Option<Template>;
        /// The phone.
        phone_number: Option<Template>;
        /// The subject.
        subject: Option<Template>;
        /// The text.
        message: Option<Template>;
        /// Attributes of the message.
        attributes: BTreeMap<String, Template>;
        /// Uses the HTTP client of the AWS library instead of `http_config`.
        @Newer use_aws_http_client: bool;
    }
}

section! {
    /// How requests to Amazon are signed.
    Sigv4, check = |_, fields: &Fields<'_>, reader: &mut Reader<'_>| {
        if fields.has("access_key") != fields.has("secret_key") {
            reader.error_here(fields, "`access_key` and `secret_key` go together");
        }
    } => {
        /// The region.
        region: String;
        /// The identifier of the key.
        access_key: String;
        /// The key.
        secret_key: Option<Secret>;
        /// The profile that holds the key.
        profile: String;
        /// The role to take.
        role_arn: String;
        /// What the role asks for.
        @Newer external_id: String;
        /// Uses the FIPS address of the token service.
        @Newer use_fips_sts_endpoint: bool;
        /// The address of the token service, for a private endpoint; unset means the region's.
        @Native sts_url: Option<Url>;
    }
}

section! {
    /// Alerts for incident.io.
    IncidentioConfig, check = check_incidentio => {
        /// Whether resolved alerts are told.
        @Newer send_resolved: bool = true;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The address of the alert source.
        @Newer url: Option<Url>;
        /// A file that holds it, read when it is used.
        @Newer url_file: Option<PathBuf>;
        /// The token of the alert source.
        @Newer alert_source_token: Option<Secret>;
        /// A file that holds it, read when it is used.
        @Newer alert_source_token_file: Option<PathBuf>;
        /// The most alerts in one message; 0 means all.
        @Newer max_alerts: u64;
        /// The longest that one request may take; 0 means as long as the group waits.
        @Newer timeout: Duration;
    }
}

fn check_pagerduty(_: &mut PagerdutyConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let keys = ["routing_key", "routing_key_file", "service_key", "service_key_file"];
    if !keys.iter().any(|key| fields.has(key)) {
        reader.error_here(fields, "pagerduty needs `routing_key` or `service_key`");
    }
    reader.exclusive(fields, &["routing_key", "routing_key_file"]);
    reader.exclusive(fields, &["service_key", "service_key_file"]);
}

fn check_responder(config: &mut OpsgenieResponder, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    const TYPES: [&str; 5] = ["team", "teams", "user", "escalation", "schedule"];
    if !["id", "name", "username"].iter().any(|key| fields.has(key)) {
        reader.error_here(fields, "a responder needs `id`, `name` or `username`");
    }
    if let Some(kind) = config.r#type.literal()
        && !TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known))
    {
        let message = format!("the type of a responder must be one of {}", TYPES.join(", "));
        reader.error_at(fields, "type", message);
    }
}

fn check_victorops(config: &mut VictoropsConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    const FIXED: [&str; 7] = [
        "routing_key",
        "message_type",
        "state_message",
        "entity_display_name",
        "monitoring_tool",
        "entity_id",
        "entity_state",
    ];
    reader.require(fields, &["routing_key"]);
    reader.exclusive(fields, &["api_key", "api_key_file"]);
    for name in FIXED.iter().filter(|name| config.custom_fields.contains_key(**name)) {
        reader.error_at(fields, "custom_fields", format!("`{name}` cannot be a custom field"));
    }
}

fn check_pushover(config: &mut PushoverConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exactly_one(fields, &["user_key", "user_key_file"]);
    reader.exactly_one(fields, &["token", "token_file"]);
    if config.html && config.monospace {
        reader.error_at(fields, "monospace", "only one of `html` and `monospace` can be true");
    }
}

fn check_sns(_: &mut SnsConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exactly_one(fields, &["topic_arn", "target_arn", "phone_number"]);
}

fn check_incidentio(config: &mut IncidentioConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exactly_one(fields, &["url", "url_file"]);
    reader.exclusive(fields, &["alert_source_token", "alert_source_token_file"]);
    let has_token = fields.has("alert_source_token") || fields.has("alert_source_token_file");
    if !has_token && config.http_config.as_ref().is_none_or(|http| http.authorization.is_none()) {
        reader.error_here(
            fields,
            "incident.io needs `alert_source_token`, or `http_config.authorization`",
        );
    }
}
