"""A recurrent network learns to write by characters: that of char_transformer.py, with `nn.GRU` in the place of attention.

What is read comes through a state that goes from character to character, so that nothing says how long a text may be.

Run it: ``python examples/char_gru.py``.
"""

import numpy as np
from char_transformer import CHARS, train

import nn


class Recurrent(nn.Module):
    """Scores of the next character at each place."""

    def __init__(self, width=128, rng=None, dtype=np.float32):
        made = {"rng": np.random.default_rng(rng), "dtype": dtype}
        self.characters = nn.Embedding(len(CHARS), width // 2, **made)
        self.states = nn.GRU(width // 2, width, batch_first=True, **made)
        self.scores = nn.Linear(width, len(CHARS), **made)

    def forward(self, codes):
        """Take (samples, length) numbers of characters; return (samples, length, characters)."""
        states, _ = self.states(self.characters(codes))
        return self.scores(states)


def main(steps=600, seed=0):
    """Train the network."""
    return train(Recurrent(rng=seed), steps, 1e-2, seed)


if __name__ == "__main__":
    main()
