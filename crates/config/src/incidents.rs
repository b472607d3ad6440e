//! When incidents begin, reopen and end by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use tocsin_core::incident::{Category, Duty, IncidentSettings};
use tocsin_core::severity::Severity;

use crate::document::Document;
use crate::messages::{self, MessageTargetText, MessageTemplateConfig};
use crate::reader::Reader;
use crate::section::{section, words};
use crate::values::signed;

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
        /// What messages about incidents are made from, beside those that are built in; one of
        /// the same name takes their place.
        @Native templates: Vec<MessageTemplateConfig>;
        /// Lists of those who are told, by name, as in `executives: [ada, "slack:#board"]`.
        @Native lists: BTreeMap<String, Vec<MessageTargetText>>;
        /// Values of variables in messages, such as `company_name` and `status_page_url`.
        @Native variables: BTreeMap<String, String>;
    }
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
        ..IncidentSettings::default()
    };
    messages::compile(config, reader, &mut settings);
    settings
}
