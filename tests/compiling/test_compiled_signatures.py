"""`ag.compile`: whatever a function reads that is no array is compared at each call; nothing stays as it was in silence."""

from __future__ import annotations

import collections
import contextvars
import dataclasses
import functools
import os
import sys
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_np as ag

X = np.array([1.0, -2.0, 0.5])
compiled_by_numpy = functools.partial(ag.compile, backend="numpy")


def follows(f: Callable[..., Any], *changes: Callable[[], Any]) -> None:
    """Demand that what is compiled gives what `f` gives after each change, which must be one, and is traced once for it."""
    c = compiled_by_numpy(f, max_signatures=20)
    last = f(X)
    np.testing.assert_allclose(c(X), last)
    for n, change in enumerate(changes, 2):
        change()
        now = f(X)
        assert now.shape != last.shape or now.dtype != last.dtype or not np.array_equal(now, last)
        for _ in range(2):
            got = c(X)
            assert got.dtype == now.dtype
            np.testing.assert_allclose(got, now)
        assert c.signatures == n
        last = now


# --- arguments


@dataclasses.dataclass
class Params:
    w: Any
    k: Any = 1
    act: Any = "tanh"
    inner: Any = None


@ag.register_container
class Registered:
    def __init__(self, w: Any, k: Any, act: Any) -> None:
        self.w, self.k, self.act, self.inner = w, k, act, None


def layer(p: Any, x: Any) -> Any:
    act = p.act if callable(p.act) else getattr(np, p.act)
    k = p.inner.k if p.inner is not None else p.k
    return act(x) * p.w * (k.n if hasattr(k, "n") else k)


@pytest.mark.parametrize("kind", [Params, Registered])
def test_fields_that_are_no_arrays_are_part_of_the_signature(kind: Any) -> None:
    c = compiled_by_numpy(layer, max_signatures=20)
    w = np.ones(3)
    variants = [(1, "tanh"), (5, "tanh"), (True, "exp"), (1, np.sin), (1, np.cos), (2.0, np.cos), (3.0, np.cos), (2, np.cos)]
    for k, act in variants:
        np.testing.assert_allclose(c(kind(w, k, act), X), layer(kind(w, k, act), X))
    n = c.signatures
    assert n == len(variants) - 1  # a float is data
    for k, act in variants:
        np.testing.assert_allclose(c(kind(2 * w, k, act), X), layer(kind(2 * w, k, act), X))
    assert c.signatures == n


@pytest.mark.parametrize("kind", [Params, Registered])
def test_one_object_whose_fields_are_assigned(kind: Any) -> None:
    p = kind(np.ones(3), 1, "tanh")
    follows(
        lambda x: layer(p, x),
        lambda: setattr(p, "k", 3),
        lambda: setattr(p, "act", "exp"),
        lambda: setattr(p, "inner", Params(p.w, 7)),
        lambda: setattr(p.inner, "k", 9),
    )
    c = compiled_by_numpy(layer)
    for k in (1, 2, 3):
        p.inner.k = k
        np.testing.assert_allclose(c(p, X), layer(p, X))


class Pair(NamedTuple):
    a: Any
    n: Any


def test_containers_of_each_kind_are_told_apart() -> None:
    def f(d: Any, x: Any) -> Any:
        for key, v in d.items() if isinstance(d, dict) else enumerate(d):
            x = x * 2 + v * (1 if isinstance(key, str) else type(key)(3) / 2)
        return x * (2 if isinstance(d, collections.OrderedDict) else 1)

    c = compiled_by_numpy(f, max_signatures=30)
    a, b = np.ones(3), np.zeros(3)
    variants: list[Any] = [
        {"a": a, "b": b}, {"b": b, "a": a}, {"a": b, "b": a}, {"c": a, "b": b}, {1: a}, {2: a}, {}, [a, b], (a, b), [a],
        collections.OrderedDict(a=a, b=b), collections.OrderedDict(b=b, a=a), collections.OrderedDict(b=b, c=a),
        collections.defaultdict(list, a=a), collections.deque([a, b]), collections.deque([a, b], maxlen=2),
        Pair(a, b), Pair(a, 2), Pair(a, 3),
    ]  # fmt: skip
    for _ in range(2):
        for d in variants:
            np.testing.assert_allclose(c(d, X), f(d, X))
    assert c.signatures == len(variants) - 1
    assert list(compiled_by_numpy(lambda d: d)({"b": b, "a": a})) == ["b", "a"]


