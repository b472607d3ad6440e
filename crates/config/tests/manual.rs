//! What the manual shows can be used as it stands there.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::path::Path;

use tocsin_config::{LoadOptions, load_str};

#[test]
fn every_receiver_of_the_manual_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/receivers.md");
    let page = std::fs::read_to_string(path).unwrap();
    let examples = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut count = 0;
    for example in examples {
        let text = format!("route: {{receiver: ops}}\n{example}");
        let loaded = load_str("tocsin.yaml", &text, &LoadOptions::default());
        assert!(loaded.is_ok(), "{}\n{text}", loaded.err().unwrap());
        count += 1;
    }
    assert!(count >= 7, "{count}");
}
