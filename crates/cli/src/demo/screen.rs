//! What the demo prints: the story, the messages as they arrive, and the running count.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;
use tocsin_testkit::shop::Shop;

use super::sandbox::Message;

/// Services a message line names before it says "and more".
const MAX_NAMES: usize = 4;

/// The terminal, and what has been counted.
pub(super) struct Screen {
    has_colour: bool,
    zone: TimeZone,
    started_at: Timestamp,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    alerts: usize,
    messages: usize,
}

impl Screen {
    #[expect(clippy::disallowed_methods, reason = "the clock is for whoever sits at this machine")]
    pub(super) fn new(now: Timestamp) -> Self {
        let has_colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let counts = Mutex::default();
        Self { has_colour, zone: TimeZone::system(), started_at: now, counts }
    }

    pub(super) fn welcome(
        &self,
        address: SocketAddr,
        sandbox: SocketAddr,
        shop: &Shop,
        loops: u32,
    ) {
        let names: Vec<&str> = shop.services.iter().map(|service| service.name.as_str()).collect();
        let length = shop.loop_seconds;
        let until = if loops == 0 { "until Ctrl-C".to_owned() } else { format!("{loops} time(s)") };
        self.print(&format!(
            "{}\n\n  A small shop with {} services ({}) sends its alerts to\n  this Tocsin at http://{address} \
             and its messages arrive below.\n  The story takes {length} s and repeats {until}. Nothing is kept.\n\n  \
             Phones and chats:       http://{sandbox}/\n  \
             Look at it meanwhile:   tocsin alert query --url http://{address}\n  \
             Ask why:                tocsin explain SlowRequests --url http://{address}\n  \
             Who was paged:          tocsin escalation list --url http://{address}\n",
            self.bold("Tocsin demo"),
            names.len(),
            names.join(", "),
        ));
    }

    /// Something happens in the shop.
    pub(super) fn act(&self, now: Timestamp, title: &str) {
        self.print(&format!("{}  {} {title}", self.clock(now), self.paint("33", "▲ shop   ")));
    }

    /// Alerts fired.
    pub(super) fn fired(&self, count: usize) {
        self.counts.lock().alerts += count;
    }

    /// A message arrived.
    pub(super) fn message(&self, now: Timestamp, receiver: &str, message: &Message) {
        let (alerts, messages) = {
            let mut counts = self.counts.lock();
            counts.messages += 1;
            (counts.alerts, counts.messages)
        };
        let firing = message.alerts.iter().filter(|alert| alert.status == "firing").count();
        let resolved = message.alerts.len() - firing;
        let mut parts = Vec::new();
        if firing > 0 {
            parts.push(self.paint("31", &format!("{firing} firing")));
        }
        if resolved > 0 {
            parts.push(self.paint("32", &format!("{resolved} resolved")));
        }
        let name = format!("✉ {receiver:<7}");
        self.print(&format!(
            "{}  {} {} · {} {}",
            self.clock(now),
            self.bold(&name),
            parts.join(", "),
            subject(message),
            self.dim(&format!("({})", message.reason)),
        ));
        self.print(
            &self.dim(&format!("                     {alerts} alerts → {messages} messages")),
        );
    }

    /// Somebody's phone was reached.
    pub(super) fn page(&self, now: Timestamp, how: &str, text: &str) {
        self.counts.lock().messages += 1;
        let how = self.bold(&format!("☎ {how:<14}"));
        self.print(&format!("{}  {how} {}", self.clock(now), self.paint("31", text)));
    }

    /// Something was said in a chat, or what was said there was changed.
    pub(super) fn chat(&self, now: Timestamp, place: &str, is_new: bool, text: &str) {
        let place = self.bold(&format!("# {place:<14}"));
        let text = if is_new {
            self.counts.lock().messages += 1;
            text.to_owned()
        } else {
            format!("{text} {}", self.dim("(the same message, changed)"))
        };
        self.print(&format!("{}  {place} {text}", self.clock(now)));
    }

    /// Somebody answered.
    pub(super) fn answer(&self, now: Timestamp, text: &str) {
        self.print(&format!("{}  {}", self.clock(now), self.paint("32", &format!("✔ {text}"))));
    }

    /// A postmortem was drafted.
    pub(super) fn learned(&self, now: Timestamp, name: &str, lines: &[String], to_do: usize) {
        let head = self.bold("✎ postmortem");
        self.print(&format!("{}  {head} {name} drafted itself", self.clock(now)));
        for line in lines {
            self.print(&self.dim(&format!("                     {line}")));
        }
        let what = if to_do == 1 { "recommendation" } else { "recommendations" };
        self.print(&self.dim(&format!("                     {to_do} {what}")));
    }

    pub(super) fn trouble(&self, text: &str) {
        self.print(&self.paint("31", &format!("! {text}")));
    }

    pub(super) fn loop_ended(&self, now: Timestamp) {
        let counts = self.counts.lock();
        let quiet = quieter(counts.alerts, counts.messages);
        let took = now.duration_since(self.started_at).as_secs();
        self.print(&format!(
            "\n  {}\n",
            self.bold(&format!(
                "{} alerts → {} messages in {took} s: {quiet} % fewer interruptions.",
                counts.alerts, counts.messages
            )),
        ));
    }

    pub(super) fn farewell(&self) {
        self.print("  The demo is over; nothing was kept. Next: docs/getting-started.md");
    }

    fn clock(&self, now: Timestamp) -> String {
        let local = now.to_zoned(self.zone.clone());
        self.dim(&local.strftime("%H:%M:%S").to_string())
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.has_colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn print(&self, text: &str) {
        // A closed terminal ends the demo soon anyway.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}

/// Returns what a message is about in a few words: its alert names, where, and a summary when it
/// has only one.
fn subject(message: &Message) -> String {
    let count = |label: &str| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in &message.alerts {
            if let Some(value) = alert.labels.get(label) {
                *counts.entry(value).or_default() += 1;
            }
        }
        counts
    };
    let names = shorten(&count("alertname"));
    let services = shorten(&count("service"));
    let summary = match message.alerts.as_slice() {
        [alert] => alert.annotations.get("summary").map_or("", String::as_str),
        _ => "",
    };
    if summary.is_empty() {
        format!("{names} on {services}")
    } else {
        format!("{names} on {services}: {summary}")
    }
}

fn shorten(counts: &BTreeMap<&str, usize>) -> String {
    let mut names: Vec<(&str, usize)> = counts.iter().map(|(name, n)| (*name, *n)).collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown: Vec<&str> = names.iter().take(MAX_NAMES).map(|(name, _)| *name).collect();
    let mut text = shown.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Returns how many per cent fewer messages than alerts there were.
fn quieter(alerts: usize, messages: usize) -> usize {
    if alerts == 0 { 0 } else { 100 - (messages * 100).div_ceil(alerts).min(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_never_flattering() {
        assert_eq!(quieter(0, 0), 0);
        assert_eq!(quieter(300, 9), 97);
        assert_eq!(quieter(3, 1), 66);
        assert_eq!(quieter(3, 9), 0);
    }

    #[test]
    fn a_message_is_about_its_most_frequent_names_first() {
        let message: Message = serde_json::from_value(serde_json::json!({
            "alerts": [
                {"status": "firing", "labels": {"alertname": "A", "service": "x"}, "annotations": {}},
                {"status": "firing", "labels": {"alertname": "B", "service": "x"}, "annotations": {}},
                {"status": "firing", "labels": {"alertname": "B", "service": "y"}, "annotations": {}},
            ],
        }))
        .unwrap();
        assert_eq!(subject(&message), "B, A on x, y");
    }
}
