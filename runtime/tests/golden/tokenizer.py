"""Writes tokenizer.json: small tokenizers of each family and the ids Hugging Face's tokenizers give for some texts.

    python runtime/tests/golden/tokenizer.py [--llama-tokenize path/to/llama-tokenize] > runtime/tests/golden/tokenizer.json

The tokenizers are trained on the text below. `converted` holds the ids of the checkpoints that are committed under
quant/tests/data/convert. With --llama-tokenize, the ids of llama.cpp are compared too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CONVERTED = Path(__file__).parents[3] / "quant/tests/data/convert"
CHECKPOINTS = ["SmolTiny-2.5K-Instruct", "Llama-3.2-tiny-Instruct", "Qwen2.5-tiny", "SmolVLM2-tiny-Video-Instruct"]

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPLIT = LLAMA3_SPLIT.replace("{1,3}", "")

TRAINING = [
    "The wearer looks at a street sign and asks what it says. The glasses answer before the light turns green.",
    "Die Brille hört zu und antwortet, 3 33 333 3333 Worte später; größer als gestern, aber nicht zu groß.",
    "Les lunettes voient: 1314151 apples, naïve café, où êtes-vous? 我想在apple工作 🚀🚀 眼镜看见了什么",
    "النظارات ترى الشارع وتقرأ اللافتة بصوت عال. النظارات تسمع.",
    "Очки видят улицу и читают вывеску вслух. Очки слышат. 眼鏡が見て、聞いて、答えます。안경이 봅니다.",
    "I've been told he's there, we'll see; they're sure? I'm not, you'd say. DON'T SHOUT, IT'S LOUD.",
    "    def answer(question: str) -> str:\n        return model(question)  # a comment\n\n\tif x >= 10:\r\n\t\tx += 1\n",
    '{"name": "look", "arguments": {"where": ["left", "right"]}}\n\n\n   \n  end of the words   ',
] * 3

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "  two leading and two trailing  ",
    "The wearer asks: what does the sign say?",
    "I've told you he's here, we'LL see, THEY'RE, don'T, 'tis 'S 'ſ",
    "0 1 12 123 1234 12345678901 3.14159 1,000 ½ ² ٣٤ Ⅳ 1st",
    "naïve café Größe — œuvre, Ærøskøbing",
    "e\u0301 a\u0308o\u0302 \u1e9b\u0323 n\u0303 \u0915\u094d\u0937 \u0e01\u0e33",
    "我想在apple工作1314151天～ 眼镜看见了什么？",
    "眼鏡が見て、聞いて。ｶﾅ ﾊﾝｶｸ 안경이 봅니다 각각",
    "النظارات ترى الشارع، ١٢٣ مرات. نَظَّارَة",
    "שלום עולם! Привет, мир. γειά σου Κόσμε",
    "🚀 👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 ☺️ 1️⃣",
    "def f(x):\n    return x ** 2  # square\n\n\n\tif x != 0:\r\n\t\tprint(f\"{x:>10}\")\r\n",
    "tabs\t\tand\t spaces \t mixed\u00a0nbsp\u3000wide\u200bzero\u2028line\u0085next\x0bvt\x0cff",
    "\n",
    "\n\n\n  \n end\n",
    " \r\n \r\r\n\n x",
    "a" * 70 + " " * 130 + "b" + "=" * 90 + "\n" * 40,
    "https://example.org/a_b?c=d&e=%20#f user.name+tag@mail.example",
    "<|im_start|>user\nlook<|im_end|>\n<|im_start|>assistant\n",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
    "<s>text</s> <unk> <pad> </s></s> <0x0A> <image><|im_end|",
    "<tool_call>\n{\"name\": \"look\"}\n</tool_call><think>why</think> <|im_<|im_end|>end|>",
    "\x00\x01\x7f\ufeff\ufffd\ue000\U0010ffff",
    "ZwSp\u200d\u200c ﬁ ﬂ ™ ℌ Å Å ㌔",
]


def is_known_difference(pre: str, text: str) -> bool:
    """llama.cpp does not compose characters for the Qwen families."""
    return pre == "qwen2" and unicodedata.normalize("NFC", text) != text


def split(expression: str):
    steps = [
        pre_tokenizers.Split(Regex(expression), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    return pre_tokenizers.Sequence(steps)


def smollm():
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    return pre_tokenizers.Sequence(steps)


def byte_level(pre_tokenizer, specials: list[str], others: list[str] = (), **settings: object) -> Tokenizer:
    """A byte-level BPE of 640 tokens, its special tokens behind them."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=640, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator(TRAINING, trainer)
    model = json.loads(trained.to_str())["model"]
    tokenizer = Tokenizer(models.BPE(model["vocab"], [tuple(merge) for merge in model["merges"]], **settings))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in others])
    return tokenizer


