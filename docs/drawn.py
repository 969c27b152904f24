"""The graphs of docs/rendering.md's gallery, by the name of their picture: ``docs/make_pictures.py`` draws them."""

import numpy as np

import autograd_np as ag
import nn

RNG = np.random.default_rng


class CNN(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, rng):
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, rng=rng), nn.Conv2d(4, 8, 3, rng=rng)
        self.head = nn.Linear(32, 10, rng=rng)

    def forward(self, x):
        """Return a logit for each class."""
        a = nn.functional.max_pool2d(ag.relu(self.conv1(x)), 2)
        b = nn.functional.max_pool2d(ag.relu(self.conv2(a)), 2)
        return self.head(b.reshape(len(x), -1))


def cnn():
    """Return the graph of a convolutional network."""
    return CNN(RNG(0)).graph(np.ones((5, 1, 14, 14)))


def rnn_loss(Wx, Wh, b, Wy, xs, y):
    """Return the error of a recurrent network after 20 steps."""
    h = np.zeros((4, 16))
    for x in xs:
        z = x @ Wx + h @ Wh + b
        h = np.tanh(z)
    out = h @ Wy
    return np.mean((out - y) ** 2)


def rnn():
    """Return the graph of a recurrent network."""
    shapes = [(8, 16), (16, 16), (16,), (16, 3), (20, 4, 8), (4, 3)]
    return ag.trace(rnn_loss, *(RNG(0).normal(size=shape) for shape in shapes))


class Residual(nn.Module):
    """A layer that adds to its input."""

    def __init__(self, d, rng):
        self.a, self.b = nn.Linear(d, d, rng=rng), nn.Linear(d, d, rng=rng)

    def forward(self, x):
        """Return the sum."""
        return x + self.b(ag.relu(self.a(x)))


class ResidualMLP(nn.Module):
    """Fifty of them."""

    def __init__(self, rng):
        self.stem, self.head = nn.Linear(4, 8, rng=rng), nn.Linear(8, 3, rng=rng)
        self.layers = [Residual(8, rng) for _ in range(50)]

    def forward(self, x):
        """Go through all layers."""
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def residual():
    """Return the graph of a residual network."""
    return ResidualMLP(RNG(0)).graph(np.ones((5, 4)))


class Attention(nn.Module):
    """Four heads, in a loop."""

    def __init__(self, d, rng):
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, rng=rng) for _ in range(4))

    def forward(self, x):
        """Return what the heads found."""
        q, k, v = (np.split(project(x), 4, axis=-1) for project in (self.q, self.k, self.v))
        found = []
        for i in range(4):
            weights = ag.softmax(q[i] @ k[i].T / 2)
            found.append(weights @ v[i])
        return self.o(np.concatenate(found, axis=-1))


class Block(nn.Module):
    """Attention and two linear layers, each added to what it reads."""

    def __init__(self, d, rng):
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(d), Attention(d, rng), nn.LayerNorm(d)
        self.up, self.down = nn.Linear(d, 4 * d, rng=rng), nn.Linear(4 * d, d, rng=rng)

    def forward(self, x):
        """Return the sum."""
        x = x + self.attention(self.norm1(x))
        return x + self.down(ag.relu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """Twelve blocks."""

    def __init__(self, d, rng):
        self.blocks, self.head = [Block(d, rng) for _ in range(12)], nn.Linear(d, 5, rng=rng)

    def forward(self, x):
        """Go through all blocks."""
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def transformer():
    """Return the graph of a transformer."""
    return Transformer(16, RNG(0)).graph(np.ones((6, 16)))


def attention():
    """Return the graph of one of its heads' module."""
    return Attention(16, RNG(0)).graph(np.ones((6, 16)))


def batch_norm_backward(dy, gamma, centred, deviation):
    """Return the gradients of batch normalisation, derived by hand."""
    normed = centred / deviation
    dgamma, dbeta = np.sum(dy * normed, axis=0), np.sum(dy, axis=0)
    dnormed = dy * gamma
    dvariance = np.sum(dnormed * centred, axis=0) * -0.5 / deviation**3
    dmean = -np.sum(dnormed / deviation, axis=0)
    dx = dnormed / deviation + (2 * dvariance * centred + dmean) / len(dy)
    return dx, dgamma, dbeta


def batch_norm():
    """Return the graph of batch normalisation's backward pass."""
    return ag.trace(batch_norm_backward, np.ones((8, 3)), np.ones(3), RNG(0).normal(size=(8, 3)), np.ones(3))


GALLERY = {"cnn": cnn, "rnn": rnn, "residual": residual, "transformer": transformer, "attention": attention, "batch-norm": batch_norm}
