//! The running server, and the Prometheus that sends to it.

use anyhow::Result;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tocsin_config::{Loaded, Tenant};
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_wire::v1::Status;

use super::report::Findings;
use crate::client::{Answer, Client, ServerArgs};
use crate::failure::Failure;
use crate::output::count;

/// Clocks may differ by this; ends of alerts that sources name are off by as much.
const MAX_APART: SignedDuration = SignedDuration::from_secs(5);

/// Looks at the running server; returns the address it was asked at.
pub(super) async fn examine_server(
    args: &ServerArgs,
    loaded: Option<&Loaded>,
    findings: &mut Findings,
) -> Result<String> {
    let client = Client::new(args)?;
    let url = args.base()?;
    let answer = match client.get("/api/v1/status", &[]).await {
        Ok(answer) => answer,
        Err(error) => {
            let is_absent = error.downcast_ref::<Failure>().is_some_and(Failure::is_unreachable);
            if is_absent {
                findings.skipped("server", format!("none answers at {url}"));
            } else {
                findings.failed("server", format!("{error:#}"));
            }
            return Ok(url);
        }
    };
    compare_clocks("server", &answer, findings);
    let status: Status = answer.json()?;
    if status.readiness.is_ready {
        findings.ok("server", format!("{url} {} takes alerts", status.version));
    } else {
        let why = status.readiness.reason.unwrap_or_default();
        findings.failed("server", format!("{url} takes no alerts: {why}"));
    }
    if status.version != env!("CARGO_PKG_VERSION") {
        let text =
            format!("it is release {}, this is {}", status.version, env!("CARGO_PKG_VERSION"));
        findings.warning("server", text);
    }
    if !status.configuration.is_last_reload_successful {
        findings.failed("server", "its last reload failed; its log says why");
    }
    if let Some(loaded) = loaded
        && status.configuration.hash != format!("{:016x}", loaded.hash())
    {
        findings.warning(
            "server",
            "it runs with another configuration than the one examined here; reload it (SIGHUP), \
             or name its files with --config.file",
        );
    }
    Ok(url)
}

/// Asks the running server whether a tenant takes alerts; needs nobody's token.
pub(super) async fn examine_tenant(
    args: &ServerArgs,
    tenant: &Tenant,
    findings: &mut Findings,
) -> Result<()> {
    let name = tenant.name.as_str();
    let args = ServerArgs { tenant: Some(name.to_owned()), ..args.clone() };
    let answer = match Client::new(&args)?.find("/-/ready").await {
        Ok(answer) => answer,
        Err(error) => {
            findings.skipped("server", format!("tenant `{name}`: {error:#}"));
            return Ok(());
        }
    };
    match answer.status() {
        200 => findings.ok("server", format!("tenant `{name}` takes alerts")),
        404 => findings.warning(
            "server",
            format!("it does not serve the tenant `{name}`; reload it (SIGHUP)"),
        ),
        _ => findings.failed(
            "server",
            format!("tenant `{name}` takes no alerts: {}", answer.text().unwrap_or("").trim()),
        ),
    }
    Ok(())
}

/// Looks at the Prometheus at `url`, if one is named.
pub(super) async fn examine_prometheus(
    url: Option<&str>,
    server: &str,
    findings: &mut Findings,
) -> Result<()> {
    const SUBJECT: &str = "prometheus";
    let Some(url) = url else {
        findings.skipped(SUBJECT, "not looked at; name it with --prometheus.url");
        return Ok(());
    };
    let args = ServerArgs {
        url: url.to_owned(),
        timeout: SignedDuration::from_secs(10),
        tenant: None,
        token_file: None,
    };
    let client = Client::new(&args)?;
    let build = match client.get("/api/v1/status/buildinfo", &[]).await {
        Ok(answer) => answer,
        Err(error) => {
            findings.failed(SUBJECT, format!("{error:#}"));
            return Ok(());
        }
    };
    compare_clocks(SUBJECT, &build, findings);
    let version = build.json::<Value>()?["data"]["version"].as_str().unwrap_or("?").to_owned();
    findings.ok(SUBJECT, format!("{url} answers, version {version}"));
    let known: Value = client.get("/api/v1/alertmanagers", &[]).await?.json()?;
    judge_alertmanagers(&known, server, findings);
    let rules: Value = client.get("/api/v1/rules", &[("type", "alert".into())]).await?.json()?;
    let groups = rules["data"]["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |group: &Value| group["rules"].as_array().map_or(0, Vec::len);
    match groups.iter().map(of).sum::<usize>() {
        0 => findings.warning(SUBJECT, "it has no alerting rule"),
        rules => findings.ok(SUBJECT, count(rules, "alerting rule", "alerting rules")),
    }
    Ok(())
}

fn judge_alertmanagers(known: &Value, server: &str, findings: &mut Findings) {
    let active = known["data"]["activeAlertmanagers"].as_array();
    let urls: Vec<&str> =
        active.into_iter().flatten().filter_map(|it| it["url"].as_str()).collect();
    let server = server.trim_end_matches('/');
    let host = server.split_once("://").map_or(server, |(_, host)| host);
    if urls.iter().any(|url| url.contains(host)) {
        findings.ok("prometheus", format!("it sends alerts to {server}"));
    } else if urls.is_empty() {
        findings.failed(
            "prometheus",
            "it sends alerts nowhere; add this server to its `alerting.alertmanagers`",
        );
    } else {
        findings.warning(
            "prometheus",
            format!("it sends alerts to {}, which may or may not be {server}", urls.join(", ")),
        );
    }
}

/// Compares our clock with the `Date` of an answer.
fn compare_clocks(whose: &str, answer: &Answer, findings: &mut Findings) {
    let Some(theirs) = answer.date().and_then(http_date) else { return };
    let apart = SystemClock.now().duration_since(theirs);
    if apart.abs() > MAX_APART {
        findings.failed(
            "clock",
            format!(
                "it differs by {} s from that of the {whose}; set both by NTP",
                apart.as_secs()
            ),
        );
    } else {
        findings.ok("clock", format!("agrees with that of the {whose}"));
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::report::Verdict;
    use super::*;

    fn verdict(urls: &[&str]) -> Verdict {
        let active: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
        let mut findings = Findings::default();
        let known = json!({ "data": { "activeAlertmanagers": active } });
        judge_alertmanagers(&known, "http://tocsin.example:9093/", &mut findings);
        findings.findings[0].verdict
    }

    #[test]
    fn prometheus_must_send_here() {
        assert_eq!(verdict(&["http://tocsin.example:9093/api/v2/alerts"]), Verdict::Ok);
        assert_eq!(verdict(&["http://10.0.0.7:9093/api/v2/alerts"]), Verdict::Warning);
        assert_eq!(verdict(&[]), Verdict::Failed);
    }
}
