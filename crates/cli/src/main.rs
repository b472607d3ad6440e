//! The `tocsin` binary.

mod args;
mod bench;
mod client;
mod command;
mod demo;
mod failure;
mod logging;
mod output;
mod reference;
mod serve;
mod source;
mod tree;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use command::{
    alert, audit, backup, completions, config, doctor, escalation, explain, generate, heartbeat,
    incident, kb, man, oncall, policy, routes, sandbox, scenario, secret, silence, template, token,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Alerts go in; the right person is told, once, with the reason.
#[derive(Parser, Debug)]
#[command(
    name = "tocsin",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = failure::EXIT_CODES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the server.
    Serve(Box<serve::flags::ServeFlags>),
    /// Watch an alert storm of a simulated shop turn into a handful of messages.
    Demo(demo::DemoArgs),
    /// Stand in for Slack, Twilio and the others, to try paging without any account.
    Sandbox(sandbox::SandboxArgs),
    /// Check and show configurations; nothing has to run.
    Config(config::ConfigArgs),
    /// Show who would be told: of a configuration file, or of a running server.
    Routes(routes::RoutesArgs),
    /// Look at alerts, or send one by hand.
    Alert(alert::AlertArgs),
    /// Mute alerts for a time, and look at what is muted.
    Silence(silence::SilenceArgs),
    /// Say why somebody was told of an alert, or was not.
    Explain(explain::ExplainArgs),
    /// See who is on call, change that for a time, and see whom a problem would reach.
    Oncall(oncall::OncallArgs),
    /// See incidents, declare them, and work on them.
    Incident(incident::IncidentArgs),
    /// Search what was learned, and write articles.
    Kb(kb::KbArgs),
    /// See whom problems page, and answer.
    Escalation(escalation::EscalationArgs),
    /// Page somebody by hand.
    Page(escalation::PageArgs),
    /// See whom to page and when, and what is wrong with that.
    Policy(policy::PolicyArgs),
    /// See what says in time that it is alive, or say so.
    Heartbeat(heartbeat::HeartbeatArgs),
    /// Try out what messages say.
    Template(template::TemplateArgs),
    /// Play stories about alerts in virtual time.
    Scenario(scenario::ScenarioArgs),
    /// Look whether everything is well, and whether pages would arrive.
    Doctor(Box<doctor::DoctorArgs>),
    /// See who changed what, and whether the record of it is whole.
    Audit(audit::AuditArgs),
    /// Make, list and revoke tokens and integration keys.
    Token(token::TokenArgs),
    /// Set, list and remove what messages are sent with, and change the key that seals it.
    Secret(secret::SecretArgs),
    /// Copy the database into one file, while the server runs or not.
    Backup(backup::BackupArgs),
    /// Check a backup and put it into a data directory.
    Restore(backup::RestoreArgs),
    /// Measure this binary on this machine, beside an Alertmanager if you have one.
    Bench(bench::BenchArgs),
    /// Print a script that completes commands and flags in a shell.
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write the pages of all commands into a directory.
    Man(man::ManArgs),
    /// Print a page or schema of the manual.
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(flags) = serve::alertmanager::flags_of(&words) {
        return serve::alertmanager::main(flags, |flags| block_on(serve::run(flags)));
    }
    let cli = Cli::parse_from(words);
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("tocsin: {error:#}"));
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(flags) => block_on(serve::run(*flags)),
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Sandbox(args) => block_on(sandbox::run(args)),
        Command::Bench(args) => block_on(bench::run(args)),
        Command::Routes(args) => block_on(routes::run(args)),
        Command::Alert(args) => block_on(alert::run(args)),
        Command::Silence(args) => block_on(silence::run(args)),
        Command::Explain(args) => block_on(explain::run(args)),
        Command::Oncall(args) => block_on(oncall::run(args)),
        Command::Incident(args) => block_on(incident::run(args)),
        Command::Kb(args) => block_on(kb::run(args)),
        Command::Escalation(args) => block_on(escalation::run(args)),
        Command::Page(args) => block_on(escalation::run_page(args)),
        Command::Policy(args) => block_on(policy::run(args)),
        Command::Heartbeat(args) => block_on(heartbeat::run(args)),
        Command::Doctor(args) => block_on(doctor::run(*args)),
        Command::Audit(args) => block_on(audit::run(args)),
        Command::Token(args) => block_on(token::run(args)),
        Command::Secret(args) => block_on(secret::run(args)),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => backup::run_restore(&args),
        Command::Config(args) => config::run(&args),
        Command::Template(args) => template::run(&args),
        Command::Scenario(args) => scenario::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Generate(args) => generate::run(&args),
    }
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads can be started")?
        .block_on(work)
}
