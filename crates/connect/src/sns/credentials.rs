//! Who we are to Amazon: a key from the settings, the environment or the shared file; and a role
//! taken on with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tocsin_config::{Secret, Sigv4};
use tocsin_core::notification::FailureClass;

use super::{TARGET, xml_text};
use crate::failure::Undelivered;
use crate::redact::Redactor;
use crate::secret::offload;

/// The longest shared file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The most roles whose keys are kept; beyond it the one that ends first is forgotten.
const MAX_ROLES: usize = 100;

/// How long before its end a key is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// What proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
    pub(super) session_token: Option<Secret>,
}

impl Credentials {
    /// Hides all of it that is a secret.
    pub(super) fn hide(&self, redactor: &mut Redactor) {
        redactor.hide(self.secret_key.expose());
        if let Some(token) = &self.session_token {
            redactor.hide(token.expose());
        }
    }
}

/// Returns the key: from the settings, from the profile they name, from the environment, or from
/// the default profile, whichever is there first.
pub(super) async fn own(config: &Sigv4) -> Result<Credentials, Undelivered> {
    if let Some(secret) = config.secret_key.as_ref().filter(|_| !config.access_key.is_empty()) {
        return Ok(Credentials {
            access_key: config.access_key.clone(),
            secret_key: secret.fetch().map_err(|why| crate::secret::missing(&why))?,
            session_token: None,
        });
    }
    let profile = Some(config.profile.as_str()).filter(|name| !name.is_empty());
    if profile.is_none()
        && let Some(found) = from_environment()
    {
        return Ok(found);
    }
    let profile =
        profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE")).unwrap_or("default".into());
    let Some(path) = shared_file() else {
        return Err(missing("no key in `sigv4` or the environment, and no home directory"));
    };
    let shown = path.display().to_string();
    let text = offload(move || read_bounded(&path)).await.map_err(|_| {
        missing(&format!("no key in `sigv4` or the environment, and `{shown}` cannot be read"))
    })?;
    of_profile(&text, &profile)
        .ok_or_else(|| missing(&format!("`{shown}` has no complete profile `{profile}`")))
}

/// Returns the region: from the settings, the environment, or the name of the topic.
pub(super) fn region(config: &Sigv4, arn: &str) -> Result<String, Undelivered> {
    let from_arn = || arn.split(':').nth(3).map(str::to_owned);
    Some(config.region.clone())
        .filter(|region| !region.is_empty())
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(from_arn)
        .filter(|region| !region.is_empty())
        .ok_or_else(|| missing("`sigv4.region` is not set"))
}

fn missing(why: &str) -> Undelivered {
    Undelivered::refused(FailureClass::AuthError, format!("{TARGET}: {why}"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn from_environment() -> Option<Credentials> {
    Some(Credentials {
        access_key: variable("AWS_ACCESS_KEY_ID")?,
        secret_key: Secret::new(variable("AWS_SECRET_ACCESS_KEY")?),
        session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
    })
}

fn shared_file() -> Option<PathBuf> {
    let named = variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    named.or_else(|| Some(std::env::home_dir()?.join(".aws/credentials")))
}

fn read_bounded(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads one profile of a shared file.
fn of_profile(text: &str, profile: &str) -> Option<Credentials> {
    let mut values = BTreeMap::new();
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_inside = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=')
            && is_inside
            && !line.starts_with(['#', ';'])
        {
            values.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    Some(Credentials {
        access_key: values.remove("aws_access_key_id")?,
        secret_key: Secret::new(values.remove("aws_secret_access_key")?),
        session_token: values.remove("aws_session_token").map(Secret::new),
    })
}

/// What a role is known by: the role, what it asks for, and the key it was taken on with.
pub(super) type RoleKey = (String, String, String);

/// The roles taken on, until their keys end.
static ROLES: LazyLock<Mutex<BTreeMap<RoleKey, (Credentials, Timestamp)>>> =
    LazyLock::new(Mutex::default);

/// Returns the key of a role that was taken on before, as long as it is good.
pub(super) fn remembered(role: &RoleKey, now: Timestamp) -> Option<Credentials> {
    let roles = ROLES.lock().unwrap_or_else(PoisonError::into_inner);
    let (credentials, until) = roles.get(role)?;
    (now.saturating_add(MARGIN).unwrap_or(Timestamp::MAX) < *until).then(|| credentials.clone())
}

/// Remembers the key of a role.
pub(super) fn remember(role: RoleKey, credentials: Credentials, until: Timestamp) {
    let mut roles = ROLES.lock().unwrap_or_else(PoisonError::into_inner);
    if roles.len() >= MAX_ROLES
        && let Some(first) = roles.iter().min_by_key(|(_, (_, until))| *until)
    {
        let first = first.0.clone();
        roles.remove(&first);
    }
    roles.insert(role, (credentials, until));
}

/// Forgets the key of a role, because it was refused.
pub(super) fn forget(role: &RoleKey) {
    ROLES.lock().unwrap_or_else(PoisonError::into_inner).remove(role);
}

/// Reads what the token service answered.
pub(super) fn of_answer(xml: &str) -> Option<(Credentials, Timestamp)> {
    let credentials = Credentials {
        access_key: xml_text(xml, "AccessKeyId")?,
        secret_key: Secret::new(xml_text(xml, "SecretAccessKey")?),
        session_token: Some(Secret::new(xml_text(xml, "SessionToken")?)),
    };
    Some((credentials, xml_text(xml, "Expiration")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_between_others() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=S\n\
                    # [x]\n[ops]\naws_access_key_id=B\naws_secret_access_key = s = 1\n\
                    aws_session_token= T\n[half]\naws_access_key_id=C\n";
        let found = of_profile(text, "ops").unwrap();
        assert_eq!((found.access_key.as_str(), found.secret_key.expose()), ("B", "s = 1"));
        assert_eq!(found.session_token.unwrap().expose(), "T");
        assert_eq!(of_profile(text, "default").unwrap().access_key, "A");
        assert!(of_profile(text, "half").is_none());
        assert!(of_profile(text, "gone").is_none());
    }

    #[test]
    fn a_role_is_remembered_until_shortly_before_its_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let role = ("arn:aws:iam::1:role/a".to_owned(), String::new(), "A".to_owned());
        let credentials = Credentials {
            access_key: "R".to_owned(),
            secret_key: Secret::new("S"),
            session_token: None,
        };
        remember(role.clone(), credentials, at("2026-11-20T16:00:00Z"));
        assert!(remembered(&role, at("2026-11-20T15:54:00Z")).is_some());
        assert!(remembered(&role, at("2026-11-20T15:56:00Z")).is_none());
        forget(&role);
        assert!(remembered(&role, at("2026-11-20T15:54:00Z")).is_none());
    }
}
