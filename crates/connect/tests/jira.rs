//! Jira, imitated as strictly as the real one reads its requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    CANARY, GROUP_ID, Reply, Seen, Server, address, assert_delivered, ended_entry, entry, failed,
    outbound, refused, text,
};
use tocsin_config::{
    Any, BasicAuth, HttpConfig, JiraApiType, JiraConfig, JiraText, Secret, Settings, Template,
};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

fn error(status: u16, what: &str) -> Reply {
    let body = json!({ "errorMessages": [what], "errors": {} });
    Reply::status(status, "", &body.to_string())
}

/// Refuses who does not show the password, as all of Jira does.
fn unknown(seen: &Seen) -> Option<Reply> {
    let is_known = seen.header("authorization").is_some_and(|shown| shown.starts_with("Basic "));
    (!is_known).then(|| error(401, "Client must be authenticated to access this resource."))
}

/// Answers a search with these issues.
fn search(seen: &Seen, issues: &Value) -> Reply {
    if let Some(unknown) = unknown(seen) {
        return unknown;
    }
    let body = seen.json();
    let jql = body["jql"].as_str().unwrap_or_default();
    let label = format!("labels = \"ALERT{{{GROUP_ID}}}\"");
    if !jql.contains(&label) || !jql.contains("project = \"OPS\"") || !body["fields"].is_array() {
        return error(400, "The JQL query cannot be read.");
    }
    match seen.target() {
        "POST /rest/api/2/search" | "POST /rest/api/3/search/jql" => {
            Reply::ok(&json!({ "issues": issues }).to_string())
        }
        _ => error(404, "dead link"),
    }
}

fn issue(category: &str) -> Value {
    let status = json!({ "name": "X", "statusCategory": { "key": category } });
    json!([{ "id": "1", "key": "OPS-7", "fields": { "status": status } }])
}

fn nothing(seen: &Seen) -> Reply {
    search(seen, &json!([]))
}

fn open(seen: &Seen) -> Reply {
    search(seen, &issue("indeterminate"))
}

fn done(seen: &Seen) -> Reply {
    search(seen, &issue("done"))
}

/// Checks the fields of an issue as they are when one is created or edited.
fn edit(seen: &Seen) -> Reply {
    if let Some(unknown) = unknown(seen) {
        return unknown;
    }
    let fields = seen.json()["fields"].clone();
    let is_v3 = seen.target().contains("/rest/api/3/");
    let is_new = seen.target().starts_with("POST");
    let summary = fields["summary"].as_str();
    if is_new && summary.is_none_or(str::is_empty) {
        return error(400, "You must specify a summary of the issue.");
    }
    if summary.is_some_and(|text| text.chars().count() > 255 || text.contains('\n')) {
        return error(400, "The summary is invalid because it contains newline characters.");
    }
    let is_fitting = match &fields["description"] {
        Value::Null => true,
        Value::String(text) => !is_v3 && text.chars().count() <= 32_767,
        Value::Object(document) => is_v3 && document["type"] == "doc" && document["version"] == 1,
        _ => false,
    };
    if !is_fitting {
        return error(400, "Operation value must be an Atlassian Document");
    }
    let labels = fields["labels"].as_array().cloned().unwrap_or_default();
    if labels.iter().any(|label| label.as_str().is_none_or(|label| label.contains(' '))) {
        return error(400, "The label contains spaces which is invalid.");
    }
    if fields["project"]["key"] != "OPS" || !fields["issuetype"]["name"].is_string() {
        return error(400, "valid project is required");
    }
    match seen.line.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["POST", "/rest/api/2/issue" | "/rest/api/3/issue"] => {
            Reply::status(201, "", r#"{"id":"1","key":"OPS-7"}"#)
        }
        ["PUT", "/rest/api/2/issue/OPS-7" | "/rest/api/3/issue/OPS-7"] => {
            Reply::status(204, "", "")
        }
        _ => error(404, "Issue does not exist"),
    }
}

