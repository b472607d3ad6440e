//! Everything that can be told something, and one attempt to tell it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tocsin_config::{
    CalendarSources, ChannelsConfig, HttpConfig, IntegrationConfig, ReceiverConfig, Settings,
    Template, UserGroupConfig,
};
use tocsin_core::notification::{AttemptOutcome, FailureClass, LogKey, Notification, OutboxEntry};
use tocsin_core::paging::{Channel, Page};
use tocsin_template::Templates;
use tokio::sync::watch;

use crate::calendar::Calendars;
use crate::failure::Undelivered;
use crate::guard::Guard;
use crate::http::{ClientError, Deadline, Sender};
use crate::links::LinkSigner;
use crate::paging::{Channels, GroupChange, UserGroupError, VapidKey};
use crate::redact::Redactor;
use crate::texts::Texts;
use crate::{
    discord, email, incidentio, jira, mattermost, msteams, msteamsv2, opsgenie, pagerduty,
    pushover, rocketchat, slack, sns, stdout, telegram, victorops, webex, webhook, wechat,
};

/// How long one attempt may take when the receiver does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What messages say about us and where local ones go.
#[derive(Clone)]
pub struct Context {
    /// Where people reach this server.
    pub external_url: String,
    /// The `User-Agent` of HTTP requests.
    pub user_agent: String,
    /// Our version.
    pub version: String,
    /// Where `stdout` receivers write.
    pub output: Arc<Mutex<dyn Write + Send>>,
    /// What the templates of receivers can refer to.
    pub templates: Arc<Templates>,
    /// Where requests may go.
    pub guard: Guard,
    /// Signs the links of pages, and checks them when they come back.
    pub links: LinkSigner,
    /// Who we are to the push services of browsers.
    pub vapid: Arc<OnceLock<Arc<VapidKey>>>,
    /// Turns true once stored secrets can be fetched; attempts wait for it.
    pub ready: Option<watch::Receiver<bool>>,
}

impl Context {
    /// Describes this server; `stdout` receivers write to the standard output, and links end with
    /// the process.
    pub fn new(external_url: impl Into<String>, version: impl Into<String>) -> Self {
        let version = version.into();
        Self {
            external_url: external_url.into(),
            user_agent: format!("Tocsin/{version}"),
            version,
            output: Arc::new(Mutex::new(std::io::stdout())),
            templates: Arc::new(Templates::builtin()),
            guard: Guard::default(),
            links: LinkSigner::fresh(),
            vapid: Arc::default(),
            ready: None,
        }
    }

    /// Replaces where requests may go; [`Outbound::new`] takes that from its configuration.
    #[must_use]
    pub fn with_guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// Replaces what signs links.
    #[must_use]
    pub fn with_links(self, links: LinkSigner) -> Self {
        Self { links, ..self }
    }

    /// Replaces who we are to the push services of browsers.
    #[must_use]
    pub fn with_vapid(self, key: Arc<VapidKey>) -> Self {
        Self { vapid: Arc::new(key.into()), ..self }
    }

    /// Lets attempts wait until stored secrets can be fetched.
    #[must_use]
    pub fn with_ready(self, ready: watch::Receiver<bool>) -> Self {
        Self { ready: Some(ready), ..self }
    }

    /// Waits until stored secrets can be fetched: after a start work is taken up before that.
    async fn is_ready(&self) {
        if let Some(ready) = &self.ready {
            let mut ready = ready.clone();
            let _ = tokio::time::timeout(DEFAULT_TIMEOUT, ready.wait_for(|it| *it)).await;
        }
    }

    /// Replaces the standard output.
    #[must_use]
    pub fn with_output(mut self, output: Arc<Mutex<dyn Write + Send>>) -> Self {
        self.output = output;
        self
    }
}

/// Why what a configuration names cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An integration of a receiver.
    #[error("receiver `{receiver}`, {kind} {index}: {source}")]
    Receiver {
        /// The name of the receiver.
        receiver: Arc<str>,
        /// The kind of the integration.
        kind: &'static str,
        /// Its position among the receiver's integrations of that kind.
        index: u32,
        /// What is wrong.
        source: ClientError,
    },
    /// What asks the watcher outside.
    #[error("paging, heartbeat: {source}")]
    Watcher {
        /// What is wrong.
        source: ClientError,
    },
    /// What reads the calendars that schedules import.
    #[error("schedules, imports: {source}")]
    Calendar {
        /// What is wrong.
        source: ClientError,
    },
    /// A channel by which people are paged.
    #[error("channels, {channel}: {source}")]
    Channel {
        /// Which.
        channel: Channel,
        /// What is wrong.
        source: ClientError,
    },
}

