//! When incidents begin, reopen and end by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use tocsin_core::incident::{
    Automation, Category, Duty, IncidentSettings, PostmortemDuty, Role, SeverityTable,
};
use tocsin_core::severity::Severity;

use crate::document::Document;
use crate::messages::{self, MessageTargetText, MessageTemplateConfig};
use crate::reader::Reader;
use crate::section::{section, words};
use crate::values::signed;

/// The longest time that a severity may promise something in.
const MAX_TARGET_SECONDS: u64 = 90 * 24 * 3600;

/// The most days that a postmortem may take.
const MAX_POSTMORTEM_DAYS: u8 = 90;

/// The most that `storm_limit` may be.
const MAX_STORM_LIMIT: u32 = 10_000;

section! {
    /// When incidents begin, reopen and end by themselves.
    IncidentsConfig => {
        /// How bad an alert has to be to open an incident when any receiver is told of it. A
        /// receiver with `escalation_policy` opens one in any case.
        @Native open_from: OpenFromWord;
        /// What comes back so soon after its incident was resolved reopens it.
        @Native reopen_window: Duration = Duration::from_secs(4 * 3600);
        /// How long nothing of an incident may fire until it is resolved, while nobody has begun
        /// to work on it.
        @Native resolve_delay: Duration = Duration::from_secs(5 * 60);
        /// How long nothing of it may fire and nobody do anything until it is resolved, when
        /// somebody had begun.
        @Native resolve_after: Duration = Duration::from_secs(4 * 3600);
        /// How long after it was resolved an incident is closed.
        @Native close_after: Duration = Duration::from_secs(7 * 24 * 3600);
        /// So many incidents may begin by alerts within five minutes; what begins after that is
        /// one incident.
        @Native storm_limit: u32 = 50;
        /// What has to be done before an incident is closed, by people or by itself.
        @Native close_requires: Vec<DutyWord> = vec![DutyWord::Tasks, DutyWord::Postmortem];
        /// Incidents of these categories are restricted from the beginning: to whoever has them
        /// or declares them, and to their team.
        @Native restrict_categories: Vec<CategoryWord>;
        /// Whether people are reminded of what their incidents wait for.
        @Native remind: bool = true;
        /// How long nobody may do anything about an open incident until its timeline asks how it
        /// goes.
        @Native inactive_after: Duration = Duration::from_secs(7 * 24 * 3600);
        /// How bad an incident has to be that a postmortem begins once it is resolved, and has to
        /// be published.
        @Native postmortem_from: PostmortemFromWord;
        /// How long after the end a postmortem that has to be written may be missing until its
        /// owner is reminded.
        @Native postmortem_after: Duration = Duration::from_secs(48 * 3600);
        /// Whether a postmortem begins by itself when an incident ends that needs one.
        @Native begin_postmortems: bool = true;
        /// Whether a postmortem drafts itself; by hand it can be drafted in any case.
        @Native draft_postmortems: bool = true;
        /// Whether drafts recommend what to change.
        @Native recommend_actions: bool = true;
        /// Whether people are reminded of action items, and what is still open is noted when the
        /// same comes back.
        @Native track_actions: bool = true;
        /// Whether earlier incidents like one are looked for when one begins and when it is drafted.
        @Native use_knowledge: bool = true;
        /// What each severity asks for, where that is not what is usual.
        @Native severities: IncidentSeveritiesConfig;
        /// What messages about incidents are made from, beside those that are built in; one of
        /// the same name takes their place.
        @Native templates: Vec<MessageTemplateConfig>;
        /// Lists of those who are told, by name, as in `executives: [ada, "slack:#board"]`.
        @Native lists: BTreeMap<String, Vec<MessageTargetText>>;
        /// Values of variables in messages, such as `company_name` and `status_page_url`.
        @Native variables: BTreeMap<String, String>;
    }
}

section! {
    /// What each severity asks for.
    IncidentSeveritiesConfig => {
        /// Critical.
        @Native sev1: SeverityTargetsConfig;
        /// High.
        @Native sev2: SeverityTargetsConfig;
        /// Medium.
        @Native sev3: SeverityTargetsConfig;
        /// Low.
        @Native sev4: SeverityTargetsConfig;
        /// For information.
        @Native sev5: SeverityTargetsConfig;
    }
}

