//! How people are paged: policies, contact methods, rules, heartbeats.

mod channels;
mod compile;
mod delay;
mod target;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Time;

use crate::identity::{HandleText, text_value};
use crate::reader::{Fields, Reader, Value};
use crate::section::{Out, Shape, Text, section, words};
use crate::yaml::Node;

pub(crate) use compile::{compile, heartbeats};
pub use delay::DelayConfig;
pub use target::TargetText;

const MINUTE: Duration = Duration::from_secs(60);

section! {
    /// Whom to page and when, while nobody answers.
    EscalationPolicyConfig, check = check_policy => {
        /// The name; receivers refer to it.
        @Native name: String;
        /// What it is for.
        @Native description: String;
        /// The team whose it is.
        @Native team: String;
        /// Which services it is for where a receiver says `escalation_policy: auto`; `*` is any
        /// text.
        @Native services: Vec<String>;
        /// Which severities it is for then.
        @Native severities: Vec<SeverityWord>;
        /// Which categories it is for then.
        @Native categories: Vec<String>;
        /// Whether it is for whatever no other serves.
        @Native default: bool;
        /// Who is paged, in order.
        @Native steps: Vec<StepConfig>;
        /// How often the steps are gone through again while nobody answers.
        @Native repeat: u32;
        /// How long after the last step the first is due again; unset follows the severity.
        @Native repeat_after: Option<DelayConfig>;
        /// Whose acknowledgement counts.
        @Native acknowledgement: AckWord;
        /// After how long an acknowledgement lapses and the escalation goes on; unset means never.
        @Native ack_timeout: Option<DelayConfig>;
        /// Who is paged where nobody else is found.
        @Native default_on_call: Option<HandleText>;
    }
}

section! {
    /// One rung of a policy.
    StepConfig, check = check_step => {
        /// How long after the step before it is due: a duration, or one for each severity. Unset
        /// follows the severity: 5, 15, 60 and 240 minutes.
        @Native after: Option<DelayConfig>;
        /// Its level, such as `L2`.
        @Native level: String;
        /// Who is paged: `ada`, `team:db`, `schedule:primary`, `schedule:primary/next`,
        /// `knows:postgres`, `slack:#db`.
        @Native page: Vec<TargetText>;
        /// Whether each new problem pages only the next of them in turn.
        @Native round_robin: bool;
        /// Whether a step that finds nobody is left at once.
        @Native skip_if_empty: bool = true;
        /// Whether people may be woken up; unset follows the severity.
        @Native urgency: Option<UrgencyWord>;
        /// Only for these severities.
        @Native severities: Vec<SeverityWord>;
        /// Only for these categories.
        @Native categories: Vec<String>;
        /// Only people for whom it is, or is not, a working hour where they live.
        @Native working_hours: Option<HoursWord>;
        /// Only when enough alerts fire.
        @Native at_least: Option<AtLeastConfig>;
    }
}

section! {
    /// So many alerts in such a time.
    AtLeastConfig => {
        /// How many.
        @Native alerts: u32 = 1;
        /// Counting those that began in this time before; unset counts all that fire.
        @Native within: Duration = Duration::ZERO;
    }
}

section! {
    /// A way to reach a person.
    ContactMethodConfig, check = check_method => {
        /// Its name, for rules; unset means the channel's.
        @Native id: String;
        /// What it is.
        @Native channel: ChannelWord;
        /// Where it leads: a number, an address, a member's id.
        @Native address: Option<AddressText>;
    }
}

section! {
    /// When a person is reached by which method.
    NotifyConfig => {
        /// For what is urgent; unset means all methods, a minute apart.
        @Native high: Vec<NotifyRuleConfig>;
        /// For everything else; unset means all methods, ten minutes apart.
        @Native low: Vec<NotifyRuleConfig>;
        /// When nothing that is not urgent goes out, where the person lives.
        @Native quiet_hours: Option<QuietHoursConfig>;
        /// Whether the person hears when somebody else took over or it ended.
        @Native updates: bool;
    }
}

section! {
    /// Some time after somebody is paged, one of their methods is used.
    NotifyRuleConfig, check = check_rule => {
        /// How long after.
        @Native after: Duration = Duration::ZERO;
        /// The method.
        @Native by: String;
    }
}

section! {
    /// A part of the day in which a person is left alone.
    QuietHoursConfig, check = check_quiet => {
        /// First minute.
        @Native from: Option<ClockText>;
        /// The minute after the last; not later than `from` means the next day.
        @Native to: Option<ClockText>;
        /// The days on which it begins; unset means every day.
        @Native weekdays: Vec<WeekdayWord>;
    }
}

section! {
    /// How paging works as a whole.
    PagingConfig => {
        /// When people work, each where they live.
        @Native working_hours: WorkingHoursConfig;
        /// The pauses before the second, third, … attempt to send a page.
        @Native retries: Vec<Duration> =
            vec![Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];
        /// How long an ended escalation is remembered, so that late answers are told so.
        @Native remember: Duration = Duration::from_secs(24 * 3600);
        /// After how many failures in a row a channel counts as down.
        @Native channel_failures: u32 = 5;
        /// How long a channel that is down is left alone.
        @Native channel_pause: Duration = Duration::from_secs(30);
        /// How often a method may be used, by channel, where not as usual.
        @Native throttle: BTreeMap<String, Vec<WindowConfig>>;
        /// Where we say that we are alive and that every due step ran.
        @Native heartbeat: Option<OutwardHeartbeatConfig>;
    }
}

