"""`ag.compile` compares what the code reads that has run; what others would read may change, unless somebody keeps or reads it."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

X = np.array([1.0, -2.0, 0.5])
compiled_by_numpy = functools.partial(ag.compile, backend="numpy")
RATE = 2.0
CHOICE = "doubled"


def follows(f: Callable[..., Any], *changes: Callable[[], Any]) -> None:
    """Demand that what is compiled gives what `f` gives, after each change as well."""
    c = compiled_by_numpy(f, max_signatures=20)
    for change in (lambda: None, *changes):
        change()
        for _ in range(2):
            np.testing.assert_array_equal(c(X), f(X))


def doubled(x: Any) -> Any:
    return x * 2


def scaled(x: Any) -> Any:
    return x * RATE


@pytest.fixture(autouse=True)
def _as_it_was() -> Any:
    yield
    globals().update(RATE=2.0, CHOICE="doubled")


def test_functions_that_have_not_run_may_change() -> None:
    c = compiled_by_numpy(lambda x: (doubled if CHOICE == "doubled" else scaled)(x))
    c(X)
    before = scaled.__code__
    globals()["RATE"] = 3.0
    scaled.__code__ = (lambda x: x + RATE).__code__
    np.testing.assert_array_equal(c(X), X * 2)
    assert c.signatures == 1
    globals()["CHOICE"] = "scaled"
    np.testing.assert_array_equal(c(X), X + 3)
    globals()["RATE"] = 4.0
    np.testing.assert_array_equal(c(X), X + 4)
    scaled.__code__ = before
    np.testing.assert_array_equal(c(X), X * 4)


def test_a_function_that_is_taken_for_another_counts_from_then_on() -> None:
    offset = 1.0

    def shifted(x: Any) -> Any:
        return x + offset

    def put(f: Any) -> None:
        nonlocal offset
        box.f = f
        offset += 1

    def more() -> None:
        nonlocal offset
        offset += 1

    box, others = types.SimpleNamespace(f=doubled), [shifted, scaled]
    follows(
        lambda x: box.f(x) * len(others),
        lambda: put(shifted),
        more,
        lambda: put(others[1]),
        lambda: globals().update(RATE=5.0),
        lambda: put(shifted),
        more,
    )


def test_a_result_that_is_kept_depends_on_what_gave_it() -> None:
    @functools.lru_cache
    def factor() -> float:
        return inner()

    def inner() -> float:
        return RATE

    factor()  # so that it does not run when it is traced

    def forget(rate: float) -> None:
        globals()["RATE"] = rate
        factor.cache_clear()

    follows(lambda x: x * factor(), lambda: forget(3.0), lambda: forget(7.0))


def test_results_of_methods_partials_and_objects_are_kept_too() -> None:
    class Table:
        @functools.cache  # noqa: B019
        def of_method(self) -> float:
            return rate()

        def plain(self) -> float:
            return rate()

        def __call__(self) -> float:
            return rate()

    def rate() -> float:
        return RATE

    table = Table()
    partial = functools.lru_cache(functools.partial(lambda k: k * rate(), 1.0))
    bound, called = functools.lru_cache(table.plain), functools.lru_cache(table)
    for clears, factor in (
        (Table.of_method, table.of_method),
        (partial, lambda: partial()),
        (bound, lambda: bound()),
        (called, lambda: called()),
    ):

        def forget(rate: float, clears: Any = clears) -> None:
            globals()["RATE"] = rate
            clears.cache_clear()

        forget(2.0)
        factor()
        follows(lambda x, factor=factor: x * factor(), functools.partial(forget, 3.0), functools.partial(forget, 7.0))


def test_what_another_compiled_function_reads_counts() -> None:
    weights, factor = {"w": np.ones(3)}, 1.0

    def put(x: float) -> None:
        nonlocal factor
        factor = x

    class Holder:
        @compiled_by_numpy
        def scaled(self, k: float) -> Any:
            return k * RATE

    inner = compiled_by_numpy(lambda k: k * RATE * factor * weights["w"])
    holder = Holder()
    inner(3.0)
    holder.scaled(3.0)
    follows(lambda x: x * inner(3.0), lambda: globals().update(RATE=5.0), lambda: put(2.0), lambda: weights.update(w=np.full(3, 4.0)))
    follows(lambda x: x * holder.scaled(3.0), lambda: globals().update(RATE=6.0), lambda: globals().update(RATE=7.0))


def test_what_runs_in_other_threads_counts() -> None:
    def rate(_: int) -> float:
        return RATE

    def by_a_pool(x: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return x * sum(pool.map(rate, range(2)))

    def by_a_thread(x: Any) -> Any:
        found: list[float] = []
        thread = threading.Thread(target=lambda: found.append(rate(0)))
        thread.start()
        thread.join()
        return x * found[0]

    for f in (by_a_pool, by_a_thread):
        globals()["RATE"] = 2.0
        follows(f, lambda: globals().update(RATE=3.0), lambda: globals().update(RATE=4.0))


LIBRARY = """
_KEPT = {}
def memoised(f):
    store = Store()
    def call():
        if store.value is None:
            store.value = f()
        return store.value
    call.forget = lambda: setattr(store, "value", None)
    return call
