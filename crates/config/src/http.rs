//! How Tocsin speaks HTTP and TLS to others: `http_config`, `tls_config` and what they hold.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::reader::{Fields, Reader};
use crate::section::{section, words};
use crate::values::{Secret, SecretSource, Url};

section! {
    /// How an HTTP client is set up. A block at a receiver replaces the global one as a whole.
    HttpConfig, check = check_http => {
        /// A user and a password for the `Authorization` header.
        basic_auth: Option<BasicAuth>;
        /// The `Authorization` header.
        authorization: Option<Authorization>;
        /// A token fetched from an OAuth 2.0 server (client credentials).
        oauth2: Option<OAuth2>;
        /// A bearer token; `authorization` is the newer way to say it.
        @Deprecated bearer_token: Option<Secret>;
        /// A file with a bearer token; `authorization` is the newer way to say it.
        @Deprecated bearer_token_file: Option<PathBuf>;
        /// How the peer is verified and how the client identifies itself.
        tls_config: TlsConfig;
        /// The proxy to go through.
        proxy_url: Option<Url>;
        /// Hosts, networks and domains that are reached without the proxy, separated by commas.
        @Newer no_proxy: String;
        /// Takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
        @Newer proxy_from_environment: bool;
        /// Headers sent to the proxy with CONNECT.
        proxy_connect_header: BTreeMap<String, Vec<Secret>>;
        /// Whether redirects are followed.
        follow_redirects: bool = true;
        /// Whether HTTP/2 is spoken with peers that offer it.
        enable_http2: bool = true;
        /// Headers added to every request.
        @Newer http_headers: BTreeMap<String, HttpHeader>;
    }
}

section! {
    /// A user and a password.
    BasicAuth, check = check_basic_auth => {
        /// The user.
        username: String;
        /// A file that holds the user, read when it is used.
        @Newer username_file: Option<PathBuf>;
        /// The password.
        password: Option<Secret>;
        /// A file that holds the password, read when it is used.
        password_file: Option<PathBuf>;
    }
}

section! {
    /// The `Authorization` header: a scheme and what follows it.
    Authorization, check = check_authorization => {
        /// The scheme; `basic` is said with `basic_auth` instead.
        r#type: String = "Bearer".to_owned();
        /// What follows the scheme.
        credentials: Option<Secret>;
        /// A file that holds what follows the scheme, read when it is used.
        credentials_file: Option<PathBuf>;
    }
}

section! {
    /// A token from an OAuth 2.0 server by the client-credentials grant.
    OAuth2, check = check_oauth2 => {
        /// The identifier of the client.
        client_id: String;
        /// The secret of the client.
        client_secret: Option<Secret>;
        /// A file that holds the secret of the client, read when it is used.
        client_secret_file: Option<PathBuf>;
        /// What the token is asked for.
        scopes: Vec<String>;
        /// Where the token is fetched.
        token_url: Option<Url>;
        /// Further parameters of the request for the token.
        endpoint_params: BTreeMap<String, String>;
        /// How the token server is verified.
        tls_config: TlsConfig;
        /// The proxy to go through.
        proxy_url: Option<Url>;
        /// Hosts, networks and domains that are reached without the proxy, separated by commas.
        @Newer no_proxy: String;
        /// Takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
        @Newer proxy_from_environment: bool;
        /// Headers sent to the proxy with CONNECT.
        @Newer proxy_connect_header: BTreeMap<String, Vec<Secret>>;
    }
}

section! {
    /// The values of one header; all that are given are sent.
    HttpHeader => {
        /// Values that may be shown.
        values: Vec<String>;
        /// Values that are secrets.
        secrets: Vec<Secret>;
        /// Files that hold a value each, read when they are used.
        files: Vec<PathBuf>;
    }
}

section! {
    /// How the peer is verified and how the client identifies itself.
    TlsConfig, check = check_tls => {
        /// Certificates of the authorities to trust, in PEM.
        ca: String;
        /// A file with the certificates of the authorities to trust, in PEM.
        ca_file: Option<PathBuf>;
        /// The client's own certificate, in PEM.
        cert: String;
        /// A file with the client's own certificate, in PEM.
        cert_file: Option<PathBuf>;
        /// The key of the client's own certificate, in PEM.
        key: Option<Secret>;
        /// A file with the key of the client's own certificate, in PEM.
        key_file: Option<PathBuf>;
        /// The name to expect in the peer's certificate, when it is not the host.
        server_name: String;
        /// Accepts any certificate. Whoever stands in between can read and change everything.
        insecure_skip_verify: bool;
        /// The oldest version to speak; unset means 1.2.
        min_version: Option<TlsVersion>;
        /// The newest version to speak; unset means the newest there is.
        @Newer max_version: Option<TlsVersion>;
    }
}

