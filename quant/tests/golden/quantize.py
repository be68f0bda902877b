"""Makes quantize.json: hashes of what llama-quantize makes of the model that ../quantize.rs builds.

python quantize.py --llama-quantize PATH
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import gguf
import numpy as np

MIXES = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"]
WIDTH, KV_WIDTH, FEED_FORWARD, LAYERS, VOCAB, SEED = 256, 128, 288, 9, 64, 7


class Random:
    """SplitMix64 and its nearly normal numbers, as in ../common/mod.rs."""

    def __init__(self, seed):
        self.state = seed

    def normals(self, n):
        gamma = np.uint64(0x9E3779B97F4A7C15)
        steps = np.arange(1, 12 * n + 1, dtype=np.uint64)
        with np.errstate(over="ignore"):
            z = np.uint64(self.state) + steps * gamma
            self.state = int(z[-1])
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        uniforms = ((z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)).reshape(n, 12)
        total = np.zeros(n, np.float32)
        for i in range(12):
            total += uniforms[:, i]
        return total - np.float32(6)


def write_model(path):
    random = Random(SEED)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)

    def put(name, *shape):
        writer.add_tensor(name, random.normals(int(np.prod(shape))).reshape(shape))

    put("token_embd.weight", VOCAB, WIDTH)
    put("output_norm.weight", WIDTH)
    for i in range(LAYERS):
        put(f"blk.{i}.attn_norm.weight", WIDTH)
        put(f"blk.{i}.attn_q.weight", WIDTH, WIDTH)
        put(f"blk.{i}.attn_k.weight", KV_WIDTH, WIDTH)
        put(f"blk.{i}.attn_v.weight", KV_WIDTH, WIDTH)
        put(f"blk.{i}.attn_output.weight", WIDTH, WIDTH)
        put(f"blk.{i}.ffn_norm.weight", WIDTH)
        put(f"blk.{i}.ffn_gate.weight", FEED_FORWARD, WIDTH)
        put(f"blk.{i}.ffn_up.weight", FEED_FORWARD, WIDTH)
        put(f"blk.{i}.ffn_down.weight", WIDTH, FEED_FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def fnv1a(data):
    """Over 64-bit words, so that Python is done today."""
    data += bytes(-len(data) % 8)
    hash = 0xCBF29CE484222325
    for word in np.frombuffer(data, np.uint64).tolist():
        hash = (hash ^ word) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{hash:016x}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llama-quantize", required=True)
    tool = parser.parse_args().llama_quantize
    hashes = {}
    with tempfile.TemporaryDirectory() as folder:
        model, out = f"{folder}/model.gguf", pathlib.Path(folder) / "out.gguf"
        write_model(model)
        for mix in MIXES:
            subprocess.run([tool, model, out, mix], check=True, capture_output=True)
            hashes[mix] = fnv1a(out.read_bytes())
    golden = pathlib.Path(__file__).with_suffix(".json")
    golden.write_text(json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    main()
