"""The gradients that were derived by hand: equal to the engine's, and an unequal one is noticed."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from autograd_np.demo import textbook


def test_the_comparison_is_of_hand_derived_gradients(rng: np.random.Generator) -> None:
    X, Y = rng.normal(size=(2, 9)), (rng.random((1, 9)) < 0.5).astype(float)
    p = {"W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=(3, 1)), "W2": rng.normal(size=(1, 3)), "b2": rng.normal(size=(1, 1))}
    engine = dict(zip(p, ag.grad(textbook.cost_of(X, Y), argnums=(0, 1, 2, 3))(*p.values()), strict=True))
    hand = textbook.hand_derived(**p, X=X, Y=Y)
    for name in p:
        np.testing.assert_allclose(engine[name], hand[name], rtol=1e-12, atol=1e-15)
    assert max(textbook.compare(p, engine, X, Y).values()) < 1e-14
    assert textbook.compare(p, {**engine, "b1": engine["b1"] * 1.001}, X, Y)["b1"] > 1e-6
