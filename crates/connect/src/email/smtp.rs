//! One mail over one connection, step by step, so that an error says which step it was.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use tocsin_core::notification::FailureClass;

use super::sign_in::{Credentials, Mechanism};
use crate::failure::{Undelivered, chain};

/// How long the farewell may take; the mail is already accepted then.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// The SMTP replies that are about who we are: RFC 4954, section 6.
const AUTH_CODES: [u16; 5] = [454, 530, 534, 535, 538];

/// A mail server and how to talk to it.
pub(super) struct Smarthost {
    /// Its name or address.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// How we introduce ourselves.
    pub(super) hello: String,
    /// How the connection is encrypted.
    pub(super) security: Security,
    /// How we prove who we are, if we do.
    pub(super) credentials: Option<Credentials>,
}

/// How the connection is encrypted.
pub(super) enum Security {
    /// TLS before the first word, as on port 465.
    Implicit(TlsParameters),
    /// STARTTLS, and no mail without it.
    StartTls(TlsParameters),
    /// Not at all.
    None,
}

impl Smarthost {
    /// Hands `mail` over; when this returns the server has taken responsibility for it.
    pub(super) async fn deliver(&self, mail: &Message) -> Result<(), Undelivered> {
        let mut connection = self.connect().await?;
        let result = self.converse(&mut connection, mail).await;
        // Delivered is delivered: what happens to the farewell does not matter.
        let _ = match result {
            Ok(()) => tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await.map(drop),
            Err(_) => tokio::time::timeout(QUIT_TIMEOUT, connection.abort()).await,
        };
        result
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let hello = ClientId::Domain(self.hello.clone());
        let implicit = match &self.security {
            Security::Implicit(parameters) => Some(parameters.clone()),
            Security::StartTls(_) | Security::None => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, None, &hello, implicit, None)
                .await
                .map_err(|error| self.undelivered("connecting", &error))?;
        if let Security::StartTls(parameters) = &self.security {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Undelivered::refused(
                    FailureClass::Other,
                    format!(
                        "{}: the server does not offer STARTTLS; set `require_tls: false` only if \
                         the network between is trusted",
                        self.name()
                    ),
                ));
            }
            connection
                .starttls(parameters.clone(), &hello)
                .await
                .map_err(|error| self.undelivered("STARTTLS", &error))?;
        }
        Ok(connection)
    }

    async fn converse(
        &self,
        connection: &mut AsyncSmtpConnection,
        mail: &Message,
    ) -> Result<(), Undelivered> {
        if let Some(credentials) = &self.credentials {
            self.authenticate(connection, credentials).await?;
        }
        connection
            .send(mail.envelope(), &mail.formatted())
            .await
            .map_err(|error| self.undelivered("sending", &error))?;
        Ok(())
    }

    /// A server that asks for no sign-in gets none; one that offers only what we cannot do is an
    /// error, told with what it offers.
    async fn authenticate(
        &self,
        connection: &mut AsyncSmtpConnection,
        credentials: &Credentials,
    ) -> Result<(), Undelivered> {
        // In clear, PLAIN is only used towards ourselves.
        let is_private = connection.is_encrypted() || self.is_loopback();
        let hello = Ehlo::new(ClientId::Domain(self.hello.clone()));
        let answer = connection
            .command(hello)
            .await
            .map_err(|error| self.undelivered("greeting", &error))?;
        let offered =
            answer.message().find_map(|line| line.strip_prefix("AUTH ").map(str::to_owned));
        let Some(offered) = offered else { return Ok(()) };
        let Some(mechanism) = credentials.choose(&offered, is_private) else {
            let message = format!(
                "{}: no usable way to sign in; the server offers {offered}, and there is PLAIN over \
                 TLS and LOGIN with `auth_password`, CRAM-MD5 with `auth_secret`",
                self.name()
            );
            return Err(Undelivered::refused(FailureClass::AuthError, message));
        };
        self.prove(connection, credentials, mechanism).await
    }

    async fn prove(
        &self,
        connection: &mut AsyncSmtpConnection,
        credentials: &Credentials,
        mechanism: Mechanism,
    ) -> Result<(), Undelivered> {
        match mechanism {
            Mechanism::Plain => {
                let line = format!("AUTH PLAIN {}", credentials.plain());
                self.say(connection, &line).await?;
            }
            Mechanism::Login => {
                self.say(connection, "AUTH LOGIN").await?;
                for answer in credentials.login() {
                    self.say(connection, &answer).await?;
                }
            }
            Mechanism::CramMd5 => {
                let challenge = self.say(connection, "AUTH CRAM-MD5").await?;
                let answer = credentials.cram_md5(&challenge).ok_or_else(|| {
                    let message = format!("{}: its challenge cannot be read", self.name());
                    Undelivered::failed(FailureClass::AuthError, message)
                })?;
                self.say(connection, &answer).await?;
            }
        }
        Ok(())
    }

    /// Says one line of the sign-in and returns the answer's first line.
    async fn say(
        &self,
        connection: &mut AsyncSmtpConnection,
        line: &str,
    ) -> Result<String, Undelivered> {
        let answer = connection.command(format!("{line}\r\n")).await.map_err(|error| {
            // Not the text: some servers repeat what they were told.
            let code = error.status().map_or_else(|| chain(&error), |code| code.to_string());
            let message = format!("{}: sign-in refused: {code}", self.name());
            if error.is_permanent() {
                Undelivered::refused(FailureClass::AuthError, message)
            } else {
                Undelivered::failed(class_of(&error), message)
            }
        })?;
        Ok(answer.first_line().unwrap_or_default().to_owned())
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns how the server is called in errors.
    pub(super) fn name(&self) -> String {
        format!("mail server {}:{}", self.host, self.port)
    }

    fn undelivered(&self, step: &str, error: &Error) -> Undelivered {
        let message = format!("{}, {step}: {}", self.name(), chain(error));
        if error.is_permanent() || error.is_client() {
            Undelivered::refused(class_of(error), message)
        } else {
            Undelivered::failed(class_of(error), message)
        }
    }
}

fn class_of(error: &Error) -> FailureClass {
    let code = error.status().map(u16::from);
    if code.is_some_and(|code| AUTH_CODES.contains(&code)) {
        FailureClass::AuthError
    } else if error.is_permanent() {
        FailureClass::ClientError
    } else if error.is_transient() {
        FailureClass::ServerError
    } else if error.is_timeout() {
        FailureClass::ContextDeadlineExceeded
    } else {
        FailureClass::Other
    }
}
