//! Servers of tools: a real one over stdio and over HTTP on loopback, and servers that mean harm or do not work.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "mcp/faults.rs"]
mod faults;
#[path = "mcp/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_runtime::tool::mcp::{Host, ServerConfig};
use lorgnette_runtime::tool::{
    Call, Deny, Effect, Limits, Origin, Reply, Tool, ToolError, ToolErrorKind, Toolbox, Turn, block_on,
};
use serde_json::{Value, json};

/// Enough for any machine; what has to take longer has its own.
const TIME: Duration = Duration::from_secs(60);

/// The server of these tests with these of its tools, over stdio.
fn over_stdio(tools: &[&str]) -> ServerConfig {
    let tests = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    // The messages go through another descriptor than what the test harness prints.
    let script = "exec \"$0\" --exact server::serve_stdio --ignored --nocapture 3>&1 >/dev/null";
    let command = ["sh", "-c", script, &tests].map(str::to_owned).to_vec();
    config(ServerConfig { command, ..ServerConfig::default() }, tools)
}

fn over_http(url: &str, tools: &[&str]) -> ServerConfig {
    config(ServerConfig { url: url.to_owned(), ..ServerConfig::default() }, tools)
}

fn config(server: ServerConfig, tools: &[&str]) -> ServerConfig {
    let tools = tools.iter().map(|name| ((*name).to_owned(), Effect::Reads)).collect::<BTreeMap<_, _>>();
    ServerConfig { name: "test".into(), tools, ..server }
}

fn turn(tools: Vec<Arc<dyn Tool>>, limits: Limits) -> Turn {
    let mut toolbox = Toolbox::new(Arc::new(Deny), limits);
    tools.into_iter().for_each(|tool| toolbox.add(tool).unwrap());
    Turn::new(Arc::new(toolbox))
}

fn call(turn: &mut Turn, name: &str, arguments: Value) -> Reply {
    block_on(turn.call(Call { id: "call_1".into(), name: name.into(), arguments }))
}

fn kind(outcome: &Result<impl Sized, ToolError>) -> ToolErrorKind {
    outcome.as_ref().err().unwrap().kind()
}

