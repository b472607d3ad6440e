//! A mail server that keeps what it is sent.

use std::sync::Arc;

use base64::Engine as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::board::{Board, Button, Entry, Kind};

/// The longest line and the longest mail that are taken.
const MAX_LINE_BYTES: u64 = 64 * 1024;
const MAX_MAIL_BYTES: usize = 1024 * 1024;

/// Takes mail until the process ends.
pub(super) async fn serve(listener: TcpListener, board: Arc<Board>) {
    while let Ok((stream, _)) = listener.accept().await {
        let board = Arc::clone(&board);
        tokio::spawn(async move {
            // A client that breaks off has sent no whole mail.
            let _ = converse(stream, &board).await;
        });
    }
}

async fn converse(stream: TcpStream, board: &Board) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    write.write_all(b"220 sandbox.example ESMTP\r\n").await?;
    let mut to = Vec::new();
    loop {
        let Some(line) = line(&mut read).await? else { return Ok(()) };
        let upper = line.to_ascii_uppercase();
        let reply = if upper.starts_with("EHLO") {
            "250-sandbox.example\r\n250 8BITMIME\r\n"
        } else if upper.starts_with("HELO") || upper.starts_with("MAIL FROM:") {
            "250 fine\r\n"
        } else if upper.starts_with("RCPT TO:") {
            let address = line.split('<').nth(1).and_then(|it| it.split('>').next());
            to.extend(address.map(str::to_owned));
            "250 fine\r\n"
        } else if upper == "DATA" && !to.is_empty() {
            write.write_all(b"354 go on\r\n").await?;
            let source = data(&mut read).await?;
            board.add(entry(&to.join(", "), &source));
            to.clear();
            "250 kept\r\n"
        } else if upper == "RSET" || upper == "NOOP" {
            to.clear();
            "250 fine\r\n"
        } else if upper == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "503 not now\r\n"
        };
        write.write_all(reply.as_bytes()).await?;
    }
}

async fn line(
    read: &mut BufReader<tokio::net::tcp::OwnedReadHalf>,
) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let count = read.take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes).await?;
    if count == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

async fn data(read: &mut BufReader<tokio::net::tcp::OwnedReadHalf>) -> std::io::Result<String> {
    let mut source = String::new();
    while let Some(text) = line(read).await? {
        if text == "." {
            return Ok(source);
        }
        if source.len() > MAX_MAIL_BYTES {
            return Err(std::io::Error::other("the mail is too long"));
        }
        source.push_str(text.strip_prefix('.').unwrap_or(&text));
        source.push_str("\r\n");
    }
    Err(std::io::Error::other("the mail has no end"))
}

fn entry(to: &str, source: &str) -> Entry {
    let (head, _) = source.split_once("\r\n\r\n").unwrap_or((source, ""));
    let html = part(source, "text/html");
    let mut buttons = Vec::new();
    for anchor in html.split("<a href=\"").skip(1) {
        let Some((url, rest)) = anchor.split_once('"') else { continue };
        let label = rest.split_once('>').and_then(|(_, it)| it.split_once("</a>"));
        let label = label.map_or("", |(label, _)| label).to_owned();
        if url.contains("/a/") {
            buttons.push(Button { label, value: url.replace("&amp;", "&"), is_link: true });
        }
    }
    Entry {
        title: header(head, "Subject").map(|it| words(&it)).unwrap_or_default(),
        text: part(source, "text/plain"),
        html,
        buttons,
        raw: serde_json::json!({ "source": source }),
        ..Entry::new("mail", Kind::Mail, to)
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut fields = unfolded.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
    Some(value.trim().to_owned())
}

/// Returns the decoded part of a type; empty when there is none.
fn part(source: &str, wanted: &str) -> String {
    let (head, body) = source.split_once("\r\n\r\n").unwrap_or((source, ""));
    let kind = header(head, "Content-Type").unwrap_or_default();
    if kind.starts_with(wanted) {
        let encoding = header(head, "Content-Transfer-Encoding").unwrap_or_default();
        return match encoding.to_ascii_lowercase().as_str() {
            "quoted-printable" => quoted_printable(body),
            "base64" => base64(&body.split_whitespace().collect::<String>()),
            _ => body.to_owned(),
        };
    }
    let Some((_, boundary)) = kind.split_once("boundary=") else { return String::new() };
    let boundary =
        format!("--{}", boundary.split(';').next().unwrap_or_default().trim_matches('"'));
    let parts = body.split(&boundary).skip(1);
    parts
        .map(|inner| part(inner.trim_start(), wanted))
        .find(|it| !it.is_empty())
        .unwrap_or_default()
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'=') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn base64(text: &str) -> String {
    let bytes = base64::prelude::BASE64_STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Decodes the encoded words of a header.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=?utf-8?b?") {
        if !before.trim().is_empty() {
            out.push_str(before);
        }
        let Some((encoded, after)) = after.split_once("?=") else { break };
        out.push_str(&base64(encoded));
        rest = after;
    }
    out + rest
}