fn transitions(seen: &Seen) -> Reply {
    let known = json!([{ "id": "11", "name": "Done" }, { "id": "12", "name": "Reopen" }]);
    match seen.target() {
        "GET /rest/api/2/issue/OPS-7/transitions" if unknown(seen).is_none() => {
            Reply::ok(&json!({ "transitions": known }).to_string())
        }
        _ => error(404, "dead link"),
    }
}

fn transition(seen: &Seen) -> Reply {
    let is_right = seen.target() == "POST /rest/api/2/issue/OPS-7/transitions";
    let id = seen.json()["transition"]["id"].clone();
    if is_right && (id == "11" || id == "12") {
        Reply::status(204, "", "")
    } else {
        error(400, "transition is invalid")
    }
}

fn said(text: &str) -> Option<JiraText> {
    Some(JiraText { template: Template::new(text), enable_update: None })
}

fn config(server: &Server) -> JiraConfig {
    let basic_auth = Some(BasicAuth {
        username: "tocsin".to_owned(),
        password: Some(Secret::new(format!("pw-{CANARY}"))),
        ..BasicAuth::default()
    });
    JiraConfig {
        http_config: Some(HttpConfig { basic_auth, ..HttpConfig::default() }),
        api_url: address(server, "/rest/api/2"),
        project: Template::new("OPS"),
        issue_type: Template::new("Incident"),
        summary: said("PgDown on eu1"),
        description: said("pg is down\nreally"),
        priority: text("High"),
        resolve_transition: text("Done"),
        reopen_transition: text("Reopen"),
        reopen_duration: Duration::from_secs(3_600),
        ..JiraConfig::default()
    }
}

async fn tell(config: JiraConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("jira", Settings::Jira(config)).attempt(entry, "1-42").await
}

async fn vendor<const N: usize>(answers: [fn(&Seen) -> Reply; N]) -> Server {
    Server::start(answers.map(Reply::Vendor).to_vec()).await
}

/// What was asked, as method and path.
fn asked(server: &Server) -> Vec<String> {
    server.seen().iter().map(|seen| seen.target().replace("/rest/api", "")).collect()
}

#[tokio::test]
async fn a_new_group_opens_an_issue() {
    let server = vendor([nothing, edit]).await;
    let config = JiraConfig {
        labels: vec![Template::new("db team"), Template::new("")],
        custom_fields: [("customfield_1".to_owned(), Any(json!({ "value": "a" })))].into(),
        fields: [("components".to_owned(), Any(json!([{ "name": "db" }])))].into(),
        wont_fix_resolution: text("Won't \"Fix\""),
        ..config(&server)
    };
    assert_delivered(&tell(config, &entry("jira")).await);
    assert_eq!(asked(&server), ["POST /2/search", "POST /2/issue"]);
    assert_eq!(
        server.seen()[0].json()["jql"],
        format!(
            "resolution != \"Won't \\\"Fix\\\"\" and (resolutiondate is EMPTY OR resolutiondate >= -60m) \
             and project = \"OPS\" and labels = \"ALERT{{{GROUP_ID}}}\" \
             order by status ASC, resolutiondate DESC"
        )
    );
    assert_eq!(
        server.seen()[1].json()["fields"],
        json!({
            "project": { "key": "OPS" },
            "issuetype": { "name": "Incident" },
            "summary": "PgDown on eu1",
            "description": "pg is down\nreally",
            "labels": [format!("ALERT{{{GROUP_ID}}}"), "db_team"],
            "priority": { "name": "High" },
            "customfield_1": { "value": "a" },
            "components": [{ "name": "db" }],
        })
    );
}

#[tokio::test]
async fn the_cloud_gets_documents_and_is_searched_in_its_new_place() {
    let server = vendor([nothing, edit]).await;
    let config = JiraConfig {
        api_type: JiraApiType::Cloud,
        api_url: address(&server, "/rest/api/3/"),
        ..config(&server)
    };
    assert_delivered(&tell(config, &entry("jira")).await);
    assert_eq!(asked(&server), ["POST /3/search/jql", "POST /3/issue"]);
    let description = server.seen()[1].json()["fields"]["description"].clone();
    assert_eq!(
        description["content"][0]["content"][2],
        json!({ "type": "text", "text": "really" })
    );
}

