"""Makes audio_tower.json: what Hugging Face transformers makes of small clips, in f64.

    python audio_tower.py > audio_tower.json
    python audio_tower.py --models          writes audio_tower/*.gguf anew, with other random weights

Ultravox is quant/tests/data/convert/ultravox-v0_5-tiny; transformers has its encoder, and its projector is written here
after ultravox_model.py of its authors. Qwen2-Audio and Voxtral are mmproj files in llama.cpp's names. A clip is not
padded, so encoders get it layer by layer; where it is as long as they ask for, their own forward must say the same.
"""

import argparse
import json
import logging
import math
import pathlib
import re
import sys

import gguf
import numpy as np
import safetensors.torch
import torch
import transformers
from torch.nn import functional as F
from transformers import audio_utils
from transformers.models.whisper.modeling_whisper import WhisperEncoder

HERE = pathlib.Path(__file__).resolve().parent
ULTRAVOX = HERE.parents[2] / "quant/tests/data/convert/ultravox-v0_5-tiny/model/ultravox-v0_5-tiny"
HOP = 160
TEXT = {"vocab_size": 16, "hidden_size": 12, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2}  # fmt: skip
COMMON = {"num_mel_bins": 8, "hidden_size": 16, "num_hidden_layers": 2}
SIZES = {
    "qwen2a": {"num_attention_heads": 2, "intermediate_size": 24, "max_source_positions": 12},
    "voxtral": {"num_attention_heads": 4, "intermediate_size": 64, "max_source_positions": 16},
}
# Samples of a clip, and frames of a block or none. 160 is one frame; the long ones are of several pieces.
CASES = {
    "ultravox": [(160, None), (1500, None), (3200, None), (5000, None), (3200, 4), (5003, 8), (5000, 20)],
    "qwen2a": [(160, None), (799, None), (2900, None), (3840, None), (8000, None), (2900, 4), (8000, 8), (7777, 20)],
    "voxtral": [(160, None), (2900, None), (5120, None), (11000, None), (2900, 8), (11111, 16), (9000, 24)],
}
NAMES = [
    (r"audio_tower\.conv(\d)\.", r"a.conv1d.\1."),
    (r"audio_tower\.embed_positions\.", "a.position_embd."),
    (r"audio_tower\.layer_norm\.", "a.post_ln."),
    (r"audio_tower\.layers\.(\d+)\.self_attn\.(.)_proj\.", r"a.blk.\1.attn_\2."),
    (r"audio_tower\.layers\.(\d+)\.self_attn\.out_proj\.", r"a.blk.\1.attn_out."),
    (r"audio_tower\.layers\.(\d+)\.self_attn_layer_norm\.", r"a.blk.\1.ln1."),
    (r"audio_tower\.layers\.(\d+)\.final_layer_norm\.", r"a.blk.\1.ln2."),
    (r"audio_tower\.layers\.(\d+)\.fc1\.", r"a.blk.\1.ffn_up."),
    (r"audio_tower\.layers\.(\d+)\.fc2\.", r"a.blk.\1.ffn_down."),
    (r"multi_modal_projector\.linear\.", "mm.a.fc."),
    (r"multi_modal_projector\.linear_(\d)\.", r"mm.a.mlp.\1."),
]  # fmt: skip


