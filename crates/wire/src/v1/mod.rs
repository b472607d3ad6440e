//! Our own REST API under `/api/v1`: `snake_case`, RFC 3339 in UTC, problem details on failure.
//!
//! Requests refuse unknown fields, so a typing error never passes silently. Answers may gain
//! fields within the version; clients ignore what they do not know.

mod acknowledgement;
mod action;
mod alert;
mod audit;
mod change;
pub mod chat_import;
mod contact;
mod escalation;
mod escalation_policy;
mod event;
mod explain;
mod group;
mod hook;
mod identity;
mod import;
mod incident;
mod incident_edit;
mod incident_message;
mod incident_more;
mod incident_people;
mod incident_report;
mod knowledge;
mod lesson;
mod maintenance;
mod matcher;
mod notification;
mod oncall;
mod page;
mod paging;
mod problem;
mod receiver_test;
mod routing;
pub mod sentence;
mod session;
mod severity;
mod shift;
mod silence;
mod status;
mod timeline;

pub use acknowledgement::{
    Acknowledgement, AcknowledgementDraft, AcknowledgementEndDraft, ChangedAlerts, NoteDraft,
};
pub use action::{ActionDraft, ActionItem, ActionPage, ActionPatch, ActionResult};
pub use alert::{
    Alert, AlertPosting, AlertState, IngestReport, MAX_REPORTED_ERRORS, PostedAlert, Suppression,
};
pub use audit::{AuditPage, AuditVerdict};
pub use change::{Change, ChangeDraft, ChangeLink};
pub use contact::{
    ContactCode, ContactMethod, ContactMethodDraft, NotificationRule, NotificationRules,
    PersonContacts, QuietTime,
};
pub use escalation::{
    AnswerDraft, AnswerResult, Escalation, EscalationAudit, EscalationDetail, EscalationDraft,
    EscalationHistory, EscalationState, NextStep, PagedPerson, PlannedPage, ReachedStep,
    SnoozeDraft, WaitingPage, standing,
};
pub use escalation_policy::{
    EnoughAlerts, EscalationPolicies, EscalationPolicy, EscalationPolicyDraft, PolicyNotice,
    PolicyNotices, PolicyStep, SimulatedMessage, SimulatedPerson, SimulatedStep, Simulation,
    SimulationRequest, Wait,
};
pub use event::{Event, Hello, KINDS, Reset, ResetReason, Subject, SubjectKind};
pub use explain::{AlertExplanation, GroupStanding, IntegrationStanding, PendingMessage};
pub use group::{Group, GroupDetail};
pub use hook::{HookPreview, HookPreviewRequest, HookReport, PreviewedAlert};
pub use identity::{
    AllowedIn, Identity, NewToken, Origin, OwnedThing, OwnedThings, PeoplePage, Person,
    PersonDraft, SecretDraft, SignInLinkMade, StoredSecret, StoredSecrets, Team, TeamDraft,
    TeamMember, Teams, Token, TokenDraft, TokenWish, Tokens, read_grant,
};
pub use import::{ImportSource, ImportState, ImportStates, ScheduleImport};
pub use incident_message::{
    IncidentMessage, IncidentMessagePreview, IncidentUpdate, MessageAudience, MessageTemplateList,
    MessageTemplateRow,
};
pub use incident_report::{
    IncidentGroupBy, IncidentReport, IncidentReportGroup, IncidentSummary, KeptPromises,
    incident_report_csv,
};
pub use knowledge::{
    Article, ArticleDraft, KnowledgeItem, KnowledgePage, SimilarIncident, SimilarIncidents,
};
pub use lesson::{
    Postmortem, PostmortemComment, PostmortemCommentDraft, PostmortemComments, PostmortemDetail,
    PostmortemLive, PostmortemMove, PostmortemPage, PostmortemPatch, PostmortemPerson,
    PostmortemRecommendation, PostmortemResult, PostmortemRow, PostmortemSection,
    PostmortemSentence, PostmortemVersion, PostmortemVersions, WordingHint,
};
pub use maintenance::{
    MaintenanceOccurrence, MaintenanceWindow, MaintenanceWindowDraft, NewMaintenanceWindow,
};
pub use matcher::{Matcher, MatcherError, WrittenMatcher, compile_matchers};
pub use notification::Notification;
pub use oncall::*;
pub use page::{
    AlertPage, ChangePage, EscalationPage, EventPage, GroupPage, IncidentPage,
    MaintenanceWindowPage, NotificationPage, ReceiverPage, SilencePage,
};
pub use paging::{Heartbeat, Heartbeats, PageMoment, PagedMessage, PagedMessages, WhyPaged};
pub use problem::{FieldError, Problem, ProblemCode};
pub use receiver_test::{ReceiverTest, ReceiverTestResult, TestedIntegration};
pub use routing::{
    Integration, Receiver, Route, RouteStep, RouteTest, RouteTestResult, TakenRoute,
};
pub use sentence::{Directory, Mentions, Names, sentence};
pub use session::{
    CodeDraft, LinkDraft, PasswordDraft, RecoveryCodes, SecondFactor, Session, Sessions,
    SignInDraft,
};
pub use severity::{
    IncidentClassification, IncidentTargets, Severities, SeverityRole, SeverityRow,
};
pub use shift::*;
pub use silence::{Silence, SilenceDraft, SilencePreview, SilencePreviewRequest, SilenceState};
pub use status::{ConfigurationStatus, Counts, Readiness, Status};

pub use incident::{
    Incident, IncidentAlertRow, IncidentAssignment, IncidentCategory, IncidentComment,
    IncidentCycle, IncidentDetail, IncidentEntry, IncidentEvidence, IncidentMetric, IncidentMode,
    IncidentMove, IncidentMoveTo, IncidentRating, IncidentReminder, IncidentResolution,
    IncidentResult, IncidentState, IncidentStatus, IncidentTransition, MAX_LISTED_INCIDENT_ALERTS,
    transitions,
};
pub use incident_edit::{
    IncidentAlertPage, IncidentAlertPatch, IncidentAlertRole, IncidentDraft, IncidentImpact,
    IncidentPatch, IncidentTicket,
};
pub use incident_more::{
    ChatFormat, IncidentAccessAnswer, IncidentAccessAsked, IncidentAccessRequest, IncidentClose,
    IncidentImport, IncidentMention, IncidentMentionPage, IncidentRedaction, IncidentRestrict,
    IncidentRestricted, IncidentRevision, IncidentRowPatch, IncidentTask, IncidentTaskDraft,
    IncidentTaskPatch, IncidentTaskPriority, IncidentTaskStatus,
};
pub use incident_people::{
    IncidentDuplicate, IncidentHandover, IncidentHelpAnswer, IncidentHelpAsked, IncidentHolding,
    IncidentLink, IncidentLinkKind, IncidentMerge, IncidentPeople, IncidentRelations,
    IncidentRequest, IncidentResolveAll, IncidentRole, IncidentRoleGiven, IncidentRoleTaken,
    IncidentSnooze, IncidentSplit, IncidentSubscription,
};
pub(crate) use timeline::plain;
pub use timeline::{IncidentTimeline, timeline_csv, timeline_markdown};