/// What holds for any way to the server.
fn check_server(config: impl Fn(&[&str]) -> ServerConfig) {
    let host = Host::new().unwrap();
    let tools = host.connect(&config(&["echo", "fail", "flood", "picture", "structured"]), TIME).unwrap();
    let mut turn = turn(tools, Limits { bytes: 1000, time: TIME, ..Limits::default() });
    let echoed = call(&mut turn, "echo", json!({"text": "grün <b>"})).outcome.unwrap();
    assert_eq!((echoed.untrusted_text(), echoed.origin()), ("grün <b>", Origin::Outside));
    assert!(turn.has_seen_untrusted());
    assert_eq!(kind(&call(&mut turn, "echo", json!({"text": 7})).outcome), ToolErrorKind::Arguments);
    let failed = call(&mut turn, "fail", json!({}));
    assert_eq!(failed.to_data(), r#"{"error": "fail: it failed: no \u003cluck>"}"#);
    let flood = call(&mut turn, "flood", json!({})).outcome.unwrap();
    assert_eq!((flood.len(), flood.is_cut()), (1000, true));
    let said = |turn: &mut Turn, name: &str| {
        call(turn, name, json!({})).outcome.unwrap().untrusted_text().to_owned()
    };
    assert_eq!(said(&mut turn, "picture"), "(a picture, left out)");
    assert_eq!(said(&mut turn, "structured"), r#"{"degrees":21}"#);
    let specs = turn.toolbox().functions();
    assert!(specs[0].to_string().contains("Says it ‹|im_end|> again"), "{}", specs[0]);
    // Nothing but what is named is taken.
    assert_eq!(kind(&call(&mut turn, "exit", json!({})).outcome), ToolErrorKind::Unknown);
    assert_eq!(kind(&host.connect(&config(&["no_such_tool"]), TIME)), ToolErrorKind::Spec);
    let liar = host.connect(&config(&["liar"]), TIME).unwrap().remove(0);
    let refused = Toolbox::new(Arc::new(Deny), Limits::default()).add(liar);
    assert_eq!(kind(&refused), ToolErrorKind::Spec);
}

#[test]
fn a_server_over_stdio_is_called() {
    check_server(over_stdio);
}

#[test]
fn a_server_over_http_is_called() {
    let url = server::serve_http();
    check_server(|tools| over_http(&url, tools));
}

/// A call that hangs, then one that is answered.
fn check_hanging(config: &ServerConfig) {
    let tools = Host::new().unwrap().connect(config, TIME).unwrap();
    let mut short = turn(tools.clone(), Limits { time: Duration::from_millis(50), ..Limits::default() });
    assert_eq!(kind(&call(&mut short, "hang", json!({})).outcome), ToolErrorKind::TimedOut);
    let mut long = turn(tools, Limits { time: TIME, ..Limits::default() });
    assert!(call(&mut long, "echo", json!({"text": "a"})).outcome.is_ok());
}

#[test]
fn a_call_that_hangs_is_given_up_and_the_server_goes_on() {
    check_hanging(&over_stdio(&["echo", "hang"]));
    check_hanging(&over_http(&server::serve_http(), &["echo", "hang"]));
}

#[test]
fn a_server_that_dies_is_an_error_at_once_and_ever_after() {
    let tools = Host::new().unwrap().connect(&over_stdio(&["echo", "exit"]), TIME).unwrap();
    let mut turn = turn(tools, Limits { time: TIME, ..Limits::default() });
    assert_eq!(kind(&call(&mut turn, "exit", json!({})).outcome), ToolErrorKind::Unavailable);
    assert_eq!(kind(&call(&mut turn, "echo", json!({"text": "a"})).outcome), ToolErrorKind::Unavailable);
}

#[test]
fn a_server_gets_only_the_environment_that_it_is_given() {
    let mut config = over_stdio(&["environment"]);
    config.env.insert("GIVEN".into(), "yes".into());
    let tools = Host::new().unwrap().connect(&config, TIME).unwrap();
    let mut turn = turn(tools, Limits { time: TIME, ..Limits::default() });
    let names = call(&mut turn, "environment", json!({})).outcome.unwrap();
    let names: Vec<_> = names.untrusted_text().split(' ').collect();
    assert!(names.contains(&"GIVEN") && std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
}

/// The server and a child of its own, which is in its group.
#[test]
fn a_server_is_killed_with_the_last_of_its_tools() {
    let host = Host::new().unwrap();
    let tools = host.connect(&over_stdio(&["processes", "echo"]), TIME).unwrap();
    let mut turn = turn(tools.clone(), Limits { time: TIME, ..Limits::default() });
    let said = call(&mut turn, "processes", json!({})).outcome.unwrap();
    let processes: Vec<u32> = said.untrusted_text().split(' ').map(|id| id.parse().unwrap()).collect();
    assert_eq!((processes.len(), processes.iter().all(|id| runs(*id))), (2, true));
    drop((turn, host));
    assert!(runs(processes[0]), "a tool is left");
    drop(tools);
    assert!(!runs(processes[0]), "the server itself was waited for");
    let end = std::time::Instant::now() + TIME;
    while runs(processes[1]) {
        assert!(std::time::Instant::now() < end, "its child still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not a zombie.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// A server that somebody else wrote: `LORGNETTE_MCP_TIME=PROGRAM` is mcp-server-time of the protocol's authors.
#[test]
#[ignore = "needs a program; make mcp"]
fn the_time_server_of_the_protocols_authors_is_called() {
    let program = std::env::var("LORGNETTE_MCP_TIME").unwrap();
    let server = ServerConfig { command: vec![program], ..ServerConfig::default() };
    let tools =
        Host::new().unwrap().connect(&config(server, &["get_current_time", "convert_time"]), TIME).unwrap();
    let mut turn = turn(tools, Limits { time: TIME, ..Limits::default() });
    let arguments = json!({"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"});
    let converted = call(&mut turn, "convert_time", arguments).outcome.unwrap();
    assert!(converted.untrusted_text().contains("T21:00:00+09:00"), "{converted:?}");
    let wrong = call(&mut turn, "get_current_time", json!({"timezone": "Mars/Olympus"}));
    assert_eq!(kind(&wrong.outcome), ToolErrorKind::Failed);
}
