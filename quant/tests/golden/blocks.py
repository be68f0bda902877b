"""Makes blocks.json: what ggml encodes and gguf-py decodes for every block format.

    python blocks.py path/to/libggml-base.so > blocks.json

Needs numpy and gguf. ggml has to be built for a generic machine (-DGGML_NATIVE=OFF), so that its compiler does not
contract multiplications and additions. The inputs are made anew by tests/blocks.rs, which has the same generator.
"""

import ctypes
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type, quants

TYPES = """F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ4_NL IQ4_XS MXFP4""".split()
ROW, ROWS = 512, 4
# Three blocks of 32: fewer than are searched at once.
SHORT_ROW, SHORT_ROWS = 96, 20
RANDOM_BLOCKS = 64


def splitmix64(seed, n):
    state = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws(seed, n):
    """For each of n elements a near-normal number (a sum of twelve uniforms) and a uniform one."""
    units = (splitmix64(seed, 13 * n) >> np.uint64(40)).reshape(n, 13).astype(np.float64) / 2**24
    return units[:, :12].sum(axis=1) - 6, units[:, 12]


def inputs():
    n = ROW * ROWS
    i = np.arange(n)
    normal, unit = draws(1, n)
    kinds = {
        "normal": normal,
        "heavy": normal * normal * normal / (unit + 1 / 64),
        "constant": np.full(n, -0.375),
        "zeros": np.zeros(n),
        "denormal": normal * 2.0**-133,
        "small": normal * 2.0**-52,
        "large": normal * 2.0**15,
        "outlier": np.where(i % 97 == 0, normal * 1024, normal),
        "alternating": np.where(i % 2 == 0, 1 + unit / 8, -1 - unit / 8),
        "positive": 1 + unit,
        "signed zeros": np.where(unit < 0.75, np.copysign(0, normal), np.abs(normal)),
        "sparse": np.where(unit < 0.875, 0, normal),
    }
    return {kind: values.astype(np.float32) for kind, values in kinds.items()}


def importance():
    normal, unit = draws(2, ROW)
    return np.where(unit < 0.125, 0, normal * normal).astype(np.float32)


class Ggml:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
        for name in ("quantize_row_q8_K_ref", "dequantize_row_q8_K"):
            getattr(self.lib, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]

    def encode(self, ty, values, columns, row=ROW):
        block_len, block_bytes = GGML_QUANT_SIZES[ty]
        out = np.zeros(values.size // block_len * block_bytes, np.uint8)
        if ty == Type.Q8_K:
            self.lib.quantize_row_q8_K_ref(values.ctypes.data, out.ctypes.data, values.size)
            return out
        weights = None if columns is None else columns.ctypes.data
        self.lib.ggml_quantize_chunk(int(ty), values.ctypes.data, out.ctypes.data, 0, values.size // row, row, weights)
        return out

    def decode(self, ty, data):
        if ty != Type.Q8_K:
            with np.errstate(all="ignore"):
                return quants.dequantize(data, ty)
        block_len, block_bytes = GGML_QUANT_SIZES[ty]
        out = np.zeros(data.size // block_bytes * block_len, np.float32)
        self.lib.dequantize_row_q8_K(data.ctypes.data, out.ctypes.data, out.size)
        return out


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data.tobytes():
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def float_hash(values):
    """All NaN count as the same one."""
    return fnv1a(np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32))


def rmse(values, decoded):
    return float(np.sqrt(np.mean((values.astype(np.float64) - decoded) ** 2)))


def main():
    ggml, columns = Ggml(sys.argv[1]), importance()
    formats = {}
    for name in TYPES:
        ty = Type[name]
        cases = {}
        for kind, values in inputs().items():
            encoded = ggml.encode(ty, values, None)
            weighted = ggml.encode(ty, values, columns)
            decoded = ggml.decode(ty, encoded)
            cases[kind] = {
                "encoded": fnv1a(encoded),
                "weighted": fnv1a(weighted),
                "decoded": float_hash(decoded),
                "rmse": rmse(values, decoded) if np.isfinite(decoded).all() else None,
            }
            if kind == "normal":
                first = encoded[: GGML_QUANT_SIZES[ty][1]].tobytes().hex()
        short = None
        if SHORT_ROW % GGML_QUANT_SIZES[ty][0] == 0:
            values = inputs()["normal"][: SHORT_ROW * SHORT_ROWS]
            short = fnv1a(ggml.encode(ty, values, columns[:SHORT_ROW].copy(), SHORT_ROW))
        random = splitmix64(3, RANDOM_BLOCKS * GGML_QUANT_SIZES[ty][1]).astype(np.uint8)
        formats[name] = {
            "first_block": first,
            "short_rows_weighted": short,
            "random": float_hash(ggml.decode(ty, random)),
            "cases": cases,
        }
    json.dump(formats, sys.stdout, indent=1)
    print()


main()
