"""`ag.compile(f, threads=n)`: the same results bit for bit for every n, errors of any thread, callers that are threads, forks."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling import workers

N = 200_003


def _loss(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    return np.mean((np.tanh(z) - y) ** 2) + 0.1 * np.sum(w * w), z


def _network(W: Any, b: Any, V: Any, X: Any) -> Any:
    def loss(W: Any, b: Any, V: Any) -> Any:
        return -np.mean(np.log(1 / (1 + np.exp(-(V @ np.tanh(W @ X + b))))))

    return ag.value_and_grad(loss, (0, 1, 2))(W, b, V)


def _elements(x: Any, y: Any) -> Any:
    loss, g = ag.value_and_grad(lambda x: np.sum(np.sin(x) * np.exp(-x * x) + np.cos(x * y)))(x)
    return loss, g, np.max(x * y), (x + y).reshape(-1)[::-1]


def _arrays(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=s) for s in shapes]


CASES: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "gradient": (ag.value_and_grad(_loss, has_aux=True), [(5,), (N, 5), (N,)]),
    "network": (_network, [(4, 3), (4, 1), (1, 4), (3, N)]),
    "elements": (_elements, [(N,), (N,)]),
}


def _leaves(tree: Any) -> list[Any]:
    return [x for part in tree for x in _leaves(part)] if isinstance(tree, (tuple, list)) else [np.asarray(tree)]


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("what", CASES)
def test_results_are_the_same_bit_for_bit_for_every_number_of_threads(what: str, reuse: bool) -> None:
    f, shapes = CASES[what]
    args = _arrays(*shapes)
    expected = _leaves(ag.compile(f, backend="numpy")(*args))
    for threads in (1, 2, 3, 7):
        compiled = ag.compile(f, backend="numpy", threads=threads, reuse_outputs=reuse)
        for _ in range(3):
            for a, b in zip(_leaves(compiled(*args)), expected, strict=True):
                np.testing.assert_array_equal(a, b)
        assert ("run(" in compiled.source) == (threads > 1)


def test_what_is_written_in_place_is_the_same_too() -> None:
    def step(p: Any, g: Any, v: Any) -> None:
        v *= 0.9
        v += g * g
        p -= 0.1 * g / (np.sqrt(v) + 1e-8)

    mine, theirs = np.abs(np.array(_arrays((N,), (N,), (N,)))), np.abs(np.array(_arrays((N,), (N,), (N,))))
    compiled, plain = ag.compile(step, in_place=True, threads=3), ag.compile(step, in_place=True, backend="numpy")
    for _ in range(3):
        compiled(*mine)
        plain(*theirs)
        np.testing.assert_array_equal(mine, theirs)


def test_threads_of_callers_share_the_workers_and_get_their_own_results() -> None:
    f, _ = CASES["elements"]
    compiled = ag.compile(f, backend="numpy", threads=2)
    given = [[x * k for x in _arrays((N,), (N,))] for k in (1.0, 2.0, 3.0)]
    expected = [_leaves(compiled(*args)) for args in given]
    wrong: list[Any] = []

    def call(k: int) -> None:
        for _ in range(5):
            for a, b in zip(_leaves(compiled(*given[k])), expected[k], strict=True):
                if not np.array_equal(a, b):
                    wrong.append(k)

    callers = [threading.Thread(target=call, args=(k,)) for k in range(3)]
    for t in callers:
        t.start()
    for t in callers:
        t.join()
    assert not wrong
    assert len(workers._THREADS) >= 1


def test_an_error_of_a_thread_is_raised_in_the_caller_and_the_workers_go_on() -> None:
    done: list[int] = []

    def tile(i: int, k: int) -> None:
        if i == 3:
            raise ZeroDivisionError("tile 3")
        done.append(k)

    tiles = [[(10 * i,) for i in range(8)] for _ in range(3)]
    for _ in range(20):
        with pytest.raises(ZeroDivisionError, match="tile 3"):
            workers.run(tile, tiles)
    done.clear()
    workers.run(lambda i, k: done.append(k), tiles)
    assert sorted(done) == [10 * i for i in range(8)]


def test_infinities_in_one_tile_are_what_they_are_without_threads() -> None:
    def f(x: Any) -> Any:
        return np.sum(1 / x + np.exp(x)), np.log(x * x)

    compiled, plain = ag.compile(f, backend="numpy", threads=3), ag.compile(f, backend="numpy")
    x = _arrays((N,))[0]
    compiled(x), plain(x)
    x[[5, N - 7]] = 0.0, 1e4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for a, b in zip(compiled(x), plain(x), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_starts_workers_of_its_own() -> None:
    f, _ = CASES["elements"]
    args = _arrays((N,), (N,))
    compiled = ag.compile(f, backend="numpy", threads=2)
    expected = float(compiled(*args)[0])
    child = os.fork()
    if child == 0:
        os._exit(0 if float(compiled(*args)[0]) == expected and len(workers._THREADS) == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_small_functions_have_no_threads_and_memory_of_others_is_counted() -> None:
    small = ag.compile(lambda x: np.sum(np.exp(x)), threads=4)
    small(np.ones(10))
    assert "run(" not in small.source
    f, _ = CASES["elements"]
    args = _arrays((N,), (N,))
    memory = []
    for threads in (1, 2, 4):
        compiled = ag.compile(f, backend="numpy", threads=threads)
        compiled(*args)
        memory.append(compiled.memory)
    assert memory[0] < memory[1] < memory[2] < 2 * memory[0]


@pytest.mark.parametrize("threads", [0, -1, 2.0, True, "4"])
def test_what_is_no_number_of_threads_is_refused(threads: Any) -> None:
    with pytest.raises(ag.CompileError, match="threads must be an integer"):
        ag.compile(_loss, threads=threads)
