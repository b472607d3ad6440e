//! A mail server that keeps what it is sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::within;

/// A mail as it was handed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    /// The addresses of the envelope.
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Everything between `DATA` and the final dot.
    pub(crate) source: String,
}

impl Mail {
    /// Returns the value of a header of the mail itself, unfolded.
    pub(crate) fn header(&self, name: &str) -> String {
        header(self.head_and_body().0, name).unwrap_or_default()
    }

    /// Returns the decoded part of this type.
    pub(crate) fn part(&self, content_type: &str) -> String {
        let (head, body) = self.head_and_body();
        let kind = header(head, "Content-Type").expect("a content type");
        let (_, boundary) = kind.split_once("boundary=").expect("several parts");
        let boundary = format!("--{}", boundary.trim_matches('"'));
        for part in body.split(&boundary).skip(1) {
            let Some((head, body)) = part.trim_start().split_once("\r\n\r\n") else { continue };
            if header(head, "Content-Type").is_some_and(|kind| kind.starts_with(content_type)) {
                let encoding = header(head, "Content-Transfer-Encoding").unwrap_or_default();
                return match encoding.as_str() {
                    "quoted-printable" => quoted_printable(body),
                    "" | "7bit" | "8bit" => body.to_owned(),
                    other => panic!("the encoding {other} is not known here"),
                };
            }
        }
        panic!("no part {content_type} in\n{}", self.source);
    }

    fn head_and_body(&self) -> (&str, &str) {
        self.source.split_once("\r\n\r\n").expect("an empty line after the headers")
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut fields = unfolded.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
    Some(value.trim().to_owned())
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits"));
            let digits = std::str::from_utf8(&digits).expect("digits").to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).expect("digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A mail server on a free port.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    grown: watch::Receiver<usize>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (count, grown) = watch::channel(0);
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            let count = Arc::new(count);
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, count) = (Arc::clone(&kept), Arc::clone(&count));
                tokio::spawn(async move {
                    // A client that breaks off has sent no whole mail.
                    let _ = converse(stream, |mail| {
                        let mut kept = kept.lock().unwrap();
                        kept.push(mail);
                        count.send_replace(kept.len());
                    })
                    .await;
                });
            }
        });
        Self { port, mails, grown }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// Waits for a mail whose subject begins like this.
    pub(crate) async fn wait(&self, subject: &str) -> Mail {
        let mut grown = self.grown.clone();
        let waiting = async {
            loop {
                grown.borrow_and_update();
                let mut mails = self.mails().into_iter();
                if let Some(mail) = mails.find(|mail| mail.header("Subject").starts_with(subject)) {
                    return mail;
                }
                grown.changed().await.expect("the server runs");
            }
        };
        within(&format!("a mail about {subject}"), waiting).await
    }
}

/// Speaks as much of SMTP (RFC 5321) as a client without sign-in needs.
async fn converse(mut stream: TcpStream, mut keep: impl FnMut(Mail)) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read);
    write.write_all(b"220 sink ready\r\n").await?;
    let mut mail = Mail::default();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
        let path = || line.split(['<', '>']).nth(1).unwrap_or("").to_owned();
        let reply: &[u8] = match verb.as_str() {
            "EHLO" => b"250-sink\r\n250 8BITMIME\r\n",
            "HELO" | "NOOP" | "RSET" => b"250 fine\r\n",
            "MAIL" => {
                mail = Mail { from: path(), ..Mail::default() };
                b"250 fine\r\n"
            }
            "RCPT" => {
                mail.to.push(path());
                b"250 fine\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                mail.source = data(&mut lines).await?;
                keep(std::mem::take(&mut mail));
                b"250 kept\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"502 not here\r\n",
        };
        write.write_all(reply).await?;
    }
}

/// Reads to the line that is only a dot.
async fn data(lines: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut source = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(source);
        }
        source.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
