//! The configurations of schedules, small enough to be printed in a report.

use std::fmt::Write as _;

/// How many webhooks there are; `/hook/0` is the first.
pub const HOOKS: usize = 4;

/// Which receivers there are, and their webhooks with `send_resolved`.
const RECEIVERS: [(&str, &[(usize, bool)]); 4] =
    [("r0", &[(0, true)]), ("r1", &[(1, true), (2, false)]), ("r2", &[(3, true)]), ("quiet", &[])];

/// A configuration for both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// `resolve_timeout`.
    pub resolve_timeout_ms: i64,
    /// The root of the routes.
    pub root: Route,
    /// Which rules of [`RULES`] hold.
    pub rules: Vec<usize>,
}

/// A node of the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// As they are written; the root has none.
    pub matchers: Vec<String>,
    /// Position in the list of receivers.
    pub receiver: usize,
    /// The labels; `...` for all.
    pub group_by: Vec<&'static str>,
    /// `group_wait`.
    pub wait_ms: i64,
    /// `group_interval`.
    pub interval_ms: i64,
    /// `repeat_interval`.
    pub repeat_ms: i64,
    /// `continue`.
    pub goes_on: bool,
    /// The key and the name of the one interval that holds, if any.
    pub interval: Option<(&'static str, &'static str)>,
    /// Beneath it.
    pub routes: Vec<Self>,
}

/// The rules of inhibition: source, target, equal labels.
pub const RULES: [(&str, &str, &str); 3] = [
    ("severity=\"critical\"", "severity=\"warning\"", "instance"),
    ("alertname=\"A\"", "alertname=~\"B|C\"", ""),
    ("alertname=~\"A|B\"", "alertname=~\"B|C\"", "instance"),
];

impl Setup {
    /// Returns the configuration as both read it; webhooks lie under `hooks`.
    pub fn yaml(&self, hooks: &str) -> String {
        let mut out =
            format!("global:\n  resolve_timeout: {}ms\nroute:\n", self.resolve_timeout_ms);
        self.root.write(&mut out, "  ");
        out.push_str("inhibit_rules:\n");
        for (source, target, equal) in self.rules.iter().map(|rule| RULES[*rule]) {
            let _ = writeln!(
                out,
                "- {{source_matchers: ['{source}'], target_matchers: ['{target}'], equal: [{equal}]}}"
            );
        }
        out.push_str("receivers:\n");
        for (name, webhooks) in RECEIVERS {
            let _ = writeln!(out, "- name: {name}");
            if !webhooks.is_empty() {
                out.push_str("  webhook_configs:\n");
            }
            for (hook, send_resolved) in webhooks {
                let _ =
                    writeln!(out, "  - {{url: '{hooks}/{hook}', send_resolved: {send_resolved}}}");
            }
        }
        out.push_str(
            "time_intervals:\n\
             - {name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}\n\
             - {name: never, time_intervals: [{years: ['1999']}]}\n",
        );
        // An empty section is no list to either side.
        if self.rules.is_empty() { out.replace("inhibit_rules:\n", "") } else { out }
    }

    /// Returns whether alerts with different names never share a group.
    pub(super) fn groups_by_name(&self) -> bool {
        self.root.all(&|route| route.group_by.iter().any(|l| matches!(*l, "..." | "alertname")))
    }
}

impl Route {
    fn write(&self, out: &mut String, indent: &str) {
        let _ = writeln!(
            out,
            "{indent}receiver: {}\n{indent}group_by: [{}]\n{indent}group_wait: {}ms\n\
             {indent}group_interval: {}ms\n{indent}repeat_interval: {}ms",
            RECEIVERS[self.receiver].0,
            self.group_by.iter().map(|label| format!("'{label}'")).collect::<Vec<_>>().join(", "),
            self.wait_ms,
            self.interval_ms,
            self.repeat_ms
        );
        if !self.matchers.is_empty() {
            let matchers: Vec<_> = self.matchers.iter().map(|m| format!("'{m}'")).collect();
            let _ = writeln!(out, "{indent}matchers: [{}]", matchers.join(", "));
        }
        if self.goes_on {
            let _ = writeln!(out, "{indent}continue: true");
        }
        if let Some((key, name)) = self.interval {
            let _ = writeln!(out, "{indent}{key}: [{name}]");
        }
        if !self.routes.is_empty() {
            let _ = writeln!(out, "{indent}routes:");
        }
        for route in &self.routes {
            // The first key of an entry stands behind its dash.
            let mut text = String::new();
            route.write(&mut text, &format!("{indent}  "));
            let _ = write!(out, "{indent}- {}", text.trim_start());
        }
    }

    fn all(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self) && self.routes.iter().all(|route| route.all(holds))
    }

    /// Calls `change` with this node and all beneath it.
    pub(super) fn visit(&mut self, change: &mut dyn FnMut(&mut Self)) {
        change(self);
        for route in &mut self.routes {
            route.visit(change);
        }
    }
}
