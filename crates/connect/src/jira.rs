//! Jira: one issue for each group, opened, changed, closed and opened again.

mod issue;

use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use tocsin_config::{JiraApiType, JiraConfig, Secret, Template};
use tocsin_core::notification::FailureClass;

use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::{cut, one_line};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{below, step_key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "jira";

/// The languages that answers are wanted in: names of transitions follow it.
const ACCEPT_LANGUAGE: HeaderName = HeaderName::from_static("accept-language");

/// Opens an issue for the group, or brings the one that is there up to date.
///
/// An issue is found by a label with the group's identity, so nothing has to be remembered.
pub(crate) async fn send(
    config: &JiraConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let Some(base) = &config.api_url else {
        let why = format!("{TARGET}: `api_url` is not set");
        return Err(Undelivered::refused(FailureClass::Other, why));
    };
    let base = parse_url(TARGET, "api_url", base.as_str())?;
    let project = job.texts.address(TARGET, "project", config.project.text())?;
    let mut api = Api { base, sender, job, redactor };
    let is_firing = job.notification.is_firing();
    let found = api.find(config, &project).await?;
    match found {
        // What is over needs no new issue.
        None if !is_firing => {}
        None => {
            let fields = issue::fields(config, job, &project, &api.base, issue::Use::Create)?;
            api.post("create", &["issue"], &json!({ "fields": fields })).await?;
        }
        Some(issue) => {
            let fields = issue::fields(config, job, &project, &api.base, issue::Use::Update)?;
            api.put(&["issue", &issue.key], &json!({ "fields": fields })).await?;
            let transition = match (is_firing, issue.is_done()) {
                (true, true) => ("reopen_transition", config.reopen_transition.as_ref()),
                (false, false) => ("resolve_transition", config.resolve_transition.as_ref()),
                (true, false) | (false, true) => return Ok(Sent::default()),
            };
            api.transition(&issue, transition).await?;
        }
    }
    Ok(Sent::default())
}

/// An issue as a search returns it.
#[derive(Debug, Deserialize)]
struct Issue {
    key: String,
    #[serde(default)]
    fields: IssueFields,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct IssueFields {
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    status_category: Category,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Category {
    key: String,
}

impl Issue {
    fn is_done(&self) -> bool {
        self.fields.status.status_category.key == "done"
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    issues: Vec<Issue>,
}

#[derive(Deserialize)]
struct Transitions {
    #[serde(default)]
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Transition {
    id: String,
    name: String,
}

/// The API, and who asks. All requests of an attempt share its deadline.
struct Api<'a, 'j> {
    base: Url,
    sender: &'a Sender,
    job: &'a Job<'j>,
    redactor: &'a mut Redactor,
}

impl Api<'_, '_> {
    async fn find(
        &mut self,
        config: &JiraConfig,
        project: &str,
    ) -> Result<Option<Issue>, Undelivered> {
        let jql = query(config, self.job, project);
        let body = json!({ "jql": jql, "maxResults": 2, "fields": ["status"] });
        let url = search_url(&self.base, config.api_type);
        let found: Found = read(&self.ask("search", Method::POST, url, Some(&body)).await?)?;
        Ok(found.issues.into_iter().next())
    }

    /// Moves the issue, unless no transition is configured.
    async fn transition(
        &mut self,
        issue: &Issue,
        (field, wanted): (&str, Option<&Template>),
    ) -> Result<(), Undelivered> {
        let wanted = match wanted {
            Some(wanted) => self.job.texts.address(TARGET, field, wanted.text())?,
            None => String::new(),
        };
        if wanted.is_empty() {
            return Ok(());
        }
        let path = ["issue", &issue.key, "transitions"];
        let url = below(&self.base, &path);
        let known: Transitions = read(&self.ask("transitions", Method::GET, url, None).await?)?;
        let Some(found) = known.transitions.iter().find(|known| known.name == wanted) else {
            let names: Vec<&str> = known.transitions.iter().map(|known| &*known.name).collect();
            let why = format!(
                "{TARGET}: `{field}`: issue {} has no transition `{}`; it has: {}",
                issue.key,
                cut(&one_line(&wanted), 100),
                names.join(", ")
            );
            return Err(Undelivered::refused(FailureClass::ClientError, why));
        };
        self.post("transition", &path, &json!({ "transition": { "id": found.id } })).await
    }

    async fn post(&mut self, step: &str, path: &[&str], body: &Json) -> Result<(), Undelivered> {
        let url = below(&self.base, path);
        self.ask(step, Method::POST, url, Some(body)).await.map(|_| ())
    }

    async fn put(&mut self, path: &[&str], body: &Json) -> Result<(), Undelivered> {
        let url = below(&self.base, path);
        self.ask("update", Method::PUT, url, Some(body)).await.map(|_| ())
    }

    async fn ask(
        &mut self,
        step: &str,
        method: Method,
        url: Url,
        body: Option<&Json>,
    ) -> Result<Answer, Undelivered> {
        let step_key = step_key(self.job, step);
        let mut request = match body {
            Some(body) => Request::json(TARGET, url, body, self.job).with_method(method),
            None => Request::get(TARGET, url, self.job),
        }
        .with_header(ACCEPT_LANGUAGE, Secret::new("en"));
        request.idempotency_key = &step_key;
        let answer = self.sender.send(request, self.job.deadline, self.redactor).await?;
        answer.taken(TARGET, &[429])?;
        Ok(answer)
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Undelivered> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let why = answer.incomplete.clone().unwrap_or_else(|| error.to_string());
        let why = format!("{TARGET}: the answer cannot be read: {why}");
        Undelivered::failed(FailureClass::Other, why)
    })
}

/// Returns where issues are searched: the cloud has left the old place, data centres do not know
/// the new one.
fn search_url(base: &Url, api_type: JiraApiType) -> Url {
    let is_cloud = match api_type {
        JiraApiType::Cloud => true,
        JiraApiType::Datacenter => false,
        JiraApiType::Auto => base.host_str().is_some_and(|host| host.ends_with("atlassian.net")),
    };
    if !is_cloud {
        return below(base, &["search"]);
    }
    let mut url = base.clone();
    let path = url.path().trim_end_matches('/');
    if let Some(root) = path.strip_suffix("/2") {
        let path = format!("{root}/3");
        url.set_path(&path);
    }
    below(&url, &["search", "jql"])
}

/// Words the question for the group's issue: an open one, or while alerts fire one that may be
/// opened again.
fn query(config: &JiraConfig, job: &Job<'_>, project: &str) -> String {
    let mut parts = Vec::new();
    let resolution = job.texts.optional("wont_fix_resolution", config.wont_fix_resolution.as_ref());
    if !resolution.is_empty() {
        parts.push(format!("resolution != {}", quoted(&resolution)));
    }
    let can_reopen =
        config.reopen_transition.as_ref().is_some_and(|transition| !transition.text().is_empty());
    parts.push(match (job.notification.is_firing() && can_reopen, config.reopen_duration) {
        (false, _) => "statusCategory != Done".to_owned(),
        (true, Duration::ZERO) => "statusCategory != Done".to_owned(),
        (true, within) => {
            let minutes = (within.as_secs() / 60).max(1);
            format!("(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m)")
        }
    });
    parts.push(format!("project = {}", quoted(project)));
    parts.push(format!("labels = {}", quoted(&issue::label(job))));
    format!("{} order by status ASC, resolutiondate DESC", parts.join(" and "))
}

/// Returns a text as JQL quotes it.
fn quoted(text: &str) -> String {
    let escaped = one_line(text).replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_is_where_each_kind_of_jira_has_it() {
        let at = |base: &str, api_type| search_url(&base.parse().unwrap(), api_type).to_string();
        let cloud = "https://x.atlassian.net/rest/api/3/search/jql";
        assert_eq!(at("https://x.atlassian.net/rest/api/2/", JiraApiType::Auto), cloud);
        assert_eq!(at("https://x.atlassian.net/rest/api/3", JiraApiType::Auto), cloud);
        let own = "https://jira.example/rest/api/2/search";
        assert_eq!(at("https://jira.example/rest/api/2", JiraApiType::Auto), own);
        assert_eq!(
            at("https://x.atlassian.net/rest/api/2", JiraApiType::Datacenter),
            "https://x.atlassian.net/rest/api/2/search"
        );
        let behind = at("https://jira.example/rest/api/2", JiraApiType::Cloud);
        assert_eq!(behind, "https://jira.example/rest/api/3/search/jql");
    }

    #[test]
    fn a_project_cannot_change_the_question() {
        assert_eq!(quoted(r#"a" OR "b\"#), r#""a\" OR \"b\\""#);
    }
}
