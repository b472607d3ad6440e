//! `GET /api/v2/status`.

use serde::Serialize;

/// What the server is and does.
#[derive(Clone, Debug, Serialize)]
pub struct Status<'a> {
    /// Its cluster.
    pub cluster: Cluster<'a>,
    /// Its configuration.
    pub config: ConfigText<'a>,
    /// When the process started, despite the name.
    pub uptime: String,
    /// Its build.
    #[serde(rename = "versionInfo")]
    pub version_info: VersionInfo<'a>,
}

/// The configuration in effect.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigText<'a> {
    /// As YAML, secrets masked, defaults filled in.
    pub original: &'a str,
}

/// The cluster as clients see it.
#[derive(Clone, Debug, Serialize)]
pub struct Cluster<'a> {
    /// The server's own name in it; absent when there is no cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// All members.
    pub peers: Vec<Peer<'a>>,
    /// `ready` or `disabled`.
    pub status: &'static str,
}

impl<'a> Cluster<'a> {
    /// Returns what a server without clustering shows.
    pub fn disabled() -> Self {
        Self { name: None, peers: Vec::new(), status: "disabled" }
    }

    /// Returns a cluster that has only this server as a member.
    pub fn of_one(name: &'a str, address: &'a str) -> Self {
        Self { name: Some(name), peers: vec![Peer { address, name }], status: "ready" }
    }
}

/// One member.
#[derive(Clone, Debug, Serialize)]
pub struct Peer<'a> {
    /// Where it listens.
    pub address: &'a str,
    /// What it is called.
    pub name: &'a str,
}

/// The build as clients see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo<'a> {
    /// The branch.
    pub branch: &'a str,
    /// When it was built.
    pub build_date: &'a str,
    /// Who built it.
    pub build_user: &'a str,
    /// The toolchain; Go's for Alertmanager.
    pub go_version: &'a str,
    /// The revision.
    pub revision: &'a str,
    /// The release of Alertmanager that the API follows.
    pub version: &'a str,
}

impl<'a> Status<'a> {
    /// Builds the answer.
    pub fn new(
        cluster: Cluster<'a>,
        original: &'a str,
        started_at: jiff::Timestamp,
        version_info: VersionInfo<'a>,
    ) -> Self {
        let config = ConfigText { original };
        Self { cluster, config, uptime: super::format_millis(started_at), version_info }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: VersionInfo<'_> = VersionInfo {
        branch: "main",
        build_date: "",
        build_user: "",
        go_version: "none",
        revision: "abc",
        version: "0.34.0",
    };

    #[test]
    fn the_status_has_the_recorded_shape() {
        let started_at = "2026-11-20T15:10:19.308Z".parse().unwrap();
        let alone =
            Status::new(Cluster::of_one("01M7", "127.0.0.1:9094"), "a: 1\n", started_at, BUILD);
        assert_eq!(
            serde_json::to_string(&alone).unwrap(),
            r#"{"cluster":{"name":"01M7","peers":[{"address":"127.0.0.1:9094","name":"01M7"}],"status":"ready"},"config":{"original":"a: 1\n"},"uptime":"2026-11-20T15:10:19.308Z","versionInfo":{"branch":"main","buildDate":"","buildUser":"","goVersion":"none","revision":"abc","version":"0.34.0"}}"#
        );
        let none = serde_json::to_string(&Cluster::disabled()).unwrap();
        assert_eq!(none, r#"{"peers":[],"status":"disabled"}"#);
    }
}
