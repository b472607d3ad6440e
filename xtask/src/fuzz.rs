//! `cargo xtask fuzz`: builds the fuzz targets and runs each for a while, from its corpus.
//!
//! The targets are those of cargo-fuzz and can be run by it; this runs them without it, on the
//! stable toolchain, so that every contributor and every CI machine does.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, output_of, run, shown, succeeded};

/// How long each target runs as a part of all tests.
pub(crate) const SHORT_SECONDS: u32 = 5;

/// How long each target runs in the long form of all tests.
pub(crate) const LONG_SECONDS: u32 = 120;

/// No input is longer; what breaks a parser is short.
const MAX_INPUT_BYTES: u32 = 16 << 10;

/// An input that takes longer is a finding.
const MAX_SECONDS_PER_INPUT: u32 = 10;

/// Makes the compiler count which branches an input takes, as libFuzzer wants it.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// Runs `only`, or every target, for `seconds` each.
pub(crate) fn run_all(workspace: &Workspace, only: Option<&str>, seconds: u32) -> Result<()> {
    let targets = targets(workspace)?;
    let chosen: Vec<_> =
        targets.iter().filter(|target| only.is_none_or(|only| only == *target)).collect();
    if chosen.is_empty() {
        bail!("there is no such fuzz target; there are: {}", targets.join(", "));
    }
    let directory = workspace.root().join("fuzz");
    let built = workspace.root().join("target/fuzz");
    let host = host()?;
    build(workspace, &directory, &built, &host)?;
    for target in chosen {
        println!("--- {target}: {seconds} s");
        let programs = built.join(&host).join("release");
        fuzz(&directory, &built, &programs.join(target), target, seconds)
            .with_context(|| format!("the fuzz target {target} found something"))?;
    }
    Ok(())
}

/// Returns the names of all targets: one for each file.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let directory = workspace.root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory)
        .with_context(|| format!("cannot list {}", directory.display()))?
    {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns the kind of machine that the compiler builds for by itself.
fn host() -> Result<String> {
    let about = output_of(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

fn build(workspace: &Workspace, directory: &Path, built: &Path, host: &str) -> Result<()> {
    let mut command = workspace.cargo(&["build", "--release", "--locked"]);
    // With a target named, build scripts and macros stay without instrumentation.
    command.args(["--target", host, "--target-dir"]).arg(built);
    run(command.current_dir(directory).env("RUSTFLAGS", INSTRUMENTATION))
}

fn fuzz(directory: &Path, built: &Path, program: &Path, target: &str, seconds: u32) -> Result<()> {
    let corpus = directory.join("corpus").join(target);
    let scratch = built.join("corpus").join(target);
    let artifacts = built.join("artifacts").join(target);
    for path in [&scratch, &artifacts] {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let mut command = Command::new(program);
    // What is found goes to the first directory; the committed corpus only seeds.
    command.arg(&scratch).arg(&corpus);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={MAX_INPUT_BYTES}"));
    command.arg(format!("-timeout={MAX_SECONDS_PER_INPUT}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg("-rss_limit_mb=2048");
    // libFuzzer tells every new thing it tries; that is worth reading only when it fails.
    let output = command
        .current_dir(directory)
        .output()
        .with_context(|| format!("cannot start {}", shown(&command)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("{said}");
    }
    succeeded(&command, output.status)?;
    println!("{}", said.lines().rfind(|line| line.starts_with("Done ")).unwrap_or("done"));
    Ok(())
}
