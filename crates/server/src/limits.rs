//! Bounds and observation around every route.
//!
//! From the outside in: every request gets an id, is counted and logged; a panic becomes a 500;
//! then the rate is bounded, whoever asks is checked, and the number of concurrent GETs, the time, and
//! the size of the body are bounded.

use std::any::Any;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tocsin_wire::v1::ProblemCode;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::v1::problem;
use crate::{App, access, fallback};

/// The header that carries a request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a body may pause.
const BODY_PAUSE: Duration = Duration::from_secs(30);

/// How many clients are remembered for their rate before idle ones are forgotten.
const MAX_REMEMBERED_CLIENTS: usize = 10_000;

/// How many requests a client may save up, in seconds of its rate.
const BURST_SECONDS: u32 = 2;

/// The address a request came from; put into its extensions by the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Puts the bounds that `app` asks for around `routes`.
pub(crate) fn around(routes: Router, app: Arc<App>) -> Router {
    let options = &app.options;
    let mut routes = routes
        .layer(DefaultBodyLimit::max(options.max_request_bytes))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE));
    if !options.request_timeout.is_zero() {
        routes = routes.layer(from_fn_with_state(options.request_timeout, bound_time));
    }
    let gets = Arc::new(Gets {
        running: Semaphore::new(options.max_concurrent_gets.clamp(1, Semaphore::MAX_PERMITS)),
        limit: options.max_concurrent_gets,
        app: Arc::clone(&app),
    });
    routes = routes.layer(from_fn_with_state(gets, bound_gets));
    routes = routes.layer(from_fn_with_state(Arc::clone(&app), access::guard));
    if let Some(rate) = NonZeroU32::new(options.requests_per_second) {
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
        let quota = Quota::per_second(rate).allow_burst(burst);
        let rates = Arc::new(Rates {
            clients: RateLimiter::dashmap(quota),
            clock: DefaultClock::default(),
            app: Arc::clone(&app),
        });
        routes = routes.layer(from_fn_with_state(rates, bound_rate));
    }
    routes
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn_with_state(app, observe))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

/// Counts the request and writes the access log.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let mut path = request.uri().path().to_owned();
    let extensions = request.extensions();
    let peer = extensions.get::<Peer>().map(|peer| peer.0);
    let route = extensions.get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    // The rest of such a path is a key: it stands in no log.
    if let Some(route) =
        route.as_deref().filter(|it| it.ends_with("/{token}") || it.ends_with("/{key}"))
    {
        path = route.to_owned();
    }
    let id = request.headers().get(REQUEST_ID).cloned();
    app.metrics.request_started();
    let response = next.run(request).await;
    let elapsed = started.elapsed();
    let prefix = app.options.prefix();
    let route = route.as_deref().map(|route| route.strip_prefix(&prefix).unwrap_or(route));
    // A slash at the end of a path makes no other route of it.
    let route =
        route.map(|route| if route.len() > 1 { route.trim_end_matches('/') } else { route });
    app.metrics.request_ended(route, &method, response.status(), elapsed);
    if let Some(bytes) = response.body().size_hint().exact() {
        app.metrics.answered(route, &method, bytes);
    }
    tracing::debug!(
        http.method = %method,
        http.path = %path,
        http.status = response.status().as_u16(),
        http.peer = peer.map(tracing::field::display),
        http.request_id = id.as_ref().and_then(|id| id.to_str().ok()),
        duration_ms = elapsed.as_secs_f64() * 1_000.0,
        "{method} {path}"
    );
    response
}

/// Answers a request whose handler panicked; what it said is logged, not sent.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over like this")]
fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing");
    tracing::error!(panic = said, "a request handler panicked");
    let detail = "the request met a defect of the server, which has been logged";
    problem::response(ProblemCode::Internal, detail)
}

struct Rates {
    clients: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    app: Arc<App>,
}

/// Answers 429 to a client that asks too often. Probes are exempt: they must not fail because
/// something behind the same address is busy.
async fn bound_rate(State(rates): State<Arc<Rates>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.contains("/-/") {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<Peer>();
    let current = rates.app.reloader.current();
    let peer = peer.map(|peer| peer.0.ip());
    let address = access::client_address(peer, request.headers(), &current.access.proxies);
    let client = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), client_of);
    if rates.clients.len() > MAX_REMEMBERED_CLIENTS {
        rates.clients.retain_recent();
    }
    let Err(early) = rates.clients.check_key(&client) else { return next.run(request).await };
    rates.app.metrics.rate_limited();
    let seconds = early.wait_time_from(rates.clock.now()).as_secs() + 1;
    let limit = rates.app.options.requests_per_second;
    let detail = format!("more than {limit} requests per second; try again in {seconds} s");
    let answer = fallback::refuse(path, ProblemCode::RateLimited, &detail);
    ([(header::RETRY_AFTER, seconds.to_string())], answer).into_response()
}

/// Returns what counts as one client: an IPv4 address, or the /64 that one IPv6 host has at will.
pub(crate) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

struct Gets {
    running: Semaphore,
    limit: usize,
    app: Arc<App>,
}

/// Answers 503 when as many GET requests to the API are worked on as there may be.
async fn bound_gets(State(gets): State<Arc<Gets>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if request.method() != Method::GET || !path.contains("/api/") {
        return next.run(request).await;
    }
    // Held until the answer begins, so a live feed does not occupy a place for as long as it runs.
    let Ok(_place) = gets.running.try_acquire() else {
        gets.app.metrics.get_rejected();
        let limit = gets.limit;
        let detail =
            format!("Limit of concurrent GET requests reached ({limit}), try again later.");
        let answer = fallback::refuse(path, ProblemCode::TooManyGets, &detail);
        return ([(header::RETRY_AFTER, "1")], answer).into_response();
    };
    next.run(request).await
}

/// Answers 503 when a handler, reading the body included, takes too long.
async fn bound_time(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("Exceeded configured timeout of {} s.", timeout.as_secs_f64());
            fallback::refuse(&path, ProblemCode::Timeout, &detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_host_is_one_client_whatever_address_it_picks() {
        let client = |text: &str| client_of(text.parse().unwrap());
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.7"), client("192.0.2.7"));
        assert_ne!(client("192.0.2.7"), client("192.0.2.8"));
    }
}