/// Everything that can be told something.
pub struct Outbound {
    integrations: BTreeMap<Place, Integration>,
    channels: Channels,
    watcher: Arc<Sender>,
    calendars: Calendars,
    context: Context,
}

/// Where an integration is found: receiver, kind, index.
type Place = (Arc<str>, Arc<str>, u32);

/// One way to tell somebody, ready to be used.
struct Integration {
    settings: Settings,
    /// For all that speak HTTP.
    sender: Arc<Sender>,
}

/// What one attempt has to tell, and until when.
pub(crate) struct Job<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) idempotency_key: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Deadline,
    pub(crate) context: &'a Context,
    /// Fills in the templates of the message.
    pub(crate) texts: &'a Texts,
    /// What the integration gave back for the message before.
    pub(crate) receipt: Option<&'a str>,
}

/// A message that the other side took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// What the integration wants back with the next message of the group.
    pub(crate) receipt: Option<String>,
}

impl Outbound {
    /// Sets up all receivers of a configuration. Nothing is connected yet.
    ///
    /// # Errors
    /// When a certificate cannot be read or a proxy cannot be used.
    pub fn new(config: &tocsin_config::Config, context: &Context) -> Result<Self, ConnectError> {
        let templates = Arc::clone(&config.templates);
        let guard = Guard::of_file(&config.outbound);
        let context = Context { templates, ..context.clone() }.with_guard(guard);
        Self::build(&config.receivers, &config.channels, &config.calendars, &context)
    }

