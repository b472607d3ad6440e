//! The people of the demo: what arrives on their phones is told, and answered as they would.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tocsin_engine::{Clock as _, SystemClock};
use tocsin_testkit::providers::{Entry, Kind, Sandbox};

use super::screen::Screen;

/// Who has which number, as in the demo's configuration.
const PHONES: [(&str, &str); 4] = [
    ("Mei", "+815550100"),
    ("Ada", "+4915550101"),
    ("Grace", "+12125550102"),
    ("Joan", "+41445550103"),
];

/// Whoever is on call sleeps through the alerts of this service, so that the next one is called.
const SLEPT_THROUGH: &str = "orders-db";

/// The most entries of the board that are remembered.
const MAX_SEEN: usize = 1_000;

/// The state of what was typed on a phone.
const REPLY: &str = "reply";

/// What a text message says that can be acknowledged.
const ACKNOWLEDGES: &str = "=ack";

/// How long it takes to look at a phone.
const LOOK: Duration = Duration::from_secs(4);

/// The text message that acknowledges the latest page.
const ACKNOWLEDGE: &str = "a";

/// The key that acknowledges in a call.
const ACKNOWLEDGE_KEY: &str = "4";

/// Tells what arrives and answers it, for as long as the demo runs.
pub(super) async fn live(sandbox: Arc<Sandbox>, screen: Arc<Screen>, speed: u32) {
    let mut seen: BTreeMap<u64, String> = BTreeMap::new();
    loop {
        let entry = sandbox.board.wait(|it| seen.get(&it.number) != Some(&stage(it))).await;
        let is_new = seen.insert(entry.number, stage(&entry)).is_none();
        // What the board has forgotten will not come again.
        while seen.len() > MAX_SEEN {
            seen.pop_first();
        }
        let now = SystemClock.now();
        match (entry.kind, is_new) {
            (Kind::Sms, true) if entry.state != REPLY => {
                screen.page(now, &format!("text to {}", name(&entry.to)), &first_line(&entry.text));
                let is_page = entry.text.contains(ACKNOWLEDGES);
                if is_page && !entry.text.contains(SLEPT_THROUGH) {
                    tokio::spawn(text(Arc::clone(&sandbox), Arc::clone(&screen), entry, speed));
                }
            }
            (Kind::Call, false) if !entry.buttons.is_empty() => {
                screen.page(now, &format!("calls {}", name(&entry.to)), &first_line(&entry.text));
                tokio::spawn(press(Arc::clone(&sandbox), Arc::clone(&screen), entry, speed));
            }
            (Kind::Chat, _) => {
                let place = format!("{} {}", entry.provider, entry.to);
                screen.chat(now, &place, is_new, &first_line(&entry.title));
            }
            _ => {}
        }
    }
}

/// What has to change for an entry to be looked at again.
fn stage(entry: &Entry) -> String {
    match entry.kind {
        // A call is interesting once it was picked up.
        Kind::Call => if entry.buttons.is_empty() { "" } else { "picked up" }.to_owned(),
        Kind::Chat => entry.title.clone(),
        _ => String::new(),
    }
}

async fn text(sandbox: Arc<Sandbox>, screen: Arc<Screen>, page: Entry, speed: u32) {
    tokio::time::sleep(LOOK / speed).await;
    screen.answer(SystemClock.now(), &format!("{} replies \"{ACKNOWLEDGE}\"", name(&page.to)));
    if let Err(why) = sandbox.reply(&page.to, ACKNOWLEDGE).await {
        screen.trouble(&format!("the reply was not taken: {why}"));
    }
}

async fn press(sandbox: Arc<Sandbox>, screen: Arc<Screen>, call: Entry, speed: u32) {
    tokio::time::sleep(LOOK / speed).await;
    screen.answer(SystemClock.now(), &format!("{} presses {ACKNOWLEDGE_KEY}", name(&call.to)));
    if let Err(why) = sandbox.press_key(&call, ACKNOWLEDGE_KEY).await {
        screen.trouble(&format!("the key was not taken: {why}"));
    }
}

fn name(number: &str) -> &str {
    PHONES.iter().find(|(_, phone)| *phone == number).map_or(number, |(name, _)| name)
}

/// Returns what a message says, without how to answer it.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let how = [" Reply ", " Press "].iter().filter_map(|how| line.find(how)).min();
    line[..how.unwrap_or(line.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_of_the_configuration_has_a_name_here() {
        let numbers: std::collections::BTreeSet<&str> = super::super::CONFIGURATION
            .lines()
            .filter_map(|line| line.split_once("address: \"")?.1.split_once('"'))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(numbers, PHONES.iter().map(|(_, number)| *number).collect());
    }

    #[test]
    fn how_to_answer_is_left_out() {
        assert_eq!(
            first_line("Tocsin SEV1: X on y. Reply 7a=ack http://z"),
            "Tocsin SEV1: X on y."
        );
        assert_eq!(first_line("This is Tocsin. X. Press 4 to acknowledge"), "This is Tocsin. X.");
        assert_eq!(first_line("Tocsin resolved: X\nmore"), "Tocsin resolved: X");
    }
}
