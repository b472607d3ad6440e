//! Query parameters, read strictly: a misspelt filter must not silently show everything.

use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use jiff::Timestamp;
use tocsin_core::identity::Handle;
use tocsin_wire::v1::{FieldError, ProblemCode};
use utoipa::IntoParams;

use super::cursor::{DEFAULT_LIMIT, MAX_LIMIT};
use super::problem::{Answer, Refusal};

/// The most parameters of one request.
const MAX_PARAMETERS: usize = 200;

/// How much of an unknown name is compared with the known ones, which are much shorter.
const MAX_COMPARED_CHARS: usize = 64;

/// Reads `T` from the query.
pub(crate) struct Ask<T>(pub(crate) T);

/// What can be asked in a query. Its documentation is also the list of names that are known.
pub(super) trait FromQuery: IntoParams + Sized {
    /// Reads what is asked.
    ///
    /// # Errors
    /// A parameter has a value that cannot be.
    fn read(params: &Params) -> Answer<Self>;
}

impl<S: Send + Sync, T: FromQuery> FromRequestParts<S> for Ask<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        // Reading the raw query cannot fail.
        let query = RawQuery::from_request_parts(parts, state).await.ok().and_then(|it| it.0);
        let known: Vec<String> =
            T::into_params(|| None).into_iter().map(|parameter| parameter.name).collect();
        let params = Params::parse(query.as_deref().unwrap_or_default(), &known)?;
        T::read(&params).map(Self)
    }
}

/// Asks for nothing, so that any parameter is refused.
pub(crate) struct Nothing;

impl IntoParams for Nothing {
    fn into_params(
        _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        Vec::new()
    }
}

impl FromQuery for Nothing {
    fn read(_: &Params) -> Answer<Self> {
        Ok(Self)
    }
}

/// The parameters of a request, in order, all of them known.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query.
    ///
    /// # Errors
    /// A name is not among the `known` ones.
    pub(super) fn parse(query: &str, known: &[String]) -> Answer<Self> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let pairs: Vec<(String, String)> = pairs.take(MAX_PARAMETERS + 1).collect();
        if pairs.len() > MAX_PARAMETERS {
            let detail = format!("there are more than {MAX_PARAMETERS} parameters");
            return Err(Refusal::new(ProblemCode::InvalidParameter, detail));
        }
        match pairs.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => Err(unknown(name, known)),
            None => Ok(Self(pairs)),
        }
    }

    /// Returns all values of a parameter.
    pub(super) fn many(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Returns the only value of a parameter.
    ///
    /// # Errors
    /// There are two.
    pub(super) fn one(&self, name: &str) -> Answer<Option<&str>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(String::as_str)),
            (_, Some(_)) => Err(invalid(name, "may be given once only")),
        }
    }

    /// Returns the only value of a parameter as text of its own.
    pub(super) fn text(&self, name: &str) -> Answer<Option<String>> {
        Ok(self.one(name)?.map(str::to_owned))
    }

    /// Returns a value that can be read; `expected` says what one looks like.
    pub(super) fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Answer<Option<T>> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        let value = value.parse().map_err(|_| invalid(name, format!("must be {expected}")))?;
        Ok(Some(value))
    }

    /// Returns an instant.
    pub(super) fn instant(&self, name: &str) -> Answer<Option<Timestamp>> {
        self.parsed(name, "an instant such as 2026-11-20T12:00:00Z (RFC 3339)")
    }

    /// Returns a value of a closed list, as JSON writes it.
    pub(super) fn choice<T: serde::de::DeserializeOwned>(&self, name: &str) -> Answer<Option<T>> {
        self.one(name)?.map(|value| read_choice(name, value)).transpose()
    }

    /// Returns all values of a parameter whose values are a closed list.
    pub(super) fn choices<T: serde::de::DeserializeOwned>(&self, name: &str) -> Answer<Vec<T>> {
        self.many(name).iter().map(|value| read_choice(name, value)).collect()
    }

    /// Returns how many entries a page has.
    pub(super) fn limit(&self) -> Answer<usize> {
        let expected = format!("a number from 1 to {MAX_LIMIT}");
        match self.parsed("limit", &expected)? {
            None => Ok(DEFAULT_LIMIT),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            Some(_) => Err(invalid("limit", format!("must be {expected}"))),
        }
    }
}

