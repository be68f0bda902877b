"""Small checkpoints with random weights, one for each thing the converter must get right.

Each function of CASES fills a directory as Hugging Face's tools would. Seeds are fixed, so that the directories
committed under quant/tests/data/convert can be made again.
"""

import json
from pathlib import Path

import sentencepiece
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import models as hf

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPLIT = LLAMA3_SPLIT.replace("{1,3}", "")
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = [
    "The wearer looks at a street sign and asks what it says.",
    "Die Brille hört zu und antwortet, 3 33 333 3333 Worte später.",
    "Les lunettes voient: 1314151 apples, naïve café, 我想在apple工作 🚀",
    "I've been told he's there, 'RE you sure? 'M not sure I'll make it.",
    "    indented\n\n\tcode = lambda x: x ** 2  # comment\n",
] * 4


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def edit_json(path: Path, **changes: object) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**value, **changes})


def byte_level(pre_tokenizer, vocab_size: int, specials: list[str]) -> Tokenizer:
    """A trained byte-level BPE, its special tokens behind the base vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.add_special_tokens(specials)
    return tokenizer


def split(expression: str):
    """The pre-tokenizer of Llama 3 and Qwen2: one expression, then bytes."""
    steps = [
        pre_tokenizers.Split(Regex(expression), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    return pre_tokenizers.Sequence(steps)


def smollm_tokenizer(specials: list[str]) -> Tokenizer:
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    return byte_level(pre_tokenizers.Sequence(steps), 280, specials)


def qwen_tokenizer() -> Tokenizer:
    tokenizer = byte_level(split(QWEN2_SPLIT), 290, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("▁think", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def byte_fallback_tokenizer() -> Tokenizer:
    """A BPE as Llama 2's: spaces as U+2581, bytes as <0x..>, no pre-tokenizer."""
    specials = ["<unk>", "<s>", "</s>"]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=120, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    tokens = specials + [f"<0x{byte:02X}>" for byte in range(256)] + list(model["vocab"])
    vocab = {token: id for id, token in enumerate(tokens)}
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(specials)
    tokenizer.add_tokens(["<image>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def save_tokenizer(directory: Path, tokenizer: Tokenizer, **settings: object) -> None:
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    write_json(
        directory / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **settings}
    )


def save_model(directory: Path, model_class: type, config, dtype: torch.dtype, shard: str = "5GB") -> None:
    torch.manual_seed(20)
    model = model_class(config).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((torch.randn(parameter.shape) * 0.1).to(dtype))
    model.save_pretrained(directory, max_shard_size=shard)


def text_sizes(**changes: object) -> dict:
    sizes = {
        "vocab_size": 288,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
    }
    return {**sizes, **changes}


def llama_smollm(directory: Path) -> None:
    """SmolLM2: tied embeddings, BF16, recommended sampling."""
    config = hf.llama.LlamaConfig(**text_sizes(), tie_word_embeddings=True, rope_theta=100000, rms_norm_eps=1e-5)
    save_model(directory, transformers.LlamaForCausalLM, config, torch.bfloat16)
    edit_json(directory / "config.json", bos_token_id=280, eos_token_id=281, pad_token_id=281)
    tokenizer = smollm_tokenizer(["<|im_start|>", "<|im_end|>", "<repo_name>"])
    save_tokenizer(
        directory,
        tokenizer,
        add_prefix_space=False,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        chat_template=CHAT_TEMPLATE,
    )
    sampling = {"temperature": 0.2, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.1, "do_sample": True}
    write_json(directory / "generation_config.json", sampling)


def llama_smollm_vocab(directory: Path) -> None:
    """The size of SmolLM's vocabulary, which turns the start token off."""
    config = hf.llama.LlamaConfig(**text_sizes(vocab_size=49152, hidden_size=16), tie_word_embeddings=True)
    save_model(directory, transformers.LlamaForCausalLM, config, torch.bfloat16)
    tokenizer = smollm_tokenizer(["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel()
    save_tokenizer(directory, tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>", add_bos_token=True)


def llama3(directory: Path) -> None:
    """Llama 3.2: scaled frequencies, a template with a start token, shards of F32, a chat template in a file."""
    scaling = {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 256,
    }
    sizes = text_sizes(head_dim=16, num_key_value_heads=1, num_attention_heads=2, num_hidden_layers=1)
    config = hf.llama.LlamaConfig(
        **sizes, rope_theta=500000.0, rope_scaling=scaling, tie_word_embeddings=True
    )
    save_model(directory, transformers.LlamaForCausalLM, config, torch.float32, shard="40KB")
    path = directory / "config.json"
    rope = json.loads(path.read_text(encoding="utf-8"))["rope_parameters"]
    # As releases of transformers before 5 spell it.
    edit_json(path, rope_parameters=None, rope_theta=rope.pop("rope_theta"), rope_scaling=rope)
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    tokenizer = byte_level(split(LLAMA3_SPLIT), 280, specials)
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A",
        pair="<|begin_of_text|> $A <|begin_of_text|> $B",
        special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))],
    )
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), template])
    save_tokenizer(directory, tokenizer, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>")
    edit_json(directory / "config.json", bos_token_id=280, eos_token_id=[281, 282])
    (directory / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def llama_biased(directory: Path) -> None:
    """Biases everywhere, as many key heads as query heads, F16, linear scaling, an end token added at the end."""
    sizes = text_sizes(num_key_value_heads=4, num_hidden_layers=1)
    scaling = {"type": "linear", "factor": 2.0}
    config = hf.llama.LlamaConfig(**sizes, attention_bias=True, mlp_bias=True, rope_scaling=scaling)
    save_model(directory, transformers.LlamaForCausalLM, config, torch.float16)
    tokenizer = byte_level(split(LLAMA3_SPLIT), 270, ["<s>", "</s>", "<turn>", "<sep>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ["<s>", "</s>"]],
    )
    edit_json(directory / "config.json", _name_or_path="lorgnette-ai/Biased-70M-chat-v0.2")
    cls = {"__type": "AddedToken", "content": "<s>"}
    save_tokenizer(directory, tokenizer, bos_token="<s>", eos_token="<turn>", cls_token=cls, pad_token="!")
    templates = [{"name": "default", "template": CHAT_TEMPLATE}, {"name": "tool use", "template": "{{ tools }}"}]
    edit_json(directory / "tokenizer_config.json", chat_template=templates)


def llama3_frequencies(directory: Path) -> None:
    """The heads and frequencies of Llama 3.1 at their real size."""
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    sizes = text_sizes(head_dim=128, num_hidden_layers=1, max_position_embeddings=131072)
    scaling["original_max_position_embeddings"] = 8192
    config = hf.llama.LlamaConfig(**sizes, rope_theta=500000.0, rope_scaling=scaling)
    save_model(directory, transformers.LlamaForCausalLM, config, torch.bfloat16)
    tokenizer = byte_level(split(LLAMA3_SPLIT), 280, ["<|begin_of_text|>", "<|end_of_text|>"])
    save_tokenizer(directory, tokenizer, bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>")


def llama2_json(directory: Path) -> None:
    """Llama 2: byte fallback in tokenizer.json, special tokens as objects, no number of key heads."""
    tokenizer = byte_fallback_tokenizer()
    sizes = text_sizes(vocab_size=tokenizer.get_vocab_size(), num_hidden_layers=1, num_key_value_heads=None)
    config = hf.llama.LlamaConfig(**sizes, tie_word_embeddings=True)
    save_model(directory, transformers.LlamaForCausalLM, config, torch.float16)

    def token(text: str) -> dict:
        return {"__type": "AddedToken", "content": text, "lstrip": False, "normalized": False, "special": True}

    save_tokenizer(
        directory, tokenizer, bos_token=token("<s>"), eos_token=token("</s>"), unk_token=token("<unk>"),
        add_bos_token=True, add_eos_token=False,
    )  # fmt: skip


def llama2_model(directory: Path) -> None:
    """Llama 2: tokenizer.model with scores, tokens added beside it, unused ones behind."""
    sizes = text_sizes(vocab_size=400, num_hidden_layers=1)
    save_model(directory, transformers.LlamaForCausalLM, hf.llama.LlamaConfig(**sizes), torch.float16)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_prefix=str(directory / "tokenizer"), vocab_size=360, model_type="bpe",
        byte_fallback=True, user_defined_symbols=["<custom>"], minloglevel=2, num_threads=1,
    )  # fmt: skip
    (directory / "tokenizer.vocab").unlink()
    added = {"360": {"content": "<|im_start|>"}, "361": {"content": "▁tool"}, "2": {"content": "</s>", "special": True}}
    settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "legacy": False}
    write_json(directory / "tokenizer_config.json", {**settings, "added_tokens_decoder": added, "add_bos_token": True})
    write_json(directory / "added_tokens.json", {"<extra>": 362})


def qwen2(directory: Path) -> None:
    """Qwen2.5: biases on queries, keys and values, YaRN, a vocabulary rounded up."""
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128, "beta_fast": 16}
    sizes = text_sizes(vocab_size=304, num_hidden_layers=1)
    config = hf.qwen2.Qwen2Config(**sizes, rope_theta=1e6, rope_scaling=scaling, tie_word_embeddings=False)
    save_model(directory, transformers.Qwen2ForCausalLM, config, torch.bfloat16)
    settings = {"add_bos_token": False, "add_prefix_space": False, "bos_token": None, "eos_token": "<|im_end|>"}
    save_tokenizer(directory, qwen_tokenizer(), **settings, pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE)
    edit_json(directory / "config.json", bos_token_id=290, eos_token_id=292)


def qwen3(directory: Path) -> None:
    """Qwen3: norms on queries and keys, heads wider than the model, tied embeddings."""
    sizes = text_sizes(vocab_size=304, num_hidden_layers=1, head_dim=16)
    config = hf.qwen3.Qwen3Config(**sizes, rope_theta=1e6, tie_word_embeddings=True)
    save_model(directory, transformers.Qwen3ForCausalLM, config, torch.bfloat16)
    save_tokenizer(directory, qwen_tokenizer(), eos_token="<|im_end|>", pad_token="<|endoftext|>")
    write_json(directory / "chat_template.json", {"chat_template": CHAT_TEMPLATE})


def vision_language(directory: Path, family, model_class, dtype: torch.dtype, shard: str, tied: bool) -> None:
    vision = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 16, "patch_size": 4,
    }  # fmt: skip
    specials = ["<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>"]
    text = text_sizes(num_hidden_layers=1, rope_theta=100000, rms_norm_eps=1e-5, model_type="llama")
    text["tie_word_embeddings"] = tied
    config = family(
        text_config=text, vision_config=vision, scale_factor=2, image_token_id=283, tie_word_embeddings=tied
    )
    save_model(directory, model_class, config, dtype, shard)
    path = directory / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    # Published configurations leave defaults out.
    vision = {**config["vision_config"]}
    del vision["layer_norm_eps"], vision["num_channels"]
    text = {**config["text_config"], "architectures": ["VLlama3ForCausalLM"]}
    edit_json(path, text_config=text, vision_config=vision)
    tokenizer = smollm_tokenizer(specials)
    save_tokenizer(directory, tokenizer, bos_token="<|im_start|>", eos_token="<end_of_utterance>")
    (directory / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def smolvlm(directory: Path) -> None:
    """SmolVLM2, BF16."""
    family, model_class = hf.smolvlm.SmolVLMConfig, transformers.SmolVLMForConditionalGeneration
    vision_language(directory, family, model_class, torch.bfloat16, "5GB", tied=True)
    images = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.25, 0.5], "size": {"longest_edge": 64}}
    write_json(directory / "preprocessor_config.json", images)
    write_json(directory / "processor_config.json", {"image_seq_len": 4, "processor_class": "SmolVLMProcessor"})