def test_objects_numbers_and_sets_among_the_arguments() -> None:
    c = compiled_by_numpy(lambda x, n: x * (len(n) if isinstance(n, set) else n.stop if isinstance(n, slice) else abs(n)))
    for n in (1 + 1j, 3 + 4j, 1 + 1j, slice(2), slice(3)):
        np.testing.assert_allclose(c(X, n), c._f(X, n))
    assert c.signatures == 4
    s = {1}
    for i in range(3):
        s.add(i)
        np.testing.assert_allclose(c(X, s), X * len(s))


# --- what is captured


class Box:
    def __init__(self, value: Any) -> None:
        self.value = value


CALLABLES: dict[str, tuple[Any, ...]] = {
    "ufuncs": (np.tanh, np.exp, np.sin),
    "functions of NumPy": (np.sum, np.mean, np.cumsum),
    "partials": (functools.partial(np.sum, axis=0), functools.partial(np.sum, keepdims=True), functools.partial(np.multiply, 3.0)),
    "functions": (lambda x: x, lambda x: x * 2, np.tanh),
    "classes": (lambda x: x, type("Twice", (), {"__new__": lambda _, x: x * 2}), type("Thrice", (), {"__new__": lambda _, x: x * 3})),
}
ACT: Any = None


@pytest.mark.parametrize("what", CALLABLES)
def test_callables_that_become_others(what: str) -> None:
    first, *others = CALLABLES[what]
    box, kept, listed, spaced, local = Box(first), {"f": first}, [first], types.SimpleNamespace(f=first), first

    def rebind(f: Any) -> None:
        nonlocal local
        local = f

    def globally(f: Any) -> None:
        globals()["ACT"] = f

    globally(first)
    places: list[tuple[Any, Any]] = [
        (lambda x: box.value(x), lambda f: setattr(box, "value", f)),
        (lambda x: kept["f"](x), lambda f: kept.update(f=f)),
        (lambda x: listed[0](x), lambda f: listed.__setitem__(0, f)),
        (lambda x: spaced.f(x), lambda f: setattr(spaced, "f", f)),
        (lambda x: local(x), rebind),
        (lambda x: ACT(x), globally),
    ]
    for f, put in places:
        follows(f, *(functools.partial(put, other) for other in others))


def test_types_and_modules_that_become_others() -> None:
    box = Box(np.float32)
    follows(lambda x: (x * 1.1).astype(box.value), lambda: setattr(box, "value", np.float64), lambda: setattr(box, "value", np.dtype("f4")))
    one, two = types.ModuleType("one"), types.ModuleType("two")
    one.rate, two.rate = 2, 3  # type: ignore[attr-defined]
    box.value = one
    follows(lambda x: x * box.value.rate, lambda: setattr(box, "value", two), lambda: setattr(two, "rate", 5))


def test_methods_that_are_replaced_on_the_class() -> None:
    class Base:
        scale = 1
        how = "tanh"

        def act(self, x: Any) -> Any:
            return getattr(np, self.how)(x) * self.scale

        @property
        def twice(self) -> Any:
            return 2

        @staticmethod
        def still(x: Any) -> Any:
            return x

        @classmethod
        def of_class(cls, x: Any) -> Any:
            return x * cls.scale

        def __call__(self, x: Any) -> Any:
            return self.of_class(self.still(self.act(x))) * self.twice

    class Derived(Base):
        pass

    class Other(Base):
        def act(self, x: Any) -> Any:
            return x / 7

    a = Derived()
    follows(
        a,
        lambda: setattr(Base, "act", lambda self, x: x * 5),
        lambda: setattr(Derived, "act", lambda self, x: x * 6),
        lambda: setattr(Base, "twice", property(lambda self: 3)),
        lambda: setattr(Base, "still", staticmethod(lambda x: x + 1)),
        lambda: setattr(Base, "of_class", classmethod(lambda cls, x: x - 1)),
        lambda: delattr(Derived, "act"),
        lambda: setattr(Base, "__call__", lambda self, x: getattr(np, self.how)(x)),
        lambda: setattr(Base, "how", "exp"),
        lambda: setattr(a, "how", "sin"),
        lambda: setattr(a, "__class__", Other) or setattr(Base, "__call__", lambda self, x: self.act(x)),
    )


