"""What is held out of training, by construction: seeds, names, fonts, layouts and voices.

A scene is of one split, and takes everything from it. The splits share words, questions and the few layouts that a
blood pressure meter can have; names, fonts and voices of one are never seen in the other.
"""

import os
import random
import zlib
from pathlib import Path

TRAIN, HELD_OUT = "train", "held-out"

# Where `pico.pack` put fonts and espeak-ng, on a machine that does not have them.
PACK = os.environ.get("PICO_PACK")
FONT_FOLDER = f"{PACK}/fonts" if PACK else "/usr/share/fonts"

# The few fonts of L1 and L2, and more for L3, as names of files of the packages in packages.txt.
PLAIN = [
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf",
    "Roboto-Regular.ttf", "Roboto-Bold.ttf", "Roboto-Medium.ttf", "OpenSans-Regular.ttf", "OpenSans-Semibold.ttf",
    "Lato-Regular.ttf", "Lato-Bold.ttf", "Carlito-Regular.ttf", "Carlito-Bold.ttf", "LiberationSerif-Bold.ttf",
    "DejaVuSerif.ttf", "FreeSans.ttf", "FreeSansBold.ttf", "Cantarell-Bold.otf", "Go-Regular.ttf", "Go-Bold.ttf",
]  # fmt: skip
PLAIN_HELD_OUT = ["NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "LiberationSansNarrow-Bold.ttf", "Lato-Semibold.ttf"]
MANY = PLAIN + [
    "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSansCondensed.ttf", "DejaVuSerif-Bold.ttf",
    "LiberationMono-Regular.ttf", "LiberationSerif-Regular.ttf", "LiberationSerif-Italic.ttf",
    "LiberationSans-Italic.ttf", "RobotoCondensed-Regular.ttf", "RobotoCondensed-Bold.ttf", "Roboto-Light.ttf",
    "Roboto-Italic.ttf", "OpenSans-Light.ttf", "OpenSans-CondBold.ttf", "OpenSans-ExtraBold.ttf", "Lato-Black.ttf",
    "Lato-Light.ttf", "Lato-Italic.ttf", "FreeSerif.ttf", "FreeSerifBold.ttf", "FreeMonoBold.ttf",
    "Quicksand-Medium.ttf", "Quicksand-Bold.ttf", "Inconsolata.otf", "LinLibertine_R.otf", "LinLibertine_RB.otf",
    "LinBiolinum_R.otf", "Go-Medium-Italic.ttf", "Go-Mono.ttf", "Tinos-Bold.ttf", "Cousine-Bold.ttf",
]  # fmt: skip
MANY_HELD_OUT = PLAIN_HELD_OUT + [
    "NotoSerif-Regular.ttf", "NotoSerif-Bold.ttf", "NotoSans-Italic.ttf", "NotoSerifDisplay-Bold.ttf",
    "RobotoCondensed-Italic.ttf", "LinBiolinum_RB.otf", "Go-Mono-Bold.ttf", "FreeMono.ttf",
]  # fmt: skip

# espeak-ng's voices with their variants.
VOICES = [
    f"{language}+{variant}"
    for language in ["en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc"]
    for variant in ["m1", "m2", "m3", "m4", "m6", "f1", "f2", "f3", "max", "Andy", "Annie"]
]
VOICES_HELD_OUT = ["en-us+m7", "en-us+f4", "en-gb+m5", "en-gb+f5", "en-gb-x-gbclan+m3", "en-us+steph"]


def rng_of(split: str, level: int, number: int) -> random.Random:
    """The generator of a scene. Scenes of different splits never share one."""
    return random.Random(f"pico/{split}/{level}/{number}")


def fonts(split: str, level: int) -> list[str]:
    if split == HELD_OUT:
        return MANY_HELD_OUT if level == 3 else PLAIN_HELD_OUT
    return MANY if level == 3 else PLAIN


def voices(split: str) -> list[str]:
    return VOICES_HELD_OUT if split == HELD_OUT else VOICES


def name_is_held_out(name: str) -> bool:
    """One name in eight."""
    return zlib.crc32(name.encode()) % 8 == 0


def layout_is_held_out(key: str) -> bool:
    """One combination of choices in eight: `key` says which were made."""
    return zlib.crc32(b"layout/" + key.encode()) % 8 == 0


_paths: dict[str, str] = {}


def font_path(name: str) -> str:
    """Where a font file of this name is installed."""
    if not _paths:
        _paths.update({path.name: str(path) for path in Path(FONT_FOLDER).rglob("*.[ot]tf")})
    if name not in _paths:
        raise FileNotFoundError(f"{name} in {FONT_FOLDER}: install the packages of packages.txt")
    return _paths[name]
