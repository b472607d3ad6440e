//! Short ways to say who is there and who is paged: `people`, `person` and `policy` lines at the
//! head of a scenario become sections of its configuration.

use super::cursor::{Cursor, Trouble};
use super::time::duration;

/// Where the numbers of people begin; the first person has the next one.
const NUMBER_BASE: u64 = 4_915_100_000_000;

/// What the head of a file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    people: Vec<Person>,
    policies: Vec<Policy>,
}

#[derive(Clone, Debug, Default)]
struct Person {
    handle: String,
    high: Vec<(String, String)>,
    low: Vec<(String, String)>,
    /// Whether somebody said when which method is used.
    has_rules: bool,
    lines: Vec<String>,
    notify: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Policy {
    name: String,
    steps: Vec<String>,
    lines: Vec<String>,
    is_chosen: bool,
}

impl Head {
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.policies.is_empty()
    }

    /// Returns who is there, without policies.
    pub(super) fn without_policies(&self) -> Self {
        Self { people: self.people.clone(), policies: Vec::new() }
    }

    /// Reads what follows `people`: names, each reached by text message.
    pub(super) fn people(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Trouble> {
        loop {
            let handle = cursor.word("a person")?.to_owned();
            let sms = vec![("sms".to_owned(), String::new())];
            self.people.push(Person { handle, high: sms, ..Person::default() });
            if !cursor.takes_mark(',') {
                return Ok(());
            }
        }
    }

    /// Reads what follows `person`: `ada: sms, voice after 2m; low email; zone Europe/Berlin`.
    pub(super) fn person(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Trouble> {
        let handle = cursor.word("a person")?.trim_end_matches(':').to_owned();
        let mut person = Person { handle, ..Person::default() };
        let place = cursor.clone();
        for part in cursor.take_rest().split(';').map(str::trim).filter(|part| !part.is_empty()) {
            person.part(part).map_err(|message| place.trouble(message))?;
        }
        self.people.push(person);
        Ok(())
    }

    /// Reads what follows `policy`: `checkout: ada + grace, after 5m linus; repeat 1`.
    pub(super) fn policy(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Trouble> {
        let name = cursor.word("the name of a policy")?.trim_end_matches(':').to_owned();
        let mut policy = Policy { name, ..Policy::default() };
        let place = cursor.clone();
        let rest = cursor.take_rest();
        let mut parts = rest.split(';').map(str::trim);
        for step in parts.next().unwrap_or_default().split(',').map(str::trim) {
            policy.steps.push(step_line(step).map_err(|message| place.trouble(message))?);
        }
        for part in parts.filter(|part| !part.is_empty()) {
            policy.part(part).map_err(|message| place.trouble(message))?;
        }
        self.policies.push(policy);
        Ok(())
    }

    /// Adds the sections that a configuration does not have itself.
    pub(super) fn complete(&self, text: &mut String) {
        let has = |text: &str, key: &str| text.lines().any(|line| line.starts_with(key));
        if self.is_empty() {
            return;
        }
        if !has(text, "global:") {
            text.push_str("global: {resolve_timeout: 24h}\n");
        }
        if !has(text, "route:") {
            text.push_str("route: {receiver: oncall, group_by: [alertname, service], ");
            text.push_str("group_wait: 0s, group_interval: 1m}\n");
        }
        if !has(text, "receivers:") {
            text.push_str("receivers: [{name: oncall, escalation_policy: auto}]\n");
        }
        if !has(text, "people:") && !self.people.is_empty() {
            text.push_str("people:\n");
            for (index, person) in (1..).zip(&self.people) {
                person.write(index, text);
            }
        }
        if !has(text, "escalation_policies:") && !self.policies.is_empty() {
            text.push_str("escalation_policies:\n");
            let default = self.policies.iter().position(|policy| !policy.is_chosen);
            for (index, policy) in self.policies.iter().enumerate() {
                policy.write(default == Some(index), text);
            }
        }
    }
}

impl Person {
    fn part(&mut self, part: &str) -> Result<(), String> {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        match word {
            "low" => self.low = self.methods(rest)?,
            "quiet" => {
                let (from, rest) = rest.split_once('-').ok_or("write `quiet 22:00-07:00`")?;
                let (to, days) = rest.split_once(' ').unwrap_or((rest, ""));
                let days: Vec<&str> = days.split_whitespace().collect();
                let hours = format!(
                    "quiet_hours: {{from: \"{from}\", to: \"{to}\", weekdays: [{}]}}",
                    days.join(", ")
                );
                self.notify.push(hours);
            }
            "updates" => self.notify.push("updates: true".to_owned()),
            "zone" => self.lines.push(format!("time_zone: {rest}")),
            "knows" => self.lines.push(format!("expertise: [{rest}]")),
            "manager" => self.lines.push(format!("manager: {rest}")),
            "mail" => self.lines.push(format!("email: {}@example.org", self.handle)),
            "left" => self.lines.push("active: false".to_owned()),
            _ => self.high = self.methods(part)?,
        }
        Ok(())
    }

    /// Reads `sms, voice after 2m`.
    fn methods(&mut self, text: &str) -> Result<Vec<(String, String)>, String> {
        let mut methods = Vec::new();
        for method in text.split(',').map(str::trim) {
            let (name, after) = method.split_once(" after ").unwrap_or((method, ""));
            if !after.is_empty() {
                duration(after).ok_or_else(|| format!("`{after}` is no duration"))?;
                self.has_rules = true;
            }
            methods.push((name.to_owned(), after.to_owned()));
        }
        Ok(methods)
    }

    fn write(&self, index: u64, text: &mut String) {
        let handle = &self.handle;
        text.push_str(&format!("- handle: {handle}\n"));
        for line in &self.lines {
            text.push_str(&format!("  {line}\n"));
        }
        let mut known: Vec<&str> = Vec::new();
        for (channel, _) in self.high.iter().chain(&self.low) {
            if !known.contains(&channel.as_str()) {
                known.push(channel);
            }
        }
        if !known.is_empty() {
            text.push_str("  contact_methods:\n");
        }
        for channel in known {
            let address = match channel {
                "sms" | "voice" => format!("+{}", NUMBER_BASE + index),
                "email" => format!("{handle}@example.org"),
                "msteams" | "discord" | "webhook" => format!("https://{handle}.example.org/hook"),
                "web_push" => "{}".to_owned(),
                _ => handle.clone(),
            };
            text.push_str(&format!("  - {{channel: {channel}, address: \"{address}\"}}\n"));
        }
        let rules = |list: &[(String, String)]| -> String {
            let rules = list.iter().map(|(channel, after)| {
                let after = if after.is_empty() { "0s" } else { after };
                format!("{{by: {channel}, after: {after}}}")
            });
            rules.collect::<Vec<_>>().join(", ")
        };
        let mut notify = self.notify.clone();
        if self.has_rules {
            notify.push(format!("high: [{}]", rules(&self.high)));
        }
        if !self.low.is_empty() {
            notify.push(format!("low: [{}]", rules(&self.low)));
        }
        if !notify.is_empty() {
            text.push_str(&format!("  notify: {{{}}}\n", notify.join(", ")));
        }
    }
}

impl Policy {
    fn part(&mut self, part: &str) -> Result<(), String> {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        let (second, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let line = match (word, second) {
            ("repeat", "after") => format!("repeat_after: {after}"),
            ("repeat", count) => format!("repeat: {count}"),
            ("ack", "all") => "acknowledgement: all".to_owned(),
            ("ack", "timeout") => format!("ack_timeout: {after}"),
            ("default", person) => format!("default_on_call: {person}"),
            ("services" | "severities" | "categories", _) => {
                self.is_chosen = true;
                let list: Vec<String> =
                    rest.split_whitespace().map(|it| format!("\"{it}\"")).collect();
                format!("{word}: [{}]", list.join(", "))
            }
            _ => return Err(format!("`{part}` means nothing for a policy")),
        };
        self.lines.push(line);
        Ok(())
    }

    fn write(&self, is_default: bool, text: &mut String) {
        text.push_str(&format!("- name: {}\n  default: {is_default}\n", self.name));
        for line in &self.lines {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("  steps:\n");
        for step in &self.steps {
            text.push_str(&format!("  - {step}\n"));
        }
    }
}

/// Turns `after 5m grace + linus in turn, quietly` into a step.
fn step_line(text: &str) -> Result<String, String> {
    let mut rest = text.trim();
    let mut fields = Vec::new();
    if let Some(timed) = rest.strip_prefix("after ") {
        let (after, targets) = timed.split_once(' ').ok_or("whom to page stands after the time")?;
        duration(after).ok_or_else(|| format!("`{after}` is no duration"))?;
        fields.push(format!("after: {after}"));
        rest = targets.trim();
    }
    let endings = [
        (" in turn", "round_robin: true"),
        (" quietly", "urgency: low"),
        (" loudly", "urgency: high"),
        (" even if empty", "skip_if_empty: false"),
        (" in working hours", "working_hours: inside"),
        (" outside working hours", "working_hours: outside"),
    ];
    while let Some((ending, field)) = endings.iter().find(|(ending, _)| rest.ends_with(ending)) {
        fields.push((*field).to_owned());
        rest = rest[..rest.len() - ending.len()].trim();
    }
    if let Some((targets, severities)) = rest.split_once(" if ") {
        let severities: Vec<&str> = severities.split(" or ").collect();
        fields.push(format!("severities: [{}]", severities.join(", ")));
        rest = targets.trim();
    }
    if rest.is_empty() {
        return Err("a step pages somebody".to_owned());
    }
    let targets: Vec<String> =
        rest.split(" + ").map(|target| format!("\"{}\"", target.trim())).collect();
    fields.push(format!("page: [{}]", targets.join(", ")));
    Ok(format!("{{{}}}", fields.join(", ")))
}
