//! The project's own tools: everything a contributor or a CI machine runs, as `cargo xtask …`.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard output")]

mod binary;
mod fuzz;
mod generate;
mod licences;
mod python;
mod spdx;
mod tally;
mod test;
mod tidy;
mod tools;
mod workspace;
mod yanked;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  demo [--release] [ARGS…]    build Tocsin and run `tocsin demo ARGS…`
  test [--long] [--no-install]
                              run everything that CI runs: tools, fmt, clippy, tidy, tests,
                              generated files, licences; --long adds the long forms of tests
  bench [ARGS…]               build the release binary and run `tocsin bench ARGS…`
  fuzz [TARGET] [--seconds N]
                              run the fuzz targets under fuzz/, each for N seconds (60)
  tidy                        check the house rules; part of `cargo test`
  generate [--check]          write the generated pages under docs/, or check that they are current
  licences                    check the licences and sources of all dependencies against deny.toml, and
                              that none was yanked
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>) -> Result<ExitCode> {
    if arguments.is_empty() {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    }
    let command = arguments.remove(0);
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    match command.as_str() {
        "demo" => binary::demo(&workspace, arguments),
        "bench" => binary::bench(&workspace, &arguments),
        "test" => {
            let is_long = take_flag(&mut arguments, "--long");
            let may_install = !take_flag(&mut arguments, "--no-install");
            nothing_left(&arguments)?;
            test::run(&workspace, test::Options { is_long, may_install })
        }
        "fuzz" => {
            let seconds = take_number(&mut arguments, "--seconds")?.unwrap_or(60);
            let target = (!arguments.is_empty()).then(|| arguments.remove(0));
            nothing_left(&arguments)?;
            fuzz::run_all(&workspace, target.as_deref(), seconds).map(|()| ExitCode::SUCCESS)
        }
        "tidy" => {
            nothing_left(&arguments)?;
            tidy::run(&workspace).map(|()| ExitCode::SUCCESS)
        }
        "generate" => {
            let is_check = take_flag(&mut arguments, "--check");
            nothing_left(&arguments)?;
            generate::run(&workspace, is_check).map(|()| ExitCode::SUCCESS)
        }
        "licences" => {
            nothing_left(&arguments)?;
            licences::run(&workspace)?;
            yanked::run(&workspace).map(|()| ExitCode::SUCCESS)
        }
        unknown => bail!("unknown command `{unknown}`; `cargo xtask help` lists them"),
    }
}

/// Removes `flag` from the arguments and returns whether it was there.
fn take_flag(arguments: &mut Vec<String>, flag: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != flag);
    arguments.len() != before
}

/// Takes `flag N` out of the arguments.
fn take_number(arguments: &mut Vec<String>, flag: &str) -> Result<Option<u32>> {
    let Some(place) = arguments.iter().position(|argument| argument == flag) else {
        return Ok(None);
    };
    arguments.remove(place);
    if place == arguments.len() {
        bail!("{flag} needs a number behind it");
    }
    let text = arguments.remove(place);
    let number = text.parse().with_context(|| format!("{flag} {text} is not a number"))?;
    Ok(Some(number))
}

fn nothing_left(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => Ok(()),
        [first, ..] => bail!("unexpected argument `{first}`; see `cargo xtask help`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_taken_once_wherever_it_stands() {
        let mut arguments = vec!["a".to_owned(), "--long".to_owned(), "b".to_owned()];
        assert!(take_flag(&mut arguments, "--long"));
        assert!(!take_flag(&mut arguments, "--long"));
        assert_eq!(arguments, ["a", "b"]);
        assert!(nothing_left(&arguments).is_err());
    }

    #[test]
    fn a_number_is_taken_with_its_flag() {
        let mut arguments = vec!["a".to_owned(), "--seconds".to_owned(), "7".to_owned()];
        assert_eq!(take_number(&mut arguments, "--seconds").expect("a number"), Some(7));
        assert_eq!(take_number(&mut arguments, "--seconds").expect("nothing"), None);
        assert_eq!(arguments, ["a"]);
        let mut alone = vec!["--seconds".to_owned()];
        assert!(take_number(&mut alone, "--seconds").is_err());
    }
}
