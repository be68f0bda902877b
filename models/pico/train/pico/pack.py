"""Fonts and espeak-ng in one folder, for a machine that has neither: `python -m pico.pack FOLDER`.

There, `PICO_PACK=FOLDER` has the recipe take them from it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from .world import split as splits

# What every machine has, and must be its own.
SYSTEM = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "ld-linux", "linux-vdso")


def pack(folder: Path) -> None:
    for name in ("fonts", "lib"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in {*splits.MANY, *splits.MANY_HELD_OUT}:
        shutil.copy(splits.font_path(name), folder / "fonts")
    program = shutil.which("espeak-ng")
    shutil.copy(program, folder)
    for line in subprocess.run(["ldd", program], capture_output=True, check=True, text=True).stdout.splitlines():
        parts = line.split()
        if "=>" in parts and not parts[0].startswith(SYSTEM):
            shutil.copy(parts[parts.index("=>") + 1], folder / "lib" / parts[0])
    told = subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout
    data = Path(told.rsplit("Data at:", 1)[1].strip())
    shutil.copytree(data, folder / "espeak-ng-data", dirs_exist_ok=True)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
