//! What the document of the API says is what the server does, whatever it is sent: Schemathesis
//! makes requests from the document, right and wrong ones, and judges the answers by it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::clients::python;
use crate::support::tocsin::Tocsin;

const CONFIG: &str = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]";

/// How long requests are made, in seconds.
const BUDGET_SECONDS: &str = "40";

/// How long the tester may take with its own start and end.
const MAX_TIME: Duration = Duration::from_secs(120);

/// What answers are judged by: no 5xx, and nothing that the document does not say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";

#[tokio::test]
async fn whatever_is_sent_is_answered_as_the_document_says() {
    let Some(python) = python() else { return };
    let tocsin = Tocsin::start(CONFIG).await;
    let made = tocsin
        .client()
        .post(tocsin.url("/api/v1/tokens"))
        .json(&serde_json::json!({ "name": "tester", "service": "tester", "role": "admin" }))
        .send()
        .await
        .unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    let document = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/openapi.json")
        .canonicalize()
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(python.with_file_name("st"));
    command.arg("run").arg(document).args(["--url", &tocsin.url("")]);
    let token = made["secret"].as_str().unwrap();
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS]);
    command.args(["--seed", "7", "--max-examples", "15", "--max-time", BUDGET_SECONDS]);
    command.args(["--continue-on-failure", "--no-shrink", "--warnings", "off"]);
    // The stream never ends, which is what it is for.
    command.args(["--suppress-health-check", "all", "--exclude-path", "/api/v1/stream"]);
    command.current_dir(scratch.path()).env("NO_PROXY", "*").stdin(Stdio::null());
    let output = tokio::time::timeout(MAX_TIME, command.kill_on_drop(true).output()).await;
    let output = output.expect("the tester ends in time").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("No issues found"), "{said}");
    let log = tocsin.log();
    assert!(!log.contains("level=ERROR") && !log.contains("panicked"), "{log}");
}
