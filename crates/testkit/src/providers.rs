//! Fake providers: the services that pages go through, as strict about requests as the real ones,
//! on one address. What arrives is kept, shown on a page, and can be answered there; faults can be
//! ordered by a small request.
//!
//! | provider | below the address |
//! |---|---|
//! | Twilio | `/twilio` |
//! | Slack | `/slack/api` |
//! | Telegram | `/telegram` |
//! | Mattermost | `/mattermost` |
//! | Microsoft Teams, Discord | `/teams/NAME`, `/discord/webhooks/ID/TOKEN` |
//! | ntfy, Web Push | `/ntfy`, `/push/NAME` |
//! | PagerDuty, Opsgenie | `/pagerduty/v2/enqueue`, `/opsgenie` |
//! | webhooks | `/hook/NAME` |
//! | mail | SMTP on a port of its own |

mod board;
mod chat;
mod faults;
mod mail;
mod page;
mod paging;
mod push;
mod slack;
mod telegram;
mod twilio;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use jiff::Timestamp;
use tokio::net::TcpListener;

pub use board::{Board, Button, Entry, Kind};
pub use faults::Fault;

/// The largest request that is taken.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Who the fake providers believe to speak with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where the providers listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where mail is taken; port 0 takes a free one.
    pub listen_mail: SocketAddr,
    /// The address of the Tocsin that is called back.
    pub tocsin_url: String,
    /// Twilio's account, token, and the numbers that may send.
    pub twilio: (String, String, Vec<String>),
    /// Slack's bot token and signing secret.
    pub slack: (String, String),
    /// Whether Slack has the oddities of services that imitate it.
    pub has_slack_quirks: bool,
    /// Telegram's bot token and the secret of its webhook.
    pub telegram: (String, String),
    /// Mattermost's bot token.
    pub mattermost: String,
    /// Opsgenie's key.
    pub opsgenie: String,
    /// What webhooks are signed with.
    pub webhook: String,
    /// Reads the clock.
    pub now: fn() -> Timestamp,
}

impl Setup {
    /// Returns providers on free ports of this machine, with secrets that everybody knows. `now`
    /// reads the clock: signatures carry the time.
    pub fn new(now: fn() -> Timestamp) -> Self {
        let text = str::to_owned;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            listen_mail: any,
            tocsin_url: text("http://127.0.0.1:9093"),
            twilio: (
                text("AC00000000000000000000000000000000"),
                text("sandbox-twilio-token"),
                vec![text("+15005550006")],
            ),
            slack: (text("xoxb-sandbox-token"), text("sandbox-slack-secret")),
            has_slack_quirks: false,
            telegram: (text("1:sandbox-token"), text("sandbox-telegram-secret")),
            mattermost: text("sandbox-mattermost-token"),
            opsgenie: text("sandbox-opsgenie-key"),
            webhook: text("sandbox-webhook-secret"),
            now,
        }
    }
}

/// Fake providers that run.
pub struct Sandbox {
    /// Where they listen.
    pub address: SocketAddr,
    /// Where mail is taken.
    pub mail_address: SocketAddr,
    /// What arrived.
    pub board: Arc<Board>,
    world: Arc<World>,
}

/// What the handlers of all providers share.
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) board: Arc<Board>,
    pub(crate) client: reqwest::Client,
    pub(crate) browser: push::Browser,
}

impl Sandbox {
    /// Begins to listen; it ends with the process.
    ///
    /// # Errors
    /// When a port cannot be had, or the client cannot be made.
    pub async fn start(mut setup: Setup) -> std::io::Result<Self> {
        let listener = TcpListener::bind(setup.listen).await?;
        let mail = TcpListener::bind(setup.listen_mail).await?;
        let address = listener.local_addr()?;
        let mail_address = mail.local_addr()?;
        setup.tocsin_url = setup.tocsin_url.trim_end_matches('/').to_owned();
        let board = Arc::new(Board::default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(std::time::Duration::from_secs(15))
            .build()
            .map_err(std::io::Error::other)?;
        let browser = push::Browser::new().map_err(std::io::Error::other)?;
        let world = Arc::new(World { setup, board: Arc::clone(&board), client, browser });
        let routes = Router::new()
            .merge(twilio::router())
            .merge(slack::router())
            .merge(telegram::router())
            .merge(chat::router())
            .merge(push::router())
            .merge(paging::router())
            .layer(from_fn_with_state(Arc::clone(&world), faults::apply))
            .merge(faults::router())
            .merge(page::router())
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        tokio::spawn(mail::serve(mail, Arc::clone(&board)));
        Ok(Self { address, mail_address, board, world })
    }

    /// Sends a text message from the phone with the number `from`.
    ///
    /// # Errors
    /// What went wrong, in words, when it was not taken.
    pub async fn reply(&self, from: &str, text: &str) -> Result<(), String> {
        twilio::reply(&self.world, from, text).await
    }

    /// Presses a key of a call, once it was picked up.
    ///
    /// # Errors
    /// When the call is over.
    pub async fn press_key(&self, call: &Entry, key: &str) -> Result<(), String> {
        twilio::press(&self.world, call, key).await
    }

    /// Returns the part of a configuration that leads all channels here.
    pub fn channels_yaml(&self) -> String {
        let setup = &self.world.setup;
        let Setup { twilio: (account, token, numbers), slack, telegram, .. } = setup;
        let (base, mail) = (format!("http://{}", self.address), self.mail_address);
        let number = numbers.first().map_or("", String::as_str);
        format!(
            "channels:\n  email: {{from: tocsin@sandbox.example, smarthost: '{mail}', \
             require_tls: false}}\n  twilio:\n    account_sid: {account}\n    auth_token: {token}\n    \
             from_number: '{number}'\n    api_url: {base}/twilio\n  slack:\n    bot_token: {}\n    \
             signing_secret: {}\n    api_url: {base}/slack/api\n  telegram:\n    bot_token: '{}'\n    \
             webhook_secret: {}\n    api_url: {base}/telegram\n  mattermost:\n    url: \
             {base}/mattermost\n    token: {}\n  ntfy: {{url: {base}/ntfy}}\n  pagerduty: {{url: \
             {base}/pagerduty/v2/enqueue}}\n  opsgenie: {{api_key: {}, api_url: {base}/opsgenie}}\n  \
             webhook: {{signing_secret: {}}}\noutbound:\n  allow: ['{}']\n",
            slack.0,
            slack.1,
            telegram.0,
            telegram.1,
            setup.mattermost,
            setup.opsgenie,
            setup.webhook,
            self.address.ip(),
        )
    }
}
