//! The servers that are measured, each a process of its own on a free loopback port.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

use super::client::{Client, get};

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Which program.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// This binary.
    Tocsin,
    /// An Alertmanager.
    Alertmanager(String),
}

/// A running server.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    /// From starting the process until it answered that it is ready.
    pub(super) started_in: Duration,
}

impl Server {
    pub(super) async fn start(program: &Program, directory: &Path, config: &str) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let config_file = directory.join("config.yml");
        std::fs::write(&config_file, config)?;
        let address = free_address()?;
        let mut command = match program {
            Program::Tocsin => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("serve");
                command
            }
            Program::Alertmanager(path) => Command::new(path),
        };
        command
            .arg("--config.file")
            .arg(&config_file)
            .arg("--storage.path")
            .arg(directory.join("data"))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("{program:?} cannot be started"))?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        server.wait_until_ready(started).await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, started: Instant) -> Result<()> {
        let ready = get("/-/ready");
        loop {
            if let Ok(mut client) = Client::connect(self.address).await
                && client.send(&ready).await.is_ok()
            {
                self.started_in = started.elapsed();
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if started.elapsed() > START_LIMIT {
                bail!("the server was not ready after {} s", START_LIMIT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Returns the resident memory in bytes.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let pid = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = line
            .and_then(|line| line.split_whitespace().next())
            .context("no VmRSS in /proc")?
            .parse()?;
        Ok(kilobytes * 1_024)
    }

    /// Ends the process at once, as a crash would.
    pub(super) async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
