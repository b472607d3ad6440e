//! `tocsin demo`: a page arrives, climbs to the next person, and is acknowledged.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long one loop may take; the story is 25 s long at this speed.
const LOOP_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_page_arrives_climbs_and_is_acknowledged() {
    let running = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .args(["demo", "--loops", "1", "--speed", "3", "--port", "0"])
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LOOP_WITHIN, running).await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));

    // Whoever has daylight gets a text message about the bad release, and answers it.
    let mut lines = said.lines();
    let mut find = |what: &str| -> String {
        let line = lines.by_ref().find(|line| line.contains(what));
        line.unwrap_or_else(|| panic!("`{what}` is not told, or not in its turn:\n{said}"))
            .to_owned()
    };
    find("Phones and chats:");
    let page = find("SEV1: HighErrorRate on checkout");
    assert!(page.contains("☎ text to"), "{page}");
    find("replies \"a\"");
    find("Acknowledged by");
    // The release is taken back, and what is to be learned from it drafts itself.
    find("checkout is rolled back to 2.13");
    find("drafted itself");
    let summary = find("Summary: HighErrorRate");
    assert!(summary.contains("resolved after"), "{summary}");
    let factor = find("Contributing Factors: ");
    assert!(factor.contains("checkout 2.14 is rolled out"), "{factor}");
    // Nobody answers the second one, so the next person is called.
    let page = find("SEV1: ConnectionPoolExhausted on orders-db");
    assert!(page.contains("☎ text to"), "{page}");
    let call = find("☎ calls Joan");
    assert!(call.contains("ConnectionPoolExhausted on orders-db"), "{call}");
    find("Joan presses 4");
    find("Acknowledged by joan");
    find("fewer interruptions");
    assert!(!said.contains('!'), "something went wrong:\n{said}");
}