def clip(length):
    """Front ends have the same: front_ends.py."""
    i = np.arange(length, dtype=np.int64)
    phase = (i * 900 + i * i // 8) & 0xFFFF
    wave = np.abs(phase - 0x8000) - 0x4000
    swell = np.abs((i & 0x1FFF) - 0x1000)
    noise = ((i * 0x9E3779B1 & 0xFFFFFFFF) >> 16) * 0x85EBCA6B >> 7 & 0x3FF
    return ((wave * swell >> 11) + noise - 0x200).astype(np.float32) / np.float32(1 << 16)


def log_mel(samples, bins, block):
    """[bins][frames], each block held against the loudest value up to its end."""
    extractor = transformers.WhisperFeatureExtractor(feature_size=bins)
    mel = audio_utils.spectrogram(
        samples, audio_utils.window_function(400, "hann"), frame_length=400, hop_length=HOP, power=2.0,
        mel_filters=extractor.mel_filters, log_mel="log10", dtype=np.float64,
    )[:, : len(samples) // HOP]  # fmt: skip
    if block is None and len(samples) > 200:
        whole = extractor(samples, sampling_rate=16000, padding="do_not_pad", return_tensors="np").input_features[0]
        assert np.abs(whole - (np.maximum(mel, mel.max() - 8) + 4) / 4).max() < 1e-4
    for start in range(0, mel.shape[1], block or mel.shape[1]):
        end = start + (block or mel.shape[1])
        mel[:, start:end] = np.maximum(mel[:, start:end], mel[:, :end].max() - 8)
    return torch.from_numpy((mel + 4) / 4)


def convolved(conv, x, block):
    """Windows see zeros behind the end of their block, and what is there before it."""
    parts = []
    for start in range(0, x.shape[1], block):
        left = x[:, start - 1 : start] if start else torch.zeros_like(x[:, :1])
        padded = F.pad(torch.cat([left, x[:, start : start + block]], 1), (0, 1))
        parts.append(F.conv1d(padded[None], conv.weight, conv.bias, stride=conv.stride)[0])
    return F.gelu(torch.cat(parts, 1))


def hidden_states(encoder, mel, block):
    """[positions][width] of one piece, before the last norm."""
    x = convolved(encoder.conv2, convolved(encoder.conv1, mel, block), block).T[None]
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    number = torch.arange(x.shape[1]) // (block // 2)
    mask = torch.zeros(x.shape[1], x.shape[1], dtype=x.dtype)
    mask[number[None] > number[:, None]] = -math.inf
    for layer in encoder.layers:
        x = layer(x, mask[None, None])
        x = x[0] if isinstance(x, tuple) else x
    return x[0]


def stacked(x, count):
    return F.pad(x, (0, 0, 0, -len(x) % count)).reshape(-1, count * x.shape[1])


class Ultravox:
    def __init__(self):
        config = json.loads((ULTRAVOX / "config.json").read_text())
        self.stack = config["stack_factor"]
        self.encoder = WhisperEncoder(transformers.WhisperConfig(**config["audio_config"]))
        tensors = safetensors.torch.load_file(ULTRAVOX / "model.safetensors")
        encoder = {k.removeprefix("audio_tower."): v for k, v in tensors.items() if k.startswith("audio_tower.")}
        # The converter stores these in 16 bits.
        encoder = {k: v.half() if re.match(r"conv\d\.weight", k) else v for k, v in encoder.items()}
        self.encoder.load_state_dict(encoder)
        self.encoder.double().eval()
        self.projector = {k.split(".", 1)[1]: v.double() for k, v in tensors.items() if k not in encoder}

    def forward(self, mel):
        return self.projected(self.encoder(mel[None]).last_hidden_state[0])

    def tokens(self, x):
        return self.projected(self.encoder.layer_norm(x))

    def projected(self, x):
        x = self.normed(stacked(x, self.stack), "ln_pre") @ self.projector["linear_1.weight"].T
        up, gate = x.chunk(2, -1)
        return self.normed(F.silu(gate) * up, "ln_mid") @ self.projector["linear_2.weight"].T

    def normed(self, x, name):
        return F.rms_norm(x, x.shape[-1:], self.projector[f"{name}.weight"], 1e-6)


class Qwen2Audio:
    STACK = None

    def __init__(self, tensors=None):
        sizes = SIZES["qwen2a"]
        audio = {
            "d_model": COMMON["hidden_size"], "encoder_layers": COMMON["num_hidden_layers"],
            "encoder_attention_heads": sizes["num_attention_heads"], "encoder_ffn_dim": sizes["intermediate_size"],
            "num_mel_bins": COMMON["num_mel_bins"], "max_source_positions": sizes["max_source_positions"],
        }  # fmt: skip
        config = transformers.Qwen2AudioConfig(audio_config=audio, text_config={**TEXT, "model_type": "qwen2"})
        self.model = transformers.Qwen2AudioForConditionalGeneration(config)
        load(self, tensors)

    def forward(self, mel):
        return self.whole.multi_modal_projector(self.encoder(mel[None]).last_hidden_state[0])

    def tokens(self, x):
        # What is shorter than a token is one.
        pooled = x if len(x) == 1 else F.avg_pool1d(x.T[None], 2)[0].T
        return self.whole.multi_modal_projector(self.encoder.layer_norm(pooled))


class Voxtral:
    STACK = 4

    def __init__(self, tensors=None):
        text = {**TEXT, "model_type": "llama"}
        config = transformers.VoxtralConfig(audio_config={**COMMON, **SIZES["voxtral"]}, text_config=text)
        self.model = transformers.VoxtralForConditionalGeneration(config)
        load(self, tensors)

    def forward(self, mel):
        return self.whole.get_audio_features(mel[None]).pooler_output

    def tokens(self, x):
        return self.whole.multi_modal_projector(stacked(self.encoder.layer_norm(x), self.STACK))


def load(family, tensors):
    """Takes over the tensors of an mmproj, or makes random ones."""
    family.whole = family.model.model
    family.encoder = family.whole.audio_tower
    for name, parameter in audio_parameters(family.whole):
        parameter.data = random(name, parameter) if tensors is None else tensors[gguf_name(name)].view_as(parameter)
    family.model.double().eval()


def audio_parameters(model):
    return [(k, v) for k, v in model.named_parameters() if k.startswith(("audio_tower.", "multi_modal_projector."))]


def random(name, parameter):
    noise = torch.randn(parameter.shape)
    if "norm.weight" in name:
        return 1 + 0.2 * noise
    if parameter.dim() == 1:
        return 0.2 * noise
    return noise if "embed" in name else 1.5 * noise / math.sqrt(parameter[0].numel())


def gguf_name(name):
    return next(re.sub(pattern, to, name) for pattern, to in NAMES if re.match(pattern, name))


def write_model(kind, family, path):
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_bool("clip.has_audio_encoder", True)
    writer.add_string("clip.projector_type", kind)
    sizes = {
        "projection_dim": TEXT["hidden_size"], "embedding_length": COMMON["hidden_size"],
        "feed_forward_length": SIZES[kind]["intermediate_size"], "block_count": COMMON["num_hidden_layers"],
        "attention.head_count": SIZES[kind]["num_attention_heads"], "num_mel_bins": COMMON["num_mel_bins"],
    }  # fmt: skip
    for key, value in sizes.items():
        writer.add_uint32(f"clip.audio.{key}", value)
    writer.add_float32("clip.audio.attention.layer_norm_epsilon", 1e-5)
    if family.STACK:
        writer.add_uint32("clip.audio.projector.stack_factor", family.STACK)
    for name, parameter in audio_parameters(family.whole):
        values = parameter.float().detach().numpy()
        if re.search(r"conv\d\.weight", name):
            values = values.astype(np.float16)
        elif re.search(r"conv\d\.bias", name):
            values = values[:, None]
        writer.add_tensor(gguf_name(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_model(path):
    return {t.name: torch.from_numpy(np.array(t.data, np.float64)) for t in gguf.GGUFReader(path).tensors}


def rows(family, samples, block):
    encoder = family.encoder
    mel = log_mel(clip(samples), encoder.conv1.in_channels, block)
    most = 2 * encoder.embed_positions.num_embeddings
    piece = most // block * block if block else most
    parts = [mel[:, start : start + piece] for start in range(0, mel.shape[1], piece)]
    tokens = []
    for part in parts:
        # Blocks are whole tokens.
        blocks = hidden_states(encoder, part, block or piece).split((block or piece) // 2)
        tokens += [family.tokens(x) for x in blocks]
        if block is None and part.shape[1] == most:
            assert torch.allclose(tokens[-1], family.forward(part), rtol=0, atol=1e-12)
    return torch.cat(tokens)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", action="store_true")
    logging.disable(logging.WARNING)
    classes = {"qwen2a": Qwen2Audio, "voxtral": Voxtral}
    if parser.parse_args().models:
        for kind, family in classes.items():
            write_model(kind, family(), HERE / f"audio_tower/{kind}.gguf")
        return
    families = {kind: family(read_model(HERE / f"audio_tower/{kind}.gguf")) for kind, family in classes.items()}
    families["ultravox"] = Ultravox()
    document = {}
    for kind, cases in CASES.items():
        document[kind] = []
        for samples, block in cases:
            made = [[round(float(x), 7) for x in row] for row in rows(families[kind], samples, block)]
            document[kind].append({"samples": samples, "block": block, "rows": made})
    json.dump(document, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
