//! Who may drive a simulator: whoever sits at this machine, and whoever has the token.
//!
//! A page of another origin, and a name that somebody points at this machine, come with a browser that sits here too.
//! The first is told by its `Origin`, the second by the `Host` that it asks for.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use crate::{Error, Result};

/// What a cookie with the token is called.
const COOKIE: &str = "lorgnette";

/// Decides who is let in.
pub(super) struct Guard {
    address: SocketAddr,
    token: Option<Token>,
}

/// A secret of 128 bits, in hexadecimal digits.
pub(super) struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the system has no random numbers.
    fn random() -> Result<Self> {
        let source = "/dev/urandom";
        let mut bytes = [0; 16];
        let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(|error| Error::io(source, "read", &error))?;
        let mut text = String::new();
        for byte in bytes {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// Whether `other` is the same, in a time that does not tell how much of it is.
    fn is(&self, other: &str) -> bool {
        let differ = self.0.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
        self.0.len() == other.len() && differ == 0
    }
}

impl Guard {
    /// The guard of a server that listens on `address`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when there is no token to be had where one is needed.
    pub(super) fn new(address: SocketAddr) -> Result<Self> {
        let token = if address.ip().is_loopback() { None } else { Some(Token::random()?) };
        Ok(Self { address, token })
    }

    /// The address of the page, with the token where one is needed.
    pub(super) fn page(&self) -> String {
        match &self.token {
            Some(Token(token)) => format!("http://{}/?token={token}", self.address),
            None => format!("http://{}/", self.address),
        }
    }

    /// Whether a request may come in; the host that it names.
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
        let host = headers.get(header::HOST).cloned();
        let Some(host) = host.filter(|host| host.to_str().is_ok_and(|host| self.is_ours(host))) else {
            let error = "found another name in Host, expected the address of this simulator";
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, error));
        };
        if let Some(origin) = headers.get(header::ORIGIN)
            && origin.as_bytes().strip_prefix(b"http://") != Some(host.as_bytes())
        {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "found another Origin, expected none or that of the page",
            ));
        }
        match &self.token {
            Some(token) if !given(uri, headers).any(|given| token.is(given)) => {
                let error = "found no token or another, expected the one that lorgnette printed";
                Err(Refusal::new(StatusCode::UNAUTHORIZED, error))
            }
            _ => Ok(host),
        }
    }

    /// Whether `host` is an address of ours, and not a name that may lead anywhere.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let address = name.parse::<IpAddr>().ok();
        let known = match address {
            Some(address) => address.is_loopback() || !self.address.ip().is_loopback(),
            None => name.eq_ignore_ascii_case("localhost"),
        };
        let plain = !host.contains('@');
        known && plain && authority.port_u16().unwrap_or(80) == self.address.port()
    }

    /// What the browser is to hold the page to.
    fn protect(&self, response: &mut Response, host: &HeaderValue, came_with_token: bool) {
        let host = host.to_str().unwrap_or_default();
        let policy = format!(
            "default-src 'self'; connect-src 'self' ws://{host}; img-src 'self' blob: data:; \
             media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(Token(token)) = self.token.as_ref().filter(|_| came_with_token) {
            let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                headers.insert(header::SET_COOKIE, cookie);
            }
        }
    }
}

/// The tokens that a request came with.
fn given<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let cookies = text(header::COOKIE).into_iter().flat_map(|cookies| cookies.split("; "));
    let cookie = cookies.filter_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='));
    query(uri, "token").into_iter().chain(bearer).chain(cookie)
}

/// The value of `name` in the query, as it is written there.
pub(super) fn query<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let came_with_token = query(request.uri(), "token").is_some();
    match guard.admit(request.uri(), request.headers()) {
        Ok(host) => {
            let mut response = next.run(request).await;
            guard.protect(&mut response, &host, came_with_token);
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(guard: &Guard, uri: &str, headers: &[(&str, &str)]) -> Result<(), u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let admitted = guard.admit(&uri.parse().unwrap(), &map);
        admitted.map(drop).map_err(|refusal| refusal.into_response().status().as_u16())
    }

    fn guard(address: &str) -> Guard {
        Guard::new(address.parse().unwrap()).unwrap()
    }

    #[test]
    fn only_the_names_of_this_machine_are_heeded() {
        let guard = guard("127.0.0.1:4600");
        for host in ["127.0.0.1:4600", "localhost:4600", "LOCALHOST:4600", "[::1]:4600"] {
            assert_eq!(asked(&guard, "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:4600",
            "127.0.0.1.evil.example:4600",
            "localhost.evil.example:4600",
            "127.0.0.1:80",
            "127.0.0.1",
            "192.168.1.7:4600",
            "evil@127.0.0.1:4600",
            "",
        ] {
            assert_eq!(asked(&guard, "/", &[("host", host)]), Err(421), "{host}");
        }
        assert_eq!(asked(&guard, "/", &[]), Err(421));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let guard = guard("127.0.0.1:4600");
        let with = |origin| asked(&guard, "/api/input", &[("host", "localhost:4600"), ("origin", origin)]);
        assert_eq!(with("http://localhost:4600"), Ok(()));
        for origin in ["http://evil.example", "https://localhost:4600", "http://localhost:4601", "null", ""] {
            assert_eq!(with(origin), Err(403), "{origin}");
        }
    }

    #[test]
    fn on_other_addresses_a_token_is_needed() {
        let guard = guard("0.0.0.0:4600");
        let Some(Token(token)) = &guard.token else { panic!("no token") };
        assert_eq!(token.len(), 32);
        let host = ("host", "192.168.1.7:4600");
        assert_eq!(asked(&guard, "/", &[host]), Err(401));
        assert_eq!(asked(&guard, "/?token=", &[host]), Err(401));
        assert_eq!(asked(&guard, &format!("/?token={}", "0".repeat(32)), &[host]), Err(401));
        assert_eq!(asked(&guard, &format!("/?a=b&token={token}"), &[host]), Ok(()));
        assert_eq!(asked(&guard, "/", &[host, ("authorization", &format!("Bearer {token}"))]), Ok(()));
        assert_eq!(asked(&guard, "/", &[host, ("cookie", &format!("a=b; lorgnette={token}"))]), Ok(()));
        let rebound = asked(&guard, &format!("/?token={token}"), &[("host", "evil.example:4600")]);
        assert_eq!(rebound, Err(421), "a name may lead anywhere");
    }
}
