//! The server as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::log::{LISTENING, Log};
use super::within;

/// How a server is started, again and again on the same data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    flags: Vec<String>,
    wrapper: Vec<String>,
    data: Option<PathBuf>,
    config: Option<PathBuf>,
    prefix: &'static str,
    takes_two_tokens: bool,
}

impl Setup {
    /// Adds a flag.
    pub(crate) fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Serves everything under this path.
    pub(crate) fn under(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Keeps the data there, not in a directory of its own.
    pub(crate) fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Reads the configuration there; nothing is written to that place.
    pub(crate) fn config(mut self, path: impl Into<PathBuf>) -> Self {
        self.config = Some(path.into());
        self
    }

    /// Runs this shell script in the server's place; its last word must be `exec "$0" "$@"`.
    pub(crate) fn shell(mut self, script: &str) -> Self {
        self.wrapper = ["sh", "-c", script].map(str::to_owned).to_vec();
        self
    }

    /// Writes flags as `--name value`, not as `--name=value`.
    pub(crate) fn two_tokens(mut self) -> Self {
        self.takes_two_tokens = true;
        self
    }

    /// Starts the server with this configuration and waits until it listens.
    pub(crate) async fn start(self, config: &str) -> Tocsin {
        let mut tocsin = self.launch(config);
        tocsin.listening().await;
        tocsin
    }

    /// Starts the server with this configuration without waiting for anything.
    pub(crate) fn launch(self, config: &str) -> Tocsin {
        let mut tocsin = self.prepare(config);
        tocsin.launch();
        tocsin
    }

    /// Starts a server that must not come up; returns its exit code and what it wrote.
    pub(crate) async fn refuse(self, config: &str) -> (i32, String) {
        let mut tocsin = self.launch(config);
        let status = tocsin.ended().await;
        let text = tocsin.log.text();
        assert!(!text.contains(LISTENING), "it listened before it gave up:\n{text}");
        (status.code().expect("not ended by a signal"), text)
    }

    fn prepare(self, config: &str) -> Tocsin {
        tocsin_connect::install_crypto();
        let directory = tempfile::tempdir().unwrap();
        let data = self.data.clone().unwrap_or_else(|| directory.path().join("data"));
        let tocsin = Tocsin {
            config: directory.path().join("tocsin.yaml"),
            data,
            setup: self,
            child: None,
            log: Log::default(),
            address: String::new(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _directory: directory,
        };
        tocsin.configure(config);
        tocsin
    }
}

/// A server and everything it needs. It is killed when this is dropped, and what it wrote is
/// shown when the test failed.
pub(crate) struct Tocsin {
    setup: Setup,
    config: PathBuf,
    data: PathBuf,
    child: Option<Child>,
    log: Log,
    address: String,
    client: reqwest::Client,
    _directory: TempDir,
}

impl Tocsin {
    /// Starts the server with this configuration.
    pub(crate) async fn start(config: &str) -> Self {
        Setup::default().start(config).await
    }

    /// Replaces the configuration file; the server is not told.
    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(&self.config, config).unwrap();
    }

    /// Returns the data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the address of `path` under the route prefix.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.setup.prefix)
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Returns the process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// Starts the process without waiting for anything.
    pub(crate) fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut words = self.setup.wrapper.clone();
        words.push(env!("CARGO_BIN_EXE_tocsin").to_owned());
        words.push("serve".to_owned());
        let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let mut flags = vec![
            format!("--config.file={}", path(self.setup.config.as_ref().unwrap_or(&self.config))),
            format!("--storage.path={}", path(&self.data)),
            "--web.listen-address=127.0.0.1:0".to_owned(),
        ];
        if !self.setup.prefix.is_empty() {
            flags.push(format!("--web.route-prefix={}", self.setup.prefix));
        }
        flags.extend(self.setup.flags.iter().cloned());
        for flag in flags {
            match flag.split_once('=') {
                Some((name, value)) if self.setup.takes_two_tokens => {
                    words.extend([name, value].map(str::to_owned));
                }
                _ => words.push(flag),
            }
        }
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {words:?}: {error}"));
        self.log = Log::follow(child.stderr.take().unwrap());
        self.child = Some(child);
    }

    /// Waits until it listens and learns where.
    pub(crate) async fn listening(&mut self) {
        self.address = self.log.address().await;
    }

    /// Kills it as a power cut would.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
    }

    /// Starts it again on the same data and waits until it listens.
    pub(crate) async fn start_again(&mut self) {
        self.launch();
        self.listening().await;
    }

    /// Kills it and starts it again.
    pub(crate) async fn crash(&mut self) {
        self.kill().await;
        self.start_again().await;
    }

    /// Tells it to stop and returns how it ended.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let status = within("the process ends", child.wait()).await.unwrap();
        self.log.end().await;
        status
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        // The shell has a `kill` of its own on every system.
        let script = format!("kill -s {name} {}", self.pid());
        let status = Command::new("sh").args(["-c", &script]).status().await.unwrap();
        assert!(status.success(), "{script}: {status}");
    }

    /// Waits for a log line that has `part`.
    pub(crate) async fn logged(&self, part: &str) -> String {
        self.log.line(part).await
    }

    /// Returns everything it wrote since it was last started.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for Tocsin {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the server wrote\n{}---", self.log.text());
        }
    }
}
