//! What the document of the API says is what the server does, whatever it is sent: Schemathesis
//! makes requests from the document, right and wrong ones, and judges the answers by it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::clients::python;
use crate::support::hook::Hook;
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::{from_now, until};

/// How long requests are made in each of two runs, in seconds. On an idle machine half of it is
/// used; a run that this cuts is no failure, but it has seen less.
const BUDGET_SECONDS: &str = "75";

/// How long a run may take with its own start and end.
const MAX_TIME: Duration = Duration::from_secs(90);

/// How many requests are made up for each operation, beside those that stand for every rule of the
/// document.
const EXAMPLES: &str = "8";

/// What answers are judged by: no 5xx, and nothing that the document does not say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";

/// Everything is let through as fast as it comes.
const LIMITS: &str = "limits: { requests_per_second: 1000000 }\n";

/// What is there, by the part of the path before its name: one that stays and one that may go.
type Known = serde_json::Map<String, Value>;

/// A tenant that has one of everything, made by somebody with every permission.
struct Stage<'t> {
    tocsin: &'t Tocsin,
    prefix: &'static str,
    token: String,
    known: Known,
}

impl Stage<'_> {
    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let url = self.tocsin.url(&format!("{}{path}", self.prefix));
        let mut request = self.tocsin.client().request(method.parse::<Method>().unwrap(), url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes two, of which the second may be removed.
    async fn make(&mut self, kind: &str, method: &str, path: &str, id: &str, two: [Value; 2]) {
        let mut names = Vec::new();
        for (body, name) in two.into_iter().zip(["stays", "goes"]) {
            let made = self.ask(method, &path.replace("NAME", name), body).await;
            let made = if id.is_empty() {
                json!(name)
            } else {
                made.pointer(&format!("/{id}")).cloned().unwrap_or_default()
            };
            assert!(!made.is_null(), "{method} {path}: the answer has no `{id}`");
            names.push(made);
        }
        self.known.insert(kind.to_owned(), names.into());
    }

    /// Makes somebody with every permission and speaks for them from now on.
    async fn sign_in(&mut self) {
        let person = json!({ "handle": "root", "roles": ["admin"] });
        self.ask("POST", "/api/v1/people", person).await;
        let link = self.ask("POST", "/api/v1/people/root/sign-in-link", Value::Null).await;
        let secret = link["url"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
        let url = |path: &str| self.tocsin.url(&format!("{}{path}", self.prefix));
        let signed_in = self.tocsin.client().post(url("/api/v1/session/link"));
        let body = json!({ "token": secret, "password": "tiny boats sing" });
        let signed_in = signed_in.json(&body).send().await.unwrap();
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let made = self.tocsin.client().post(url("/api/v1/tokens")).header("cookie", cookie);
        let made = made.json(&json!({ "name": "tester" })).send().await.unwrap();
        self.token = made.json::<Value>().await.unwrap()["secret"].as_str().unwrap().to_owned();
    }

    async fn set(&mut self) {
        self.sign_in().await;
        let person = |name: &str| json!({ "handle": name, "roles": ["responder"] });
        let two = [person("stays"), person("goes")];
        self.make("people", "POST", "/api/v1/people", "handle", two).await;
        let contact = || json!({ "channel": "email", "address": "a@example.org" });
        let path = "/api/v1/people/stays/contacts/NAME";
        self.make("contacts", "PUT", path, "", [contact(), contact()]).await;
        let team = || json!({ "members": [{ "person": "stays" }] });
        self.make("teams", "PUT", "/api/v1/teams/NAME", "", [team(), team()]).await;
        let secret = || json!({ "value": "x" });
        self.make("secrets", "PUT", "/api/v1/secrets/NAME", "", [secret(), secret()]).await;
        let token = || json!({ "name": "t", "service": "s", "role": "viewer" });
        self.make("tokens", "POST", "/api/v1/tokens", "token/id", [token(), token()]).await;
        let policy = || json!({ "steps": [{ "page": ["stays"] }] });
        let path = "/api/v1/escalation-policies/NAME";
        self.make("escalation-policies", "PUT", path, "", [policy(), policy()]).await;
        self.schedules().await;
        let silence =
            || json!({ "matchers": ["a=b"], "created_by": "stays", "duration_seconds": 86400 });
        self.make("silences", "POST", "/api/v1/silences", "id", [silence(), silence()]).await;
        let window = || {
            json!({
                "matchers": ["a=b"], "created_by": "stays", "starts_at": "2026-11-22T02:00:00",
                "duration_seconds": 60, "recurrence": "FREQ=DAILY"
            })
        };
        let path = "/api/v1/maintenance-windows/NAME";
        self.make("maintenance-windows", "PUT", path, "", [window(), window()]).await;
        let page = |title: &str| json!({ "title": title, "people": ["stays"] });
        let two = [page("a"), page("b")];
        self.make("escalations", "POST", "/api/v1/escalations", "number", two).await;
        let incident = |title: &str| json!({ "title": title });
        let two = [incident("a"), incident("b")];
        self.make("incidents", "POST", "/api/v1/incidents", "ref", two).await;
        self.lessons().await;
        let alerts = json!({ "alerts": [{ "labels": { "alertname": "A", "severity": "sev1" } }] });
        self.ask("POST", "/api/v1/alerts", alerts).await;
        let alerts = self.ask("GET", "/api/v1/alerts", Value::Null).await;
        let fingerprint = &alerts["items"][0]["fingerprint"];
        self.known.insert("alerts".to_owned(), json!([fingerprint, fingerprint]));
        let group = until("a group", async || {
            let groups = self.ask("GET", "/api/v1/groups", Value::Null).await;
            groups["items"].get(0).map(|it| it["number"].clone())
        });
        let group = group.await;
        self.known.insert("groups".to_owned(), json!([group, group]));
        self.known.insert("heartbeats".to_owned(), json!(["nightly", "nightly"]));
        self.known.insert("receivers".to_owned(), json!(["hook", "hook"]));
    }

    async fn lessons(&mut self) {
        let over = self.known["incidents"][1].clone();
        let path = format!("/api/v1/incidents/{}", over.as_str().unwrap_or_default());
        self.ask("POST", &format!("{path}/resolve"), json!({ "note": "x" })).await;
        self.ask("POST", &format!("{path}/postmortem"), json!({})).await;
        self.known.insert("postmortems".to_owned(), json!([over, over]));
        self.known.insert("versions".to_owned(), json!(["1", "1"]));
        let action = self.ask("POST", &format!("{path}/actions"), json!({ "title": "x" })).await;
        self.known.insert("actions".to_owned(), json!([action["id"], action["id"]]));
        let article = || json!({ "kind": "lesson", "title": "x", "body": "x" });
        let path = "/api/v1/kb/articles";
        self.make("articles", "POST", path, "number", [article(), article()]).await;
    }

    async fn schedules(&mut self) {
        let schedule = |name: &str| {
            json!({
                "name": name,
                "layers": [{
                    "name": "main", "members": [["stays"], ["goes"]], "start": "2026-11-20T09:00:00",
                    "turns": [{ "count": 1, "unit": "days" }]
                }]
            })
        };
        let two = [schedule("stays"), schedule("goes")];
        self.make("schedules", "POST", "/api/v1/schedules", "name", two).await;
        let begin = from_now(86_400);
        let span = |days: i64| -> (Timestamp, Timestamp) {
            let from = begin + SignedDuration::from_hours(24 * days);
            (from, from + SignedDuration::from_hours(2))
        };
        let over = |(from, to)| json!({ "user_in": "root", "from": from, "to": to });
        let path = "/api/v1/schedules/stays/overrides";
        self.make("overrides", "POST", path, "id", [over(span(1)), over(span(2))]).await;
        let block = |(from, to)| {
            let shift = json!({ "person": "root", "from": from, "to": to });
            json!({ "from": from, "to": to, "shifts": [shift] })
        };
        let path = "/api/v1/schedules/stays/blocks";
        self.make("blocks", "POST", path, "id", [block(span(3)), block(span(4))]).await;
        let away = |(from, to)| json!({ "person": "root", "from": from, "to": to });
        let path = "/api/v1/unavailability";
        self.make("unavailability", "POST", path, "id", [away(span(5)), away(span(6))]).await;
    }
}

/// Runs some phases of the tester, and says how many requests were made.
async fn run(stage: &Stage<'_>, python: &Path, phases: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = here.join("../../docs/openapi.json").canonicalize().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(python.with_file_name("st"));
    command.arg("run").arg(document).args(["--url", &stage.tocsin.url(stage.prefix)]);
    command.args(["--header", &format!("Authorization: Bearer {}", stage.token)]);
    command.args(["--phases", phases, "--checks", CHECKS, "--seed", "7", "--no-color"]);
    command.args(["--max-examples", EXAMPLES, "--generation-deterministic"]);
    command.args(["--max-time", BUDGET_SECONDS]);
    command.args(["--continue-on-failure", "--no-shrink", "--warnings", "off"]);
    // The stream never ends, which is what it is for.
    command.args(["--suppress-health-check", "all", "--exclude-path", "/api/v1/stream"]);
    command.env("SCHEMATHESIS_HOOKS", "known_names").env("PYTHONPATH", here.join("tests/clients"));
    command.env("TOCSIN_KNOWN", Value::Object(stage.known.clone()).to_string());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    command.current_dir(scratch.path()).stdin(Stdio::null());
    let output = tokio::time::timeout(MAX_TIME, command.kill_on_drop(true).output()).await;
    let output = output.expect("the tester ends in time").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("No issues found"), "{said}");
}

