"""A small transformer learns to write by characters, from a page of this project's documentation.

Each place of a sequence may look at those before it, and predicts the character that follows. The text is docs/design.md; its last
tenth is kept for the test.

Run it: ``python examples/char_transformer.py``.
"""

import time
from pathlib import Path

import numpy as np

import autograd_np as ag
import nn

TEXT = (Path(__file__).parents[1] / "docs" / "design.md").read_text("utf-8")
CHARS = sorted(set(TEXT))
CODES = np.array([CHARS.index(c) for c in TEXT])
TRAIN, TEST = np.split(CODES, [len(CODES) * 9 // 10])
LENGTH = 48


class Transformer(nn.Module):
    """Scores of the next character at each place: two layers of attention, each to what came before."""

    def __init__(self, width=64, heads=4, layers=2, rng=None, dtype=np.float32):
        made = {"rng": np.random.default_rng(rng), "dtype": dtype}
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True, **made)
        self.characters = nn.Embedding(len(CHARS), width, **made)
        self.places = nn.Embedding(LENGTH, width, **made)
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width, dtype=dtype))
        self.scores = nn.Linear(width, len(CHARS), **made)

    def forward(self, codes):
        """Take (samples, length) numbers of characters; return (samples, length, characters)."""
        length = codes.shape[1]
        later = np.triu(np.ones((length, length), dtype=bool), 1)
        return self.scores(self.encoder(self.characters(codes) + self.places(np.arange(length)), mask=later))


def pieces(codes, count, rng):
    """Return pieces of the text from random places (count, LENGTH), and the same pieces one character on."""
    start = rng.integers(0, len(codes) - LENGTH, count)[:, None] + np.arange(LENGTH)
    return codes[start], codes[start + 1]


def surprise(model, codes, after):
    """Return the mean surprise (in nats) at the next character."""
    return nn.functional.cross_entropy(model(codes).reshape(-1, len(CHARS)), after.reshape(-1))


def by_counting(order):
    """Return the surprise on the test text of one who knows how often each character follows `order` others in the training text."""
    counts = np.ones((len(CHARS),) * (order + 1))
    np.add.at(counts, tuple(TRAIN[i : len(TRAIN) - order + i] for i in range(order + 1)), 1)
    chances = counts / counts.sum(axis=-1, keepdims=True)
    return -np.mean(np.log(chances[tuple(TEST[i : len(TEST) - order + i] for i in range(order + 1))]))


def write(model, start, count, rng):
    """Return what the model writes after `start`, each character drawn by its probability."""
    codes = [CHARS.index(c) for c in start]
    for _ in range(count):
        scores = model(np.array([codes[-LENGTH:]])).numpy()[0, -1].astype(float)
        codes.append(rng.choice(len(CHARS), p=ag.softmax(scores / 0.7)))
    return "".join(CHARS[i] for i in codes)


def train(model, steps, lr, seed):
    """Train; print the loss on the way, what it is worth, and a sample; return the losses and the surprise on the test text."""
    rng = np.random.default_rng(seed)
    optimiser = nn.AdamW(model.parameters(), lr=lr)
    scheduler = nn.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=lr, total_steps=steps)
    losses, begun = [], time.perf_counter()
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss = surprise(model, *pieces(TRAIN, 24, rng))
        loss.backward()
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        scheduler.step()
        losses.append(loss.item())
        if step % max(1, steps // 4) == 0 or step == 1:
            print(f"step {step:4}, loss {losses[-1]:.3f} nats a character, {time.perf_counter() - begun:.0f} s")
    with ag.no_grad():
        found = surprise(model.eval(), *pieces(TEST, 200, rng)).item()
        written = write(model, "The ", 120, rng)
    print(f"on text never seen {found:.2f}: as uncertain as a choice among {np.exp(found):.0f} characters of {len(CHARS)}")
    print(f"by counting characters {by_counting(0):.2f}, by counting pairs of them {by_counting(1):.2f}")
    print(f"it writes: {' '.join(written.split())}")
    return losses, found


def main(steps=600, seed=0):
    """Train the transformer."""
    return train(Transformer(rng=seed), steps, 4e-3, seed)


if __name__ == "__main__":
    main()