#[tokio::test]
async fn an_open_issue_is_brought_up_to_date_as_far_as_wanted() {
    let server = vendor([open, edit]).await;
    let description = Some(JiraText { enable_update: Some(false), ..said("x").unwrap() });
    let config = JiraConfig { description, ..config(&server) };
    assert_delivered(&tell(config, &entry("jira")).await);
    assert_eq!(asked(&server), ["POST /2/search", "PUT /2/issue/OPS-7"]);
    let fields = server.seen()[1].json()["fields"].clone();
    assert_eq!(
        (&fields["summary"], &fields["description"]),
        (&json!("PgDown on eu1"), &Value::Null)
    );
}

#[tokio::test]
async fn the_end_closes_the_issue_and_another_beginning_opens_it_again() {
    for (found, entry, id) in
        [(open as fn(&Seen) -> Reply, ended_entry("jira"), "11"), (done, entry("jira"), "12")]
    {
        let server = vendor([found, edit, transitions, transition]).await;
        assert_delivered(&tell(config(&server), &entry).await);
        assert_eq!(asked(&server).len(), 4);
        assert_eq!(server.seen()[3].json(), json!({ "transition": { "id": id } }));
    }
}

#[tokio::test]
async fn what_is_over_and_unknown_needs_no_issue() {
    let server = vendor([nothing]).await;
    assert_delivered(&tell(config(&server), &ended_entry("jira")).await);
    let jql = server.only().json()["jql"].clone();
    assert!(jql.as_str().unwrap().starts_with("statusCategory != Done and"), "{jql}");
}

#[tokio::test]
async fn without_a_transition_the_issue_stays_as_it_is() {
    let server = vendor([open, edit]).await;
    let config = JiraConfig { resolve_transition: None, ..config(&server) };
    assert_delivered(&tell(config, &ended_entry("jira")).await);
    assert_eq!(asked(&server).len(), 2);
}

#[tokio::test]
async fn a_transition_that_is_not_there_is_named_with_those_that_are() {
    let server = vendor([open, edit, transitions]).await;
    let config = JiraConfig { resolve_transition: text("Close"), ..config(&server) };
    let outcome = tell(config, &ended_entry("jira")).await;
    let failure = refused(outcome, FailureClass::ClientError);
    assert!(failure.message.contains("no transition `Close`"), "{failure:?}");
    assert!(failure.message.contains("Done, Reopen"), "{failure:?}");
}

#[tokio::test]
async fn long_texts_are_cut_and_a_summary_is_one_line() {
    let server = vendor([nothing, edit]).await;
    let long = format!("a\n{}", "ä".repeat(40_000));
    let config = JiraConfig { summary: said(&long), description: said(&long), ..config(&server) };
    assert_delivered(&tell(config, &entry("jira")).await);
    let fields = server.seen()[1].json()["fields"].clone();
    assert_eq!(fields["summary"].as_str().unwrap().chars().count(), 255);
    assert_eq!(fields["description"].as_str().unwrap().chars().count(), 32_767);
}

#[tokio::test]
async fn what_jira_says_decides_what_it_means() {
    let server = vendor([nothing]).await;
    let stranger = JiraConfig { http_config: None, ..config(&server) };
    refused(tell(stranger, &entry("jira")).await, FailureClass::AuthError);
    let server = Server::start(vec![Reply::Vendor(nothing), Reply::Echo(429)]).await;
    failed(tell(config(&server), &entry("jira")).await, FailureClass::RateLimited);
    let server = Server::start(vec![Reply::ok("<html>")]).await;
    failed(tell(config(&server), &entry("jira")).await, FailureClass::Other);
}
