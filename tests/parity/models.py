"""Random-weight models as llama.cpp's converter would write them, in any size.

Weights are normal with a few columns ten times louder, as trained ones have: that is what quantizers differ on.
"""

import gguf
import numpy as np


# Names that quantizers leave alone, of other towers and other families.
KEPT = ["v.sam.pos_embd.weight", "v.sam.neck.0.weight", "v.sam.net_2.weight", "a.rvq.codebook.weight",
        "mm.a.code_embd.weight", "v.blk.0.rel_pos.weight", "v.patch_merger.weight"] + [
    f"v.blk.0.{name}.weight" for name in (
        "indexer.k_proj", "indexer.q_proj", "ffn_gate_inp", "ffn_gate_tid2eid", "altup_proj", "laurel_l",
        "per_layer_model_proj", "ssm_conv1d", "shortconv.conv", "attn_rel_b", "time_mix_first", "time_mix_w0",
        "time_mix_w1", "time_mix_w2", "time_mix_v0", "time_mix_v1", "time_mix_v2", "time_mix_a0", "time_mix_a1",
        "time_mix_a2", "time_mix_g1", "time_mix_g2", "time_mix_decay_w1", "time_mix_decay_w2", "time_mix_lerp_fused")]


def weights(rng, *shape):
    values = rng.standard_normal(shape, dtype=np.float32) * 0.02
    loud = rng.integers(0, shape[-1], max(1, shape[-1] // 64))
    values[..., loud] *= 10
    return values


def put(writer, name, array, dtype):
    if array.ndim == 1 or dtype == "f32":
        writer.add_tensor(name, array.astype(np.float32))
    elif dtype == "f16":
        writer.add_tensor(name, array.astype(np.float16))
    else:
        bits = gguf.quants.quantize(array.astype(np.float32), gguf.GGMLQuantizationType.BF16)
        writer.add_tensor(name, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)


def vocabulary(size):
    """Tokens and merges of a byte-level BPE: an alphabet for the 256 bytes, then words of letters, shorter ones first."""
    shown = [byte for byte in range(256) if 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174]
    hidden = [byte for byte in range(256) if byte not in shown]
    tokens = [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]
    letters = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    merges, words = [], [chr(256 + hidden.index(ord(" ")))] + letters
    for word in words:
        for letter in letters:
            if len(tokens) == size:
                return tokens, merges
            words.append(word + letter)
            tokens.append(word + letter)
            merges.append(f"{word} {letter}")


def text(path, arch="llama", width=256, layers=9, feed_forward=768, heads=4, kv_heads=2, vocab=512, tied=True,
         dtype="f16", experts=0, context=2048, bos=None, head=None, control=(), seed=1):
    """A language model. `bos` starts every text, `head` is the matrix of its output where that is not to be random, and
    the tokens `control` are the last ones of the vocabulary."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name("random")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type({"f32": 0, "f16": 1, "bf16": 32}[dtype])
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    tokens, merges = vocabulary(vocab - len(control))
    writer.add_token_list([*tokens, *control])
    writer.add_token_types([1] * len(tokens) + [3] * len(control))
    writer.add_token_merges(merges)
    writer.add_add_bos_token(bos is not None)
    if bos is not None:
        writer.add_bos_token_id(bos)
    kv_width = width // heads * kv_heads

    put(writer, "token_embd.weight", weights(rng, vocab, width), dtype)
    for i in range(layers):
        b = f"blk.{i}."
        put(writer, b + "attn_norm.weight", np.ones(width, np.float32), dtype)
        put(writer, b + "attn_q.weight", weights(rng, width, width), dtype)
        put(writer, b + "attn_k.weight", weights(rng, kv_width, width), dtype)
        put(writer, b + "attn_v.weight", weights(rng, kv_width, width), dtype)
        put(writer, b + "attn_output.weight", weights(rng, width, width), dtype)
        put(writer, b + "ffn_norm.weight", np.ones(width, np.float32), dtype)
        if experts:
            put(writer, b + "ffn_gate_inp.weight", weights(rng, experts, width), "f32")
            put(writer, b + "ffn_gate_exps.weight", weights(rng, experts, feed_forward, width), dtype)
            put(writer, b + "ffn_up_exps.weight", weights(rng, experts, feed_forward, width), dtype)
            put(writer, b + "ffn_down_exps.weight", weights(rng, experts, width, feed_forward), dtype)
        else:
            put(writer, b + "ffn_gate.weight", weights(rng, feed_forward, width), dtype)
            put(writer, b + "ffn_up.weight", weights(rng, feed_forward, width), dtype)
            put(writer, b + "ffn_down.weight", weights(rng, width, feed_forward), dtype)
    put(writer, "output_norm.weight", np.ones(width, np.float32), dtype)
    if head is not None:
        put(writer, "output.weight", head, dtype)
    elif not tied:
        put(writer, "output.weight", weights(rng, vocab, width), dtype)
    finish(writer)


def mmproj(path, width=256, layers=3, feed_forward=768, heads=4, projection=128, image=64, scale=2, dtype="f16", seed=2,
           kept=True):
    """An idefics3 vision tower with its projector; `kept` adds the tensors that quantizers leave alone."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_file_type(1)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "idefics3")
    for key, value in {"embedding_length": width, "block_count": layers, "feed_forward_length": feed_forward,
                       "attention.head_count": heads, "projection_dim": projection, "image_size": image, "patch_size": 16,
                       "projector.scale_factor": scale}.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    writer.add_bool("clip.use_gelu", True)

    put(writer, "mm.model.fc.weight", weights(rng, projection, width * scale * scale), dtype)
    put(writer, "v.patch_embd.weight", weights(rng, width, 3, 16, 16), "f16")
    put(writer, "v.patch_embd.bias", weights(rng, width), dtype)
    put(writer, "v.position_embd.weight", weights(rng, (image // 16) ** 2, width), "f32")
    for i in range(layers):
        b = f"v.blk.{i}."
        for name in ["attn_q", "attn_k", "attn_v", "attn_out"]:
            put(writer, f"{b}{name}.weight", weights(rng, width, width), dtype)
            put(writer, f"{b}{name}.bias", weights(rng, width), dtype)
        put(writer, b + "ffn_up.weight", weights(rng, feed_forward, width), dtype)
        put(writer, b + "ffn_down.weight", weights(rng, width, feed_forward), dtype)
        for name in ["ln1", "ln2"]:
            put(writer, f"{b}{name}.weight", np.ones(width, np.float32), dtype)
            put(writer, f"{b}{name}.bias", np.zeros(width, np.float32), dtype)
    for name in KEPT if kept else []:
        put(writer, name, weights(rng, 4, width), dtype)
    put(writer, "v.post_ln.weight", np.ones(width, np.float32), dtype)
    put(writer, "v.post_ln.bias", np.zeros(width, np.float32), dtype)
    finish(writer)


def ultravox(path, width=768, layers=12, feed_forward=3072, heads=12, bins=80, stack=8, hidden=4096, projection=576,
             dtype="f16", seed=4):
    """A Whisper encoder for 30 s and the projector of Ultravox."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_file_type(1)
    writer.add_bool("clip.has_audio_encoder", True)
    writer.add_string("clip.projector_type", "ultravox")
    for key, value in {"embedding_length": width, "block_count": layers, "feed_forward_length": feed_forward,
                       "attention.head_count": heads, "projection_dim": projection, "num_mel_bins": bins,
                       "projector.stack_factor": stack}.items():
        writer.add_uint32(f"clip.audio.{key}", value)
    writer.add_float32("clip.audio.attention.layer_norm_epsilon", 1e-5)

    for number, inputs in [(1, bins), (2, width)]:
        put(writer, f"a.conv1d.{number}.weight", weights(rng, width, inputs, 3), "f16")
        put(writer, f"a.conv1d.{number}.bias", weights(rng, width, 1), "f32")
    put(writer, "a.position_embd.weight", weights(rng, 1500, width), "f32")
    for i in range(layers):
        b = f"a.blk.{i}."
        for name in ["attn_q", "attn_k", "attn_v", "attn_out"]:
            put(writer, f"{b}{name}.weight", weights(rng, width, width), dtype)
            if name != "attn_k":
                put(writer, f"{b}{name}.bias", weights(rng, width), dtype)
        put(writer, b + "ffn_up.weight", weights(rng, feed_forward, width), dtype)
        put(writer, b + "ffn_up.bias", weights(rng, feed_forward), dtype)
        put(writer, b + "ffn_down.weight", weights(rng, width, feed_forward), dtype)
        put(writer, b + "ffn_down.bias", weights(rng, width), dtype)
        for name in ["ln1", "ln2"]:
            put(writer, f"{b}{name}.weight", np.ones(width, np.float32), dtype)
            put(writer, f"{b}{name}.bias", np.zeros(width, np.float32), dtype)
    put(writer, "a.post_ln.weight", np.ones(width, np.float32), dtype)
    put(writer, "a.post_ln.bias", np.zeros(width, np.float32), dtype)
    put(writer, "mm.a.norm_pre.weight", np.ones(width * stack, np.float32), dtype)
    put(writer, "mm.a.mlp.1.weight", weights(rng, hidden, width * stack), dtype)
    put(writer, "mm.a.norm_mid.weight", np.ones(hidden // 2, np.float32), dtype)
    put(writer, "mm.a.mlp.2.weight", weights(rng, projection, hidden // 2), dtype)
    finish(writer)


def imatrix(path, model, legacy=False, seed=3):
    """An importance matrix for every 2-D weight of `model`, in either of llama-imatrix's formats."""
    rng = np.random.default_rng(seed)
    entries = []
    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name.endswith("weight") and len(tensor.shape) >= 2 and "token_embd" not in tensor.name:
            experts = int(tensor.shape[2]) if len(tensor.shape) > 2 else 1
            entries.append((tensor.name, rng.random((experts, int(tensor.shape[0])), dtype=np.float32) * 40 + 0.01))
    if legacy:
        import struct
        with open(path, "wb") as out:
            out.write(struct.pack("<i", len(entries)))
            for name, values in entries:
                out.write(struct.pack("<i", len(name)) + name.encode())
                out.write(struct.pack("<ii", 7, values.size) + values.tobytes())
            out.write(struct.pack("<ii", 5, 8) + b"text.txt")
        return
    writer = gguf.GGUFWriter(path, "")
    writer.kv_data[0].clear()
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["text.txt"])
    writer.add_uint32("imatrix.chunk_count", 5)
    writer.add_uint32("imatrix.chunk_size", 512)
    for name, values in entries:
        writer.add_tensor(name + ".in_sum2", values)
        writer.add_tensor(name + ".counts", np.full((values.shape[0], 1), 9, np.float32))
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