#[tokio::test]
async fn whatever_is_sent_is_answered_as_the_document_says() {
    let Some(python) = python() else { return };
    let hook = Hook::start().await;
    let config = format!(
        "{}heartbeats: [{{ name: nightly, timeout: 1h }}]\n{LIMITS}",
        hook.config("group_by: [alertname]\ngroup_wait: 0s")
    );
    let files = tempfile::tempdir().unwrap();
    let main = format!("{config}tenants: [{{ name: acme, config: acme.yaml }}]\n");
    std::fs::write(files.path().join("tocsin.yaml"), main).unwrap();
    let acme = format!("{config}access: {{ loopback: open }}\n");
    std::fs::write(files.path().join("acme.yaml"), acme).unwrap();
    let setup = Setup::default().config(files.path().join("tocsin.yaml"));
    let tocsin = setup.flag("--log.level=debug").start("").await;
    for (prefix, phases) in [("", "examples,coverage"), ("/t/acme", "examples,fuzzing")] {
        let mut stage =
            Stage { tocsin: &tocsin, prefix, token: String::new(), known: Known::default() };
        stage.set().await;
        run(&stage, &python, phases).await;
    }
    let log = tocsin.log();
    assert!(!log.contains("level=ERROR") && !log.contains("panicked"), "{log}");
    judge(&log);
}

