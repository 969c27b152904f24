"""What a function does to what it is given: later calls do it too, or the first one is refused, with its line."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

X = np.array([1.0, -2.0, 0.5])


@dataclass
class State:
    z: Any = None


def _key(p: Any, x: Any) -> None:
    for k in p:
        p[k] = p[k] - x  # key


def _new(p: Any, x: Any) -> Any:
    p["new"] = x * 2  # new
    return np.sum(x)


def _append(p: Any, x: Any) -> Any:
    y = x * 2
    p["list"].append(y)  # append
    return np.sum(y)


def _attribute(p: Any, x: Any) -> Any:
    p["state"].z = x * 2  # attribute
    return np.sum(x)


def _popped(p: Any, x: Any) -> Any:
    return p.pop("w") * x  # popped


def _line_of(f: Any) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.endswith(f"# {f.__name__[1:]}"))


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("f", [_key, _new, _append, _attribute, _popped], ids=lambda f: f.__name__)
def test_a_container_that_is_written_into_is_refused_with_the_line(f: Any, in_place: bool) -> None:
    p = {"w": np.ones(3), "list": [], "state": State()} if f is not _key else {"w": np.ones(3)}
    before = dict(p)
    with pytest.raises(ag.CompileError, match=f"test_given_containers.py:{_line_of(f)}"):
        ag.compile(f, backend="numpy", in_place=in_place)(p, X)
    assert p.keys() == before.keys()
    assert all(p[k] is before[k] for k in p)
    assert before.get("list", []) == []


def test_arrays_in_containers_are_written_in_place() -> None:
    def f(p: Any, g: Any) -> None:
        p["w"] -= g

    compiled = ag.compile(f, backend="numpy", in_place=True)
    for _ in range(3):
        p = {"w": np.ones(3)}
        compiled(p, X)
        np.testing.assert_array_equal(p["w"], 1 - X)


def test_arrays_of_every_layout_are_written_in_place() -> None:
    def f(p: Any, g: Any) -> None:
        p -= g
        p[1:] *= 2

    for p in (np.asfortranarray(np.ones((3, 3))), np.ones((6, 6))[::2, ::2], np.ones((3, 3)).T, np.ones(8)[::2], np.ones(5)[::-1]):
        g = np.random.default_rng(0).normal(size=p.shape)
        compiled = ag.compile(f, backend="numpy", in_place=True)
        expected = p.copy()
        for _ in range(2):
            f(expected, g)
            compiled(p, g)
            np.testing.assert_allclose(p, expected)


def test_numpy_that_is_told_to_raise_inside_is_refused_and_outside_it_raises() -> None:
    def f(x: Any) -> Any:
        with np.errstate(all="raise"):
            return np.log(x)

    with pytest.raises(ag.CompileError, match="put the with statement around the call"):
        ag.compile(f, backend="numpy")(np.ones(2))
    compiled = ag.compile(np.log, backend="numpy")
    compiled(np.ones(2))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        compiled(np.zeros(2))

    def quiet(x: Any) -> Any:
        with np.errstate(divide="ignore"):
            return np.log(x)

    assert ag.compile(quiet, backend="numpy")(np.ones(2))[0] == 0


def _stored(x: Any, r: Any) -> Any:
    y = np.zeros(3)
    y[0] = r
    return y * x


def _written(x: Any, _r: Any) -> None:
    x += 1


MESSAGES = {
    "stored": (_stored, "np.where"),
    "written": (_written, "in_place=True"),
    "generator": (lambda x, r: np.fromiter((v * 2 for v in x), float), "np.where"),
    "key": (lambda x, r: {r: x * 1}, "as a key"),
    "element": (lambda x, r: (x * 1, {r}), "as an element"),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_what_is_refused_says_what_to_do(what: str) -> None:
    f, advice = MESSAGES[what]
    with pytest.raises(ag.AutogradError) as raised:
        ag.compile(f, backend="numpy")(X.copy(), 0.5)
    assert advice in str(raised.value)
    assert f.__name__ in str(raised.value)


def test_an_error_of_the_function_is_its_own() -> None:
    def f(x: Any) -> Any:
        return {}["missing"] * x

    with pytest.raises(KeyError, match="missing"):
        ag.compile(f, backend="numpy")(X)


class Holder:
    def __init__(self) -> None:
        self.w = np.ones(3)
        self.f = ag.compile(self.loss, backend="numpy", reuse_outputs=True)

    def loss(self, x: Any) -> Any:
        return np.sum(x * self.w)


@ag.compile
def step(x: Any) -> Any:
    return x * 2


def test_a_copy_compiles_anew() -> None:
    holder = Holder()
    assert holder.f(X) == -0.5
    for other in (copy.deepcopy(holder), pickle.loads(pickle.dumps(holder))):
        other.w = np.full(3, 2.0)
        assert other.f(X) == -1
        assert other.f.signatures == 1
    assert holder.f(X) == -0.5
    assert copy.copy(holder.f)(X) == -0.5
    assert pickle.loads(pickle.dumps(step)) is copy.deepcopy(step) is step
