"""Arrays of an object that get no gradient: those that are kept fixed need none, those that are trained do."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(8)
X = rng.normal(size=(5, 3))


class Base:
    """A layer with two arrays, `W` and another one, whose names are up to the class that makes them."""

    def __init__(self):
        self.W = rng.normal(size=(3, 2))
        self.make()

    def make(self):
        pass


class Projected(Base):
    """Projects by a fixed matrix first, and returns the gradients."""

    def make(self):
        self.P = rng.normal(size=(3, 3))

    def forward(self, x):
        self.h = x @ self.P
        return self.h @ self.W

    def backward(self, dout):
        dW = self.h.T @ dout
        return dout @ self.W.T @ self.P.T, dW


class ProjectedInPlace(Projected):
    """The same, leaving the gradient in the object."""

    def backward(self, dout):
        self.dW = self.h.T @ dout
        return dout @ self.W.T @ self.P.T


class Scaled(Base):
    """Scales by fixed numbers; `d_scale` is a width, no gradient."""

    def make(self):
        self.scale = rng.normal(size=2)
        self.d_scale = 2

    def forward(self, x):
        self.x = x
        return x @ self.W * self.scale

    def backward(self, dout):
        self.grads = {"W": self.x.T @ (dout * self.scale)}
        return dout * self.scale @ self.W.T


class RandomFeatures:
    """Fixed features, of which only the last layer is trained."""

    def __init__(self):
        self.W, self.b, self.beta = rng.normal(size=(3, 6)), rng.normal(size=6), rng.normal(size=(6, 1))

    def forward(self, x, y):
        self.phi = np.cos(x @ self.W + self.b)
        self.e = self.phi @ self.beta - y
        return np.mean(self.e**2)

    def backward(self):
        self.dbeta = 2 * self.phi.T @ self.e / len(self.e)


class FixedMixing:
    """A fixed mixing matrix a layer, in a list beside the list of weights."""

    def __init__(self):
        self.weights = [rng.normal(size=(3, 3)) for _ in range(2)]
        self.mixing = [rng.normal(size=(3, 3)) for _ in range(2)]

    def forward(self, x):
        self.hs = [x]
        for w, m in zip(self.weights, self.mixing, strict=True):
            self.hs.append(np.tanh(self.hs[-1] @ w @ m))
        return np.sum(self.hs[-1] ** 2)

    def backward(self):
        delta = 2 * self.hs[-1]
        dweights = [None, None]
        for i in (1, 0):
            delta = delta * (1 - self.hs[i + 1] ** 2) @ self.mixing[i].T
            dweights[i] = self.hs[i].T @ delta
            delta = delta @ self.weights[i].T
        return dweights


class Averaged(Base):
    """Centres by a running mean, which training moves and no gradient does."""

    def make(self):
        self.centre = rng.normal(size=3)
        self.params = [self.W]

    def forward(self, x):
        self.x = x - self.centre
        return self.x @ self.W

    def observe(self, x):
        self.centre = 0.9 * self.centre + 0.1 * x.mean(axis=0)

    def backward(self, dout):
        self.grads = [self.x.T @ dout]
        return dout @ self.W.T


@pytest.mark.parametrize("kind", [Projected, ProjectedInPlace, Scaled, RandomFeatures, FixedMixing, Averaged], ids=lambda k: k.__name__)
def test_what_an_object_keeps_fixed_needs_no_gradient(kind):
    layer = kind()
    given = {"x": X, "y": rng.normal(size=(5, 1))} if kind is RandomFeatures else {"x": X}
    report = ag.check_backward(layer.forward, layer.backward, given)
    assert report.ok
    assert any("backward gives no gradient for it" in said for said in report.unjudged)


class Partner(Base):
    """The bias of a weight."""

    def make(self):
        self.b = rng.normal(size=2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Spelled(Partner):
    """The same in words."""

    def make(self):
        self.weight_ih, self.bias_ih = rng.normal(size=(3, 2)), rng.normal(size=2)

    def forward(self, x):
        self.x = x
        return x @ self.weight_ih + self.bias_ih

    def backward(self, dout):
        self.weight_ih_grad = self.x.T @ dout
        return dout @ self.weight_ih.T


class Named(Partner):
    """Statistics that are scaled and shifted."""

    def make(self):
        self.gamma, self.beta = rng.normal(size=3), rng.normal(size=3)

    def forward(self, x):
        self.x = x
        return self.gamma * x + self.beta

    def backward(self, dout):
        dgamma = np.sum(dout * self.x, axis=0)
        return dout * self.gamma, dgamma


class Placed(Base):
    """The object has a place for the gradient that is missing."""

    def make(self):
        self.P = rng.normal(size=(3, 3))
        self.dW = self.dP = None

    def forward(self, x):
        self.x = x
        self.h = x @ self.P
        return self.h @ self.W

    def backward(self, dout):
        self.dW = self.h.T @ dout
        return dout @ self.W.T @ self.P.T


class Stepped(Placed):
    """A method steps along the gradient that is missing."""

    def make(self):
        self.P = rng.normal(size=(3, 3))

    def update(self, rate, grads):
        self.W -= rate * grads[0]
        self.P -= rate * grads[1]


class Optimised(Placed):
    """An optimiser is handed what gets no gradient."""

    def make(self):
        self.P = rng.normal(size=(3, 3))

    def update(self, optimiser, grads):
        self.W = optimiser.step(self.W, grads[0])
        self.P = optimiser.step(self.P, grads[1])


class Listed(Placed):
    """It is listed among the parameters."""

    def make(self):
        self.P = rng.normal(size=(3, 3))
        self.params = [self.W, self.P]


class Told(Placed):
    """A method gives the parameters."""

    def make(self):
        self.P = rng.normal(size=(3, 3))

    def parameters(self):
        return [self.W, self.P]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Partner, "b"), (Spelled, "bias_ih"), (Named, "beta"), (Placed, "P"), (Stepped, "P"), (Optimised, "P"), (Listed, "P"), (Told, "P")],
    ids=lambda k: getattr(k, "__name__", k),
)
def test_what_an_object_trains_needs_a_gradient(kind, name):
    layer = kind()
    report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    assert report.verdict == "fail"
    assert [f.kind for f in report.findings] == ["not-returned"]
    assert f"`{name}` gets no gradient" in report.findings[0].message


class Standardised:
    """Has a place for the gradient of `b`, and puts it where forward keeps its input."""

    def __init__(self):
        self.w, self.b, self.dw, self.db = rng.normal(size=3), rng.normal(size=3), None, None

    def forward(self, x):
        self.x = x
        self.kept = x + 1
        return x * self.w + self.b

    def backward(self, dout):
        db = dout.sum(axis=0)
        self.dw = np.sum(dout * self.x, axis=0)
        self.kept = db
        return dout * self.w


def test_a_gradient_in_another_place_than_its_own_is_not_handed_over():
    layer = Standardised()
    report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    assert report.verdict == "fail"
    assert [(f.kind, f.fix.strip()) for f in report.findings] == [("not-returned", "self.db = db")]