section! {
    /// When people work.
    WorkingHoursConfig => {
        /// First minute; unset means 09:00.
        @Native from: Option<ClockText>;
        /// The minute after the last; unset means 18:00.
        @Native to: Option<ClockText>;
        /// The days; unset means Monday to Friday.
        @Native weekdays: Vec<WeekdayWord>;
    }
}

section! {
    /// At most so many in such a time.
    WindowConfig => {
        /// How many.
        @Native most: u32 = 1;
        /// In how long.
        @Native within: Duration = MINUTE;
    }
}

section! {
    /// Where we say that we are alive.
    OutwardHeartbeatConfig, check = check_outward => {
        /// The address to ask.
        @Native url: Option<AddressText>;
        /// How often.
        @Native every: Duration = MINUTE;
    }
}

section! {
    /// Something that is expected to say that it is alive.
    HeartbeatConfig, check = check_heartbeat => {
        /// The name, as its address has it.
        @Native name: String;
        /// How long it may stay silent.
        @Native timeout: Duration = MINUTE * 5;
        /// Labels of the alert.
        @Native labels: BTreeMap<String, String>;
        /// Annotations of the alert.
        @Native annotations: BTreeMap<String, String>;
    }
}

section! {
    /// What words of the label `severity` mean.
    SeverityConfig => {
        /// Words of your own, as in `page: sev1`.
        @Native words: BTreeMap<String, SeverityWord>;
        /// What any other word means, and none.
        @Native otherwise: SeverityWord;
    }
}

words! {
    /// How bad something is.
    SeverityWord {
        /// Critical.
        Sev1 = "sev1",
        /// High.
        Sev2 = "sev2",
        /// Medium.
        Sev3 = "sev3",
        /// Low.
        Sev4 = "sev4",
        /// Informational.
        Sev5 = "sev5",
    }
    default = Sev3
}

words! {
    /// Whose acknowledgement counts.
    AckWord {
        /// The first one's: nobody else is disturbed any more.
        First = "first",
        /// Everybody's who was paged.
        All = "all",
    }
    default = First
}

words! {
    /// Whether people may be woken up.
    UrgencyWord {
        /// They may.
        High = "high",
        /// Not in their quiet hours.
        Low = "low",
    }
    default = High
}

words! {
    /// Whether it has to be a working hour.
    HoursWord {
        /// It has to be one.
        Inside = "inside",
        /// It must not be one.
        Outside = "outside",
    }
    default = Inside
}

words! {
    /// A day of the week.
    WeekdayWord {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
    default = Monday
}

words! {
    /// A way to reach somebody.
    ChannelWord {
        /// Mail.
        Email = "email",
        /// A text message.
        Sms = "sms",
        /// A phone call.
        Voice = "voice",
        /// Slack.
        Slack = "slack",
        /// Microsoft Teams.
        Msteams = "msteams",
        /// Telegram.
        Telegram = "telegram",
        /// Mattermost.
        Mattermost = "mattermost",
        /// Discord.
        Discord = "discord",
        /// ntfy.
        Ntfy = "ntfy",
        /// A browser that subscribed.
        WebPush = "web_push",
        /// Anything that takes JSON.
        Webhook = "webhook",
        /// PagerDuty.
        Pagerduty = "pagerduty",
        /// Opsgenie.
        Opsgenie = "opsgenie",
        /// The standard output.
        Stdout = "stdout",
    }
    default = Email
}

text_value! {
    /// A time of day.
    ClockText(Time), "a time of day", |text| {
        let why = || "write it as `22:00`".to_owned();
        let (hour, minute) = text.split_once(':').ok_or_else(why)?;
        let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
        let (hour, minute) = (number(hour).ok_or_else(why)?, number(minute).ok_or_else(why)?);
        // The end of a day is the beginning of the next one.
        let hour = if (hour, minute) == (24, 0) { 0 } else { hour };
        Time::new(hour, minute, 0, 0).map_err(|_| why())
    }
}

impl std::fmt::Display for ClockText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// An address that may be as good as a secret, such as that of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressText(pub String);

impl Value for AddressText {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.secret_text(node, "an address").map(Self)
    }

    fn encode(&self) -> Out {
        if self.0.contains("://") || self.0.starts_with('{') {
            return Out::Secret;
        }
        Out::text(&self.0)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Named("address"))
    }
}

fn check_policy(_: &mut EscalationPolicyConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name", "steps"]);
}

fn check_step(_: &mut StepConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["page"]);
}

fn check_method(_: &mut ContactMethodConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["channel", "address"]);
}

fn check_rule(_: &mut NotifyRuleConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["by"]);
}

fn check_quiet(_: &mut QuietHoursConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["from", "to"]);
}

fn check_outward(
    outward: &mut OutwardHeartbeatConfig,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) {
    reader.require(fields, &["url"]);
    if outward.every < Duration::from_secs(10) {
        reader.error_at(fields, "every", "`every` must be 10 seconds or more");
    }
}

fn check_heartbeat(heartbeat: &mut HeartbeatConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["name"]);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !heartbeat.name.chars().all(is_plain) || heartbeat.name.len() > 100 {
        reader.error_at(fields, "name", "use up to 100 letters, digits, `-`, `_` and `.`");
    }
    if heartbeat.timeout < Duration::from_secs(10) {
        reader.error_at(fields, "timeout", "`timeout` must be 10 seconds or more");
    }
}