def idefics3(directory: Path) -> None:
    """Idefics3 in shards of F32, with the image processor inside the processor's file."""
    family, model_class = hf.idefics3.Idefics3Config, transformers.Idefics3ForConditionalGeneration
    vision_language(directory, family, model_class, torch.float32, "48KB", tied=False)
    images = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.5, 0.5, 0.5]}
    write_json(directory / "processor_config.json", {"image_processor": images})


def ultravox(directory: Path) -> None:
    """A Whisper encoder and a gated projector; transformers has no class for the whole."""
    torch.manual_seed(20)
    audio = {
        "model_type": "whisper", "d_model": 32, "encoder_layers": 3, "num_hidden_layers": 3,
        "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "num_mel_bins": 8, "max_source_positions": 10,
    }  # fmt: skip
    write_json(
        directory / "config.json",
        {
            "architectures": ["UltravoxModel"], "model_type": "ultravox", "audio_config": audio, "hidden_size": 48,
            "stack_factor": 2, "projector_ln_mid": True, "text_config": {"model_type": "llama", "hidden_size": 40},
        },
    )  # fmt: skip
    encoder = hf.whisper.modeling_whisper.WhisperEncoder(hf.whisper.WhisperConfig(**audio))
    shapes = {f"audio_tower.{name}": tensor.shape for name, tensor in encoder.state_dict().items()}
    shapes |= {
        "multi_modal_projector.ln_pre.weight": (64,),
        "multi_modal_projector.linear_1.weight": (48, 64),
        "multi_modal_projector.ln_mid.weight": (24,),
        "multi_modal_projector.linear_2.weight": (40, 24),
    }
    tensors = {name: (torch.randn(shape) * 0.1).to(torch.bfloat16) for name, shape in shapes.items()}
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})


# Directory name, what fills it, llama.cpp's pre-tokenizer, which files come out, committed as a quick test.
CASES = [
    ("SmolTiny-2.5K-Instruct", llama_smollm, "smollm", ["text"], True),
    ("smollm-vocab", llama_smollm_vocab, "smollm", ["text"], False),
    ("Llama-3.2-tiny-Instruct", llama3, "llama-bpe", ["text"], True),
    ("llama-biased", llama_biased, "llama-bpe", ["text"], False),
    ("llama-3-frequencies", llama3_frequencies, "llama-bpe", ["text"], False),
    ("llama-2-json-v1.0-chat", llama2_json, None, ["text"], True),
    ("llama-2-model", llama2_model, None, ["text"], False),
    ("Qwen2.5-tiny", qwen2, "qwen2", ["text"], True),
    ("qwen3-0.6b", qwen3, "qwen2", ["text"], True),
    ("SmolVLM2-tiny-Video-Instruct", smolvlm, "smollm", ["text", "mmproj"], True),
    ("idefics3", idefics3, "smollm", ["text", "mmproj"], False),
    ("ultravox-v0_5-tiny", ultravox, None, ["mmproj"], True),
]
