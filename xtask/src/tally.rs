//! Reading how many tests passed from what the test runners print.

use std::ops::AddAssign;

/// How tests ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// As they should.
    pub(crate) passed: u64,
    /// Wrong, too late, or not at all.
    pub(crate) failed: u64,
    /// Not run.
    pub(crate) skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Tally {
    /// Reads a closing line of nextest or of `cargo test`; `None` for any other line.
    ///
    /// ```text
    /// Summary [   0.008s] 3 tests run: 2 passed (1 slow), 1 timed out, 4 skipped
    /// test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s
    /// ```
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let line = without_colours(line);
        let counts = line
            .split_once(" tests run:")
            .or_else(|| line.split_once(" test run:"))
            .filter(|(before, _)| before.trim_start().starts_with("Summary"))
            .or_else(|| line.strip_prefix("test result:")?.split_once('.'))?
            .1;
        let mut tally = Self::default();
        for part in counts.split([',', ';']) {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what.split(" (").next().unwrap_or(what) {
                "passed" => tally.passed += number,
                "failed" | "timed out" | "exec failed" => tally.failed += number,
                "skipped" | "ignored" => tally.skipped += number,
                _ => {}
            }
        }
        Some(tally)
    }
}

/// Returns the line without terminal colour sequences.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A sequence ends with its first letter.
            let _ = characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextests_summary_is_read_with_and_without_colours() {
        let line = "     Summary [   0.008s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 6, failed: 3, skipped: 4 }));
        let line = "\u{1b}[32;1m Summary\u{1b}[0m [ 0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 1, failed: 0, skipped: 0 }));
    }

    #[test]
    fn cargo_tests_result_is_read() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.01s";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 3, failed: 1, skipped: 2 }));
    }

    #[test]
    fn other_lines_are_no_result() {
        for line in
            ["", "        PASS [   0.004s] xtask tests::a", "running 3 tests", "1 tests run: fast"]
        {
            assert_eq!(Tally::of_line(line), None, "{line}");
        }
    }
}
