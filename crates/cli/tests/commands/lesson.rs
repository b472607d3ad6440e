//! `tocsin incident postmortem`, `action` and `similar`, and `tocsin kb`.

use crate::fake::answer;
use crate::stage::Stage;

const POSTMORTEM: &str = r#"{"incident":7,"ref":"PIR-INC-20261120-1f2e3d4c","version":3,"state":"draft","title":"PgDown on orders","severity":"sev2","service":"orders","is_required":true,"due_at":"2026-11-27T12:05:31Z","is_overdue":false,"owner":"ada","drafted_at":"2026-11-20T12:05:31Z","created_at":"2026-11-20T12:05:31Z","created_by":"tocsin","changed_at":"2026-11-20T12:05:31Z","changed_by":"tocsin","tags":[],"comments":0,"allowed_transitions":["in_review"],"missing":["lessons_learned"]"#;

const MORE: &str = r#","is_draft_outdated":true,"sections":[{"name":"summary","heading":"Summary","prompt":"What happened?","is_required":true,"drafted":[{"text":"PgDown on orders: sev2 (high).","sources":["timeline/1","field/severity"]}]},{"name":"root_cause","heading":"Root Cause","prompt":"What made this possible?","is_required":true,"text":"Bob forgot\u001b[31m it.","drafted":[],"edited_by":"ada","edited_at":"2026-11-20T12:05:31Z","hints":[{"phrase":"forgot","at":4,"instead":"say what made this the obvious thing to do"}]},{"name":"lessons_learned","heading":"Lessons Learned","prompt":"What do we know now?","is_required":true,"drafted":[]}],"recommendations":[{"rule":"no_runbook","title":"Write a runbook for PgDown","why":{"text":"No alert says what to do.","sources":["alert/3"]},"category":"documentation","priority":"P2"}],"live":{"is_frozen":false,"detected_at":"2026-11-20T12:00:31Z","timeline":[],"rows_left_out":0,"metrics":[],"people":[]},"actions":["#;

const ACTION: &str = r#"{"id":"AI-7-1","incident":7,"version":1,"title":"Enlarge the pool","description":"","priority":"P1","category":"tooling","owner":"ada","due_at":"2026-12-04T12:00:00Z","is_overdue":true,"status":"open","reason":"","link":"","rule":"","created_at":"2026-11-20T12:00:00Z","created_by":"ada","recurred":[9,12]}"#;

const SIMILAR: &str = r#"{"items":[{"incident":3,"ref":"INC-20261101-0a0b0c0d","title":"PgDown on orders","detected_at":"2026-11-01T12:00:00Z","score":0.812,"reasons":["the same alert","ended as fixed: rolled back"],"resolution":"fixed","note":"rolled back","runbook":"https://runbooks.example/pg"}],"novelty":"rare","alike":1,"of":40}"#;

const FOUND: &str = r#"{"items":[{"kind":"lesson","key":"4","title":"Pools","excerpt":"Watch how full pools are","at":"2026-11-01T12:00:00Z","score":3.5}],"is_partial":true,"next_cursor":"x"}"#;

const ARTICLE: &str = r#"{"number":4,"version":2,"kind":"lesson","title":"Pools","body":"Watch how full\npools are.","tags":["capacity"],"service":"","team":"","is_archived":false,"created_at":"2026-11-01T12:00:00Z","created_by":"ada","changed_at":"2026-11-02T12:00:00Z","changed_by":"grace"}"#;

#[test]
fn postmortems_are_listed_shown_moved_and_taken_along() {
    let detail: &str = format!("{POSTMORTEM}{MORE}{ACTION}]}}").leak();
    let page: &str = format!(r#"{{"items":[{POSTMORTEM}}}],"next_cursor":"x"}}"#).leak();
    let moved: &str = format!(r#"{{"has_changed":true,{}"#, &detail[1..]).leak();
    let refused = r#"{"type":"x","title":"Conflict","status":409,"detail":"nothing stands in lessons_learned yet","code":"transition_denied"}"#;
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/postmortems", 200, page),
        answer("GET /api/v1/postmortems/7", 200, detail),
        answer("GET /api/v1/postmortems/7/export", 200, "# Incident Post-Mortem\n"),
        answer("POST /api/v1/incidents/7/postmortem", 201, moved),
        answer("POST /api/v1/postmortems/7/draft", 200, moved),
        answer("POST /api/v1/postmortems/7/transition", 409, refused),
    ]);
    assert_eq!(stage.run(&["incident", "postmortem", "--overdue"]), 0);
    assert_eq!(stage.run(&["incident", "postmortem", "7"]), 0);
    assert_eq!(stage.run(&["incident", "postmortem", "7", "--export", "md"]), 0);
    assert_eq!(stage.run(&["incident", "postmortem", "7", "--begin"]), 0);
    assert_eq!(stage.run(&["incident", "postmortem", "7", "--draft"]), 0);
    assert_ne!(stage.run(&["incident", "postmortem", "7", "--to", "completed"]), 0);
    assert_ne!(stage.run(&["incident", "postmortem", "--export", "md"]), 0);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn action_items_similar_incidents_and_knowledge_are_shown() {
    let actions: &str = format!(r#"{{"items":[{ACTION}]}}"#).leak();
    let changed: &str = format!(r#"{{"has_changed":true,{}"#, &ACTION[1..]).leak();
    let edited: &str = ARTICLE.replace(r#""version":2"#, r#""version":3"#).leak();
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/actions", 200, actions),
        answer("POST /api/v1/incidents/7/actions", 201, changed),
        answer("PATCH /api/v1/actions/AI-7-1", 200, changed),
        answer("GET /api/v1/incidents/7/similar", 200, SIMILAR),
        answer("GET /api/v1/kb/search", 200, FOUND),
        answer("GET /api/v1/kb/articles/4", 200, ARTICLE),
        answer("POST /api/v1/kb/articles", 201, ARTICLE),
        answer("PUT /api/v1/kb/articles/4", 200, edited),
    ]);
    assert_eq!(stage.run(&["incident", "action", "list", "--owner", "ada"]), 0);
    assert_eq!(stage.run(&["incident", "action", "add", "7", "--rule", "no_runbook"]), 0);
    assert_eq!(stage.run(&["incident", "action", "set", "AI-7-1", "completed"]), 0);
    assert_eq!(stage.run(&["incident", "similar", "7"]), 0);
    assert_eq!(stage.run(&["kb", "search", "full", "pools", "--tag", "capacity"]), 0);
    assert_eq!(stage.run(&["kb", "list"]), 0);
    assert_eq!(stage.run(&["kb", "show", "4"]), 0);
    stage.file("pools.md", "Watch how full pools are.");
    assert_eq!(stage.run(&["kb", "add", "Pools", "--file", "pools.md", "--tag", "capacity"]), 0);
    assert_ne!(stage.run(&["kb", "add", "Pools", "--file", "none.md"]), 0);
    assert_eq!(stage.run(&["kb", "edit", "4", "--tag", "pools", "--service", "web"]), 0);
    assert_ne!(stage.run(&["kb", "edit", "4"]), 0);
    assert_eq!(stage.run(&["kb", "archive", "4"]), 0);
    assert_eq!(stage.run(&["kb", "archive", "4", "--undo"]), 0);
    insta::assert_snapshot!(stage.transcript());
}
