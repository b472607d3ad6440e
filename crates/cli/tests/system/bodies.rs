//! Packed request bodies, and bodies that are too large.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::process::QUIET;
use crate::support::api::firing;
use crate::support::tocsin::Tocsin;

/// The bound that these tests configure.
const MAX_BYTES: usize = 64 << 10;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bodies_may_be_packed_by_gzip_and_zstd() {
    let tocsin = Tocsin::start(QUIET).await;
    let body = |name: &str| json!([firing(&[("alertname", name)])]).to_string().into_bytes();
    let packed = [
        ("gzip", gzip(&body("Gzip"))),
        ("zstd", zstd::encode_all(body("Zstd").as_slice(), 0).unwrap()),
    ];
    for (encoding, body) in packed {
        let answer = tocsin.post_bytes("/api/v2/alerts", encoding, body).await;
        assert_eq!(answer.pair(), (200, ""), "{encoding}");
    }
    let names = tocsin.alert_values("alertname").await;
    assert_eq!(names, ["Gzip", "Zstd"].map(str::to_owned).into());
    let broken = tocsin.post_bytes("/api/v2/alerts", "gzip", b"not gzip".to_vec()).await;
    assert_eq!(broken.status, 400, "{broken:?}");
    let unknown = tocsin.post_bytes("/api/v2/alerts", "br", b"x".to_vec()).await;
    assert_eq!(unknown.status, 415, "{unknown:?}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_however_it_is_packed() {
    let config = format!("{QUIET}limits:\n  max_request_bytes: {MAX_BYTES}\n");
    let tocsin = Tocsin::start(&config).await;
    let large = json!([firing(&[("alertname", &"x".repeat(MAX_BYTES))])]).to_string().into_bytes();
    let bomb = gzip(&vec![b' '; MAX_BYTES * 64]);
    assert!(bomb.len() < MAX_BYTES);
    for (encoding, body) in [("", large.clone()), ("gzip", gzip(&large)), ("gzip", bomb)] {
        let answer = tocsin.post_bytes("/api/v2/alerts", encoding, body).await;
        assert_eq!(answer.status, 413, "{encoding}: {answer:?}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["code"], 413, "{answer:?}");
    }
    assert!(tocsin.alerts().await.is_empty());
    tocsin.tell(&[firing(&[("alertname", "Small")])]).await;
}