    /// Sets up the given receivers, and channels as they are by default.
    ///
    /// # Errors
    /// As [`Outbound::new`].
    pub fn of_receivers<'a>(
        receivers: impl IntoIterator<Item = &'a ReceiverConfig>,
        context: &Context,
    ) -> Result<Self, ConnectError> {
        Self::of_parts(receivers, &ChannelsConfig::default(), context)
    }

    /// Sets up receivers and channels; those with equal HTTP settings share one client.
    ///
    /// # Errors
    /// As [`Outbound::new`].
    pub fn of_parts<'a>(
        receivers: impl IntoIterator<Item = &'a ReceiverConfig>,
        channels: &ChannelsConfig,
        context: &Context,
    ) -> Result<Self, ConnectError> {
        Self::build(receivers, channels, &CalendarSources::new(), context)
    }

    fn build<'a>(
        receivers: impl IntoIterator<Item = &'a ReceiverConfig>,
        channels: &ChannelsConfig,
        calendars: &CalendarSources,
        context: &Context,
    ) -> Result<Self, ConnectError> {
        crate::install_crypto();
        let mut senders = Senders { context, all: Vec::new(), strict: Vec::new() };
        let mut integrations = BTreeMap::new();
        for receiver in receivers {
            for config in &receiver.integrations {
                let place = (Arc::clone(&receiver.name), config.kind.into(), config.index);
                let integration = Integration::new(config, &mut senders).map_err(|source| {
                    ConnectError::Receiver {
                        receiver: Arc::clone(&receiver.name),
                        kind: config.kind,
                        index: config.index,
                        source,
                    }
                })?;
                integrations.insert(place, integration);
            }
        }
        let channels = Channels::new(channels, &mut senders)
            .map_err(|(channel, source)| ConnectError::Channel { channel, source })?;
        let watcher = senders.get(None).map_err(|source| ConnectError::Watcher { source })?;
        let calendars = Calendars::new(calendars, &mut senders)
            .map_err(|source| ConnectError::Calendar { source })?;
        Ok(Self { integrations, channels, watcher, calendars, context: context.clone() })
    }

    /// Returns what asks the address of the watcher outside.
    pub(crate) fn watcher(&self) -> &Sender {
        &self.watcher
    }

    /// Returns what reads calendars.
    pub(crate) fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// Waits until stored secrets can be fetched.
    pub(crate) async fn wait_until_ready(&self) {
        self.context.is_ready().await;
    }

    /// Tries once to reach whom a page is for; returns when it is known how that ended.
    ///
    /// `idempotency_key` is the same for every attempt of the same page.
    pub async fn page(&self, page: &Page, idempotency_key: &str) -> AttemptOutcome {
        self.context.is_ready().await;
        self.channels.page(page, idempotency_key, &self.context).await
    }

    /// Says something in private to whoever pressed a button, at an address that the channel gave.
    ///
    /// # Errors
    /// Why that did not work, without secrets.
    pub async fn respond(&self, channel: Channel, to: &str, text: &str) -> Result<(), String> {
        // No header of this request needs to know the time.
        self.channels.respond(channel, to, text, Timestamp::UNIX_EPOCH).await
    }

    /// Returns the user group that the configuration calls so.
    pub fn user_group(&self, name: &str) -> Option<UserGroupConfig> {
        let groups = &self.channels.config().slack.user_groups;
        groups.iter().find(|group| group.user_group == name).cloned()
    }

    /// Makes a user group of Slack hold exactly these members.
    ///
    /// # Errors
    /// [`UserGroupError`]; nothing was changed then.
    pub async fn sync_user_group(
        &self,
        group: &UserGroupConfig,
        members: &[String],
        now: Timestamp,
    ) -> Result<GroupChange, UserGroupError> {
        self.context.is_ready().await;
        crate::paging::sync_user_group(&self.channels, group, members, now).await
    }

    /// Tries once to deliver `entry`; returns when it is known how that ended, at the latest
    /// after the receiver's time limit.
    ///
    /// `idempotency_key` is the same for every attempt of the same entry.
    pub async fn attempt(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome {
        self.context.is_ready().await;
        // What a vendor's module keeps while it waits is much to carry around.
        Box::pin(self.attempt_now(entry, idempotency_key)).await
    }

    async fn attempt_now(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome {
        let mut redactor = Redactor::new();
        let mut texts = self.texts(&entry.notification, entry.due_at);
        let mut notification = Arc::clone(&entry.notification);
        if let Some(filled) = with_route_labels(&notification, &texts) {
            texts = self.texts(&filled, entry.due_at);
            notification = filled;
        }
        let result = match self.find(&entry.key) {
            Some(integration) => {
                let job = Job {
                    notification: &notification,
                    idempotency_key,
                    now: entry.due_at,
                    deadline: Deadline::after(integration.timeout()),
                    context: &self.context,
                    texts: &texts,
                    receipt: entry.receipt.as_deref(),
                };
                integration.send(&job, &mut redactor).await
            }
            None => Err(Undelivered::refused(FailureClass::Other, missing(&entry.key))),
        };
        match result {
            Ok(Sent { receipt }) => {
                AttemptOutcome::Delivered { receipt, fallbacks: texts.into_fallbacks() }
            }
            Err(undelivered) => undelivered.into_outcome(&redactor),
        }
    }

    fn texts(&self, notification: &Arc<Notification>, now: Timestamp) -> Texts {
        let data = tocsin_template::data(notification, &self.context.external_url);
        Texts::new(Arc::clone(&self.context.templates), data, now)
    }

    fn find(&self, key: &LogKey) -> Option<&Integration> {
        let place = (Arc::clone(&key.receiver), Arc::clone(&key.kind), key.index);
        self.integrations.get(&place)
    }
}

/// Fills in the templates among the labels of the route; `None` when there are none.
fn with_route_labels(notification: &Notification, texts: &Texts) -> Option<Arc<Notification>> {
    let labels = &notification.route_labels;
    if !labels.iter().any(|(_, value)| value.contains("{{")) {
        return None;
    }
    let filled = labels.iter().map(|(name, value)| {
        let template = Template::new(value);
        (name.to_owned(), texts.optional(&format!("labels.{name}"), Some(&template)))
    });
    let route_labels = filled.collect();
    Some(Arc::new(Notification { route_labels, ..notification.clone() }))
}

fn missing(key: &LogKey) -> String {
    format!(
        "receiver `{}` has no {} number {} in the running configuration",
        key.receiver, key.kind, key.index
    )
}

/// The senders made so far, one per distinct `http_config`.
pub(crate) struct Senders<'a> {
    context: &'a Context,
    all: Vec<Arc<Sender>>,
    strict: Vec<Arc<Sender>>,
}

impl Senders<'_> {
    /// Returns the sender for addresses that the configuration file names.
    pub(crate) fn get(&mut self, config: Option<&HttpConfig>) -> Result<Arc<Sender>, ClientError> {
        Self::find(&mut self.all, config, self.context, &self.context.guard)
    }

    /// Returns the sender for addresses that people set.
    pub(crate) fn strict(
        &mut self,
        config: Option<&HttpConfig>,
    ) -> Result<Arc<Sender>, ClientError> {
        let guard = self.context.guard.strict();
        Self::find(&mut self.strict, config, self.context, &guard)
    }

    fn find(
        known: &mut Vec<Arc<Sender>>,
        config: Option<&HttpConfig>,
        context: &Context,
        guard: &Guard,
    ) -> Result<Arc<Sender>, ClientError> {
        let default = HttpConfig::default();
        let config = config.unwrap_or(&default);
        if let Some(sender) = known.iter().find(|sender| sender.serves(config)) {
            return Ok(Arc::clone(sender));
        }
        let sender = Arc::new(Sender::new(config, &context.user_agent, guard)?);
        known.push(Arc::clone(&sender));
        Ok(sender)
    }
}

