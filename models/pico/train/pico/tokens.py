"""The tokenizer, trained on the world's text, and how a chat is written.

`python -m pico.tokens OUT.json` trains it. The pre-tokenizer is SmolLM's: digits stand alone.
"""

import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from .config import PICO
from .world import commands, questions, split as splits

START, END = "<|im_start|>", "<|im_end|>"
FRAME, OVERVIEW, IMAGE, AUDIO = "<fake_token_around_image>", "<global-img>", "<image>", "<|audio|>"
THINK, THOUGHT = "<think>", "</think>"
# How llama.cpp calls the only tile of a small picture, which it shows before the overview.
TILE = "<row_1_col_1>"
CONTROL = ["<|endoftext|>", START, END, FRAME, OVERVIEW, TILE, IMAGE, AUDIO]
# Those that an answer may show.
SHOWN = [THINK, THOUGHT, "<tool_call>", "</tool_call>", commands.CONTEMPLATE]

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% elif part.type == 'audio' %}<|audio|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking %}<think>{% endif %}{% endif %}"
)
HEADER = f"{START}user\n"
ASK = f"{END}\n{START}assistant\n"
# Between the end of an answer and the next question.
NEXT = f"\n{HEADER}"


def train(vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    added = len(CONTROL) + len(SHOWN)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - added, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    tokenizer.add_special_tokens(CONTROL)
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in SHOWN])
    assert tokenizer.get_vocab_size() == vocabulary, tokenizer.get_vocab_size()
    return tokenizer


def _texts():
    for number in range(4000):
        scene, rng = questions.scene_of(splits.TRAIN, 1 + number % 3, number)
        for question in [questions.ask(scene, rng) for _ in range(4)] + [commands.command(rng, False)]:
            yield question.text
            yield question.answer
        yield scene.transcript()
    # llama.cpp wants two ends of lines to be one token.
    yield from ["user", "assistant", "system", "\n\n"] * 1000
    rng = random.Random(0)
    yield from (commands.tool(rng).answer for _ in range(1000))


class Tokens:
    """Encodes the pieces of a chat as the runtime does: the text between pictures and sounds, each piece by itself."""

    def __init__(self, path: Path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.header = self.encode(HEADER)
        self.frame_open, self.frame_close = self.encode(FRAME + OVERVIEW), self.encode(FRAME)
        self.tile_open, self.tile_close = self.encode(FRAME + TILE), self.encode("\n\n")
        self.image, self.audio = self.id(IMAGE), self.id(AUDIO)
        self.end = self.id(END)
        # What the name of a product in a question is.
        [self.there], [self.nowhere] = self.encode("*"), self.encode("-")

    def id(self, token: str) -> int:
        return self.tokenizer.token_to_id(token)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=False)


def main() -> None:
    tokenizer = train(PICO.vocabulary)
    tokenizer.save(sys.argv[1], pretty=False)


if __name__ == "__main__":
    main()