section! {
    /// What one severity asks for; what is left out is as usual.
    SeverityTargetsConfig => {
        /// Within what time somebody has taken it; 5m, 15m, 30m, 1h and 8h from sev1 to sev5.
        @Native acknowledge: Option<Duration>;
        /// How often somebody says how it goes; 15m, 30m, 1h, 2h and 1d.
        @Native update: Option<Duration>;
        /// After what time the next level hears that it is not over; 30m, 1h, 2h, 4h and 2d.
        @Native escalate: Option<Duration>;
        /// Within what time it is over, `0s` for no promise; 1h, 2h, 8h, 3d and none.
        @Native resolve: Option<Duration>;
        /// Roles that somebody must have; all at sev1 and sev2, technical lead, expert and responder
        /// at sev3, responder at sev4.
        @Native roles: Option<Vec<IncidentRoleWord>>;
        /// In how many days its postmortem is due; 3 at sev1, 5 that are no weekend at any other.
        @Native postmortem_days: Option<u32>;
        /// Whether those of the list `executives` hear that it began; at sev1 and sev2.
        @Native tells_executives: Option<bool>;
    }
}

words! {
    /// What somebody is in an incident.
    IncidentRoleWord {
        /// Decides and coordinates.
        IncidentCommander = "incident_commander",
        /// Leads the search for the cause and the repair.
        TechnicalLead = "technical_lead",
        /// Tells those who have to know.
        CommunicationsLead = "communications_lead",
        /// Writes down what happens.
        Scribe = "scribe",
        /// Knows what is concerned.
        SubjectMatterExpert = "subject_matter_expert",
        /// Works on it.
        Responder = "responder",
    }
    default = Responder
}

words! {
    /// How bad an alert has to be to open an incident.
    OpenFromWord {
        /// No alert does by itself.
        Never = "never",
        /// Critical.
        Sev1 = "sev1",
        /// High, or worse.
        Sev2 = "sev2",
        /// Medium, or worse.
        Sev3 = "sev3",
        /// Low, or worse.
        Sev4 = "sev4",
        /// Any.
        Sev5 = "sev5",
    }
    default = Never
}

words! {
    /// What has to be done before an incident is closed.
    DutyWord {
        /// Tasks that block are done or given up.
        Tasks = "tasks",
        /// A postmortem that the severity asks for is published.
        Postmortem = "postmortem",
        /// Every role that the severity asks for was somebody's.
        Roles = "roles",
        /// It has a category.
        Category = "category",
        /// It is said which service it was about.
        Service = "service",
        /// It has a summary.
        Summary = "summary",
        /// It is said when harm began and ended.
        Impact = "impact",
    }
    default = Tasks
}

words! {
    /// What kind of harm an incident is.
    CategoryWord {
        /// Something does not answer.
        Availability = "availability",
        /// Something is slow.
        Performance = "performance",
        /// Data is lost or wrong.
        DataIntegrity = "data_integrity",
        /// Somebody may do or see what they must not.
        Security = "security",
        /// Something is full, or will be.
        Capacity = "capacity",
        /// Somebody else's service fails.
        Dependency = "dependency",
        /// A setting is wrong.
        Configuration = "configuration",
        /// A model answers badly.
        Model = "model",
    }
    default = Security
}

impl From<DutyWord> for Duty {
    fn from(word: DutyWord) -> Self {
        match word {
            DutyWord::Tasks => Self::Tasks,
            DutyWord::Postmortem => Self::Postmortem,
            DutyWord::Roles => Self::Roles,
            DutyWord::Category => Self::Category,
            DutyWord::Service => Self::Service,
            DutyWord::Summary => Self::Summary,
            DutyWord::Impact => Self::Impact,
        }
    }
}

words! {
    /// How bad an incident has to be that it needs a postmortem.
    PostmortemFromWord {
        /// None does.
        Never = "never",
        /// Critical.
        Sev1 = "sev1",
        /// High, or worse.
        Sev2 = "sev2",
        /// Medium, or worse.
        Sev3 = "sev3",
        /// Low, or worse.
        Sev4 = "sev4",
        /// Any.
        Sev5 = "sev5",
    }
    default = Sev2
}