class Store:
    value = None
"""


def test_a_result_that_a_library_keeps_depends_on_what_gave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "site-packages"
    place.mkdir()
    (place / "keepinglib.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(place))
    import keepinglib  # type: ignore[import-not-found]

    def inner() -> float:
        return RATE

    class Inner:
        def method(self) -> float:
            return inner()

        def __call__(self) -> float:
            return inner()

    for keeping in (lambda: inner(), Inner().method, Inner(), functools.partial(lambda k: k * inner(), 1.0)):
        globals()["RATE"] = 2.0
        factor = keepinglib.memoised(keeping)
        factor()

        def forget(rate: float, factor: Any = factor) -> None:
            globals()["RATE"] = rate
            factor.forget()

        follows(lambda x, factor=factor: x * factor(), functools.partial(forget, 3.0), functools.partial(forget, 7.0))
    del sys.modules["keepinglib"]


def test_what_is_read_of_a_function_without_calling_it_counts() -> None:
    def helper(x: Any, k: float = 2.0) -> Any:
        return x * k

    helper.scale = 2.0  # type: ignore[attr-defined]
    follows(lambda x: x * helper.scale, lambda: setattr(helper, "scale", 3.0))  # type: ignore[attr-defined]
    follows(lambda x: x * helper.__defaults__[0], lambda: setattr(helper, "__defaults__", (3.0,)))
    follows(lambda x: x * getattr(helper, "__defaults__")[0], lambda: setattr(helper, "__defaults__", (4.0,)))  # noqa: B009
    follows(lambda x: x * inspect.signature(helper).parameters["k"].default, lambda: setattr(helper, "__defaults__", (5.0,)))
    follows(lambda x: x * helper.__code__.co_argcount, lambda: setattr(helper, "__code__", (lambda x: x).__code__))
    kept = 1.0

    def closing() -> float:
        return kept

    def put() -> None:
        nonlocal kept
        kept = 2.0

    follows(lambda x: x * closing.__closure__[0].cell_contents, put)  # type: ignore[index]


def test_methods_that_have_not_run_are_told_apart_as_objects() -> None:
    class Layer:
        how = "plain"

        def plain(self, x: Any) -> Any:
            return x * 2

        def other(self, x: Any) -> Any:
            return x * RATE

        def __call__(self, x: Any) -> Any:
            return getattr(self, self.how)(x)

    layer = Layer()
    c = compiled_by_numpy(layer)
    c(X)
    globals()["RATE"] = 3.0
    c(X)
    assert c.signatures == 1
    follows(
        layer,
        lambda: setattr(layer, "how", "other"),
        lambda: globals().update(RATE=4.0),
        lambda: setattr(Layer, "other", lambda self, x: x - RATE),
        lambda: globals().update(RATE=6.0),
    )


def test_under_a_profiler_everything_counts() -> None:
    c = compiled_by_numpy(lambda x: (doubled if CHOICE == "doubled" else scaled)(x))
    told: list[Any] = []

    def profiler(_frame: Any, event: str, _arg: Any) -> None:
        told.append(event)

    sys.setprofile(profiler)
    try:
        c(X)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    globals()["RATE"] = 3.0
    np.testing.assert_array_equal(c(X), X * 2)
    assert c.signatures == 2


def test_no_profiler_is_left_behind_by_a_trace_that_fails() -> None:
    with pytest.raises(ag.AutogradError):
        compiled_by_numpy(lambda x: x[x > 0])(X)
    assert sys.getprofile() is None


def test_what_runs_in_pieces_counts() -> None:
    def pieces() -> Any:
        yield 1.0
        yield RATE

    def mapped(k: float) -> float:
        return k * RATE

    follows(lambda x: x * sum(map(mapped, pieces())), lambda: globals().update(RATE=3.0), lambda: globals().update(RATE=4.0))
    follows(lambda x: x * sorted([1, 2], key=lambda k: -k * RATE)[0], lambda: globals().update(RATE=-1.0))
