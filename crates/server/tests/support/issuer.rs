//! An identity provider for tests: a real server on a loopback port, as strict as a vendor's, that
//! can be told to do each thing wrong.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const CLIENT: &str = "tocsin client";
pub(crate) const SECRET: &str = "s3cret & more";

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    OtherIssuer,
    OtherAudience,
    SharedAudience,
    OtherNonce,
    Ended,
    Future,
    Unsigned,
    SharedSecret,
    OtherKey,
    NoSubject,
    NoToken,
    Broken,
    Huge,
}

struct House {
    base: String,
    key: rcgen::KeyPair,
    kid: String,
    user: Map<String, Value>,
    fault: Fault,
    /// By code: the challenge, the nonce and the redirect address.
    codes: HashMap<String, (String, String, String)>,
    now: i64,
}

#[derive(Clone)]
pub(crate) struct Issuer(Arc<Mutex<House>>);

impl Issuer {
    pub(crate) async fn start(now: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self(Arc::new(Mutex::new(House {
            base,
            key: rcgen::KeyPair::generate().unwrap(),
            kid: "k1".to_owned(),
            user: Map::new(),
            fault: Fault::None,
            codes: HashMap::new(),
            now,
        })));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    pub(crate) fn base(&self) -> String {
        self.0.lock().base.clone()
    }

    pub(crate) fn user(&self, claims: &Value) {
        self.0.lock().user = claims.as_object().unwrap().clone();
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.0.lock().fault = fault;
    }

    pub(crate) fn rotate(&self, kid: &str) {
        let mut house = self.0.lock();
        house.key = rcgen::KeyPair::generate().unwrap();
        house.kid = kid.to_owned();
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    let house = issuer.0.lock();
    let base = &house.base;
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": true
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let house = issuer.0.lock();
    let point = house.key.public_key_raw();
    let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    Json(json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": house.kid,
        "x": part(1..33), "y": part(33..65)
    }] }))
}

/// The user agrees at once; the answer is where the browser is sent.
async fn authorize(
    State(issuer): State<Issuer>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let mut house = issuer.0.lock();
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let is_right = of("response_type") == "code"
        && of("client_id") == CLIENT
        && of("code_challenge_method") == "S256"
        && of("scope").split(' ').any(|scope| scope == "openid")
        && of("state").len() >= 40
        && of("nonce").len() >= 40;
    if !is_right {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let code = format!("code-{}", house.codes.len());
    let kept = (of("code_challenge"), of("nonce"), of("redirect_uri"));
    house.codes.insert(code.clone(), kept);
    let (state, iss) = (of("state"), house.base.replace(':', "%3A").replace('/', "%2F"));
    let to = format!("{}?code={code}&state={state}&iss={iss}", of("redirect_uri"));
    axum::response::Redirect::to(&to).into_response()
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let mut house = issuer.0.lock();
    match house.fault {
        Fault::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Huge => return "x".repeat(2 << 20).into_response(),
        Fault::NoToken => return Json(json!({ "access_token": "a" })).into_response(),
        _ => {}
    }
    let refuse =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let given = headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
    let pair = format!("{}:{}", CLIENT.replace(' ', "+"), "s3cret+%26+more");
    if given != Some(format!("Basic {}", STANDARD.encode(pair))) {
        return refuse("invalid_client");
    }
    // A code is good once.
    let Some((challenge, nonce, redirect)) = house.codes.remove(&asked["code"]) else {
        return refuse("invalid_grant");
    };
    let verifier = Sha256::digest(asked["code_verifier"].as_bytes());
    if URL_SAFE_NO_PAD.encode(verifier) != challenge || asked["redirect_uri"] != redirect {
        return refuse("invalid_grant");
    }
    Json(json!({ "id_token": house.id_token(&nonce), "token_type": "Bearer" })).into_response()
}

impl House {
    fn id_token(&self, nonce: &str) -> String {
        let fault = self.fault;
        let mut claims = self.user.clone();
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("iss", json!(self.base));
        set("aud", json!(CLIENT));
        set("nonce", json!(nonce));
        set("iat", json!(self.now));
        set("exp", json!(self.now + 300));
        match fault {
            Fault::OtherIssuer => set("iss", json!("https://evil.example")),
            Fault::OtherAudience => set("aud", json!("somebody else")),
            Fault::SharedAudience => set("aud", json!([CLIENT, "somebody else"])),
            Fault::OtherNonce => set("nonce", json!("another")),
            Fault::Ended => set("exp", json!(self.now - 61)),
            Fault::Future => set("iat", json!(self.now + 120)),
            Fault::NoSubject => set("sub", json!("")),
            _ => {}
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        let own = EncodingKey::from_ec_der(&self.key.serialize_der());
        match fault {
            Fault::Unsigned => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let head = json!({ "alg": "none", "kid": self.kid });
                format!("{}.{}.", part(&head), part(&Value::Object(claims)))
            }
            Fault::SharedSecret => {
                header.alg = Algorithm::HS256;
                let public = EncodingKey::from_secret(self.key.public_key_raw());
                jsonwebtoken::encode(&header, &claims, &public).unwrap()
            }
            Fault::OtherKey => {
                let other = rcgen::KeyPair::generate().unwrap().serialize_der();
                let other = EncodingKey::from_ec_der(&other);
                jsonwebtoken::encode(&header, &claims, &other).unwrap()
            }
            _ => jsonwebtoken::encode(&header, &claims, &own).unwrap(),
        }
    }
}
