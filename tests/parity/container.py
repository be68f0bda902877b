"""Files of gguf-py and llama.cpp are read by lorgnette, and lorgnette's by gguf-py and llama.cpp."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy as np

import models

VALUES = {
    "uint8": 200, "int8": -100, "uint16": 60000, "int16": -30000, "uint32": 4_000_000_000, "int32": -2_000_000_000,
    "float32": 0.1, "uint64": 2**64 - 1, "int64": -(2**63), "float64": 0.1, "bool": True, "string": "Ġtoken\n\"é\"",
}
ARRAYS = {"strings": ["a", "", "é" * 40], "floats": [0.5, -1e30], "ints": [-1, 2**31 - 1], "bools": [True, False]}


def write_everything(path):
    """Every value type, every tensor type that gguf-py can make, every number of dimensions."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(128)
    for kind, value in VALUES.items():
        getattr(writer, f"add_{kind}")(f"value.{kind}", value)
    for name, array in ARRAYS.items():
        writer.add_array(f"array.{name}", array)
    rng = np.random.default_rng(0)
    for rank in range(1, 5):
        writer.add_tensor(f"rank{rank}", rng.random((5, 4, 3, 256)[-rank:], dtype=np.float32))
    for kind in ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]:
        ty = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(kind, gguf.quants.quantize(rng.random((3, 256), dtype=np.float32), ty), raw_dtype=ty)
    for dtype in [np.int8, np.int16, np.int32, np.int64, np.float64]:
        writer.add_tensor(np.dtype(dtype).name, np.arange(6, dtype=dtype))
    models.finish(writer)


def inspect(lorgnette, path):
    return json.loads(subprocess.run([lorgnette, "inspect", "--json", path], check=True, capture_output=True).stdout)


def shown(field):
    """A reader's field as `lorgnette inspect --json` prints it."""
    value = field.contents()
    if field.types[0] == gguf.GGUFValueType.ARRAY:
        return {"len": len(value), "first": value[:8]}
    return value


def check_reading(lorgnette, path):
    reader, ours = gguf.GGUFReader(path), inspect(lorgnette, path)
    fields = {key: field for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert [entry["key"] for entry in ours["metadata"]] == list(fields), "keys and their order"
    for entry in ours["metadata"]:
        value, expected = entry["value"], shown(fields[entry["key"]])
        kind = entry["type"]
        if kind == "arr":
            assert value["len"] == expected["len"], entry["key"]
            kind, value, expected = value["of"], value["first"], expected["first"]
        same = np.array_equal(np.float32(value), np.float32(expected)) if kind == "f32" else value == expected
        assert same, f"{entry['key']}: {value} is not {expected}"
    theirs = [(t.name, [int(d) for d in t.shape], t.tensor_type.name, int(t.n_bytes)) for t in reader.tensors]
    assert [(t["name"], t["shape"], t["type"], t["bytes"]) for t in ours["tensors"]] == theirs
    print(f"{path.name}: {len(fields)} keys and {len(theirs)} tensors as gguf-py reads them")


def check_tensor_data(source, copy):
    theirs = {t.name: t.data.tobytes() for t in gguf.GGUFReader(source).tensors}
    ours = {t.name: t.data.tobytes() for t in gguf.GGUFReader(copy).tensors}
    assert ours == theirs
    print(f"{copy.name}: gguf-py reads the same tensors from lorgnette's file")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lorgnette", required=True)
    parser.add_argument("--llama-gguf-split", required=True)
    arguments = parser.parse_args()

    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        everything, text = folder / "everything.gguf", folder / "text.gguf"
        write_everything(everything)
        check_reading(arguments.lorgnette, everything)
        models.text(text)
        check_reading(arguments.lorgnette, text)

        copy, merged = folder / "copy.gguf", folder / "merged.gguf"
        run(arguments.lorgnette, "quantize", text, copy, "--type", "F16")
        check_tensor_data(text, copy)

        run(arguments.llama_gguf_split, "--split", "--split-max-tensors", "20", copy, folder / "split")
        first = sorted(folder.glob("split-00001-of-*.gguf"))[0]
        run(arguments.lorgnette, "quantize", first, merged, "--type", "F16")
        assert merged.read_bytes() == copy.read_bytes()
        print(f"{first.name}: llama.cpp splits lorgnette's file, and lorgnette reads the shards as that file")


if __name__ == "__main__":
    sys.exit(main())
