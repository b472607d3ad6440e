//! The results as text and as Markdown, with the machine they were measured on.

use std::fmt::Write as _;

/// All results of one run.
pub(super) struct Report {
    pub(super) machine: Vec<(String, String)>,
    pub(super) peer: Option<String>,
    pub(super) figures: Vec<Figure>,
}

/// One measured quantity.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) ours: Option<f64>,
    pub(super) peer: Option<f64>,
    /// The ratio to the peer that is aimed at: at least for rates, at most for everything else.
    pub(super) target: Option<f64>,
}

/// What a figure counts, and which way is better.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// More is better.
    PerSecond,
    /// Less is better.
    Milliseconds,
    /// Less is better.
    Mebibytes,
    /// Milliseconds with a bound of their own, whatever the peer does.
    AtMost(f64),
    /// Less is better.
    Microseconds,
    /// Microseconds with a bound of their own, whatever the peer does.
    AtMostMicroseconds(f64),
    /// Per second, with a bound of its own.
    AtLeast(f64),
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        Some(self.ours? / self.peer.filter(|peer| *peer > 0.0)?)
    }

    fn value(&self, value: Option<f64>) -> String {
        let Some(value) = value else { return "–".to_owned() };
        match self.unit {
            Unit::PerSecond | Unit::AtLeast(_) => format!("{value:.0} /s"),
            Unit::Milliseconds | Unit::AtMost(_) => format!("{value:.1} ms"),
            Unit::Mebibytes => format!("{value:.0} MiB"),
            Unit::Microseconds | Unit::AtMostMicroseconds(_) => format!("{value:.1} µs"),
        }
    }

    fn target(&self) -> String {
        match (self.unit, self.target) {
            (Unit::AtMost(bound), _) => format!("≤ {bound:.0} ms"),
            (Unit::AtMostMicroseconds(bound), _) => format!("≤ {bound:.0} µs"),
            (Unit::AtLeast(bound), _) => format!("≥ {bound:.0} /s"),
            (Unit::PerSecond, Some(target)) => format!("≥ {target} ×"),
            (_, Some(target)) => format!("≤ {target} ×"),
            (_, None) => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        let is_met = match (self.unit, self.target) {
            (Unit::AtMost(bound) | Unit::AtMostMicroseconds(bound), _) => {
                self.ours.map(|ours| ours <= bound)
            }
            (Unit::AtLeast(bound), _) => self.ours.map(|ours| ours >= bound),
            (Unit::PerSecond, Some(target)) => self.ratio().map(|ratio| ratio >= target),
            (_, Some(target)) => self.ratio().map(|ratio| ratio <= target),
            (_, None) => None,
        };
        match is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        }
    }

    fn cells(&self) -> [String; 6] {
        [
            self.name.clone(),
            self.value(self.ours),
            self.value(self.peer),
            self.ratio().map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2} ×")),
            self.target(),
            self.verdict().to_owned(),
        ]
    }
}

const HEADINGS: [&str; 6] = ["figure", "Tocsin", "Alertmanager", "ratio", "target", ""];

impl Report {
    pub(super) fn to_text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.set_header(HEADINGS);
        for figure in &self.figures {
            table.add_row(figure.cells());
        }
        format!("{table}\n")
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text = String::from(
            "# Benchmarks\n\nMeasured by `cargo xtask bench`, which writes this page: both servers run one after the \
             other\non the same machine, the load generator beside them. Tocsin answers a request only when what\nit \
             changes is on disk (SQLite, `synchronous=FULL`); Alertmanager keeps alerts in memory.\n\n",
        );
        for (name, value) in &self.machine {
            let _ = writeln!(text, "- {name}: {value}");
        }
        if let Some(peer) = &self.peer {
            let _ = writeln!(text, "- peer: {peer}");
        }
        let _ = writeln!(text, "\n| {} |", HEADINGS.join(" | "));
        text.push_str("| --- | ---: | ---: | ---: | ---: | --- |\n");
        for figure in &self.figures {
            let _ = writeln!(text, "| {} |", figure.cells().join(" | "));
        }
        text.push_str(NOTES);
        text
    }
}

const NOTES: &str = "
## How it is measured

- **Alerts** have 11 labels, 3 annotations and about 900 bytes as JSON; one in ten is critical and
  inhibits nine neighbours by one rule with three equal labels. Groups are by alert name, cluster
  and service. They are posted in batches of 64 over 4 connections.
- **New alerts** were never seen before; **re-sent alerts** are known and still fire.
- **Lists** are the median of five requests after one that warms up.
- **Memory** is the resident set after all of it.
- **Start** is from starting the process until `/-/ready` answers 200, after a SIGKILL.
- **Other protocols** post 10,000 alerts each over 4 connections, on disk before the answer.
- **A key required**: nobody is let in without credentials (`access.loopback: closed`), and every
  request shows the key of an integration.
- **A request that shows a token** runs in this process, from the front of 20 tenants through rate
  limit, router, access and access log to the answer of `GET /api/v1/me`, 50,000 times; the token
  is one of 1,000 of the tenant that is looked at last. It is an upper bound of what finding out
  who asks costs.
- **Incidents** run in this process: 100,000 that are over, with a million rows of timelines, are
  written first; then 5,000 are declared, 128 at once, and 10,000 alerts of one incident fire. Each
  request goes through the whole front, 101 times.
- **Pages** go to a program on this machine that takes them at once; each alert is an escalation of
  its own, on disk with its step and its page before anything is sent. The time to the provider is
  from sending the request with the alert. The burst posts its alerts as fast as they are taken.
  How late steps are comes from the server's own histogram, rounded up to its bucket, while all
  escalations are open and a thousand steps fall due each second.
- **Slack message**: title, link, text, fallback and colour of a group of 100 such alerts, from the default
  templates, 500 times in this process.
- **Webhooks**: 1,000 alerts per second, each its own group with `group_wait: 0s`, from sending the
  request to the arrival of its webhook.

Where a target is missed, [where the time goes](performance.md) says why.
";

/// Returns what the machine is.
pub(super) fn machine() -> Vec<(String, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = read("/proc/meminfo");
    let kilobytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    vec![
        ("processor".to_owned(), format!("{model}, {cores} cores")),
        ("memory".to_owned(), format!("{} GiB", kilobytes >> 20)),
        ("system".to_owned(), format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())),
        ("Tocsin".to_owned(), format!("{} ({} build)", env!("CARGO_PKG_VERSION"), build())),
    ]
}

fn build() -> &'static str {
    if cfg!(debug_assertions) { "debug: figures mean nothing" } else { "release" }
}

/// Returns the first line a program prints about its version.
pub(super) fn version_of(program: &str) -> String {
    let output = std::process::Command::new(program).arg("--version").output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or(program).to_owned()
}