words! {
    /// A version of TLS.
    TlsVersion {
        /// TLS 1.0; Tocsin itself speaks 1.2 and newer.
        Tls10 = "TLS10",
        /// TLS 1.1; Tocsin itself speaks 1.2 and newer.
        Tls11 = "TLS11",
        /// TLS 1.2.
        Tls12 = "TLS12",
        /// TLS 1.3.
        Tls13 = "TLS13",
    }
    default = Tls12
}

impl BasicAuth {
    /// Returns where the password comes from.
    pub fn password(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.password.as_ref(), self.password_file.as_deref())
    }
}

impl Authorization {
    /// Returns where the credentials come from.
    pub fn credentials(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.credentials.as_ref(), self.credentials_file.as_deref())
    }
}

impl OAuth2 {
    /// Returns where the client's secret comes from.
    pub fn client_secret(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.client_secret.as_ref(), self.client_secret_file.as_deref())
    }
}

fn check_http(config: &mut HttpConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let ways = ["basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"];
    reader.exclusive(fields, &ways);
    check_proxy(
        fields,
        reader,
        config.proxy_from_environment,
        config.proxy_url.is_some(),
        !config.no_proxy.is_empty(),
    );
    // The old spelling becomes the new one, so that clients know one way only.
    if config.bearer_token.is_some() || config.bearer_token_file.is_some() {
        config.authorization = Some(Authorization {
            credentials: config.bearer_token.take(),
            credentials_file: config.bearer_token_file.take(),
            ..Authorization::default()
        });
    }
    for name in config.http_headers.keys() {
        const RESERVED: [&str; 4] = ["host", "content-length", "content-type", "user-agent"];
        if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            reader.error_at(fields, "http_headers", format!("the header `{name}` cannot be set"));
        }
    }
}

fn check_proxy(
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
    from_environment: bool,
    url: bool,
    no_proxy: bool,
) {
    if from_environment && (url || no_proxy) {
        reader.error_at(
            fields,
            "proxy_from_environment",
            "with `proxy_from_environment`, `proxy_url` and `no_proxy` cannot be set",
        );
    } else if no_proxy && !url {
        reader.error_at(fields, "no_proxy", "`no_proxy` needs `proxy_url`");
    } else if !from_environment && !url && fields.has("proxy_connect_header") {
        reader.error_at(fields, "proxy_connect_header", "`proxy_connect_header` needs a proxy");
    }
}

fn check_basic_auth(_: &mut BasicAuth, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["username", "username_file"]);
    reader.exclusive(fields, &["password", "password_file"]);
}

fn check_authorization(config: &mut Authorization, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["credentials", "credentials_file"]);
    if config.r#type.eq_ignore_ascii_case("basic") {
        reader.error_at(fields, "type", "the type cannot be `basic`; use `basic_auth` instead");
    }
}

fn check_oauth2(config: &mut OAuth2, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exclusive(fields, &["client_secret", "client_secret_file"]);
    reader.require(fields, &["client_id", "token_url"]);
    check_proxy(
        fields,
        reader,
        config.proxy_from_environment,
        config.proxy_url.is_some(),
        !config.no_proxy.is_empty(),
    );
}

fn check_tls(config: &mut TlsConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    for pair in [["ca", "ca_file"], ["cert", "cert_file"], ["key", "key_file"]] {
        reader.exclusive(fields, &pair);
    }
    let has_cert = fields.has("cert") || fields.has("cert_file");
    let has_key = fields.has("key") || fields.has("key_file");
    if has_cert != has_key {
        let (present, missing) = if has_cert { ("cert", "key") } else { ("key", "cert") };
        let at = if fields.has(present) { present.to_owned() } else { format!("{present}_file") };
        reader.error_at(
            fields,
            &at,
            format!("a client certificate needs both halves; `{missing}_file` is missing"),
        );
    }
    if let (Some(min), Some(max)) = (config.min_version, config.max_version)
        && (min as u8) > (max as u8)
    {
        reader.error_at(fields, "min_version", "`min_version` is newer than `max_version`");
    }
}
