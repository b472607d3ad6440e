//! TLS as the settings ask for it: whom to trust, who we are, which versions.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion, version,
};

/// The content of everything the TLS settings point to; equal content means an equal connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsMaterial {
    /// PEM of the authorities to trust instead of the system's.
    pub(crate) ca: Option<Vec<u8>>,
    /// PEM of our certificate chain and of its private key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name to verify instead of the host's.
    pub(crate) server_name: Option<String>,
    /// Whether anybody is believed to be anybody.
    pub(crate) insecure_skip_verify: bool,
    /// The oldest version to speak.
    pub(crate) min_version: Option<TlsVersion>,
    /// The newest version to speak.
    pub(crate) max_version: Option<TlsVersion>,
}

/// A version of TLS that a setting may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TlsVersion {
    /// 1.0 or 1.1: never spoken, only a bound.
    Older,
    /// 1.2.
    V12,
    /// 1.3.
    V13,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authorities cannot be read as PEM certificates.
    #[error("the CA certificates are not PEM certificates")]
    Authorities(#[source] Option<rustls::pki_types::pem::Error>),
    /// Our own certificate or key cannot be read as PEM.
    #[error("the client certificate or its key is not PEM")]
    Identity(#[source] Option<rustls::pki_types::pem::Error>),
    /// The name to verify is not a host name.
    #[error("server_name `{0}` is not a host name")]
    ServerName(String),
    /// The versions leave nothing to speak.
    #[error("no TLS version is left: 1.2 and 1.3 are the ones spoken")]
    NoVersion,
    /// The pieces do not fit together, such as a key of another certificate.
    #[error("TLS cannot be set up")]
    Rejected(#[from] Error),
}

impl TlsMaterial {
    /// Builds what an HTTP client needs; `http2` offers HTTP/2 beside HTTP/1.1.
    pub(crate) fn client_config(&self, http2: bool) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions()?)?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(&provider)?);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(chain, TlsError::Identity)?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|error| TlsError::Identity(Some(error)))?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        if http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        Ok(config)
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
        let oldest = self.min_version.unwrap_or(TlsVersion::V12);
        let newest = self.max_version.unwrap_or(TlsVersion::V13);
        let versions: Vec<_> =
            [(TlsVersion::V12, &version::TLS12), (TlsVersion::V13, &version::TLS13)]
                .into_iter()
                .filter(|(version, _)| (oldest..=newest).contains(version))
                .map(|(_, supported)| supported)
                .collect();
        if versions.is_empty() { Err(TlsError::NoVersion) } else { Ok(versions) }
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if self.insecure_skip_verify {
            return Ok(Arc::new(BelieveAnybody(Arc::clone(provider))));
        }
        let verifier: Arc<dyn ServerCertVerifier> = match &self.ca {
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(pem, TlsError::Authorities)? {
                    roots.add(certificate)?;
                }
                WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
                    .build()
                    .map_err(|error| Error::General(error.to_string()))?
            }
            None => match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
                Ok(verifier) => Arc::new(verifier),
                // A container without certificates can still post to plain HTTP.
                Err(error) => {
                    tracing::warn!("no https without `ca_file`: {error}");
                    Arc::new(BelieveNobody(Arc::clone(provider)))
                }
            },
        };
        Ok(match &self.server_name {
            None => verifier,
            Some(name) => Arc::new(Renamed {
                name: ServerName::try_from(name.clone())
                    .map_err(|_| TlsError::ServerName(name.clone()))?,
                verifier,
            }),
        })
    }
}

/// Reads the certificates of `pem`; none at all is an error too.
fn certificates(
    pem: &[u8],
    error: fn(Option<rustls::pki_types::pem::Error>) -> TlsError,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|cause| error(Some(cause)))?;
    if certificates.is_empty() { Err(error(None)) } else { Ok(certificates) }
}

/// `insecure_skip_verify`: the signatures of the handshake still have to fit, or nothing could be
/// encrypted at all.
#[derive(Debug)]
struct BelieveAnybody(Arc<CryptoProvider>);

/// The opposite, for when the system has no authorities.
#[derive(Debug)]
struct BelieveNobody(Arc<CryptoProvider>);

/// Verifies `name` whatever host was connected to.
#[derive(Debug)]
struct Renamed {
    name: ServerName<'static>,
    verifier: Arc<dyn ServerCertVerifier>,
}

/// The part of a verifier that is the same whoever is believed.
macro_rules! verify_handshake {
    ($provider:expr) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &$provider(self).signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &$provider(self).signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            $provider(self).signature_verification_algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for BelieveAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    verify_handshake!(|this: &Self| Arc::clone(&this.0));
}

impl ServerCertVerifier for BelieveNobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(Error::General("the system has no CA certificates; set `ca_file`".to_owned()))
    }

    verify_handshake!(|this: &Self| Arc::clone(&this.0));
}

impl ServerCertVerifier for Renamed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier.verify_server_cert(certificate, intermediates, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
