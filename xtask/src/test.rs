//! `cargo xtask test`: everything that CI runs, step by step, on any machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::tally::Tally;
use crate::workspace::{Workspace, answers, run as run_command, shown, succeeded};
use crate::{fuzz, generate, licences, python, tidy, tools, yanked};

/// Tests that can do more of the same read this variable: when it is `1`, they do. Tests that only
/// exist in the long run are marked `#[ignore]`.
const LONG_FORM: &str = "TOCSIN_TEST_LONG";

/// What the caller asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Run the long forms of tests.
    pub(crate) is_long: bool,
    /// Install missing tools where that is possible.
    pub(crate) may_install: bool,
}

/// How one step ended.
struct Ended {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// Runs all steps, also after one failed, and sums up.
pub(crate) fn run(workspace: &Workspace, options: Options) -> Result<ExitCode> {
    let mut run = Run { ended: Vec::new(), tally: Tally::default() };
    run.step("tools", |_| {
        let tools = tools::ensure(options.may_install);
        tools.and(python::ensure(workspace, options.may_install))
    });
    run.step("fmt", |_| run_command(&mut workspace.cargo(&["fmt", "--all", "--check"])));
    run.step("clippy", |_| {
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        run_command(&mut workspace.cargo(&arguments))
    });
    run.step("tidy", |_| tidy::run(workspace));
    run.step("tests", |tally| tests(workspace, options, tally));
    run.step("fuzz", |_| {
        let seconds = if options.is_long { fuzz::LONG_SECONDS } else { fuzz::SHORT_SECONDS };
        fuzz::run_all(workspace, None, seconds)
    });
    run.step("generate", |_| generate::run(workspace, true));
    run.step("licences", |_| licences::run(workspace));
    run.step("yanked", |_| yanked::run(workspace));
    run.sum_up();
    Ok(if run.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs all tests: by nextest where it is installed, which does not know documentation tests, so
/// cargo runs those; by cargo alone elsewhere.
fn tests(workspace: &Workspace, options: Options, tally: &mut Tally) -> Result<()> {
    let mut run = |arguments: &[&str], long: &[&str]| {
        let mut command = workspace.cargo(arguments);
        if options.is_long {
            command.args(long).env(LONG_FORM, "1");
        }
        counted(&mut command, tally)
    };
    if answers(&mut workspace.cargo(&["nextest", "--version"])) {
        let arguments = ["nextest", "run", "--workspace", "--locked", "--no-fail-fast"];
        let tests = run(&arguments, &["--run-ignored", "all"]);
        let arguments = ["test", "--workspace", "--locked", "--doc", "--no-fail-fast"];
        tests.and(run(&arguments, &[]))
    } else {
        let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
        run(&arguments, &["--", "--include-ignored"])
    }
}

/// Runs a test runner, repeats all it prints on our standard output (nextest reports on its
/// standard error) and adds up its closing lines.
fn counted(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let (output, complaints) = (child.stdout.take(), child.stderr.take());
    let counted = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        scope.spawn(|| repeat(output, &counted));
        scope.spawn(|| repeat(complaints, &counted));
    });
    if let Ok(counted) = counted.lock() {
        *tally += *counted;
    }
    let status = child.wait().with_context(|| format!("cannot wait for {}", shown(command)))?;
    succeeded(command, status)
}

fn repeat(stream: Option<impl Read>, counted: &Mutex<Tally>) {
    let Some(stream) = stream else { return };
    for line in BufReader::new(stream).split(b'\n') {
        let Ok(mut line) = line else { return };
        if let (Some(part), Ok(mut sum)) =
            (Tally::of_line(&String::from_utf8_lossy(&line)), counted.lock())
        {
            *sum += part;
        }
        line.push(b'\n');
        // When nobody listens any more the run still goes on to its exit code.
        let _ = std::io::stdout().write_all(&line);
    }
}

/// The steps so far.
struct Run {
    ended: Vec<Ended>,
    tally: Tally,
}

impl Run {
    fn step(&mut self, name: &'static str, work: impl FnOnce(&mut Tally) -> Result<()>) {
        println!("\n=== {name}");
        let started = Instant::now();
        let result = work(&mut self.tally);
        if let Err(error) = &result {
            println!("{name} failed: {error:#}");
        }
        self.ended.push(Ended { name, took: started.elapsed(), result });
    }

    fn is_success(&self) -> bool {
        self.ended.iter().all(|step| step.result.is_ok())
    }

    fn sum_up(&self) {
        println!("\n=== summary");
        for Ended { name, took, result } in &self.ended {
            let word = if result.is_ok() { "ok" } else { "FAILED" };
            println!("{name:<10} {word:<6} {:>7.1} s", took.as_secs_f64());
        }
        let failed = self.ended.iter().filter(|step| step.result.is_err()).count();
        println!("steps: {} passed, {failed} failed", self.ended.len() - failed);
        let Tally { passed, failed, skipped } = self.tally;
        println!("tests: {passed} passed, {failed} failed, {skipped} skipped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_but_does_not_end_it() {
        let mut run = Run { ended: Vec::new(), tally: Tally::default() };
        run.step("first", |_| anyhow::bail!("broken"));
        run.step("second", |tally| {
            tally.passed += 1;
            Ok(())
        });
        assert!(!run.is_success());
        assert_eq!((run.ended.len(), run.tally.passed), (2, 1));
    }

    #[cfg(unix)]
    #[test]
    fn closing_lines_are_counted_from_both_streams() {
        let script = "echo 'test result: ok. 2 passed; 0 failed'; \
                      echo ' Summary [ 1s] 3 tests run: 2 passed, 1 failed, 0 skipped' >&2; exit 3";
        let mut tally = Tally::default();
        let result = counted(Command::new("sh").args(["-c", script]), &mut tally);
        assert_eq!(tally, Tally { passed: 4, failed: 1, skipped: 0 });
        assert!(result.expect_err("exit code 3").to_string().contains("exit status: 3"));
    }
}
