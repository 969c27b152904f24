"""Random programs, as the source of functions that a person could have written: named locals, helpers, loops, branches on a mask.

Run as a script, it judges as many as it is told to: ``python tests/derivations/programs.py 20000``.
"""

from __future__ import annotations

import linecache
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_np as ag
from autograd_np import errors

sys.path.insert(0, str(Path(__file__).parent))
from executed import value_and_grad

SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (4,), (3, 4), (4, 3), (1, 4), (3, 1), (4, 4), (2, 3, 4), (0,), (0, 4))
SMOOTH = (
    "np.tanh({})",
    "np.sin({})",
    "np.exp(0.3 * {})",
    "{} ** 2",
    "np.log1p({} ** 2)",
    "np.sqrt(1 + {} ** 2)",
    "1 / (1 + np.exp(-{}))",
    "np.arctan({})",
    "{} / (2 + np.cos({}))",
    "np.logaddexp(0, {})",
    "np.expm1(0.1 * {})",
    "-{}",
    "3 * {} - 1",
    "scale({})",
)
KINKED = ("np.maximum({}, 0.1)", "np.abs({})", "np.where({} > 0.05, {}, 0.2 * {})", "np.clip({}, -1.2, 1.1)", "np.minimum({}, 0.3)")
PAIRS = (
    "{} + {}",
    "{} - {}",
    "{} * {}",
    "{} / (1.5 + {} ** 2)",
    "np.maximum({}, {})",
    "np.hypot({}, 1 + np.abs({}))",
    "np.where({} > {}, 1.5, 0.5) * {}",
)

HELPER = """
def scale(z):
    half = 0.5 * z
    return half * np.cos(half)
"""


