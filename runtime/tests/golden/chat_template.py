"""Writes chat_template.json: what transformers' apply_chat_template makes of the templates in chat_templates/.

    python runtime/tests/golden/chat_template.py > runtime/tests/golden/chat_template.json

The templates have the shapes of those of the families, not their words.
"""

import datetime
import json
from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
NOW = datetime.datetime(2026, 8, 3, 9, 5, 7)


def say(role: str, content: object, **members: object) -> dict:
    return {"role": role, "content": content, **members}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


IMAGE, AUDIO = {"type": "image"}, {"type": "audio"}
PLAIN = [say("user", " What does the sign say? \n"), say("assistant", "It says “Halt”."), say("user", "And below?")]
RULES = [say("system", "Answer briefly.\nÜber alles in German."), *PLAIN]
CALL = {"type": "function", "function": {"name": "look", "arguments": {"where": ["left", "up"], "zoom": 1.5, "ß": None}}}
CALLS = [
    *RULES,
    say("assistant", "Let me see.", tool_calls=[CALL]),
    say("tool", '{"sign": "Halt"}'),
    say("assistant", "It says Halt."),
    say("user", "Thanks & <bye> 'now'"),
]
TWO_CALLS = [
    say("user", "Look both ways"),
    say("assistant", "", tool_calls=[CALL, CALL]),
    say("tool", "a car"),
    say("tool", "nothing"),
]
THOUGHTS = [
    say("user", "2+2?"),
    say("assistant", "<think>\nFour.\n</think>\n\n4"),
    say("user", "And 3+3?"),
    say("assistant", "6", reasoning_content="\nSix.\n"),
]
PICTURES = [
    say("user", [IMAGE, text("What is this?")]),
    say("assistant", [text("A street sign.")]),
    say("user", [text("And this: "), IMAGE, IMAGE, text(" or that?")]),
]
SOUND = [say("system", "Listen."), say("user", [AUDIO, text("What was that?")])]
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks somewhere & says what's <there>: “é”",
        "parameters": {
            "type": "object",
            "properties": {"where": {"type": "array", "items": {"type": "string"}}, "zoom": {"type": "number"}},
            "required": ["where"],
        },
    },
}
EXTRA = {"text": 'a "quote" \n\t é 🚀 \x7f\x01 \\', "list": [], "map": {}, "b": [1, 2.0, 1e20, True, None], "a": -0.5}

# Template, messages, variables.
CASES = [
    ("chatml", PLAIN, {"add_generation_prompt": True}),
    ("chatml", RULES, {}),
    ("llama3", PLAIN, {"add_generation_prompt": True}),
    ("llama3", RULES, {"date_string": "26 Jul 2024"}),
    ("llama3", CALLS, {"tools": [LOOK], "add_generation_prompt": True}),
    ("llama3", RULES[:1], {"tools": [LOOK]}),
    ("smolvlm", PICTURES, {"add_generation_prompt": True}),
    ("smolvlm", [say("user", [text("No picture.")])], {"add_generation_prompt": True}),
    ("qwen2_vl", PICTURES, {"add_generation_prompt": True, "add_vision_id": True}),
    ("qwen2_vl", SOUND, {"add_generation_prompt": True}),
    ("qwen2_vl", RULES, {}),
    ("qwen2_tools", RULES, {"add_generation_prompt": True}),
    ("qwen2_tools", CALLS, {"tools": [LOOK, LOOK], "add_generation_prompt": True}),
    ("qwen2_tools", TWO_CALLS, {"tools": [LOOK], "add_generation_prompt": True}),
    ("qwen3", RULES, {"add_generation_prompt": True}),
    ("qwen3", RULES, {"add_generation_prompt": True, "enable_thinking": False}),
    ("qwen3", THOUGHTS, {"enable_thinking": True}),
    ("qwen3", THOUGHTS[:3], {"add_generation_prompt": True, "enable_thinking": True}),
    ("qwen3", CALLS, {"tools": [LOOK], "add_generation_prompt": True}),
    ("qwen3", TWO_CALLS, {"tools": [LOOK]}),
    ("alternating", RULES, {}),
    ("alternating", PLAIN[1:], {}),
    ("dialect", [*RULES, say("assistant", ""), say("user", "last", name="me"), say("user", "not shown")], {"extra": EXTRA}),
]  # fmt: skip


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def main() -> None:
    chat_template_utils.datetime = Clock
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **TOKENS)
    cases = []
    for name, messages, variables in CASES:
        source = (HERE / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")
        case = {"template": name, "messages": messages, "variables": variables}
        try:
            case["text"] = tokenizer.apply_chat_template(messages, chat_template=source, tokenize=False, **variables)
        except Exception as error:
            case["refusal"] = str(error)
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    print(f'{{"tokens": {json.dumps(TOKENS)},\n"cases": [\n{lines}\n]}}')


if __name__ == "__main__":
    main()
