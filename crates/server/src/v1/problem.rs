//! Refusals: problem details (RFC 9457) with a stable code.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::command::{Rejection, Reply};
use tocsin_core::identity::IdentityRejection;
use tocsin_core::incident::{IncidentRejection, Refusal as Denied, TimeError};
use tocsin_core::lesson::LessonRejection;
use tocsin_core::oncall::OnCallRejection;
use tocsin_core::paging::{AnswerRejection, PagingRejection};
use tocsin_core::silence::SilenceRejection;
use tocsin_engine::EngineError;
use tocsin_store::StoreError;
use tocsin_wire::v1::{FieldError, Problem, ProblemCode};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How long a client should wait when the engine has too much to do, in seconds.
const BUSY_SECONDS: u32 = 1;

/// How long a client should wait when something is in the way that takes a person or a restart to
/// go away, in seconds.
const TROUBLE_SECONDS: u32 = 5;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    retry_after_seconds: Option<u32>,
}

/// What handlers return.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// Refuses with a code and words for people.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// Refuses because of one place in the request.
    pub(crate) fn about(code: ProblemCode, error: FieldError) -> Self {
        Problem::about(code, error).into()
    }

    /// Refuses a body whose fields make no sense.
    pub(super) fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => {
                format!("`{}`: {}", only.pointer.as_deref().unwrap_or_default(), only.message)
            }
            errors => format!("{} places of the body make no sense", errors.len()),
        };
        Problem::new(ProblemCode::Unprocessable, detail).with_errors(errors).into()
    }

    /// Refuses a body because of one field.
    pub(crate) fn field(pointer: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::at(pointer, message)])
    }

    /// Answers that there is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotFound, detail)
    }

    /// Answers that the engine said something that does not fit what it was asked.
    pub(crate) fn unexpected(reply: &Reply) -> Self {
        tracing::error!(?reply, "the engine's answer does not fit the command");
        Self::new(ProblemCode::Internal, "the engine's answer does not fit the command")
    }

    /// Says where an incident could go instead.
    fn allowing(mut self, why: &IncidentRejection) -> Self {
        self.problem.allowed = why.allowed().iter().map(|(to, _)| to.to_string()).collect();
        self
    }

    /// Says when to come back.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Returns the code.
    pub(crate) fn code(&self) -> ProblemCode {
        self.problem.code
    }

    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns what is said to people.
    pub(crate) fn detail(&self) -> &str {
        &self.problem.detail
    }

    #[cfg(test)]
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), retry_after_seconds: None }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let (code, seconds) = match &error {
            EngineError::Overloaded { .. } => (ProblemCode::Overloaded, BUSY_SECONDS),
            EngineError::NotWritten(_) => (ProblemCode::NotWritten, TROUBLE_SECONDS),
            EngineError::Unread(_) => (ProblemCode::HistoryUnavailable, TROUBLE_SECONDS),
            EngineError::Stopping => (ProblemCode::Stopping, TROUBLE_SECONDS),
        };
        Self::new(code, error.to_string()).retry_after(seconds)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Closed) {
            return EngineError::Stopping.into();
        }
        tracing::error!(%error, "the history cannot be read");
        Self::new(ProblemCode::HistoryUnavailable, "the history cannot be read at the moment")
            .retry_after(TROUBLE_SECONDS)
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let text = rejection.to_string();
        match rejection {
            Rejection::Silence(why) => match why {
                SilenceRejection::NotFound => Self::not_found(text),
                SilenceRejection::EndsBeforeStart | SilenceRejection::EndsInPast => {
                    Self::field("/ends_at", text)
                }
                SilenceRejection::MatchesEverything => Self::field("/matchers", text),
                SilenceRejection::TooLarge { .. } => Self::field("", text),
                SilenceRejection::TooMany { .. } => Self::new(ProblemCode::LimitReached, text),
            },
            Rejection::Identity(why) => Self::new(code_of(&why), text),
            Rejection::OnCall(why) => Self::new(code_of_on_call(&why), text),
            Rejection::Answer(why) => Self::new(code_of_answer(&why), text),
            Rejection::Paging(why) => Self::new(code_of_paging(&why), text),
            Rejection::Incident(why) => of_incident(&why, text),
            Rejection::Lesson(why) => of_lesson(&why, text),
            Rejection::UnknownHeartbeat { .. } => Self::not_found(text),
            Rejection::UnknownMaintenanceWindow { .. } => Self::not_found(text),
            Rejection::UnknownAlert { .. } | Rejection::NothingFires => Self::not_found(text),
            Rejection::NothingAcknowledged => Self::not_found(text),
            Rejection::ExpiryInThePast => Self::field("/expires_at", text),
            Rejection::TooManyAlerts { .. } => Self::new(ProblemCode::LimitReached, text),
            Rejection::Provisioned { .. } => Self::new(ProblemCode::Provisioned, text),
            Rejection::TooManyMaintenanceWindows { .. } => {
                Self::new(ProblemCode::LimitReached, text)
            }
        }
    }
}