def qwen2() -> Tokenizer:
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    others = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
    tokenizer = byte_level(split(QWEN2_SPLIT), specials, others)
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def sentencepiece_bpe() -> tuple[Tokenizer, list[float]]:
    """Llama 2's kind: a SentencePiece model, and the tokenizer that Hugging Face makes of one."""
    with tempfile.TemporaryDirectory() as directory:
        prefix = str(Path(directory) / "tokenizer")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TRAINING), model_prefix=prefix, vocab_size=900, model_type="bpe",
            byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
            split_digits=True, allow_whitespace_only_pieces=True, character_coverage=0.98, num_threads=1,
            minloglevel=2,
        )  # fmt: skip
        model = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
    pieces = [model.id_to_piece(id) for id in range(model.vocab_size())]
    scores = [model.get_score(id) for id in range(len(pieces))]
    vocab = {piece: id for id, piece in enumerate(pieces)}
    merges = []
    for id, piece in enumerate(pieces):
        if model.is_control(id) or model.is_unknown(id) or model.is_byte(id):
            continue
        splits = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        known = [pair for pair in splits if pair[0] in vocab and pair[1] in vocab]
        merges += [(scores[id], pair) for pair in sorted(known, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))]
    merges = [pair for _, pair in sorted(merges, key=lambda merge: -merge[0])]
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in ["<unk>", "<s>", "</s>"]])
    for text in TEXTS:
        if text and "<" not in text and "\0" not in text:
            ours = tokenizer.encode(text, add_special_tokens=False).ids
            assert ours == model.encode(text), f"not as sentencepiece: {text!r}"
    return tokenizer, scores


def metadata(tokenizer: Tokenizer, model: str, pre: str, scores: list[float]) -> dict:
    """The keys a converter writes."""
    tokens = [tokenizer.id_to_token(id) for id in range(tokenizer.get_vocab_size())]
    types = [6 if model == "llama" and text.startswith("<0x") else 1 for text in tokens]
    for id, token in tokenizer.get_added_tokens_decoder().items():
        types[id] = 3 if token.special else 4
    if model == "llama":
        types[0] = 2
    keys = {"model": model, "pre": pre, "tokens": tokens, "token_type": types}
    if scores:
        return {**keys, "scores": scores}
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return {**keys, "merges": [" ".join(merge) for merge in merges]}


def encode(tokenizer: Tokenizer, text: str) -> dict:
    """Ids with special tokens parsed and as text, and what the second decodes to."""
    tokenizer.encode_special_tokens = False
    parsed = tokenizer.encode(text, add_special_tokens=False).ids
    tokenizer.encode_special_tokens = True
    as_text = tokenizer.encode(text, add_special_tokens=False).ids
    return {"parse": parsed, "as_text": as_text, "decoded": tokenizer.decode(as_text, skip_special_tokens=True)}


def compare_with_llama(program: str, keys: dict, cases: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path, prompt = Path(directory) / "vocab.gguf", Path(directory) / "prompt.txt"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tokenizer_model(keys["model"])
        writer.add_tokenizer_pre(keys["pre"])
        writer.add_token_list(keys["tokens"])
        writer.add_token_types(keys["token_type"])
        if "scores" in keys:
            writer.add_token_scores(keys["scores"])
        if "merges" in keys:
            writer.add_token_merges(keys["merges"])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        for text, case in zip(TEXTS, cases, strict=True):
            if is_known_difference(keys["pre"], text) or not text or "\0" in text:
                continue
            prompt.write_bytes(text.encode())
            for kind, flags in [("parse", []), ("as_text", ["--no-parse-special"])]:
                command = [program, "-m", path, "-f", prompt, "--ids", "--no-bos", "--no-escape", "--log-disable", *flags]
                done = subprocess.run(command, capture_output=True, check=True, text=True)
                theirs = json.loads(done.stdout)
                if theirs != case[kind]:
                    print(f"{keys['pre']}, {kind}, {text!r}:\n  {case[kind]}\n  {theirs} llama.cpp", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llama-tokenize")
    arguments = parser.parse_args()
    llama2, scores = sentencepiece_bpe()
    llama3_specials = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    smollm_specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<end_of_utterance>", "<image>"]
    made = [
        ("gpt2", "smollm", byte_level(smollm(), smollm_specials), []),
        ("gpt2", "llama-bpe", byte_level(split(LLAMA3_SPLIT), llama3_specials, ignore_merges=True), []),
        ("gpt2", "qwen2", qwen2(), []),
        ("gpt2", "gpt-2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"]), []),
        ("llama", "default", llama2, scores),
    ]
    trained = []
    for model, pre, tokenizer, scores in made:
        keys = metadata(tokenizer, model, pre, scores)
        cases = [encode(tokenizer, text) for text in TEXTS]
        if arguments.llama_tokenize:
            compare_with_llama(arguments.llama_tokenize, keys, cases)
        trained.append({"metadata": keys, "cases": cases})
    converted = []
    for name in CHECKPOINTS:
        tokenizer = Tokenizer.from_file(str(CONVERTED / name / "model" / name / "tokenizer.json"))
        converted.append({"checkpoint": name, "cases": [encode(tokenizer, text) for text in TEXTS]})
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in trained)
    more = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in converted)
    print(f'{{"texts": {json.dumps(TEXTS)},\n"trained": [\n{lines}\n],\n"converted": [\n{more}\n]}}')


if __name__ == "__main__":
    main()
