//! `tocsin sandbox`: fake providers, with a page that shows the phone, the inbox and the chats.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_testkit::providers::{Sandbox, Setup};

use crate::output::print;

/// Stands in for Slack, Twilio and all the others.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SandboxArgs {
    /// Where the fake providers and their page listen.
    #[arg(long, default_value = "127.0.0.1:9099")]
    listen: SocketAddr,

    /// Where mail is taken.
    #[arg(long, default_value = "127.0.0.1:9025")]
    listen_mail: SocketAddr,

    /// The Tocsin that buttons, replies and keys go to.
    #[arg(long, default_value = "http://127.0.0.1:9093")]
    tocsin_url: String,

    /// Give Slack the oddities of services that imitate it.
    #[arg(long)]
    slack_quirks: bool,
}

/// Runs until Ctrl-C.
pub(crate) async fn run(args: SandboxArgs) -> Result<()> {
    // The page acts for whoever opens it, so it is for this machine only.
    if !args.listen.ip().is_loopback() || !args.listen_mail.ip().is_loopback() {
        return Err(crate::failure::Failure::usage(
            "the sandbox signs with secrets that everybody knows; let it listen on 127.0.0.1",
        )
        .into());
    }
    tocsin_connect::install_crypto();
    let setup = Setup {
        listen: args.listen,
        listen_mail: args.listen_mail,
        tocsin_url: args.tocsin_url,
        has_slack_quirks: args.slack_quirks,
        ..Setup::new(|| SystemClock.now())
    };
    let sandbox = Sandbox::start(setup)
        .await
        .with_context(|| format!("cannot listen on {} and {}", args.listen, args.listen_mail))?;
    print(&format!(
        "# The page: http://{}/\n# This leads all channels of a Tocsin here:\n{}",
        sandbox.address,
        sandbox.channels_yaml()
    ))?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
