"""Every layer of the table is right in every transform: numeric derivatives to the second order, vmap, checkpoint, drawings, and
`check_backward` of a backward pass written for it by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, Case

import autograd_np as ag
import nn

EVERY = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def total(result: Any) -> Any:
    """Return a number that depends on all of a result, smoothly and differently on each element."""
    parts = [p for p in leaves_of(result) if p.size]
    return sum(np.sum(np.sin(p + 0.1 * np.arange(p.size).reshape(p.shape))) for p in parts)


def leaves_of(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for k in sorted(tree) for leaf in leaves_of(tree[k])]
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves_of(part)]
    return [] if tree is None else [tree]


def function_of(case: Case) -> tuple[Any, dict[str, Any], list[Any]]:
    """Return the layer as a function of its Parameters and inputs, and these."""
    layer = case.layer()
    parameters = {name: p.data.copy() for name, p in layer.named_parameters()}
    return lambda p, *xs: nn.functional_call(layer, p, *xs, **case.call), parameters, case.arrays()


def floats(xs: list[Any]) -> list[int]:
    return [i for i, x in enumerate(xs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


@pytest.mark.parametrize("case", [c for c in CASES if c.small], ids=lambda c: c.name)
def test_derivatives_are_the_numeric_ones_to_the_second_order(case: Case) -> None:
    f, parameters, xs = function_of(case)
    fixed = dict(enumerate(xs))
    if not leaves_of(f(parameters, *xs))[0].size:
        pytest.skip("nothing comes out")

    def scalar(p: Any, moving: Any) -> Any:
        return total(f(p, *(moving.get(str(i), x) for i, x in fixed.items())))

    ag.check_gradients(scalar, parameters, {str(i): xs[i] for i in floats(xs)}, elements=2).raise_if_wrong()


@EVERY
def test_both_modes_agree_and_nothing_is_written_to(case: Case) -> None:
    f, parameters, xs = function_of(case)
    before = [np.copy(x) for x in xs]
    moving = floats(xs)
    rng = np.random.default_rng(1)

    def scalar(p: Any, *some: Any) -> Any:
        given = dict(zip(moving, some, strict=True))
        return total(f(p, *(given.get(i, x) for i, x in enumerate(xs))))

    at = (parameters, *(xs[i] for i in moving))
    tangents = ({k: rng.normal(size=v.shape) for k, v in parameters.items()}, *(rng.normal(size=xs[i].shape) for i in moving))
    gradients = ag.grad(scalar, argnums=tuple(range(len(at))))(*at)
    expected = sum(np.sum(g * t) for g, t in zip(leaves_of(gradients), leaves_of(tangents), strict=True))
    value, moved = ag.jvp(scalar, at, tangents)
    np.testing.assert_allclose(moved, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(value, total(f(parameters, *xs)), rtol=1e-12)
    again = ag.grad(lambda *a: ag.checkpoint(scalar)(*a), argnums=tuple(range(len(at))))(*at)
    for g, wanted in zip(leaves_of(again), leaves_of(gradients), strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-10, atol=1e-12)
    for x, old in zip(xs, before, strict=True):
        np.testing.assert_array_equal(x, old)


@EVERY
def test_many_examples_at_once_are_each_of_them(case: Case) -> None:
    f, parameters, xs = function_of(case)
    moving = floats(xs)
    if not moving:
        pytest.skip("nothing to have examples of")
    stacks = [np.stack([xs[i], xs[i][..., ::-1]]) for i in moving]

    def example(*some: Any) -> Any:
        given = dict(zip(moving, some, strict=True))
        mine = [given.get(i, x) for i, x in enumerate(xs)]
        return ag.grad(lambda p: total(f(p, *mine)))(parameters), f(parameters, *mine)

    together = leaves_of(ag.vmap(example)(*stacks))  # a LoopWarning would be an error
    one_by_one = [leaves_of(example(*(s[i] for s in stacks))) for i in range(2)]
    for got, *wanted in zip(together, *one_by_one, strict=True):
        np.testing.assert_allclose(got, np.stack(wanted), rtol=1e-9, atol=1e-11)


@EVERY
def test_a_drawing_shows_one_box(case: Case) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.inner = case.layer()

        def forward(self, *xs: Any) -> Any:
            return self.inner(*xs, **case.call)

    graph = Model().graph(*case.arrays())
    assert graph.modules["inner"] == type(case.layer()).__name__


@pytest.mark.parametrize("case", list({type(c.layer()): c for c in reversed(CASES)}.values()), ids=lambda c: c.name)
def test_a_backward_pass_written_by_hand_is_judged(case: Case) -> None:
    f, parameters, xs = function_of(case)
    moving = floats(xs)
    if not moving:
        pytest.skip("the gradient is by Parameters alone")
    x = xs[moving[0]]
    first = leaves_of(f(parameters, *xs))[0]
    if not first.size:
        pytest.skip("nothing comes out")
    seed = np.random.default_rng(2).normal(size=first.shape)
    rest = {i: y for i, y in enumerate(xs) if i != moving[0]}

    def output(x: Any) -> Any:
        return leaves_of(f(parameters, *(rest.get(i, x) for i in range(len(xs)))))[0]

    def forward(x: Any) -> Any:
        out = output(x)
        return np.sum(out * seed)

    def right(x: Any) -> Any:
        dx = ag.vjp(output, x)[1](seed)[0]
        return dx

    def wrong(x: Any) -> Any:
        dx = 2 * ag.vjp(output, x)[1](seed)[0] + 1.0
        return dx

    assert ag.check_backward(forward, right, {"x": x}, draws=0).ok
    assert not ag.check_backward(forward, wrong, {"x": x}, draws=0, seconds=0.1).ok
