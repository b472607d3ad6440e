//! `tracing` and `event_recorder`: what is told about the server itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::http::{HttpConfig, HttpHeader, TlsConfig};
use crate::reader::{Fields, Reader};
use crate::section::{section, words};
use crate::values::{Bytes, SecretUrl};

section! {
    /// Where traces are sent (OpenTelemetry).
    TracingConfig, check = check_tracing => {
        /// How they are sent.
        client_type: TracingClient;
        /// The collector, `host:port`.
        endpoint: String;
        /// The share of traces that is kept, from 0 to 1.
        sampling_fraction: f64;
        /// Sends without TLS.
        insecure: bool;
        /// How the collector is verified.
        tls_config: Option<TlsConfig>;
        /// Headers added to every request.
        http_headers: BTreeMap<String, HttpHeader>;
        /// How bodies are packed.
        compression: Option<TracingCompression>;
        /// The longest that one request may take.
        timeout: Duration;
    }
}

words! {
    /// How traces are sent.
    TracingClient {
        /// gRPC.
        Grpc = "grpc",
        /// HTTP.
        Http = "http",
    }
    default = Grpc
}

words! {
    /// How bodies of traces are packed.
    TracingCompression {
        /// gzip.
        Gzip = "gzip",
    }
    default = Gzip
}

fn check_tracing(config: &mut TracingConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.require(fields, &["endpoint"]);
    if !(0.0..=1.0).contains(&config.sampling_fraction) {
        reader.error_at(fields, "sampling_fraction", "`sampling_fraction` goes from 0 to 1");
    }
}

section! {
    /// Where a record of everything that happens is written. Read and checked; Tocsin keeps its
    /// own history whatever stands here.
    EventRecorderConfig => {
        /// Files, one JSON object a line.
        @Newer file_outputs: Vec<FileOutput>;
        /// Addresses.
        @Newer webhook_outputs: Vec<WebhookOutput>;
        /// Topics of Kafka.
        @Newer kafka_outputs: Vec<KafkaOutput>;
        /// The standard output.
        @Newer stdout_outputs: Vec<StdoutOutput>;
    }
}

section! {
    /// A file, one JSON object a line.
    FileOutput, check = |_, fields: &Fields<'_>, reader: &mut Reader<'_>| {
        reader.require(fields, &["path"]);
    } => {
        /// Its path.
        @Newer path: Option<PathBuf>;
    }
}

section! {
    /// The standard output.
    StdoutOutput => {
    }
}

section! {
    /// An address that events are posted to.
    WebhookOutput, check = |_, fields: &Fields<'_>, reader: &mut Reader<'_>| {
        reader.require(fields, &["url"]);
    } => {
        /// The address.
        @Newer url: Option<SecretUrl>;
        /// How the client is set up; the global one when it is not given.
        @Newer http_config: Option<HttpConfig>;
        /// The longest that one request may take.
        @Newer timeout: Duration = Duration::from_secs(10);
        /// How many requests run at a time.
        @Newer workers: u32 = 4;
        /// How often a failed request is tried again.
        @Newer max_retries: u32 = 3;
        /// The wait before that.
        @Newer retry_backoff: Duration = Duration::from_millis(500);
        /// Whether events are gathered.
        @Newer batch: bool;
        /// The most events in one body.
        @Newer batch_max_events: u32 = 100;
        /// The largest body.
        @Newer batch_max_bytes: Bytes = Bytes(1 << 20);
        /// The longest that an event waits for others.
        @Newer batch_flush_interval: Duration = Duration::from_millis(100);
    }
}

section! {
    /// A topic of Kafka that events are written to.
    KafkaOutput, check = |_, fields: &Fields<'_>, reader: &mut Reader<'_>| {
        reader.require(fields, &["brokers", "topic"]);
    } => {
        /// The brokers, `host:port`.
        @Newer brokers: Vec<String>;
        /// The topic.
        @Newer topic: String;
        /// The name of this client.
        @Newer client_id: String;
        /// How an event is written.
        @Newer format: KafkaFormat;
        /// Who must have an event before it counts as written.
        @Newer acks: Option<KafkaAcks>;
        /// How bodies are packed.
        @Newer compression: Option<String>;
        /// How many events may wait.
        @Newer buffer_size: u32 = 1024;
        /// How the brokers are verified.
        @Newer tls_config: Option<TlsConfig>;
    }
}

words! {
    /// How an event is written.
    KafkaFormat {
        /// As JSON.
        Json = "json",
        /// As a protocol buffer.
        Protobuf = "protobuf",
    }
    default = Json
}

words! {
    /// Who must have an event before it counts as written.
    KafkaAcks {
        /// Nobody.
        None = "none",
        /// The leader.
        Leader = "leader",
        /// All replicas.
        All = "all",
    }
    default = All
}
