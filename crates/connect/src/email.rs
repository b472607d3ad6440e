//! Mail over SMTP.

mod compose;
mod layout;
mod sign_in;
mod smtp;

use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Identity, TlsParameters, TlsVersion as MinVersion,
};
use tocsin_config::{EmailConfig, SecretSource};
use tocsin_core::notification::FailureClass;

pub(crate) use self::layout::escape;
use self::sign_in::Credentials;
use self::smtp::{Security, Smarthost};
use crate::failure::{Undelivered, chain};
use crate::http::Deadline;
use crate::http::tls::{TlsMaterial, TlsVersion};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;

/// Sends one mail to all recipients.
pub(crate) async fn send(
    config: &EmailConfig,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let mail = compose::mail(config, job)?;
    hand_over(config, &mail, job.deadline, redactor).await?;
    Ok(Sent::default())
}

/// Hands a mail to the server of these settings.
pub(crate) async fn hand_over(
    config: &EmailConfig,
    mail: &lettre::Message,
    deadline: Deadline,
    redactor: &mut Redactor,
) -> Result<(), Undelivered> {
    let smarthost = smarthost(config, redactor).await?;
    let name = smarthost.name();
    // The dialogue is a large future; most attempts are not mails.
    deadline.bound(&name, Box::pin(smarthost.deliver(mail))).await?
}

async fn smarthost(
    config: &EmailConfig,
    redactor: &mut Redactor,
) -> Result<Smarthost, Undelivered> {
    let Some(server) = &config.smarthost else {
        return Err(unfit("no `smarthost` is set"));
    };
    let hello = config.hello.clone().filter(|hello| !hello.is_empty());
    let hello = hello.unwrap_or_else(|| "localhost".to_owned());
    if hello.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(unfit("`hello` is not a host name"));
    }
    let security = match (config.is_implicit_tls(), config.require_tls.unwrap_or(true)) {
        (true, _) => Security::Implicit(tls(config, &server.host).await?),
        (false, true) => Security::StartTls(tls(config, &server.host).await?),
        (false, false) => Security::None,
    };
    Ok(Smarthost {
        host: server.host.clone(),
        port: server.port,
        hello,
        security,
        credentials: credentials(config, redactor).await?,
    })
}

async fn credentials(
    config: &EmailConfig,
    redactor: &mut Redactor,
) -> Result<Option<Credentials>, Undelivered> {
    let Some(user) = config.auth_username.clone().filter(|user| !user.is_empty()) else {
        return Ok(None);
    };
    let mut read = async |source: Option<SecretSource<'_>>| match source {
        Some(source) => secret::read(source, redactor).await.map(Some),
        None => Ok(None),
    };
    let password = read(config.password()).await?;
    let secret = read(config.cram_md5_secret()).await?;
    if password.is_none() && secret.is_none() {
        return Err(unfit("`auth_username` is set but neither `auth_password` nor `auth_secret`"));
    }
    let identity = config.auth_identity.clone().unwrap_or_default();
    Ok(Some(Credentials { user, password, secret, identity }))
}

async fn tls(config: &EmailConfig, host: &str) -> Result<TlsParameters, Undelivered> {
    let settings = config.tls_config.clone().unwrap_or_default();
    let material = secret::offload(move || TlsMaterial::read(&settings)).await?;
    parameters(material, host).map_err(|error| unfit(&chain(&error)))
}

/// Turns the TLS settings into the mail client's. It knows no newest version: `max_version` is left
/// aside here, because being safer than asked breaks nothing but servers from before 2018.
fn parameters(
    material: TlsMaterial,
    host: &str,
) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let name = material.server_name.unwrap_or_else(|| host.to_owned());
    let mut builder = TlsParameters::builder(name);
    if let Some(pem) = &material.ca {
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem)?);
    }
    if let Some((certificate, key)) = &material.identity {
        builder = builder.identify_with(Identity::from_pem(certificate, key)?);
    }
    if material.insecure_skip_verify {
        builder = builder.dangerous_accept_invalid_certs(true);
    }
    if material.min_version == Some(TlsVersion::V13) {
        builder = builder.set_min_tls_version(MinVersion::Tlsv13);
    }
    builder.build()
}

pub(crate) fn unfit(why: &str) -> Undelivered {
    Undelivered::refused(FailureClass::Other, format!("email: {why}"))
}
