//! `tocsin demo`: a simulated shop, a real server, and a sandbox where the messages arrive.

mod lessons;
mod people;
mod sandbox;
mod screen;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tocsin_core::labels::Fingerprint;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_testkit::providers::{Sandbox, Setup};
use tocsin_testkit::shop::{Shop, ShopAlert};

use crate::serve::flags::ServeFlags;
use crate::serve::{Server, bind, stop_signal};
use screen::Screen;

const CONFIGURATION: &str = include_str!("tocsin.yaml");

/// How often the simulation moves on.
const TICK: Duration = Duration::from_millis(500);

/// How often firing alerts are sent again, as Prometheus does.
const RESEND: SignedDuration = SignedDuration::from_secs(5);

/// How long an alert lives without being sent again.
const LIFE: SignedDuration = SignedDuration::from_secs(30);

/// How long whoever is paged first has before the next one is called.
const SECOND_STEP: Duration = Duration::from_secs(8);

/// Where the page with the phones and chats is, unless something else is there.
const SANDBOX_PORT: u16 = 9099;

/// Runs the demo.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// Port for the API and the front page; 0 takes a free one.
    #[arg(long, default_value_t = 9093)]
    port: u16,

    /// Stop after this many loops of the story; 0 goes on until Ctrl-C.
    #[arg(long, default_value_t = 0)]
    loops: u32,

    /// Play the story this many times faster.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    speed: u32,
}

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeFlags,
}

/// Runs until Ctrl-C or until the loops are over; everything durable is thrown away.
pub(crate) async fn run(args: DemoArgs) -> Result<()> {
    let shop = Shop::built_in()?;
    let directory = tempfile::tempdir().context("no temporary directory can be made")?;
    let screen = Arc::new(Screen::new(SystemClock.now()));
    let inbox = sandbox::start(Arc::clone(&screen)).await?;
    let listeners = bind(&[format!("127.0.0.1:{}", args.port)]).await.with_context(|| {
        format!("port {} is taken; choose another: tocsin demo --port 0", args.port)
    })?;
    let address = listeners.first().context("nothing to listen on")?.local_addr()?;
    tocsin_connect::install_crypto();
    let sandbox = Arc::new(phones(address).await?);
    let config_file = directory.path().join("tocsin.yaml");
    std::fs::write(&config_file, configuration(inbox, &sandbox, args.speed))?;
    let flags = flags(&config_file, directory.path(), address)?;
    crate::logging::init(flags.log_level, flags.log_format);
    let server = Box::pin(Server::assemble(&flags)).await?;
    screen.welcome(address, sandbox.address, &shop, args.loops);
    let living = people::live(sandbox, Arc::clone(&screen), args.speed);
    let story = tell(shop, args, address, Arc::clone(&screen));
    let serving = server.serve(listeners, stop_signal()?);
    tokio::select! {
        served = serving => served?,
        told = story => told?,
        () = living => {}
    }
    screen.farewell();
    Ok(())
}

/// Starts the providers that reach the people of the shop: at a port that is easy to remember when
/// it is free.
async fn phones(tocsin: SocketAddr) -> Result<Sandbox> {
    let mut setup = Setup::new(|| SystemClock.now());
    setup.tocsin_url = format!("http://{tocsin}");
    let usual = SocketAddr::from(([127, 0, 0, 1], SANDBOX_PORT));
    if let Ok(sandbox) = Sandbox::start(Setup { listen: usual, ..setup.clone() }).await {
        return Ok(sandbox);
    }
    Sandbox::start(setup).await.context("the fake phones cannot be started")
}

fn configuration(inbox: SocketAddr, sandbox: &Sandbox, speed: u32) -> String {
    let second_step = (SECOND_STEP / speed).max(Duration::from_secs(1)).as_secs();
    let written = CONFIGURATION
        .replace("SANDBOX", &inbox.to_string())
        .replace("SECOND_STEP", &format!("{second_step}s"));
    written + &sandbox.channels_yaml()
}

fn flags(
    config_file: &std::path::Path,
    directory: &std::path::Path,
    address: SocketAddr,
) -> Result<ServeFlags> {
    let data = directory.join("data");
    let flags = Flags::try_parse_from([
        "demo".as_ref(),
        "--config.file".as_ref(),
        config_file.as_os_str(),
        "--storage.path".as_ref(),
        data.as_os_str(),
        "--web.external-url".as_ref(),
        format!("http://{address}").as_ref(),
        "--log.level".as_ref(),
        "warn".as_ref(),
    ])?;
    Ok(flags.serve)
}

/// Plays the story: sends what fires to the public API, as a Prometheus server would.
async fn tell(shop: Shop, args: DemoArgs, address: SocketAddr, screen: Arc<Screen>) -> Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let url = format!("http://{address}/api/v2/alerts");
    let speed = i32::try_from(args.speed).unwrap_or(1);
    let mut ticker = tokio::time::interval(TICK);
    let mut known: BTreeMap<Fingerprint, (ShopAlert, Timestamp)> = BTreeMap::new();
    let mut loop_started = SystemClock.now();
    let mut last = SignedDuration::ZERO;
    let mut sent_at = loop_started;
    let mut loops = 0;
    loop {
        ticker.tick().await;
        let now = SystemClock.now();
        let elapsed = now.duration_since(loop_started) * speed;
        for title in shop.acts_between(last, elapsed) {
            screen.act(now, title);
            lessons::follow(&client, address, &screen, (now, title));
        }
        last = elapsed;
        let firing = shop.firing_at(elapsed);
        let mut body = Vec::new();
        for (fingerprint, alert) in &firing {
            let is_new = !known.contains_key(fingerprint);
            let starts_at = known.get(fingerprint).map_or(now, |(_, at)| *at);
            if is_new {
                screen.fired(1);
                known.insert(*fingerprint, (alert.clone(), now));
            }
            if is_new || now.duration_since(sent_at) >= RESEND {
                body.push(postable(alert, starts_at, now + LIFE));
            }
        }
        if now.duration_since(sent_at) >= RESEND {
            sent_at = now;
        }
        known.retain(|fingerprint, (alert, starts_at)| {
            let goes_on = firing.contains_key(fingerprint);
            if !goes_on {
                body.push(postable(alert, *starts_at, now));
            }
            goes_on
        });
        if !body.is_empty() {
            let answer = client.post(&url).json(&body).send().await;
            if let Err(error) = answer.and_then(reqwest::Response::error_for_status) {
                screen.trouble(&format!("alerts were not accepted: {error}"));
            }
        }
        if elapsed >= shop.loop_length() {
            loops += 1;
            screen.loop_ended(now);
            if args.loops > 0 && loops >= args.loops {
                return Ok(());
            }
            loop_started = now;
            last = SignedDuration::ZERO;
        }
    }
}

fn postable(alert: &ShopAlert, starts_at: Timestamp, ends_at: Timestamp) -> serde_json::Value {
    json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": starts_at,
        "endsAt": ends_at,
        "generatorURL": "http://prometheus.shop.example/graph",
    })
}