def test_code_that_is_loaded_anew_into_the_same_function() -> None:
    def f(x: Any) -> Any:
        return x * 2

    def g(x: Any) -> Any:
        return x * 3

    follows(lambda x: f(x), lambda: setattr(f, "__code__", g.__code__))


def test_values_in_places_of_every_kind() -> None:
    var: contextvars.ContextVar[Any] = contextvars.ContextVar("k")
    follows(lambda x: x * var.get(5.0), lambda: var.set(2.0), lambda: var.set(3.0), lambda: var.set(np.array(4.0)))
    under = {"k": 1.0}
    shown = types.MappingProxyType(under)
    follows(lambda x: x * shown["k"], lambda: under.update(k=4.0))
    s = {1, 2}
    follows(lambda x: x * len(s), lambda: s.add(5), s.clear)
    data = bytearray(b"\x01\x02")
    follows(lambda x: x * data[0], lambda: data.__setitem__(0, 9))
    order = {"a": np.ones(3), "b": np.zeros(3)}
    follows(lambda x: [x := x * 2 + v for v in order.values()][-1], lambda: order.update(a=order.pop("a")))
    deep = types.SimpleNamespace(a=collections.deque([{"k": (1, {"n": 2})}]))
    follows(lambda x: x * deep.a[0]["k"][1]["n"], lambda: deep.a[0]["k"][1].update(n=3))
    box = Box(2)
    ref, mine = weakref.ref(box), threading.local()
    follows(lambda x: x * ref().value, lambda: setattr(box, "value", 3))  # type: ignore[union-attr]
    mine.k = 1
    follows(lambda x: x * mine.k, lambda: setattr(mine, "k", 2))
    get = under.get
    follows(lambda x: x * get("k"), lambda: under.update(k=5.0))


def test_arrays_of_objects_records_and_polynomials_count_by_what_they_hold() -> None:
    objects, records = np.array([1, "a"], dtype=object), np.ones(1, dtype=[("k", float)])
    follows(lambda x: x * objects[0], lambda: objects.__setitem__(0, 3))
    follows(lambda x: x * records["k"][0], lambda: records.__setitem__("k", 4.0))
    for p in (np.poly1d([1.0, 2.0]), np.polynomial.Polynomial([1.0, 2.0])):
        coef = p.coef
        follows(lambda x, p=p: x * p.coef[0], lambda coef=coef: coef.__setitem__(0, 5.0))


def test_what_a_kept_field_holds_and_what_a_metaclass_does() -> None:
    @dataclasses.dataclass
    class Kept:
        w: Any
        options: Any = dataclasses.field(metadata={"static": True})

    p = Kept(np.ones(3), {"k": [1]})
    follows(lambda x: p.options["k"][0] * x, lambda: p.options["k"].__setitem__(0, 3))
    c = compiled_by_numpy(lambda p, x: p.options["k"][0] * p.w * x)
    for k in (1, 2):
        p.options["k"][0] = k
        np.testing.assert_array_equal(c(p, X), X * k)

    class Meta(type):
        k = 2

    class Made(metaclass=Meta):
        pass

    follows(lambda x: x * Made.k, lambda: setattr(Meta, "k", 3))


def test_an_array_in_a_context_variable_is_data() -> None:
    var: contextvars.ContextVar[Any] = contextvars.ContextVar("w")
    c = compiled_by_numpy(lambda x: x * var.get())
    for k in range(3):
        var.set(np.full(3, float(k)))
        np.testing.assert_array_equal(c(X), X * k)
    assert c.signatures == 1


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (lambda: os.environ.get("ZZQ", "1"), lambda: os.getenv("ZZQ", "1")):
        monkeypatch.delenv("ZZQ", raising=False)
        follows(lambda x, read=read: x * float(read()), lambda: monkeypatch.setenv("ZZQ", "3"), lambda: monkeypatch.setenv("ZZQ", "4"))


