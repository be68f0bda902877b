"""A run as a Hugging Face directory, wherever it stands: `python -m pico.export RUN OUT`.

It is a SmolVLM checkpoint with the parts of an Ultravox one beside: `audio_config`, `stack_factor` and so on in
`config.json`, `audio_tower.*` and `multi_modal_projector.*` among the tensors. `lorgnette convert` makes a text GGUF
of it and one mmproj for both senses. A run that has not begun to hear is a SmolVLM checkpoint alone. The heads that
only training has are in `heads.safetensors`, F16.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from . import checkpoint
from .config import PICO, Pico
from .frontend.pixels import MEAN, STD
from .model import audio, pico
from .tokens import CONTROL, END, START, TEMPLATE, Tokens

HEADS = "heads.safetensors"


def export(run: Path, out: Path) -> None:
    hears = any(run.glob("hear*.state"))
    write(checkpoint.so_far(run, pico.init(PICO, seed=0)), run / "tokenizer.json", out, hears)


def write(weights: dict, tokenizer: Path, out: Path, hears: bool = True) -> None:
    out.mkdir(parents=True, exist_ok=True)
    left_out = pico.NOT_EXPORTED if hears else pico.NOT_EXPORTED + (audio.TOWER, audio.PROJECTOR)
    tensors = {name: np.asarray(value) for name, value in weights.items() if not name.startswith(left_out)}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    heads = {
        name: np.asarray(value, np.float16) for name, value in weights.items() if name.startswith(pico.NOT_EXPORTED)
    }
    save_file(heads, out / HEADS)
    shutil.copy(tokenizer, out / "tokenizer.json")
    tokens = Tokens(tokenizer)
    _json(out / "config.json", config(PICO, tokens) | (audio_config(PICO) if hears else {}))
    special = {"bos_token": START, "eos_token": END, "pad_token": CONTROL[0], "additional_special_tokens": CONTROL}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "chat_template": TEMPLATE}
    _json(out / "tokenizer_config.json", settings | special)
    edge = {"longest_edge": PICO.vision.image}
    _json(out / "preprocessor_config.json", {"image_mean": 3 * [MEAN], "image_std": 3 * [STD], "size": edge})


def config(pico: Pico, tokens: Tokens) -> dict:
    text, vision = pico.text, pico.vision
    return {
        "architectures": ["SmolVLMForConditionalGeneration"],
        "model_type": "smolvlm",
        "_name_or_path": "lorgnette/pico",
        "image_token_id": tokens.image,
        "scale_factor": vision.scale,
        "tie_word_embeddings": True,
        "bos_token_id": tokens.id(START),
        "eos_token_id": tokens.end,
        "text_config": {
            "architectures": ["VLlama3ForCausalLM"],
            "model_type": "llama",
            "vocab_size": pico.vocabulary,
            "hidden_size": text.width,
            "intermediate_size": text.feed_forward,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.kv_heads,
            "head_dim": text.head_len,
            "max_position_embeddings": text.context,
            "rope_theta": text.rope_base,
            "rms_norm_eps": text.epsilon,
            "tie_word_embeddings": True,
        },
        "vision_config": {
            "hidden_size": vision.width,
            "intermediate_size": vision.feed_forward,
            "num_hidden_layers": vision.layers,
            "num_attention_heads": vision.heads,
            "image_size": vision.image,
            "patch_size": vision.patch,
            "layer_norm_eps": vision.epsilon,
        },
    }


def audio_config(pico: Pico) -> dict:
    audio = pico.audio
    return {
        "audio_config": {
            "model_type": "whisper",
            "d_model": audio.width,
            "encoder_layers": audio.layers,
            "encoder_attention_heads": audio.heads,
            "encoder_ffn_dim": audio.feed_forward,
            "num_mel_bins": audio.bins,
            "max_source_positions": audio.positions,
            "layer_norm_eps": audio.epsilon,
        },
        # Ultravox's keys. Blocks are in frames of 10 ms.
        "hidden_size": audio.hidden,
        "stack_factor": audio.stack,
        "audio_latency_block_size": audio.block,
    }


def _json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    export(arguments.run, arguments.out)


if __name__ == "__main__":
    main()
