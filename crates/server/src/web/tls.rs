//! From what the web configuration says about TLS to what rustls needs.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, SupportedCipherSuite, SupportedProtocolVersion, version};
use tocsin_config::{ClientAuth, TlsServerConfig, TlsVersion};

use super::certificates::{AnyCertificate, Named};

/// The largest file of certificates or of a key, in bytes.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// Reads certificates and keys and returns what connections are received with.
///
/// # Errors
/// What is wrong, in one line that names the file.
pub(super) fn server_config(config: &TlsServerConfig, http2: bool) -> Result<ServerConfig, String> {
    let provider = Arc::new(provider(config)?);
    let chain = certificates(&read(&config.cert, config.cert_file.as_deref(), "cert")?)?;
    let key = config.key.as_ref().map_or("", |key| key.expose());
    let key = PrivateKeyDer::from_pem_slice(&read(key, config.key_file.as_deref(), "key")?)
        .map_err(|error| format!("`key` holds no private key in PEM: {error}"))?;
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(config))
        .map_err(|error| format!("the versions and suites do not go together: {error}"))?
        .with_client_cert_verifier(verifier(config, provider)?)
        .with_single_cert(chain, key)
        .map_err(|error| format!("the certificate and the key cannot be used: {error}"))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        server.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(server)
}

fn versions(config: &TlsServerConfig) -> Vec<&'static SupportedProtocolVersion> {
    match (config.min_version, config.max_version) {
        (TlsVersion::Tls13, _) => vec![&version::TLS13],
        (_, TlsVersion::Tls13) => vec![&version::TLS13, &version::TLS12],
        _ => vec![&version::TLS12],
    }
}

fn provider(config: &TlsServerConfig) -> Result<CryptoProvider, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !config.cipher_suites.is_empty() {
        let mut suites: Vec<SupportedCipherSuite> = Vec::new();
        // As in Go, the list is about TLS 1.2; those of 1.3 are all safe.
        suites.extend(provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some()));
        for name in &config.cipher_suites {
            let known = provider.cipher_suites.iter().find(|suite| name_of(suite) == *name);
            let suite = known.ok_or_else(|| {
                let known: Vec<_> = provider.cipher_suites.iter().map(name_of).collect();
                format!("`cipher_suites`: `{name}` is not spoken; known are {}", known.join(", "))
            })?;
            suites.push(*suite);
        }
        provider.cipher_suites = suites;
    }
    if !config.curve_preferences.is_empty() {
        let groups = config.curve_preferences.iter().map(|name| group(name));
        provider.kx_groups = groups.collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

/// Returns Go's name of a suite.
fn name_of(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

fn group(name: &str) -> Result<&'static dyn SupportedKxGroup, String> {
    Ok(match name {
        "CurveP256" => kx_group::SECP256R1,
        "CurveP384" => kx_group::SECP384R1,
        "X25519" => kx_group::X25519,
        "X25519MLKEM768" => kx_group::X25519MLKEM768,
        _ => {
            return Err(format!(
                "`curve_preferences`: `{name}` is not spoken; known are CurveP256, CurveP384, \
                 X25519, X25519MLKEM768"
            ));
        }
    })
}

fn verifier(
    config: &TlsServerConfig,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let is_optional = match config.client_auth_type {
        ClientAuth::NoClientCert => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientAuth::RequestClientCert => return Ok(Arc::new(AnyCertificate::new(provider, false))),
        ClientAuth::RequireAnyClientCert => {
            return Ok(Arc::new(AnyCertificate::new(provider, true)));
        }
        ClientAuth::VerifyClientCertIfGiven => true,
        ClientAuth::RequireAndVerifyClientCert => false,
    };
    let pem = read(&config.client_ca, config.client_ca_file.as_deref(), "client_ca")?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&pem)? {
        roots.add(certificate).map_err(|error| format!("`client_ca` cannot be used: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if is_optional { builder.allow_unauthenticated() } else { builder };
    let verified = builder.build().map_err(|error| format!("`client_ca`: {error}"))?;
    if config.client_allowed_sans.is_empty() {
        return Ok(verified);
    }
    Ok(Arc::new(Named::new(verified, config.client_allowed_sans.clone())))
}

fn read(text: &str, path: Option<&std::path::Path>, what: &str) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let Some(path) = path else { return Ok(text.as_bytes().to_vec()) };
    let failed = |error: std::io::Error| {
        format!("`{what}_file`: {} cannot be read: {error}", path.display())
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_PEM_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_PEM_BYTES {
        let path = path.display();
        return Err(format!("`{what}_file`: {path} is longer than {MAX_PEM_BYTES} bytes"));
    }
    Ok(bytes)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err("there is no certificate in PEM".to_owned()),
        Err(error) => Err(format!("a certificate cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_curves_have_gos_names() {
        let names: Vec<_> = aws_lc_rs::ALL_CIPHER_SUITES.iter().map(name_of).collect();
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
        assert!(group("CurveP521").unwrap_err().contains("known are CurveP256"));
        let config = TlsServerConfig {
            cipher_suites: vec!["TLS_RSA_WITH_RC4_128_SHA".to_owned()],
            ..TlsServerConfig::default()
        };
        assert!(provider(&config).unwrap_err().contains("not spoken"));
    }
}