class Grower:
    """Grows a program line by line, on the values of its variables."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = np.float32 if self.rng.random() < 0.2 else np.float64
        self.inputs = {}
        for i in range(int(self.rng.integers(1, 4))):
            self.inputs["xyw"[i]] = self.dtype(self.rng.normal(size=self.pick(SHAPES)))
        self.names = dict(self.inputs)
        self.lines: list[str] = []

    def pick(self, options: Any) -> Any:
        """Return one of some."""
        return options[int(self.rng.integers(len(options)))]

    def try_line(self, text: str) -> None:
        """Add a line, unless NumPy refuses it or the values leave what is worth a comparison."""
        name = self.pick(("a", "b", "c", "d", "h", "Z", "loss", "out", "grad", "dx", "v")) + self.pick(("", "1", "2"))
        if name in self.inputs:
            return
        scope = {**executed_helper(), **self.names}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(f"{name} = {text}", scope)
        except (ValueError, IndexError, TypeError, np.linalg.LinAlgError):
            return
        value = scope[name]
        if not isinstance(value, (np.ndarray, np.floating)) or value.dtype.kind != "f" or np.size(value) > 200:
            return
        if not np.all(np.isfinite(value)) or np.max(np.abs(value), initial=0) > 100:
            return
        self.names[name] = value
        self.lines.append(f"{name} = {text}")

    def grow(self, count: int) -> None:
        """Add lines until there are `count`, or no more fit."""
        for _ in range(count * 4):
            if len(self.lines) >= count:
                return
            a, b, c = (self.pick(list(self.names)) for _ in range(3))
            kind = int(self.rng.integers(12))
            text = ""
            if kind <= 2:
                text = self.pick(SMOOTH).replace("{}", a)
            elif kind == 3:
                text = self.pick(KINKED).replace("{}", a)
            elif kind <= 5:
                parts = self.pick(PAIRS).split("{}")
                text = "".join(p + n for p, n in zip(parts, [*[a, b, c][: len(parts) - 1], ""], strict=True))
            elif kind == 6:
                text = f"{a} @ {b}" if self.rng.random() < 0.7 else f"{a} @ {b}.T"
            elif kind == 7:
                text = self.reduction(a)
            elif kind == 8:
                text = self.place(a)
            elif kind == 9:
                text = self.pick(
                    (
                        f"{a}.T",
                        f"np.reshape({a}, -1)",
                        f"np.concatenate([{a}, {b}])",
                        f"np.stack([{a}, {b}])",
                        f"{a}[..., None]",
                        f"np.transpose({a})",
                        f"np.cumsum({a})",
                        f"np.squeeze({a})",
                        f"np.ravel({a})[::-1]",
                    )
                )
            elif kind == 10:
                self.loop(a, b)
            else:
                text = f"{a} * ({b} > 0) / {self.count(a)}"
            if text:
                self.try_line(text)

    def reduction(self, a: str) -> str:
        """Return a reduction of a variable."""
        ndim = np.ndim(self.names[a])
        axis = f", axis={int(self.rng.integers(ndim))}" if ndim and self.rng.random() < 0.6 else ""
        kept = ", keepdims=True" if axis and self.rng.random() < 0.5 else ""
        return f"np.{self.pick(('sum', 'mean', 'max', 'min', 'prod', 'var', 'sum', 'mean'))}({a}{axis}{kept})"

    def place(self, a: str) -> str:
        """Return a part of a variable."""
        return (
            f"{a}[{self.pick(('0', '-1', '1:', ':-1', '::2', '::-1', ':, 0', '..., 1:', '[0, 1, 0]', 'None', '1:3, ::-1', '[2, 0], 1'))}]"
        )

    def count(self, a: str) -> str:
        """Return a size of a variable."""
        return self.pick((f"{a}.size", f"len({a})", f"{a}.shape[0]", f"{a}.shape[-1]", "2.0"))

    def loop(self, a: str, b: str) -> None:
        """Add a loop that is unrolled when it is recorded."""
        before = len(self.lines)
        for _ in range(2):
            self.try_line(f"np.tanh({a} + 0.5 * {b})")
            if len(self.lines) == before:
                return
            a = self.lines[-1].split(" = ")[0]

    def source(self) -> str:
        """Return the function."""
        result = next((line.split(" = ")[0] for line in reversed(self.lines)), next(iter(self.inputs)))
        used = list(self.inputs)
        last = " + ".join([f"np.sum({result})", *(f"0.1 * np.sum({n} ** 2)" for n in used)])
        if self.rng.random() < 0.25:
            last = f"1.0 * {result}"
        body = "\n".join(f"    {line}" for line in [*self.lines, f"return {last}"])
        return f"import numpy as np\n{HELPER}\ndef program({', '.join(used)}):\n{body}\n"


def executed_helper() -> dict[str, Any]:
    """Return what the lines of a program may call."""
    scope: dict[str, Any] = {"np": np}
    exec(HELPER, scope)
    return scope


def compiled(source: str, seed: int, name: str = "program") -> Callable[..., Any]:
    """Return the function of a program; its source can be read as that of a file can."""
    filename = f"<program {seed}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, filename, "exec"), scope)
    return scope[name]


def program(seed: int) -> tuple[Callable[..., Any], list[Any], str]:
    """Return a random function, inputs for it, and its text."""
    grower = Grower(seed)
    grower.grow(int(grower.rng.integers(3, 16)))
    source = grower.source()
    return compiled(source, seed), list(grower.inputs.values()), source


OTHER_SIZES = (6, 9, 8, 10, 12, 14, 15, 16, 18, 20)
"""Of the axes that a derivation lets vary, none of which it was recorded at."""


def judge(seed: int, *, second: bool = True) -> str:
    """Compare eager, simplified and executed at first order, also at other sizes, and at second order; return what was compared.

    Raises
    ------
    AssertionError
        If two of them differ; the text says how.
    """
    f, inputs, source = program(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = _weights(f(*inputs), seed)
        out, expected = _eager(f, inputs, weights)
        if _is_at_a_kink(f, inputs, weights, expected):
            return "kink"
        derivation = ag.derive(f, *inputs)
        text = derivation.to_numpy()
        tight = _tolerance(lambda *xs: _eager(f, xs, weights.astype(xs[0].dtype))[1], inputs, 1e-7)
        _check_printed(text, inputs, weights, (out, expected), tight, source)
        [node] = ag.trace(f, *inputs).simplify().outputs
        _compare(node.out, out, tight, "simplified value", source)
        _check_at_other_sizes(f, derivation, text, tight, source)
        return _second_order(f, inputs, weights, source, text) if second else "first order"


def _weights(out: Any, seed: int) -> Any:
    """Return the gradient of a result, which is no loss if it is an array."""
    if np.ndim(out) == 0:
        return np.ones_like(out)
    return np.asarray(np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(out)), out.dtype)


def _eager(f: Callable[..., Any], inputs: Any, weights: Any) -> tuple[Any, tuple[Any, ...]]:
    out, pull = ag.vjp(f, *inputs)
    return out, pull(weights)


def _check_printed(text: str, inputs: Any, weights: Any, expected: tuple[Any, tuple[Any, ...]], tight: float, source: str) -> None:
    """Run a printed program and compare its value and its gradients with others."""
    try:
        value, gradients = value_and_grad(text, *inputs, upstream=weights)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{source}\n{text}") from error
    _compare(value, expected[0], tight, "value", source + text)
    for i, (a, b) in enumerate(zip(gradients, expected[1], strict=True)):
        _compare(a, b, tight, f"gradient {i + 1}", source + text)


def _check_at_other_sizes(f: Callable[..., Any], derivation: Any, text: str, tight: float, source: str) -> None:
    """Run a printed program on arrays whose axes have other lengths, those that the derivation let vary, where the function allows it."""
    sizes: dict[tuple[int, ...], int] = {}
    rng = np.random.default_rng(0)
    other = []
    for e in derivation.recording.inputs.values():
        axes = list(zip(*e.shapes, strict=True))
        shape = [sizes.setdefault(n, OTHER_SIZES[len(sizes)]) if len(set(n)) > 1 else n[0] for n in axes]
        other.append(np.asarray(rng.normal(size=shape), e.dtype))
    if not sizes:
        return
    try:
        weights = _weights(f(*other), 0)
    except (ValueError, IndexError):
        return
    expected = _eager(f, other, weights)
    finite = all(np.all(np.isfinite(x)) and np.max(np.abs(x), initial=0) < 1e6 for x in (expected[0], *expected[1]))
    if finite and not _is_at_a_kink(f, other, weights, expected[1]):
        tight = max(tight, _tolerance(lambda *xs: _eager(f, xs, weights.astype(xs[0].dtype))[1], other, 1e-7))
        _check_printed(text, other, weights, expected, tight, f"at the sizes {[x.shape for x in other]}: {source}")


def _tolerance(gradients: Callable[..., Any], inputs: Any, tight: float) -> float:
    """Return how far off a gradient may be: in float32, as far as eager is off what it is in float64."""
    if inputs[0].dtype == np.float64:
        return tight
    exact = gradients(*(x.astype(np.float64) for x in inputs))
    off = (np.max(np.abs(a - b), initial=0) / (1 + np.max(np.abs(b), initial=0)) for a, b in zip(gradients(*inputs), exact, strict=True))
    return max(100 * tight, 20 * float(max(off)))


def _second_order(f: Callable[..., Any], inputs: list[Any], weights: Any, source: str, text: str) -> str:
    """Differentiate the squared length of the gradient: simplified as a graph, and derived from the program that was printed."""
    every = tuple(range(len(inputs)))

    def slope(*xs: Any) -> Any:
        gradients = ag.grad(lambda *ys: np.sum(weights.astype(ys[0].dtype) * f(*ys)), argnums=every)(*xs)
        return sum(np.sum(g * g) for g in gradients)

    second = ag.grad(slope, argnums=every)
    expected = second(*inputs)
    if not all(np.all(np.isfinite(e)) for e in expected) or max(float(np.max(np.abs(e), initial=0)) for e in expected) > 1e6:
        return "first order"
    tight = _tolerance(second, inputs, 1e-5)
    graph = ag.trace(lambda *xs: second(*xs), *inputs)
    plain = [n.out for n in graph.outputs]
    for a, b in zip(graph.simplify().outputs, plain, strict=True):
        _compare(a.out, b, tight, "second order, simplified", source)
    printed = compiled(text, -1, "value_and_grad")

    def again(*xs: Any) -> Any:
        _, gradients = printed(*xs)
        return sum(np.sum(g * g) for g in gradients.values())

    given = [*inputs, *([weights] if np.ndim(weights) else [])]
    try:
        twice = ag.derive(again, *given, wrt=[f"xs_{i + 1}" for i in range(len(inputs))]).to_numpy()
    except errors.DifferentiationError as error:
        if "does not depend on its inputs" in str(error) and not any(map(np.any, expected)):
            return "second order"  # a gradient that is made of sizes alone is constant: there is nothing to derive
        raise AssertionError(f"second order: {error}\n{source}\n{text}") from error
    value = again(*given)
    _check_printed(twice, given, None, (value, expected), tight, f"second order: {source}\n{text}")
    return "second order"


def _is_at_a_kink(f: Callable[..., Any], inputs: list[Any], weights: Any, gradients: Any) -> bool:
    """Whether gradients a little away are others: there a person writes one of several derivatives, and the engine another."""
    rng = np.random.default_rng(0)
    eps = 1e-9 if inputs[0].dtype == np.float64 else 1e-5
    for sign in (1, -1):
        moved = [np.asarray(x + sign * eps * rng.normal(size=x.shape), x.dtype) for x in inputs]
        try:
            near = ag.vjp(f, *moved)[1](weights)
        except errors.AutogradError:
            return True
        for a, b in zip(near, gradients, strict=True):
            if not np.all(np.isfinite(a)) or np.max(np.abs(a - b), initial=0) > 1e-3 * (1 + np.max(np.abs(b), initial=0)):
                return True
    return False


def _compare(found: Any, expected: Any, tight: float, what: str, text: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}\n{text}"
    assert found.dtype == expected.dtype, f"{what}: {found.dtype}, not {expected.dtype}\n{text}"
    scale = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
    assert np.allclose(found, expected, rtol=tight, atol=tight * (scale + 1), equal_nan=True), f"{what}: {found}, not {expected}\n{text}"


def main(start: int, stop: int) -> None:
    """Judge programs and print what was found."""
    outcomes: Counter[str] = Counter()
    for seed in range(start, stop):
        try:
            outcomes[judge(seed)] += 1
        except Exception as error:  # noqa: BLE001 (whatever it is, it is counted and told)
            outcomes[f"failed: {type(error).__name__}"] += 1
            print(f"--- {seed}: {type(error).__name__}: {str(error)[:3000]}", flush=True)
        if (seed - start) % 500 == 499:
            print(seed - start + 1, dict(outcomes), flush=True)
    print(dict(outcomes))


if __name__ == "__main__":
    main(*((0, int(sys.argv[1])) if len(sys.argv) == 2 else map(int, sys.argv[1:3])))
