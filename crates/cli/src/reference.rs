//! The reference of all commands and flags as a page of the manual, from the commands themselves.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::failure::EXIT_CODES;

const INTRODUCTION: &str = "\
# Command line

Written by `cargo xtask generate` from the commands themselves; `tocsin help COMMAND` says the same.

Results go to standard output, everything else to standard error. Tables are for people and may \
change; programs ask for `-o json`, which prints the server's own JSON. Colours appear on a terminal \
unless `NO_COLOR` is set. ";

/// Returns the page.
pub(crate) fn markdown() -> String {
    let mut root = crate::Cli::command();
    root.build();
    let mut out = format!("{INTRODUCTION}{}\n", exit_codes());
    commands(&root, &mut out);
    out
}

/// Returns the exit codes as a table.
fn exit_codes() -> String {
    let mut out =
        String::from("Every command ends with one of these:\n\n| exit code | means |\n|---|---|\n");
    for line in EXIT_CODES.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once("  ") {
            let _ = writeln!(out, "| {code} | {} |", meaning.trim());
        }
    }
    out
}

fn commands(command: &Command, out: &mut String) {
    for sub in command.get_subcommands().filter(|sub| is_shown(sub)) {
        let name = sub.get_bin_name().unwrap_or(sub.get_name());
        let _ = writeln!(out, "## `{name}`\n");
        if let Some(about) = sub.get_long_about().or(sub.get_about()) {
            let _ = writeln!(out, "{}\n", sentence(paragraphs(&about.to_string())));
        }
        if sub.has_subcommands() {
            // What the family shares stands at each of its commands.
            commands(sub, out);
            continue;
        }
        let usage = sub.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        let _ = writeln!(out, "```text\n{usage}\n```\n");
        table("argument", sub.get_positionals().filter(|arg| !arg.is_hide_set()), out);
        let options = sub.get_arguments().filter(|arg| {
            !arg.is_positional()
                && !arg.is_hide_set()
                && !matches!(arg.get_id().as_str(), "help" | "version")
        });
        table("option", options, out);
    }
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// Joins lines that were only broken for the terminal.
fn paragraphs(text: &str) -> String {
    let paragraphs: Vec<String> =
        text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

/// Ends a text with a point, which clap takes away from short ones.
fn sentence(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn table<'a>(heading: &str, arguments: impl Iterator<Item = &'a Arg>, out: &mut String) {
    let mut is_empty = true;
    for argument in arguments {
        if is_empty {
            let _ = writeln!(out, "| {heading} | meaning |\n|---|---|");
            is_empty = false;
        }
        let _ =
            writeln!(out, "| {} | {} |", escaped(&written(argument)), escaped(&meaning(argument)));
    }
    if !is_empty {
        out.push('\n');
    }
}

/// Returns how an argument is written, in code marks.
fn written(argument: &Arg) -> String {
    let is_flag = !argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let Some(long) = argument.get_long() else {
        return match argument.is_required_set() {
            true => format!("`{value}`"),
            false => format!("`[{value}]`"),
        };
    };
    let mut text = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let _ = match is_flag {
        true => write!(text, "`--{long}`"),
        false => write!(text, "`--{long} {value}`"),
    };
    text
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut text = help.map(|help| sentence(paragraphs(&help.to_string()))).unwrap_or_default();
    if argument.get_action().takes_values() {
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if !values.is_empty() {
            let _ = write!(text, " One of {}.", values.join(", "));
        }
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .filter(|value| !value.is_empty())
            .collect();
        if !defaults.is_empty() {
            let _ = write!(text, " Default: `{}`.", defaults.join(" "));
        }
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " Also from the environment: `{}`.", variable.to_string_lossy());
    }
    text.trim().replace("\n\n", " ")
}

/// Keeps a text within its cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('\n', " ")
}