fn read_choice<T: serde::de::DeserializeOwned>(name: &str, value: &str) -> Answer<T> {
    // Serde's complaint lists what would do.
    serde_json::from_value(value.into()).map_err(|error| invalid(name, error.to_string()))
}

/// Reads every word of a list; `known` says which there are.
pub(super) fn words<T>(
    name: &str,
    list: &[String],
    known: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Answer<Vec<T>> {
    let word = |word: &String| {
        read(word).ok_or_else(|| invalid(name, format!("`{word}` is none of {known}")))
    };
    list.iter().map(word).collect()
}

/// Reads a handle.
pub(super) fn person(name: &str, text: Option<&str>) -> Answer<Option<Handle>> {
    let handle = text.map(Handle::parse).transpose();
    handle.map_err(|error| invalid(name, error.to_string()))
}

/// Refuses the value of a parameter.
pub(super) fn invalid(name: &str, message: impl Into<String>) -> Refusal {
    Refusal::about(ProblemCode::InvalidParameter, FieldError::of(name, message))
}

fn unknown(name: &str, known: &[String]) -> Refusal {
    let message = match nearest(name, known.iter().map(String::as_str)) {
        Some(nearest) => format!("does not exist; did you mean `{nearest}`?"),
        None if known.is_empty() => "does not exist; there are no parameters here".to_owned(),
        None => format!("does not exist; there are {}", known.join(", ")),
    };
    Refusal::about(ProblemCode::UnknownParameter, FieldError::of(name, message))
}

/// Returns the known name that is most like `name`, unless none is.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: String = name.chars().take(MAX_COMPARED_CHARS).collect::<String>().to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(2))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["filter", "state", "limit", "cursor"].map(str::to_owned).to_vec()
    }

    fn parse(query: &str) -> Answer<Params> {
        Params::parse(query, &known())
    }

    fn detail<T: std::fmt::Debug>(answer: Answer<T>) -> String {
        answer.unwrap_err().problem().detail.clone()
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_known_one() {
        assert_eq!(detail(parse("stat=x")), "`stat`: does not exist; did you mean `state`?");
        assert_eq!(
            detail(parse("receiver=x")),
            "`receiver`: does not exist; there are filter, state, limit, cursor"
        );
        assert_eq!(
            detail(Params::parse("a=1", &[])),
            "`a`: does not exist; there are no parameters here"
        );
    }

    #[test]
    fn a_parameter_that_is_single_may_not_be_repeated() {
        let params = parse("filter=a&filter=b&state=c&state=d").unwrap();
        assert_eq!(params.many("filter"), ["a", "b"]);
        assert_eq!(detail(params.one("state")), "`state`: may be given once only");
        assert_eq!(params.one("cursor").unwrap(), None);
    }

    #[test]
    fn the_size_of_a_page_is_bounded() {
        assert_eq!(parse("").unwrap().limit().unwrap(), DEFAULT_LIMIT);
        assert_eq!(parse("limit=1000").unwrap().limit().unwrap(), MAX_LIMIT);
        for query in ["limit=0", "limit=1001", "limit=-1", "limit=many", "limit="] {
            let detail = detail(parse(query).unwrap().limit());
            assert_eq!(detail, "`limit`: must be a number from 1 to 1000", "{query}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let query = "filter=a&".repeat(MAX_PARAMETERS + 1);
        assert_eq!(detail(parse(&query)), "there are more than 200 parameters");
    }

    #[test]
    fn a_closed_list_names_what_would_do() {
        use tocsin_wire::v1::AlertState;
        let params = parse("state=activ").unwrap();
        let detail = detail(params.choice::<AlertState>("state"));
        assert!(detail.contains("`active`, `suppressed`"), "{detail}");
    }
}