LIBRARY = """
RATE, NAME, TABLE = 2, "tanh", {"n": 3}
def scale(x): return helper(x) * RATE
def helper(x): return x + 1
class Config:
    def __init__(self): self.rate, self.unused = 2, 0
    def __call__(self, x): return x * self.rate
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    place = tmp_path / "site-packages"
    (place / "compiledlib").mkdir(parents=True)
    (place / "compiledlib" / "__init__.py").write_text(LIBRARY)
    (place / "compiledlib" / "sub.py").write_text("N = 2\n")
    monkeypatch.syspath_prepend(str(place))
    import compiledlib  # type: ignore[import-not-found]

    yield compiledlib
    for name in [n for n in sys.modules if n.partition(".")[0] == "compiledlib"]:
        del sys.modules[name]


def test_packages_that_are_installed(library: Any) -> None:
    follows(lambda x: x * library.RATE, lambda: setattr(library, "RATE", 3))
    follows(lambda x: x * library.TABLE["n"], lambda: library.TABLE.update(n=5))
    follows(lambda x: library.scale(x), lambda: setattr(library, "RATE", 4), lambda: setattr(library, "helper", lambda x: x - 1))
    config = library.Config()
    follows(lambda x: x * config.rate, lambda: setattr(config, "rate", 5))
    follows(lambda x: config(x), lambda: setattr(config, "rate", 6))
    c = compiled_by_numpy(lambda x: x * config.rate)
    c(X)
    config.unused = 1  # which the code does not name
    c(X)
    assert c.signatures == 1


def test_modules_that_the_function_itself_imports(library: Any) -> None:
    def f(x: Any) -> Any:
        from compiledlib import sub  # type: ignore[import-not-found]

        return x * sub.N

    c = compiled_by_numpy(f)  # which imports it when it is traced
    np.testing.assert_array_equal(c(X), X * 2)
    sys.modules["compiledlib.sub"].N = 3  # type: ignore[attr-defined]
    np.testing.assert_array_equal(c(X), X * 3)


# --- outputs that are reused


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [3, 60_000])
def test_results_may_be_given_back_where_they_are_overwritten(threads: int, size: int) -> None:
    f = lambda x, y: (x - np.mean(x) + y[::-1], np.tanh(x)[::-1] + y, x[1:].sum() * y)  # noqa: E731 (compiled below)
    c = ag.compile(f, backend="numpy", reuse_outputs=True, threads=threads)
    a = b = tuple(np.random.default_rng(0).normal(size=(2, size)))
    for _ in range(4):
        a, b = f(*a)[:2], c(*b)[:2]
        for got, wanted in zip(b, a, strict=True):
            np.testing.assert_allclose(got, wanted)
        a, b = (a[1], a[0][::-1]), (b[1], b[0][::-1])  # views of them, too
    view = np.zeros((2, size))[0]
    np.testing.assert_allclose(c(view, view)[0], f(view, view)[0])


def test_a_result_given_back_of_which_a_nan_comes_is_computed_by_the_engine() -> None:
    f = ag.value_and_grad(lambda x: np.sum(np.sqrt(x) * np.array([0.0, 1.0, 1.0]) + x))
    c = ag.compile(lambda x: (f(x)[1] - 1, f(x)[1]), backend="numpy", reuse_outputs=True)
    x = np.array([1.0, 4.0, 4.0])
    first = c(x)[0]  # [0, 0.25, 0.25]: the derivative at 0 is infinite, and its factor 0
    wanted = f(first.copy())[1]
    np.testing.assert_array_equal(c(first)[1], wanted)


def test_a_result_that_is_overwritten_may_not_be_written_into() -> None:
    @functools.partial(ag.compile, backend="numpy", reuse_outputs=True, in_place=True)
    def f(x: Any) -> Any:
        x += 1
        return x * 2

    y = f(np.zeros(3))
    with pytest.raises(ag.CompileError, match="result of the call before"):
        f(y)