impl Integration {
    fn new(config: &IntegrationConfig, senders: &mut Senders<'_>) -> Result<Self, ClientError> {
        let settings = config.settings.clone();
        Ok(Self { sender: senders.get(http_config(&settings))?, settings })
    }

    fn timeout(&self) -> Duration {
        let configured = match &self.settings {
            Settings::Webhook(config) => config.timeout,
            Settings::Slack(config) => config.timeout,
            Settings::Pagerduty(config) => config.timeout,
            Settings::Incidentio(config) => config.timeout,
            _ => Duration::ZERO,
        };
        if configured.is_zero() { DEFAULT_TIMEOUT } else { configured }
    }

    async fn send(&self, job: &Job<'_>, redactor: &mut Redactor) -> Result<Sent, Undelivered> {
        let sender = &*self.sender;
        match &self.settings {
            Settings::Email(config) => email::send(config, job, redactor).await,
            Settings::Stdout(config) => stdout::send(config, job).await,
            Settings::Webhook(config) => webhook::send(config, sender, job, redactor).await,
            Settings::Slack(config) => slack::send(config, sender, job, redactor).await,
            Settings::Pagerduty(config) => pagerduty::send(config, sender, job, redactor).await,
            Settings::Opsgenie(config) => opsgenie::send(config, sender, job, redactor).await,
            Settings::Victorops(config) => victorops::send(config, sender, job, redactor).await,
            Settings::Pushover(config) => pushover::send(config, sender, job, redactor).await,
            Settings::Sns(config) => sns::send(config, sender, job, redactor).await,
            Settings::Telegram(config) => telegram::send(config, sender, job, redactor).await,
            Settings::Discord(config) => discord::send(config, sender, job, redactor).await,
            Settings::Webex(config) => webex::send(config, sender, job, redactor).await,
            Settings::Msteams(config) => msteams::send(config, sender, job, redactor).await,
            Settings::Msteamsv2(config) => msteamsv2::send(config, sender, job, redactor).await,
            Settings::Jira(config) => jira::send(config, sender, job, redactor).await,
            Settings::Rocketchat(config) => rocketchat::send(config, sender, job, redactor).await,
            Settings::Mattermost(config) => mattermost::send(config, sender, job, redactor).await,
            Settings::Incidentio(config) => incidentio::send(config, sender, job, redactor).await,
            Settings::Wechat(config) => wechat::send(config, sender, job, redactor).await,
        }
    }
}

/// Returns how the integration's HTTP client is set up; `None` for the defaults.
fn http_config(settings: &Settings) -> Option<&HttpConfig> {
    match settings {
        Settings::Email(_) | Settings::Stdout(_) => None,
        Settings::Webhook(config) => config.http_config.as_ref(),
        Settings::Slack(config) => config.http_config.as_ref(),
        Settings::Pagerduty(config) => config.http_config.as_ref(),
        Settings::Opsgenie(config) => config.http_config.as_ref(),
        Settings::Victorops(config) => config.http_config.as_ref(),
        Settings::Pushover(config) => config.http_config.as_ref(),
        Settings::Sns(config) => config.http_config.as_ref(),
        Settings::Telegram(config) => config.http_config.as_ref(),
        Settings::Discord(config) => config.http_config.as_ref(),
        Settings::Webex(config) => config.http_config.as_ref(),
        Settings::Msteams(config) => config.http_config.as_ref(),
        Settings::Msteamsv2(config) => config.http_config.as_ref(),
        Settings::Jira(config) => config.http_config.as_ref(),
        Settings::Rocketchat(config) => config.http_config.as_ref(),
        Settings::Mattermost(config) => config.http_config.as_ref(),
        Settings::Incidentio(config) => config.http_config.as_ref(),
        Settings::Wechat(config) => config.http_config.as_ref(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs `check` with a job as an attempt would make it.
    pub(crate) fn with_job<T>(notification: &Notification, check: impl FnOnce(&Job<'_>) -> T) -> T {
        let context = Context::new("http://tocsin.example", "0");
        check(&Job {
            notification,
            idempotency_key: "1-42",
            now: notification.decided_at,
            deadline: Deadline::after(DEFAULT_TIMEOUT),
            texts: &Texts::new(
                Arc::clone(&context.templates),
                tocsin_template::data(&Arc::new(notification.clone()), "http://tocsin.example"),
                notification.decided_at,
            ),
            context: &context,
            receipt: None,
        })
    }
}
