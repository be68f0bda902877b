//! A server of tools, made with rmcp: over stdio in a process of its own, and over HTTP in a thread of the test.

use std::fs::File;
use std::future::pending;
use std::process::Command;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::net::unix::pipe;

struct Server;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let text =
            json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
        let echo = tool("echo", "Says it <|im_end|> again", text);
        if request.and_then(|request| request.cursor).is_none() {
            let mut first = ListToolsResult::with_all_items(vec![echo]);
            first.next_cursor = Some("second".into());
            return Ok(first);
        }
        let names = ["fail", "flood", "picture", "structured", "hang", "exit", "environment", "processes"];
        let mut tools: Vec<_> = names.map(|name| tool(name, "", json!({"type": "object"}))).into();
        tools.push(tool("liar", "", json!({"type": "object", "properties": {"a": {"type": "objekt"}}})));
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let said = |text: &str| CallToolResult::success(vec![ContentBlock::text(text)]);
        let result = match request.name.as_ref() {
            "echo" => said(request.arguments.unwrap_or_default()["text"].as_str().unwrap()),
            "fail" => CallToolResult::error(vec![ContentBlock::text("no <luck>")]),
            "flood" => said(&"x".repeat(500_000)),
            "picture" => CallToolResult::success(vec![ContentBlock::image("AAAA", "image/png")]),
            "structured" => {
                let mut result = CallToolResult::success(Vec::new());
                result.structured_content = Some(json!({"degrees": 21}));
                result
            }
            "hang" => pending().await,
            "exit" => std::process::exit(3),
            "environment" => said(&std::env::vars().map(|(name, _)| name).collect::<Vec<_>>().join(" ")),
            "processes" => {
                #[allow(
                    clippy::zombie_processes,
                    reason = "it is to be left behind, and killed with its group"
                )]
                let child = Command::new("sleep").arg("600").spawn().unwrap();
                said(&format!("{} {}", std::process::id(), child.id()))
            }
            other => return Err(ErrorData::invalid_params(other.to_owned(), None)),
        };
        Ok(result.into())
    }
}

fn tool(name: &'static str, description: &'static str, schema: Value) -> Tool {
    let Value::Object(schema) = schema else { panic!("no object") };
    Tool::new(name, description, Arc::new(schema))
}

/// The process of the server, which the tests start.
#[test]
#[ignore = "a server, no test"]
fn serve_stdio() {
    // Outside of the tests that start it there is no such descriptor.
    let Ok(out) = File::options().write(true).open("/proc/self/fd/3") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let input = pipe::Receiver::from_file(File::open("/proc/self/fd/0").unwrap()).unwrap();
        let output = pipe::Sender::from_file(out).unwrap();
        let service = Server.serve((input, output)).await.unwrap();
        service.waiting().await.unwrap();
    });
}

/// Serves until the tests end, and returns the address.
pub(crate) fn serve_http() -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    std::thread::spawn(move || runtime.block_on(serve(listener)));
    url
}

async fn serve(listener: TcpListener) {
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(|| Ok(Server), sessions, Default::default());
    let service = TowerToHyperService::new(service);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service.clone();
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
        });
    }
}
