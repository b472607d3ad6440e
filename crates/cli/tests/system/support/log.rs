//! What a process writes while it runs.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::watch;

use super::within;

/// The part of a log line that tells where the process listens; Prometheus and its relatives
/// word it alike.
pub(crate) const LISTENING: &str = r#"msg="Listening on" address="#;

/// What a process writes to its standard error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// Changes with every line, and is closed at the end.
    grown: Option<watch::Receiver<usize>>,
}

impl Log {
    /// Keeps what the process writes from now on.
    pub(crate) fn follow(stream: ChildStderr) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (count, grown) = watch::channel(0);
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push(line);
                count.send_replace(kept.len());
            }
        });
        Self { lines, grown: Some(grown) }
    }

    /// Returns everything that was written so far.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
    }

    /// Waits until the process listens and returns where: `host:port`.
    pub(crate) async fn address(&self) -> String {
        let line = self.line(LISTENING).await;
        let (_, address) = line.split_once(LISTENING).unwrap();
        address.split_whitespace().next().unwrap().to_owned()
    }

    /// Waits for a line that has `part`; panics when the process ends without one.
    pub(crate) async fn line(&self, part: &str) -> String {
        let mut grown = self.grown.clone().expect("it was started");
        let find = || self.lines.lock().unwrap().iter().find(|line| line.contains(part)).cloned();
        let waiting = async {
            loop {
                if let Some(line) = find() {
                    return line;
                }
                if grown.changed().await.is_err() {
                    return find().unwrap_or_else(|| {
                        panic!("it ended without a line with `{part}`:\n{}", self.text())
                    });
                }
            }
        };
        within(&format!("a log line with `{part}`"), waiting).await
    }

    /// Waits until there is nothing more to come.
    pub(crate) async fn end(&self) {
        let Some(mut grown) = self.grown.clone() else { return };
        within("the end of the log", async { while grown.changed().await.is_ok() {} }).await;
    }
}
