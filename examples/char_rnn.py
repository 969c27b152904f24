"""A recurrent network learns a nursery rhyme, character by character.

The loop over time, the one-hot vectors written into zeros and the sum of losses are plain Python and NumPy; the gradient goes back
through all of them.

Run it: ``python examples/char_rnn.py``.
"""

import itertools

import numpy as np

import autograd_np as ag

TEXT = "peter piper picked a peck of pickled peppers; a peck of pickled peppers peter piper picked. "
CHARS = sorted(set(TEXT))
INDEX = {c: i for i, c in enumerate(CHARS)}


def initialize(hidden, rng):
    """Return small random weights."""
    n = len(CHARS)
    return {
        "Wxh": rng.normal(size=(hidden, n)) * 0.1,
        "Whh": rng.normal(size=(hidden, hidden)) * 0.1,
        "Why": rng.normal(size=(n, hidden)) * 0.1,
        "bh": np.zeros((hidden, 1)),
        "by": np.zeros((n, 1)),
    }


def step(p, i, h):
    """Return the probabilities of the next character and the next state, after character number i."""
    x = np.zeros((len(CHARS), 1))
    x[i] = 1
    h = np.tanh(p["Wxh"] @ x + p["Whh"] @ h + p["bh"])
    y = np.exp(p["Why"] @ h + p["by"])
    return y / np.sum(y), h


def loss(p, text):
    """Return the mean surprise (in nats) at each character, given those before."""
    h = np.zeros(p["bh"].shape)
    total = 0
    for now, then in itertools.pairwise(text):
        prob, h = step(p, INDEX[now], h)
        total += -np.log(prob[INDEX[then], 0])
    return total / (len(text) - 1)


def write(p, start, n):
    """Return what the network writes after `start`, the most probable character each time."""
    h = np.zeros(p["bh"].shape)
    out = start
    for c in start[:-1]:
        _, h = step(p, INDEX[c], h)
    for _ in range(n):
        prob, h = step(p, INDEX[out[-1]], h)
        out += CHARS[int(np.argmax(prob))]
    return out


def main(steps=60, lr=0.02):
    """Train with Adam, print the loss on the way and what the network writes."""
    p = initialize(48, np.random.default_rng(0))
    m, v = ({k: np.zeros_like(a) for k, a in p.items()} for _ in range(2))
    losses = []
    for t in range(1, steps + 1):
        value, g = ag.value_and_grad(loss)(p, TEXT)
        for k in p:
            m[k] = 0.9 * m[k] + 0.1 * g[k]
            v[k] = 0.99 * v[k] + 0.01 * g[k] ** 2
            p[k] = p[k] - lr * (m[k] / (1 - 0.9**t)) / (np.sqrt(v[k] / (1 - 0.99**t)) + 1e-8)
        losses.append(value)
        if t % 20 == 0 or t == 1:
            print(f"step {t:3}, loss {value:.3f} nats a character")
    written = write(p, "pe", 60)
    print(f"it writes: {written}")
    return losses, written


if __name__ == "__main__":
    main()
