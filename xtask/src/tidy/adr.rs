//! The decision records: numbered without gaps, each with its four headings.

use super::{Problem, TextFile};

const DIRECTORY: &str = "docs/adr/";
const HEADINGS: [&str; 4] = ["Context", "Decision", "Alternatives", "Consequences"];
const DIGITS: usize = 4;

/// Returns whether the path is that of a decision record.
pub(super) fn is_record(path: &str) -> bool {
    path.strip_prefix(DIRECTORY).is_some_and(|name| name.ends_with(".md") && !name.contains('/'))
}

/// Checks the records, which come in the order of their names.
pub(super) fn check(records: &[TextFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (expected, record) in (1_usize..).zip(records) {
        let name = record.path.strip_prefix(DIRECTORY).unwrap_or(&record.path);
        let number = format!("{expected:0DIGITS$}");
        if !name.starts_with(&format!("{number}-")) {
            let message = format!(
                "is not named `{number}-….md`; records are numbered in order without gaps or doubles"
            );
            problems.push(Problem::at(&record.path, message));
            break;
        }
        let title = record.text.lines().next().unwrap_or_default();
        if !title.starts_with(&format!("# {number}: ")) {
            let message = format!("begins with `{title}`; write `# {number}: …`");
            problems.push(Problem::at(&record.path, message));
        }
        let headings: Vec<&str> =
            record.text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if headings != HEADINGS {
            let message = format!(
                "has the headings {headings:?}; a record has exactly {HEADINGS:?}, in that order"
            );
            problems.push(Problem::at(&record.path, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, title: &str) -> TextFile {
        let text = format!(
            "# {title}\n\n## Context\n\n## Decision\n\n## Alternatives\n\n## Consequences\n"
        );
        TextFile { path: format!("{DIRECTORY}{name}"), text }
    }

    #[test]
    fn records_are_numbered_and_have_their_headings() {
        let good = [record("0001-a.md", "0001: A"), record("0002-b.md", "0002: B")];
        assert!(check(&good).is_empty());
        assert!(is_record("docs/adr/0001-a.md") && !is_record("docs/a.md"));
    }

    #[test]
    fn gaps_doubles_and_missing_headings_are_told() {
        let gap = [record("0001-a.md", "0001: A"), record("0003-c.md", "0003: C")];
        assert!(check(&gap)[0].message.contains("`0002-….md`"));
        let double = [record("0001-a.md", "0001: A"), record("0001-b.md", "0001: B")];
        assert_eq!(check(&double).len(), 1);
        let mut poor = record("0001-a.md", "A");
        poor.text = poor.text.replace("## Alternatives\n", "");
        assert_eq!(check(&[poor]).len(), 2);
    }
}
