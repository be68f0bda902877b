//! What a turn lets pass.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::Image;
use lorgnette_runtime::model::vision::Picture;
use lorgnette_runtime::tool::{
    Call, Deny, Effect, Limits, Observation, Reason, Reply, ToolError, ToolErrorKind, Toolbox, Turn, block_on,
};
use serde_json::json;

use super::{Recorder, Wearer, toolbox, turn_of};

fn call(turn: &mut Turn, name: &str) -> Reply {
    let arguments = json!({"what": "tea", "count": 1});
    block_on(turn.call(Call { id: "call_1".into(), name: name.into(), arguments }))
}

fn kind(reply: &Reply) -> ToolErrorKind {
    reply.outcome.as_ref().unwrap_err().kind()
}

#[test]
fn what_sends_or_spends_asks_always_and_what_changes_only_after_untrusted_text() {
    let tools = Effect::ALL.map(|effect| Arc::new(Recorder::new(effect.name(), effect)));
    let wearer = Wearer::new(true);
    let mut turn = Turn::new(toolbox(&tools, wearer.clone(), Limits::default()));
    let all = |turn: &mut Turn| Effect::ALL.map(|effect| call(turn, effect.name()));
    assert!(all(&mut turn).iter().all(|reply| reply.outcome.is_ok()));
    let always = [("sends".to_owned(), Reason::Sends), ("spends".to_owned(), Reason::Spends)];
    assert_eq!(wearer.asked(), always);
    turn.saw_untrusted();
    all(&mut turn);
    let after = ("changes".to_owned(), Reason::AfterUntrusted);
    assert_eq!(wearer.asked()[2..], [[after].as_slice(), &always].concat());
}

#[test]
fn what_is_not_allowed_is_not_done() {
    let tools = Effect::ALL.map(|effect| Arc::new(Recorder::new(effect.name(), effect)));
    let mut turn = Turn::new(toolbox(&tools, Arc::new(Deny), Limits::default()));
    turn.saw_untrusted();
    assert!(call(&mut turn, "reads").outcome.is_ok());
    for name in ["changes", "sends", "spends"] {
        assert_eq!(kind(&call(&mut turn, name)), ToolErrorKind::Denied, "{name}");
    }
    assert_eq!(tools.map(|tool| tool.calls()), [1, 0, 0, 0]);
}

#[test]
fn pictures_results_and_errors_from_outside_are_untrusted_and_the_wearers_words_are_not() {
    let picture = Image::new(Picture::new(1, 1, vec![0; 3]).unwrap());
    let cases = [
        (Message::text(Role::User, "Set a timer"), false),
        (Message::parts(Role::User, vec![Part::Image(picture)]), true),
        (Message::text(Role::Tool, "{}"), true),
    ];
    for (message, untrusted) in cases {
        let turn = Turn::about(toolbox(&[], Arc::new(Deny), Limits::default()), &[message]);
        assert_eq!(turn.has_seen_untrusted(), untrusted);
    }
    let says = [
        ("ours", Recorder::saying("ours", Effect::Reads, || Ok(Observation::from_device("12:00"))), false),
        ("web", Recorder::saying("web", Effect::Reads, || Ok(Observation::from_outside("Buy!"))), true),
        (
            "error",
            Recorder::saying("error", Effect::Reads, || Err(ToolError::new(ToolErrorKind::Failed, "Buy!"))),
            true,
        ),
    ];
    for (name, tool, untrusted) in says {
        let mut turn = turn_of(&[Arc::new(tool)]);
        call(&mut turn, name);
        assert_eq!(turn.has_seen_untrusted(), untrusted, "{name}");
    }
}

#[test]
fn a_call_that_cannot_be_made_is_told_to_the_model_and_reaches_no_tool() {
    let tool = Arc::new(Recorder::new("tea", Effect::Reads));
    let limits = Limits { calls: 3, ..Limits::default() };
    let mut turn = Turn::new(toolbox(std::slice::from_ref(&tool), Arc::new(Deny), limits));
    let unknown = call(&mut turn, "coffee");
    assert_eq!(kind(&unknown), ToolErrorKind::Unknown);
    assert_eq!(unknown.to_data(), r#"{"error": "coffee: there is no such tool: expected one of tea"}"#);
    let wrong =
        Call { id: "2".into(), name: "tea".into(), arguments: json!({"what": "far too long", "count": 1}) };
    let wrong = block_on(turn.call(wrong));
    assert_eq!(kind(&wrong), ToolErrorKind::Arguments);
    assert!(wrong.to_data().contains("/what"), "{}", wrong.to_data());
    assert_eq!((tool.calls(), turn.calls_left()), (0, 1));
    assert!(call(&mut turn, "tea").outcome.is_ok());
    assert_eq!(kind(&call(&mut turn, "tea")), ToolErrorKind::TooMany);
    assert_eq!(tool.calls(), 1);
}

#[test]
fn a_call_is_bounded_in_time_and_its_result_in_bytes() {
    let long = || Ok(Observation::from_outside("ä".repeat(1 << 20)));
    let tools = [Recorder::hanging("hangs"), Recorder::saying("floods", Effect::Reads, long)].map(Arc::new);
    let limits = Limits { time: Duration::from_millis(20), bytes: 101, ..Limits::default() };
    let mut turn = Turn::new(toolbox(&tools, Arc::new(Deny), limits));
    assert_eq!(kind(&call(&mut turn, "hangs")), ToolErrorKind::TimedOut);
    let cut = call(&mut turn, "floods").outcome.unwrap();
    assert_eq!((cut.len(), cut.is_cut()), (100, true));
}

#[test]
fn a_toolbox_takes_no_tool_twice_and_none_without_a_name() {
    let mut toolbox = Toolbox::new(Arc::new(Deny), Limits::default());
    toolbox.add(Arc::new(Recorder::new("tea", Effect::Reads))).unwrap();
    for name in ["tea", "", "a b", "<tool>", &"x".repeat(65)] {
        let error = toolbox.add(Arc::new(Recorder::new(name, Effect::Reads))).unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::Spec, "{name}");
    }
}

#[test]
fn what_is_asked_cannot_hide_on_a_terminal() {
    use lorgnette_runtime::tool::Request;
    let arguments = json!({"to": "\u{1b}[2K\ra\u{202e}b\n"});
    let request =
        Request { tool: "pay", arguments: &arguments, effect: Effect::Spends, reason: Reason::Spends };
    assert_eq!(request.to_string(), r#"pay {"to":"\u001b[2K\ra\u202eb\n"} (spends money)"#);
}

#[test]
fn arguments_as_text_are_bounded_and_parsed() {
    assert_eq!(Call::parse("1", "tea", " ").unwrap().arguments, json!({}));
    for text in ["{", &format!("\"{}\"", "x".repeat(20_000))] {
        assert_eq!(Call::parse("1", "tea", text).unwrap_err().kind(), ToolErrorKind::Arguments);
    }
}
