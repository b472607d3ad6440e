//! `tocsin silence`.

use crate::fake::answer;
use crate::stage::Stage;

const ACTIVE: &str = "e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64";
const PAST: &str = "0d5a9a50-2f52-4c1a-9a56-6e0f2f5b7a11";

const SILENCES: &str = r#"[
{"id":"e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64","status":{"state":"active"},"updatedAt":"2026-11-20T15:10:24.979Z","comment":"new disks","createdBy":"ops","endsAt":"2970-01-01T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"PgDown"},{"isEqual":false,"isRegex":true,"name":"job","value":"web.*"}],"startsAt":"2026-11-20T15:10:24.979Z"},
{"id":"0d5a9a50-2f52-4c1a-9a56-6e0f2f5b7a11","status":{"state":"expired"},"updatedAt":"2020-11-20T15:10:24.979Z","comment":"over","createdBy":"ada","endsAt":"2020-11-21T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"name":"a","value":"b"}],"startsAt":"2020-11-20T15:10:24.979Z"}]"#;

const SILENCE: &str = r#"{"id":"e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64","status":{"state":"active"},"updatedAt":"2026-11-20T15:10:24.979Z","comment":"new disks","createdBy":"ops","endsAt":"2970-01-01T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"PgDown"}],"startsAt":"2026-11-20T15:10:24.979Z"}"#;

const SET: &str = r#"{"silenceID":"e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64"}"#;

#[test]
fn silences_are_listed() {
    let mut stage = Stage::new(vec![answer("GET /api/v2/silences", 200, SILENCES)]);
    stage.run(&["silence", "query"]);
    stage.run(&["silence", "query", "--expired", "-o", "extended"]);
    stage.run(&["silence", "query", "-o", "json"]);
    stage.run(&["silence", "query", "PgDown", "job!~web.*", "-q"]);
    stage.run(&["silence", "query", "--within", "2h"]);
    stage.run(&["silence", "query", "--created-by", "ada"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn a_silence_is_added() {
    let mut stage = Stage::new(vec![answer("POST /api/v2/silences", 200, SET)]);
    let until = ["--start", "2026-11-20T15:00:00Z", "--end", "2026-11-20T18:00:00Z"];
    let add = |rest: &[&'static str]| [&["silence", "add"], rest, &until].concat();
    stage.run(&add(&["DiskFull", "job=~\"db.*\"", "host!=a", "-c", "new disks"]));
    let ours =
        ["a=b", "-c", "x", "--author", "grace", "--annotation", "ticket=OPS-1", "-o", "json"];
    stage.run(&add(&ours));
    stage.run(&["silence", "add", "DiskFull"]);
    stage.run(&["silence", "add", "-c", "why"]);
    stage.run(&["silence", "add", "a=~.*", "-c", "why"]);
    stage.run(&["silence", "add", "a=b", "c", "-c", "why"]);
    stage.run(&["silence", "add", "a=b", "-c", "why", "-d", "soon"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn a_silence_is_updated() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v2/silence/e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64", 200, SILENCE),
        answer("GET /api/v2/silence/0d5a9a50-2f52-4c1a-9a56-6e0f2f5b7a11", 404, ""),
        answer("POST /api/v2/silences", 200, SET),
    ]);
    stage.run(&["silence", "update", ACTIVE, "-d", "2h", "-c", "newer disks"]);
    stage.run(&["silence", "update", ACTIVE, "--end", "2970-02-01T00:00:00Z", "-q"]);
    stage.run(&["silence", "update", ACTIVE]);
    stage.run(&["silence", "update", ACTIVE, "--end", "2020-01-01T00:00:00Z"]);
    stage.run(&["silence", "update", PAST, "-c", "x"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn silences_are_expired_one_by_one() {
    let mut stage = Stage::new(vec![
        answer("DELETE /api/v2/silence/e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64", 200, ""),
        answer("DELETE /api/v2/silence/0d5a9a50-2f52-4c1a-9a56-6e0f2f5b7a11", 404, ""),
    ]);
    assert_eq!(stage.run(&["silence", "expire", ACTIVE]), 0);
    assert_eq!(stage.run(&["silence", "expire", PAST]), 4);
    assert_eq!(stage.run(&["silence", "expire", PAST, ACTIVE]), 1);
    assert_eq!(stage.run(&["silence", "expire", "../alerts"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn an_export_is_imported_and_failures_are_counted() {
    let mut stage = Stage::new(vec![
        answer(
            "POST /api/v2/silences \"comment\":\"over\"",
            400,
            "\"end time can't be in the past\"",
        ),
        answer("POST /api/v2/silences \"id\":", 404, "\"silence not found\""),
        answer("POST /api/v2/silences", 200, SET),
    ]);
    stage.file("silences.json", SILENCES);
    assert_eq!(stage.run(&["silence", "import", "silences.json", "--workers", "1"]), 1);
    let one = format!("[{SILENCE}]");
    assert_eq!(stage.run_with(&["silence", "import"], &one), 0);
    assert_eq!(stage.run_with(&["silence", "import", "--force", "-"], &one), 0);
    assert_eq!(stage.run_with(&["silence", "import"], "{}"), 2);
    assert_eq!(stage.run(&["silence", "import", "missing.json"]), 2);
    insta::assert_snapshot!(stage.transcript());
}
