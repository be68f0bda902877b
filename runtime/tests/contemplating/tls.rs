//! Endpoints behind TLS, with certificates made for the test.

use std::sync::Arc;

use lorgnette_runtime::mode::contemplating::State;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::server::piece;
use crate::wearer::{DRAFT, Wearer, written};

/// A server for 127.0.0.1 that says yes to whoever trusts it: its port, its certificate in PEM.
async fn serving() -> (u16, String, JoinHandle<()>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            // Who does not trust the certificate goes away in the middle.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            let body = format!("{}data: [DONE]\n\n", piece("Yes."));
            let head = format!(
                "content-type: text/event-stream\r\ncontent-length: {}\r\nconnection: close",
                body.len()
            );
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (port, made.cert.pem(), serving)
}

#[tokio::test]
async fn a_certificate_that_is_named_is_trusted() {
    let (port, certificate, serving) = serving().await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate).unwrap();
    let budget = "[budget]\nseconds = 8\nagents = 1";
    let wearer = Wearer::at(&format!("https://127.0.0.1:{port}/v1"), budget, &format!("ca = {ca:?}"));
    assert_eq!(wearer.ask(&written()).await.0.text, "Yes.");
    assert_eq!(wearer.records()[0].destination, format!("https://127.0.0.1:{port}"));
    serving.abort();
}

#[tokio::test]
async fn one_that_nobody_trusts_gets_no_byte_of_a_request() {
    let (port, _, serving) = serving().await;
    let wearer = Wearer::at(&format!("https://127.0.0.1:{port}/v1"), "", "");
    let (outcome, _) = wearer.ask(&written()).await;
    assert_eq!(outcome.text, DRAFT);
    assert!(outcome.source.note().unwrap().contains("certificate"), "{:?}", outcome.source);
    assert!(wearer.records().iter().all(|record| record.state != State::Sent));
    serving.abort();
}