/// Most of the API has to have been reached: a tester that nobody lets in finds nothing, and one
/// that is always wrong sees refusals only.
fn judge(log: &str) {
    let answers = |status: &str| log.matches(&format!("http.status={status}")).count();
    let all = answers("");
    assert!(all > 3_000, "only {all} requests were made");
    for (status, why) in [("401", "unknown"), ("403", "refused"), ("429", "held up")] {
        let count = answers(status);
        assert!(count * 20 < all, "{count} of {all} requests were {why}");
    }
    let document: Value =
        serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    let done: BTreeSet<(&str, &str)> = log.lines().filter_map(done).collect();
    let (mut operations, mut never) = (0, Vec::new());
    for (template, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            operations += 1;
            if !done.iter().any(|(by, path)| *by == method && is_made_of(path, template)) {
                never.push(format!("{method} {template}"));
            }
        }
    }
    let is_most = never.len() * 5 < operations;
    assert!(is_most, "of {operations} operations these never did anything: {never:#?}");
}

/// Returns the method and path of a request that the log says was done.
fn done(line: &str) -> Option<(&str, &str)> {
    let word = |key: &str| line.split(key).nth(1)?.split(' ').next();
    word(" http.status=")?.starts_with('2').then_some(())?;
    let path = word(" http.path=")?;
    Some((word(" http.method=")?, path.strip_prefix("/t/acme").unwrap_or(path)))
}

fn is_made_of(path: &str, template: &str) -> bool {
    path.split('/').count() == template.split('/').count()
        && path
            .split('/')
            .zip(template.split('/'))
            .all(|(part, of)| part == of || of.starts_with('{'))
}
