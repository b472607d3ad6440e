//! A lean HTTP/1.1 client: the load generator shares the machine with the servers it measures,
//! so it must cost as little as possible, and the same for each of them.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection that is kept open.
pub(super) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a prepared request and returns the length of the answer's body.
    ///
    /// # Errors
    /// When the answer is not 2xx or not HTTP.
    pub(super) async fn send(&mut self, request: &[u8]) -> Result<usize> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).context("no status line")?.to_owned();
        let length = if let Some(length) = header(&text, "content-length") {
            let length: usize = length.parse()?;
            self.read_to(head + length).await?;
            length
        } else if header(&text, "transfer-encoding") == Some("chunked") {
            self.read_chunks(head).await?
        } else {
            0
        };
        if !status.starts_with('2') {
            bail!("status {status}: {}", String::from_utf8_lossy(&self.buffer[head..]));
        }
        Ok(length)
    }

    async fn read_to(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        Ok(())
    }

    async fn read_chunks(&mut self, mut at: usize) -> Result<usize> {
        let mut total = 0;
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                    break at + end;
                }
                self.read_to(self.buffer.len() + 1).await?;
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[at..line])?, 16)?;
            self.read_to(line + 2 + size + 2).await?;
            at = line + 2 + size + 2;
            total += size;
            if size == 0 {
                return Ok(total);
            }
        }
    }
}

/// Returns the bytes of a GET request.
pub(super) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Returns the bytes of a POST request with a JSON body.
pub(super) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}
