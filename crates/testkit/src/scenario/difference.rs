//! What was expected beside what happened, and the file with what happened.

use super::text::Scenario;

/// The longest list that is compared line by line; longer ones are shown whole.
const MAX_COMPARED: usize = 1_000;

/// Returns the lines of both lists: `  same`, `- expected`, `+ happened`.
pub(super) fn difference(expected: &[&str], happened: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if expected.len() > MAX_COMPARED || happened.len() > MAX_COMPARED {
        lines.extend(expected.iter().map(|line| format!("- {line}")));
        lines.extend(happened.iter().map(|line| format!("+ {line}")));
        return lines;
    }
    let lengths = common_lengths(expected, happened);
    let (mut i, mut j) = (0, 0);
    while i < expected.len() || j < happened.len() {
        if i < expected.len() && j < happened.len() && expected[i] == happened[j] {
            lines.push(format!("  {}", expected[i]));
            i += 1;
            j += 1;
        } else if j == happened.len()
            || (i < expected.len() && lengths[i + 1][j] >= lengths[i][j + 1])
        {
            lines.push(format!("- {}", expected[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", happened[j]));
            j += 1;
        }
    }
    lines
}

/// `result[i][j]` is the length of the longest common subsequence from `i` and `j` on.
fn common_lengths(a: &[&str], b: &[String]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i] == b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

/// Returns the file with what happened in the place of what was expected.
pub(super) fn rewritten(scenario: &Scenario, happened: &[Vec<String>]) -> String {
    let mut text = String::new();
    let dropped: Vec<usize> = scenario
        .steps
        .iter()
        .flat_map(|step| step.expected.iter().map(|(line, _)| *line))
        .collect();
    for (number, line) in scenario.lines.iter().enumerate() {
        if dropped.binary_search(&number).is_err() {
            text.push_str(line);
            text.push('\n');
        }
        if let Ok(step) = scenario.steps.binary_search_by_key(&number, |step| step.last_line) {
            for line in happened.get(step).into_iter().flatten() {
                text.push_str("  > ");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_shown_once() {
        let happened = ["a", "x", "c"].map(str::to_owned);
        assert_eq!(difference(&["a", "b", "c"], &happened), ["  a", "- b", "+ x", "  c"]);
        assert_eq!(difference(&[], &happened[..1]), ["+ a"]);
        assert_eq!(difference(&["a"], &[]), ["- a"]);
    }
}