/// Returns what is answered when nothing was done about an incident.
fn of_incident(why: &IncidentRejection, text: String) -> Refusal {
    let code = match why {
        IncidentRejection::Unknown { .. } => ProblemCode::NotFound,
        IncidentRejection::UnknownPart { .. } => ProblemCode::NotFound,
        IncidentRejection::Archived { .. }
        | IncidentRejection::Impossible { .. }
        | IncidentRejection::Unfinished { .. } => ProblemCode::Conflict,
        IncidentRejection::Refused(Denied::Never { .. } | Denied::Superseded { .. }) => {
            ProblemCode::TransitionDenied
        }
        IncidentRejection::Refused(Denied::Unexplained { .. }) => {
            return Refusal::field("/note", text).allowing(why);
        }
        IncidentRejection::Stale { .. } => ProblemCode::Stale,
        IncidentRejection::Invalid { field, message } => {
            return Refusal::field(&format!("/{field}"), message.clone());
        }
        IncidentRejection::Times { error } => {
            let fields = match *error {
                TimeError::Order { earlier, later } => vec![earlier, later],
                TimeError::NotReached(field) => vec![field.name()],
            };
            let error = |field| FieldError::at(format!("/{field}"), text.clone());
            let errors = fields.into_iter().map(error).collect();
            return Problem::new(ProblemCode::Unprocessable, text.clone())
                .with_errors(errors)
                .into();
        }
        IncidentRejection::UnknownPerson { .. } => return Refusal::field("/owner", text),
        IncidentRejection::TooMany { .. } => ProblemCode::LimitReached,
    };
    Refusal::new(code, text).allowing(why)
}

/// Returns what is answered when nothing changed in what is learned.
fn of_lesson(why: &LessonRejection, text: String) -> Refusal {
    use LessonRejection as Why;
    let code = match why {
        Why::UnknownIncident { .. }
        | Why::NoPostmortem { .. }
        | Why::UnknownAction { .. }
        | Why::UnknownArticle { .. } => ProblemCode::NotFound,
        Why::GoesOn { .. } | Why::Outdated | Why::Settled { .. } => ProblemCode::Conflict,
        Why::Never { .. } | Why::Incomplete { .. } => ProblemCode::TransitionDenied,
        Why::Stale { .. } => ProblemCode::Stale,
        Why::Unexplained { .. } => return Refusal::field("/reason", text),
        Why::Invalid { field, message } => {
            return Refusal::field(&format!("/{field}"), message.clone());
        }
        Why::UnknownPerson { .. } => return Refusal::field("/owner", text),
        Why::TooMany { .. } => ProblemCode::LimitReached,
    };
    let mut refusal = Refusal::new(code, text);
    refusal.problem.allowed = why.allowed().iter().map(ToString::to_string).collect();
    refusal
}

/// Returns what a refused change of who is on call is answered with.
fn code_of_on_call(why: &OnCallRejection) -> ProblemCode {
    use OnCallRejection as Why;
    match why {
        Why::UnknownSchedule(_) | Why::UnknownImport { .. } | Why::Unknown { .. } => {
            ProblemCode::NotFound
        }
        Why::Provisioned(_) => ProblemCode::Provisioned,
        Why::Overlaps { .. } | Why::BlockOverlaps { .. } => ProblemCode::Conflict,
        Why::SwapNotOpen { .. } | Why::InUse { .. } => ProblemCode::Conflict,
        Why::TooMany { .. } => ProblemCode::LimitReached,
        Why::Invalid { .. }
        | Why::UnknownLayer { .. }
        | Why::UnknownPerson(_)
        | Why::InThePast
        | Why::InTheFuture => ProblemCode::Unprocessable,
    }
}

/// Returns what an answer to a page that did nothing is answered with.
fn code_of_answer(why: &AnswerRejection) -> ProblemCode {
    use AnswerRejection as Why;
    match why {
        Why::UnknownRun { .. } => ProblemCode::NotFound,
        Why::Over { .. } | Why::Stale { .. } | Why::NoFurtherStep { .. } => ProblemCode::Conflict,
        Why::Stranger { .. } => ProblemCode::Forbidden,
        Why::SnoozeSpan => ProblemCode::Unprocessable,
    }
}

