//! Servers that mean harm, or do not work: each is an error of its kind, within the time that it has.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use lorgnette_runtime::tool::ToolErrorKind::{self, TimedOut, Unavailable};
use lorgnette_runtime::tool::mcp::{Host, ServerConfig};

use super::{TIME, config, kind, over_http};

/// For servers that never answer.
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn programs_that_are_no_servers_are_errors() {
    let cases: [(&[&str], Duration, &[ToolErrorKind]); 7] = [
        (&["/nowhere/at/all"], TIME, &[Unavailable]),
        (&["true"], TIME, &[Unavailable]),
        (&["sh", "-c", "exit 7"], TIME, &[Unavailable]),
        (&["sleep", "600"], SHORT, &[TimedOut]),
        // It reads what we say, and says it again: requests for us.
        (&["cat"], SHORT, &[TimedOut, Unavailable]),
        (&["yes", "<html>"], SHORT, &[TimedOut, Unavailable]),
        // A line that does not end.
        (&["cat", "/dev/zero"], SHORT, &[TimedOut, Unavailable]),
    ];
    for (command, time, expected) in cases {
        let server = ServerConfig {
            command: command.iter().map(|&part| part.to_owned()).collect(),
            ..Default::default()
        };
        let found = kind(&Host::new().unwrap().connect(&config(server, &["echo"]), time));
        assert!(expected.contains(&found), "{command:?}: {found:?}");
    }
}

#[test]
fn addresses_that_are_no_servers_are_errors() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    let moved = "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
    let broken = "HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno";
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"jsonrpc\"";
    for answer in [page, moved, broken, json, cut, "no HTTP at all\r\n\r\n", ""] {
        let url = answering(move |mut stream| drop(stream.write_all(answer.as_bytes())));
        let found = kind(&Host::new().unwrap().connect(&over_http(&url, &["echo"]), TIME));
        assert_eq!(found, Unavailable, "{answer:?}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = over_http(&format!("http://{nobody}/"), &["echo"]);
    assert_eq!(kind(&Host::new().unwrap().connect(&nobody, TIME)), Unavailable);
}

#[test]
fn addresses_that_never_end_their_answer_are_given_up() {
    let silent = answering(|stream| {
        let _ = stream.take(u64::MAX).read_to_end(&mut Vec::new());
    });
    assert_eq!(kind(&Host::new().unwrap().connect(&over_http(&silent, &["echo"]), SHORT)), TimedOut);
    for ty in ["application/json", "text/event-stream"] {
        let endless = answering(move |mut stream| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {ty}\r\nConnection: close\r\n\r\ndata: ");
            let mut sent = stream.write_all(head.as_bytes());
            while sent.is_ok() {
                sent = stream.write_all(&[b' '; 4096]);
            }
        });
        let found = kind(&Host::new().unwrap().connect(&over_http(&endless, &["echo"]), 3 * SHORT));
        assert!([TimedOut, Unavailable].contains(&found), "{ty}: {found:?}");
    }
}

/// A server that does the same with every connection, after its first request.
fn answering(answer: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 65_536]);
            answer(stream);
        }
    });
    url
}
