//! The settings file: a strict superset of `alertmanager.yml`.
//!
//! [`load`] reads a file or a directory and returns either everything the rest of the program
//! needs ([`Loaded`]) or everything that is wrong ([`Report`]), each with its place.

mod calendar;
mod channels;
mod compile;
mod config;
mod diagnostic;
mod document;
mod environment;
mod escalation;
mod global;
mod http;
mod identity;
mod inbound;
mod incidents;
mod inherit;
mod integration;
mod interval;
mod load;
mod messages;
mod native;
mod observability;
mod original;
mod outbound;
mod reader;
mod receivers;
mod reference;
mod route;
mod schedule;
mod schema;
mod section;
mod show;
mod source;
mod tenant;
mod values;
mod web;
mod yaml;

pub use calendar::{
    CalendarConfig, CalendarKindWord, CalendarPlace, CalendarSource, CalendarSources, CalendarUrl,
};
pub use channels::{
    ChannelsConfig, DiscordChannelConfig, EmailChannelConfig, MattermostChannelConfig,
    MsteamsChannelConfig, NtfyChannelConfig, OpsgenieChannelConfig, PagerdutyChannelConfig,
    PhoneNumber, SlackChannelConfig, TelegramChannelConfig, TwilioChannelConfig, UserGroupConfig,
    WebPushChannelConfig, WebhookChannelConfig,
};
pub use config::{Config, Limits, Retention};
pub use diagnostic::{Diagnostic, Report, Severity};
pub use environment::VARIABLES;
pub use escalation::*;
pub use global::GlobalConfig;
pub use http::{Authorization, BasicAuth, HttpConfig, HttpHeader, OAuth2, TlsConfig, TlsVersion};
pub use identity::{
    Access, AccessConfig, Allow, AllowConfig, GrantText, HandleText, Loopback, MemberConfig,
    NetworkText, OidcConfig, OidcRules, PermissionText, PersonConfig, RoleWord, TeamConfig,
};
pub use inbound::{InboundConfig, InboundKind, MappingConfig};
pub use incidents::{IncidentsConfig, OpenFromWord, PostmortemFromWord};
pub use integration::{IntegrationConfig, ReceiverConfig, Settings};
pub use load::{Environment, LoadOptions, Loaded, load, load_str};
pub use messages::{AudienceWord, MessageTargetText, MessageTemplateConfig};
pub use native::*;
pub use observability::*;
pub use outbound::{OutboundConfig, OutboundRules, Place, PlaceText, PrivateWord};
pub use receivers::*;
pub use reference::reference_markdown;
pub use schedule::{
    ClockText, CombineWord, Day, DayText, LengthText, MemberText, ModeWord, RolloutWord,
};
pub use schema::json_schema;
pub use source::{MAX_FILE_BYTES, MAX_FILES};
pub use tenant::{DEFAULT_TENANT, MAX_TENANTS, Tenant, TenantConfig};
pub use values::*;
pub use web::{ClientAuth, HttpServerConfig, TlsServerConfig, WebConfig, load_web, load_web_str};