/// Returns what a refused change of policies or contact methods is answered with.
fn code_of_paging(why: &PagingRejection) -> ProblemCode {
    use PagingRejection as Why;
    match why {
        Why::UnknownPolicy { .. } | Why::UnknownPerson { .. } | Why::UnknownMethod { .. } => {
            ProblemCode::NotFound
        }
        Why::Policy(_) | Why::Address { .. } | Why::WrongCode => ProblemCode::Unprocessable,
        Why::PolicyInUse { .. } | Why::Unusable { .. } => ProblemCode::Conflict,
        Why::TooSoon => ProblemCode::RateLimited,
        Why::TooManyPolicies | Why::TooManyMethods | Why::TooManyRules | Why::TooManyRuns => {
            ProblemCode::LimitReached
        }
    }
}

/// Returns what a refused change of people, tokens or sessions is answered with.
fn code_of(why: &IdentityRejection) -> ProblemCode {
    use IdentityRejection as Why;
    match why {
        Why::UnknownPerson(_)
        | Why::UnknownTeam(_)
        | Why::UnknownToken(_)
        | Why::UnknownSession(_)
        | Why::UnknownSecret(_) => ProblemCode::NotFound,
        Why::Provisioned { .. } => ProblemCode::Provisioned,
        Why::TooMany { .. } | Why::TwoKeys { .. } => ProblemCode::LimitReached,
        Why::PersonExists(_) => ProblemCode::AlreadyExists,
        Why::LastAdmin(_) | Why::NoTotp | Why::Inactive(_) | Why::TeamInUse { .. } => {
            ProblemCode::Conflict
        }
        Why::ManagerCycle(_) => ProblemCode::Unprocessable,
        Why::CodeWanted => ProblemCode::SecondFactorRequired,
        Why::CodeUsed | Why::LinkEnded => ProblemCode::Unauthorized,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let answer = respond(&self.problem);
        match self.retry_after_seconds {
            Some(seconds) => ([(header::RETRY_AFTER, seconds.to_string())], answer).into_response(),
            None => answer,
        }
    }
}

/// Returns the answer to a request that is refused before it reaches a handler.
pub fn response(code: ProblemCode, detail: &str) -> Response {
    respond(&Problem::new(code, detail))
}

fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A problem is plain values, so writing it cannot fail.
    let body = serde_json::to_string(problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
}

/// Answers a method that a path does not have; the router adds `Allow`.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{} does not have the method {method}", uri.path());
    response(ProblemCode::MethodNotAllowed, &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(refusal: impl Into<Refusal>) -> String {
        let response = refusal.into().into_response();
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        format!("{} {:?}", response.status().as_u16(), retry_after)
    }

    #[test]
    fn an_engine_that_takes_nothing_says_when_to_come_back() {
        assert_eq!(shown(EngineError::Overloaded { waiting: 9 }), r#"503 Some("1")"#);
        assert_eq!(shown(EngineError::NotWritten("disk full".into())), r#"503 Some("5")"#);
        assert_eq!(shown(EngineError::Stopping), r#"503 Some("5")"#);
        assert_eq!(shown(StoreError::Closed), r#"503 Some("5")"#);
    }

    #[test]
    fn what_the_store_says_stays_in_the_log() {
        let refusal = Refusal::from(StoreError::Database("secret path".into()));
        assert_eq!(refusal.problem().code, ProblemCode::HistoryUnavailable);
        assert!(!refusal.problem().detail.contains("secret"));
    }

    #[test]
    fn rejections_have_the_status_of_their_kind() {
        let name = || "n".to_owned();
        for (rejection, status) in [
            (Rejection::Silence(SilenceRejection::NotFound), 404),
            (Rejection::Silence(SilenceRejection::EndsInPast), 422),
            (Rejection::Silence(SilenceRejection::MatchesEverything), 422),
            (Rejection::Silence(SilenceRejection::TooLarge { bytes: 2, limit: 1 }), 422),
            (Rejection::Silence(SilenceRejection::TooMany { limit: 1 }), 409),
            (Rejection::UnknownMaintenanceWindow { name: name() }, 404),
            (Rejection::NothingFires, 404),
            (Rejection::NothingAcknowledged, 404),
            (Rejection::ExpiryInThePast, 422),
            (Rejection::TooManyAlerts { limit: 1 }, 409),
            (Rejection::Provisioned { name: name() }, 409),
            (Rejection::TooManyMaintenanceWindows { limit: 1 }, 409),
        ] {
            assert_eq!(Refusal::from(rejection).problem().status, status);
        }
    }
}