pub(crate) fn compile(document: &Document, reader: &mut Reader<'_>) -> IncidentSettings {
    let config = &document.incidents;
    if !(1..=MAX_STORM_LIMIT).contains(&config.storm_limit) {
        let span = reader.place(".incidents.storm_limit");
        reader.error_span(span, format!("must be a number from 1 to {MAX_STORM_LIMIT}"));
    }
    let mut settings = IncidentSettings {
        open_from: match config.open_from {
            OpenFromWord::Never => None,
            OpenFromWord::Sev1 => Some(Severity::Sev1),
            OpenFromWord::Sev2 => Some(Severity::Sev2),
            OpenFromWord::Sev3 => Some(Severity::Sev3),
            OpenFromWord::Sev4 => Some(Severity::Sev4),
            OpenFromWord::Sev5 => Some(Severity::Sev5),
        },
        reopen_window: signed(config.reopen_window),
        resolve_delay: signed(config.resolve_delay),
        resolve_after: signed(config.resolve_after),
        close_after: signed(config.close_after),
        storm_limit: usize::try_from(config.storm_limit).unwrap_or(usize::MAX),
        close_requires: config.close_requires.iter().map(|it| (*it).into()).collect(),
        restrict_categories: config
            .restrict_categories
            .iter()
            .filter_map(|it| Category::parse(it.as_str()))
            .collect(),
        remind: config.remind,
        inactive_after: signed(config.inactive_after),
        // The word for none is no severity.
        postmortem_from: Severity::from_word(config.postmortem_from.as_str()),
        postmortem_after: signed(config.postmortem_after),
        automation: Automation {
            begins_postmortems: config.begin_postmortems,
            drafts_postmortems: config.draft_postmortems,
            recommends_actions: config.recommend_actions,
            tracks_actions: config.track_actions,
            uses_knowledge: config.use_knowledge,
        },
        ..IncidentSettings::default()
    };
    severities(&config.severities, reader, &mut settings.severities);
    messages::compile(config, reader, &mut settings);
    settings
}

/// Puts what is configured into the table.
fn severities(
    config: &IncidentSeveritiesConfig,
    reader: &mut Reader<'_>,
    table: &mut SeverityTable,
) {
    let IncidentSeveritiesConfig { sev1, sev2, sev3, sev4, sev5 } = config;
    for (severity, given) in Severity::ALL.into_iter().zip([sev1, sev2, sev3, sev4, sev5]) {
        let mut minutes = |key: &str, span: Option<Duration>, least: u64| {
            let seconds = span?.as_secs();
            if seconds % 60 == 0 && (least * 60..=MAX_TARGET_SECONDS).contains(&seconds) {
                return u32::try_from(seconds / 60).ok();
            }
            let place = reader.place(&format!(".incidents.severities.{severity}.{key}"));
            let message = "must be whole minutes, from one minute to 90 days".to_owned();
            reader.error_span(place, message);
            None
        };
        let acknowledge = minutes("acknowledge", given.acknowledge, 1);
        let update = minutes("update", given.update, 1);
        let escalate = minutes("escalate", given.escalate, 1);
        let resolve = minutes("resolve", given.resolve, 0);
        let targets = table.of_mut(severity);
        targets.acknowledge_minutes = acknowledge.unwrap_or(targets.acknowledge_minutes);
        targets.update_minutes = update.unwrap_or(targets.update_minutes);
        targets.escalate_minutes = escalate.unwrap_or(targets.escalate_minutes);
        targets.resolve_minutes = match resolve {
            None => targets.resolve_minutes,
            Some(minutes) => Some(minutes).filter(|minutes| *minutes > 0),
        };
        targets.tells_executives = given.tells_executives.unwrap_or(targets.tells_executives);
        if let Some(roles) = &given.roles {
            let named: Vec<Role> = roles.iter().map(|role| (*role).into()).collect();
            targets.roles = Role::ALL.into_iter().filter(|role| named.contains(role)).collect();
        }
        if let Some(days) = given.postmortem_days {
            match u8::try_from(days).ok().filter(|days| (1..=MAX_POSTMORTEM_DAYS).contains(days)) {
                Some(days) => {
                    let (_, business) = targets.postmortem_days();
                    targets.postmortem = PostmortemDuty::Required { days, business };
                }
                None => {
                    let path = format!(".incidents.severities.{severity}.postmortem_days");
                    let message = format!("must be a number from 1 to {MAX_POSTMORTEM_DAYS}");
                    let place = reader.place(&path);
                    reader.error_span(place, message);
                }
            }
        }
    }
}

impl From<IncidentRoleWord> for Role {
    fn from(word: IncidentRoleWord) -> Self {
        match word {
            IncidentRoleWord::IncidentCommander => Self::IncidentCommander,
            IncidentRoleWord::TechnicalLead => Self::TechnicalLead,
            IncidentRoleWord::CommunicationsLead => Self::CommunicationsLead,
            IncidentRoleWord::Scribe => Self::Scribe,
            IncidentRoleWord::SubjectMatterExpert => Self::SubjectMatterExpert,
            IncidentRoleWord::Responder => Self::Responder,
        }
    }
}
