//! What the examination found.

use serde::Serialize;

/// How a finding is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// Was not looked at; the text says how it would be.
    Skipped,
    /// Works, but somebody should look at it.
    Warning,
    /// Alerts or messages get lost.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at: `configuration`, `data`, `clock`, …
    pub(super) subject: &'static str,
    /// How it is meant.
    pub(super) verdict: Verdict,
    /// What was found, and what to do when it is not well.
    pub(super) text: String,
}

/// Everything that was found, in the order of the examination.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Findings {
    pub(super) findings: Vec<Finding>,
}

impl Findings {
    /// Notes that something is as it should be.
    pub(super) fn ok(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, Verdict::Ok, text);
    }

    /// Notes that something was not looked at.
    pub(super) fn skipped(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, Verdict::Skipped, text);
    }

    /// Notes that something should be looked at.
    pub(super) fn warning(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, Verdict::Warning, text);
    }

    /// Notes that something is broken.
    pub(super) fn failed(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(subject, Verdict::Failed, text);
    }

    fn add(&mut self, subject: &'static str, verdict: Verdict, text: impl Into<String>) {
        self.findings.push(Finding { subject, verdict, text: text.into() });
    }

    /// Returns how many findings are meant like that.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// Returns one line for each finding; further lines of a text are indented.
    pub(super) fn lines(&self) -> String {
        let mut out = String::new();
        for finding in &self.findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Skipped => "-",
                Verdict::Warning => "warn",
                Verdict::Failed => "FAIL",
            };
            let mut lines = finding.text.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            out.push_str(&format!("{mark:<5} {:<14} {first}\n", finding.subject));
            for line in lines {
                out.push_str(&format!("{:21}{line}\n", ""));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stand_beneath_each_other() {
        let mut findings = Findings::default();
        findings.ok("clock", "agrees");
        findings.failed("data", "not there\nmake it");
        assert_eq!(
            findings.lines(),
            "ok    clock          agrees\nFAIL  data           not there\n                     make it\n"
        );
        assert_eq!(findings.count(Verdict::Failed), 1);
    }
}
