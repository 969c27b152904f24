"""Tensors in pickles, in copies and in other processes: a leaf stays a leaf, a graph stays at home."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def leaf(x: Any = (1.0, 2.0), name: str | None = None) -> ag.Tensor:
    return ag.Tensor(np.array(x), requires_grad=True, name=name)


def pickled(x: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(x, protocol))


class Tagged(ag.Tensor):
    __slots__ = ("__private", "tag")

    def __init__(self, data: Any, tag: str) -> None:
        super().__init__(data, requires_grad=True)
        self.tag = tag
        self.__private = tag.upper()

    def private(self) -> str:
        return self.__private


class Loose(ag.Tensor):
    """A subclass with a __dict__."""


@pytest.mark.parametrize("travel", [*(lambda x, p=p: pickled(x, p) for p in PROTOCOLS), copy.deepcopy])
def test_a_leaf_arrives_as_it_was(travel: Any) -> None:
    x = leaf(name="w")
    np.sum(x * x).backward()
    y = travel(x)
    assert (y.name, y.requires_grad, y.is_leaf) == ("w", True, True)
    np.testing.assert_array_equal(y.data, [1, 2])
    np.testing.assert_array_equal(y.grad, [2, 4])
    assert not np.shares_memory(x.data, y.data)
    assert not np.shares_memory(x.grad, y.grad)
    np.sum(y * y).backward()
    np.testing.assert_array_equal(y.grad, [4, 8])
    np.testing.assert_array_equal(x.grad, [2, 4])
    for plain in (ag.Tensor([1, 2]), ag.Tensor(2.0), ag.Tensor([True]), ag.Tensor(1j), leaf().detach()):
        z = travel(plain)
        assert not z.requires_grad
        assert z.dtype == plain.dtype
        np.testing.assert_array_equal(z.data, plain.data)


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
def test_subclasses_keep_their_attributes(travel: Any) -> None:
    x = Tagged([1.0, 2.0], "a")
    y = travel(x)
    assert (type(y), y.tag, y.private()) == (Tagged, "a", "A")
    z = Loose([1.0], requires_grad=True)
    z.note = {"k": [1]}
    again = travel(z)
    assert again.note == {"k": [1]}
    assert again.note is not z.note


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
def test_identity_is_kept_within_one_pickle(travel: Any) -> None:
    x = leaf()
    a, b, c = travel([x, x, {"again": x}])
    assert a is b is c["again"]
    keyed = travel({x: "value"})
    assert list(keyed.values()) == ["value"]


def test_order_on_arrival_is_a_topological_one() -> None:
    early = pickle.dumps(leaf())
    late = pickle.dumps([leaf() for _ in range(100)][-1])
    for content in (early, late):
        x = leaf([1.0, 2.0])
        y = np.sum((x * 2) * pickle.loads(content) + x)
        y.backward()
        np.testing.assert_array_equal(x.grad, [3.0, 5.0])


def test_a_result_with_a_graph_is_refused_by_name() -> None:
    x = leaf(name="w")
    for result, operation in ((x * 2, "multiply"), (np.sum(x), "sum"), (x[0], "getitem")):
        for travel in (pickled, copy.deepcopy):
            with pytest.raises(ag.DifferentiationError, match=rf"result of {operation}.*x\.detach\(\)"):
                travel(result)
            with pytest.raises(ag.DifferentiationError, match=rf"result of {operation}"):
                travel({"cached": [result]})
        np.testing.assert_array_equal(pickled(result.detach()).data, result.data)
    for travel in (pickled, copy.deepcopy):
        with pytest.raises(ag.DifferentiationError, match="stays in the process"):
            travel(ag.graph(np.sum(x)))
    with ag.no_grad():
        assert not pickled(x * 2).requires_grad


def test_inside_a_transform_a_copy_keeps_the_gradient_and_a_pickle_is_refused() -> None:
    x = np.array([1.0, 2.0])
    for of in (copy.deepcopy, copy.copy, lambda t: copy.deepcopy({"a": [t]})["a"][0], lambda t: copy.deepcopy(t * 1)):
        np.testing.assert_array_equal(ag.grad(lambda t, of=of: np.sum(of(t) ** 2))(x), 2 * x)
        np.testing.assert_array_equal(ag.hessian(lambda t, of=of: np.sum(of(t) ** 3))(x), np.diag(6 * x))
        np.testing.assert_array_equal(ag.jvp(lambda t, of=of: of(t) ** 2, (x,), (np.ones(2),))[1], 2 * x)
        assert "copy" in str(ag.trace(lambda t, of=of: np.sum(of(t)), x))
    with pytest.raises(ag.DifferentiationError, match="cannot be pickled"):
        ag.grad(lambda t: np.sum(pickled(t)))(x)
    inner = ag.grad(lambda y: ag.grad(lambda t: np.sum(copy.deepcopy(t.detach() * 1) * t**2))(y)[0])
    np.testing.assert_array_equal(inner(x), [4.0, 0.0])  # y0 * 2 y0: the copy is a constant to the inner gradient alone


def test_what_leaves_as_a_number_inside_a_transform_is_refused_by_name() -> None:
    x = np.array([2.0])
    for how in ("item", "tolist", "numpy"):
        leave = lambda t, how=how: getattr(t, how)()  # noqa: E731
        for run in (
            lambda leave=leave: ag.grad(lambda t: np.sum(t * np.asarray(leave(t))))(x),
            lambda leave=leave: ag.jvp(lambda t: t * np.asarray(leave(t)), (x,), (x,)),
            lambda leave=leave: ag.trace(lambda t: t * np.asarray(leave(t)), x),
            lambda leave=leave: ag.grad(lambda t: ag.grad(lambda u: np.sum(u * np.asarray(leave(u.detach()))))(t)[0])(x),
        ):
            with pytest.raises(ag.LeavesNumPyError, match=rf"\.{how}\(\).*stop_gradient\(x\)\.{how}\(\)"):
                run()
        assert np.asarray(leave(leaf([3.0]))) == 3
        assert ag.grad(lambda t, leave=leave: np.sum(t * np.asarray(leave(ag.stop_gradient(t)))))(x) == 2
    seen: list[Any] = []
    ag.grad(lambda t: (seen.append(t * 2), np.sum(t))[1])(x)
    assert seen[0].item() == 4.0  # afterwards there is nothing to lose


def test_operations_are_pickled_by_name() -> None:
    for operation in (ag.sigmoid, ag.relu, ag.softmax, ag.logsumexp):
        assert pickled(operation) is operation
        assert copy.deepcopy(operation) is operation


def gradient_of(x: ag.Tensor) -> tuple[ag.Tensor, Any]:
    np.sum(x**3).backward()
    return x, x.grad


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_there_and_back(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    for _ in range(50):
        leaf()
    x = leaf(name="w")
    with multiprocessing.get_context(method).Pool(1) as pool:
        y, grad = pool.apply(gradient_of, (x,))
    np.testing.assert_array_equal(grad, [3, 12])
    np.testing.assert_array_equal(y.grad, grad)
    assert x.grad is None
    np.sum(y * x).backward()
    np.testing.assert_array_equal(x.grad, [1, 2])


def test_between_machines(tmp_path: Path) -> None:
    """A process that has recorded much less, as after a restart."""
    for _ in range(100):
        leaf() * 2
    path = tmp_path / "w.pickle"
    path.write_bytes(pickle.dumps(leaf(name="w")))
    code = "import pickle, sys, numpy as np; w = pickle.load(open(sys.argv[1], 'rb')); np.sum(w * w).backward(); print(w.grad, w.name)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2. 4.] w"
