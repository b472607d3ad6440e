//! What is said when a server is not there, refuses, or is something else.

use std::process::Stdio;

use crate::fake::answer;
use crate::stage::Stage;

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let mut stage = Stage::new(Vec::new());
    // A port that was free a moment ago and on which nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(stage.run(&["alert", "query", "--url", &url]), 3);
    let text = stage.transcript().replace(&url, "http://NOBODY");
    assert!(text.contains("no Tocsin answers at http://NOBODY"), "{text}");
    assert!(text.contains("tocsin serve") && text.contains("--url"), "{text}");
}

#[test]
fn a_server_that_takes_too_long_is_told() {
    let stage = Stage::new(Vec::new());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let output =
        stage.command(&["alert", "query", "--timeout", "100ms", "--url", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("did not answer within 100ms"), "{text}");
}

#[test]
fn addresses_and_options_that_make_no_sense_are_refused() {
    let mut stage = Stage::new(Vec::new());
    assert_eq!(stage.run(&["alert", "query", "--url", "localhost:9093"]), 2);
    assert_eq!(stage.run(&["alert", "query", "--timeout", "0s"]), 2);
    assert_eq!(stage.run(&["alert", "query", "-o", "yaml"]), 2);
    assert_eq!(stage.run(&["alert", "qeury"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v2/alerts", 400, "\"bad matcher format: foo\""),
        answer(
            "GET /api/v2/silences",
            503,
            r#"{"title":"Overloaded","detail":"too much","status":503,"code":"overloaded"}"#,
        ),
        answer("POST /api/v2/alerts", 413, r#"{"code":413,"message":"body too large"}"#),
        answer("GET /api/v1/routes", 200, "<html>"),
    ]);
    assert_eq!(stage.run(&["alert", "query"]), 4);
    assert_eq!(stage.run(&["silence", "query"]), 4);
    assert_eq!(stage.run(&["alert", "add", "DiskFull"]), 4);
    assert_eq!(stage.run(&["routes", "show"]), 4);
    assert_eq!(stage.run(&["routes", "test", "a=b"]), 4);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let stage = Stage::new(Vec::new());
    for arguments in [["generate", "cli"], ["completions", "bash"], ["help", "serve"]] {
        let mut command = stage.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
