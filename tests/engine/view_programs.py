"""Random programs of views, writes and reads, judged by the complex step on the same NumPy code.

A program is a list of steps on a growing list of variables. It is grown on arrays, where NumPy says which steps there are; then
it runs on complex arrays, whose imaginary parts are exact derivatives, and on Tensors in every way of differentiating:
values of every variable at the end, first order (eager, reverse, forward), second order (forward over reverse, reverse over
reverse), and a transform inside a transform whose programs mix variables of both.

    python tests/engine/view_programs.py 100000 [first seed]
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag

H, E = 1e-30, 4e-4


class Step(NamedTuple):
    """What is done to which variables; `fails` says that NumPy refuses it."""

    do: str
    of: tuple[int, ...]
    how: tuple[Any, ...] = ()
    fails: bool = False


class DifferenceError(AssertionError):
    """The engine computes something else than NumPy does."""


class RefusedError(Exception):
    """The engine refuses by name what NumPy does."""


# --- the steps ------------------------------------------------------------------------------------

VIEWS: dict[str, Callable[..., Any]] = {
    "index": lambda a, i: a[i],
    "T": lambda a: a.T,
    "ravel": lambda a: a.ravel(),
    "reshape": lambda a, s: a.reshape(s),
    "reshape F": lambda a, s: np.reshape(a, s, order="F"),
    "transpose": lambda a, p: a.transpose(p),
    "swapaxes": lambda a, i, j: np.swapaxes(a, i, j),
    "squeeze": lambda a: a.squeeze(),
    "expand": lambda a, i: np.expand_dims(a, i),
    "diagonal": lambda a, k: np.diagonal(a, k),
    "flip": lambda a: np.flip(a),
    "rot90": lambda a: np.rot90(a),
    "moveaxis": lambda a, i, j: np.moveaxis(a, i, j),
    "broadcast": lambda a, n: np.broadcast_to(a, (n, *a.shape)),
    "atleast_2d": lambda a: np.atleast_2d(a),
    "split": lambda a, n, k: np.split(a, n)[k],
    "last row": lambda a: list(a)[-1],
    "einsum": lambda a, s: np.einsum(s, a),
    "astype": lambda a: a.astype(a.dtype, copy=False),
    "real": lambda a: a if a.dtype.kind == "c" else np.real(a),
}
RESULTS: dict[str, Callable[..., Any]] = {
    "copy": lambda a, o: a.copy(o),
    "np.copy": lambda a: np.copy(a),
    "flatten": lambda a: a.flatten(),
    "sin": lambda a: np.sin(a),
    "square": lambda a: a * a * 0.3,
    "scale": lambda a, c: a * c,
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "matmul": lambda a, b: a @ b,
    "sum": lambda a, axis: np.sum(a, axis=axis),
    "zeros": lambda a: np.zeros_like(a),
    "stack": lambda a, b: np.stack([a, b]),
    "take": lambda a, i: a[i],
    "where": lambda a, b, m: np.where(np.resize(m, a.shape), a, b),
}


def _augment(a: Any, b: Any, op: str) -> Any:
    if op == "+=":
        a += b
    elif op == "-=":
        a -= b
    elif op == "*=":
        a *= b
    else:
        a /= 2 + b * b
    return a


def _augment_at(a: Any, b: Any, i: Any, op: str) -> None:
    if op == "+=":
        a[i] += b
    elif op == "-=":
        a[i] -= b
    else:
        a[i] *= b


class UnorderedError(Exception):
    """NumPy reads some elements after it has written them: overlapping memory of one axis and unequal strides, masks, `np.place`."""


def _set(a: Any, b: Any, i: Any) -> None:
    _check_order(a, i, b)
    a[i] = b


def _check_order(a: Any, i: Any, b: Any) -> None:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        target = a[i]
        if target.ndim == b.ndim == 1 and target.strides != b.strides and np.may_share_memory(target, b):
            raise UnorderedError
        if isinstance(i, np.ndarray) and i.dtype.kind == "b" and np.may_share_memory(a, b):
            raise UnorderedError


def _place(a: Any, b: Any, m: Any) -> None:
    if isinstance(a, np.ndarray) and np.may_share_memory(a, b):
        raise UnorderedError
    np.place(a, np.resize(m, a.shape), b)


def _swap(a: Any, i: Any, j: Any) -> None:
    first, second = a[i], a[j]
    _set(a, second, i)
    _set(a, first, j)


def _rows(a: Any, c: float) -> None:
    for k, row in enumerate(a):
        row *= c + k


def _live_rows(a: Any, c: float) -> None:
    rows = list(a)
    for k, row in enumerate(rows):
        row += c * rows[k - 1]


WRITES: dict[str, Callable[..., Any]] = {
    "set": _set,
    "set number": lambda a, i, c: _set(a, c, i),
    "augment at": _augment_at,
    "swap": _swap,
    "rows": _rows,
    "live rows": _live_rows,
    "out": lambda a, b, c: np.multiply(a, b, out=c),
    "out of part": lambda a, b, c, i: np.add(a, b, out=c[i]),
    "sum into": lambda a, c: np.sum(a, axis=0, out=c),
    "where out": lambda a, b, c, m: np.subtract(a, b, out=c, where=np.resize(m, c.shape)),
    "copyto": lambda a, b: (_check_order(a, Ellipsis, b), np.copyto(a, b)),
    "copyto where": lambda a, b, m: np.copyto(a, b, where=np.resize(m, a.shape)),
    "put": lambda a, b, i: np.put(a, i, b),
    "putmask": lambda a, b, m: np.putmask(a, np.resize(m, a.shape), b),
    "place": _place,
    "fill": lambda a, c: a.fill(c),
    "fill_diagonal": lambda a, c: np.fill_diagonal(a, c),
    "add.at": lambda a, b, i: np.add.at(a, i, b),
    "sort": lambda a: a.sort(),
}
INPUTS = 2
LIMIT = 30


def perform(step: Step, values: list[Any], sums: list[Any]) -> None:
    """Do one step."""
    of = [values[i] for i in step.of]
    if step.do == "read":
        sums.append(np.sum(np.sin(of[0]) * step.how[0]))
    elif step.do == "augment":
        values.append(_augment(*of, *step.how))
    elif step.do in WRITES:
        WRITES[step.do](*of, *step.how)
    else:
        values.append((VIEWS | RESULTS)[step.do](*of, *step.how))


def run(program: list[Step], *inputs: Any) -> tuple[Any, list[Any]]:
    """Run a program; return the number it computes and every variable."""
    values, sums = [x * 1 for x in inputs], [np.sum(x) * 0.1 for x in inputs]
    for step in program:
        if not step.fails:
            perform(step, values, sums)
            continue
        try:
            perform(step, values, sums)
        except (ValueError, TypeError, IndexError):
            continue
        raise DifferenceError(f"{step} raises in NumPy")
    weights = iter(np.cos(np.arange(1, 100)))
    for v in values:
        sums.append(np.sum(v * v * next(weights) + v * v * v * 0.2))
    return sum(sums), values


# --- growing a program ----------------------------------------------------------------------------


class Grower:
    """Draws steps; NumPy says whether there is such a step."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        shapes = [(3,), (2, 3), (3, 3), (2, 2, 2), (1, 3), (4,), ()]
        self.inputs = tuple(
            self.array(shapes[self.rng.choice(len(shapes), p=[0.15, 0.25, 0.25, 0.15, 0.1, 0.05, 0.05])]) for _ in range(INPUTS)
        )

    def array(self, shape: tuple[int, ...]) -> np.ndarray:
        x = np.asarray(self.rng.uniform(-1, 1, shape)).round(3)
        kind = self.rng.integers(4)
        if kind == 0:
            return np.asfortranarray(x)
        if kind == 1 and x.ndim:  # every other element of something larger
            wide = np.zeros((*shape[:-1], 2 * shape[-1]))
            wide[..., ::2] = x
            return wide[..., ::2]
        return x

    def one_of(self, choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def variable(self, values: list[Any]) -> int:
        n = len(values)
        return int(n - 1 - self.rng.integers(n) if self.rng.random() < 0.5 else self.rng.integers(n))

    def number(self) -> float:
        return round(float(self.rng.uniform(-1.5, 1.5)), 2)

    def part(self, n: int) -> slice:
        start, stop = sorted(self.rng.integers(0, n + 1, 2).tolist())
        step = self.one_of([1, 1, 2, -1])
        return slice(start, stop + 1) if step > 0 else slice(None, None, step) if self.rng.random() < 0.5 else slice(stop, None, step)

    def basic(self, shape: tuple[int, ...]) -> Any:
        index: list[Any] = []
        for n in shape[: self.rng.integers(len(shape) + 1)]:
            if n and self.rng.random() < 0.45:
                index.append(int(self.rng.integers(-n, n)))
            else:
                index.append(self.part(n) if self.rng.random() < 0.6 else slice(None))
        if self.rng.random() < 0.15:
            index.insert(self.rng.integers(len(index) + 1), None)
        if self.rng.random() < 0.2:
            index.insert(self.rng.integers(len(index) + 1), Ellipsis)
        return index[0] if len(index) == 1 else tuple(index)

    def mask(self) -> np.ndarray:
        return self.rng.random(7) < 0.5

    def index(self, shape: tuple[int, ...]) -> Any:
        kind = self.rng.random()
        if kind < 0.7 or not shape:
            return self.basic(shape)
        if kind < 0.85:
            return np.resize(self.mask(), shape)
        return self.rng.integers(-shape[0], shape[0], self.rng.integers(1, 4)) if shape[0] else Ellipsis

    def two_of(self, a: Any) -> tuple[Any, Any]:
        if self.rng.random() < 0.3:
            return self.basic(a.shape), self.basic(a.shape)
        return int(self.rng.integers(len(a))), int(self.rng.integers(len(a)))

    def shape_for(self, a: Any) -> tuple[int, ...]:
        return self.one_of([(-1,), (a.size, 1), (1, -1), (2, -1), (-1, 2), (3, -1)])

    def step(self, values: list[Any]) -> Step:
        i, j, k = (self.variable(values) for _ in range(3))
        a, c = values[i], values[k]
        axes = list(range(np.ndim(a)))
        kind = self.rng.random()
        if kind < 0.33:
            do = self.one_of(list(VIEWS))
            how = {
                "index": lambda: (self.basic(a.shape),), "reshape": lambda: (self.shape_for(a),), "reshape F": lambda: (self.shape_for(a),),
                "transpose": lambda: (tuple(self.rng.permutation(axes).tolist()),), "swapaxes": lambda: (0, -1),
                "moveaxis": lambda: (0, -1),
                "expand": lambda: (0,), "diagonal": lambda: (int(self.rng.integers(-1, 2)),), "broadcast": lambda: (2,),
                "split": lambda: (1 + len(a) % 2, 0),
                "einsum": lambda: (self.one_of(["ij->ji", "ii->i", "ij->ij", "i->i", "ijk->kij"]),),
            }.get(do, tuple)()  # fmt: skip
            return Step(do, (i,), how)
        if kind < 0.5:
            do = self.one_of(list(RESULTS))
            two = do in ("add", "multiply", "matmul", "stack", "where")
            how = {
                "copy": lambda: (self.one_of(["C", "F", "K"]),), "scale": lambda: (self.number(),),
                "sum": lambda: (self.one_of([None, 0, -1]),),
                "take": lambda: (self.rng.integers(0, len(a), 3),), "where": lambda: (self.mask(),),
            }.get(do, tuple)()  # fmt: skip
            return Step(do, (i, j) if two else (i,), how)
        if kind < 0.62:
            return Step("augment", (i, j), (self.one_of(["+=", "-=", "*=", "/="]),))
        if kind < 0.72:
            return Step("read", (i,), (self.number(),))
        do = self.one_of([*WRITES, "set", "set", "augment at", "augment at"])
        of = {"out": (i, j, k), "out of part": (i, j, k), "where out": (i, j, k), "sum into": (i, k)}.get(do)
        if of is None:
            of = (i, j) if do in ("set", "augment at", "copyto", "copyto where", "put", "putmask", "place", "add.at") else (i,)
        how = {
            "set": lambda: (self.index(a.shape),), "set number": lambda: (self.index(a.shape), self.number()),
            "augment at": lambda: (self.index(a.shape), self.one_of(["+=", "-=", "*="])),
            "swap": lambda: self.two_of(a),
            "rows": lambda: (self.number(),), "live rows": lambda: (self.number(),),
            "out of part": lambda: (self.basic(c.shape),), "where out": lambda: (self.mask(),), "copyto where": lambda: (self.mask(),),
            "put": lambda: (self.rng.integers(-a.size, a.size, 3),), "putmask": lambda: (self.mask(),), "place": lambda: (self.mask(),),
            "fill": lambda: (self.number(),), "fill_diagonal": lambda: (self.number(),),
            "add.at": lambda: (self.rng.integers(0, len(a), 3),),
        }.get(do, tuple)()  # fmt: skip
        return Step(do, of, how)

    def grow(self, length: int) -> list[Step]:
        """Return a program whose every step NumPy has, or refuses."""
        values, sums, program = [x * 1 for x in self.inputs], [], []
        while len(program) < length:
            try:
                step = self.step(values)
            except (ValueError, TypeError, IndexError):
                continue
            of = [values[i] for i in step.of]
            if step.do in ("put", "fill", "sort", "putmask") and isinstance(of[0], np.generic):
                continue  # NumPy writes into a copy of a number and forgets it
            if step.do == "einsum" and not np.size(of[0]):
                continue  # NumPy reads memory beyond an empty array here
            if step.do == "add.at" and not of[0].flags.writeable:
                continue  # NumPy writes into read-only memory here
            if step.do == "sort" and np.unique(of[0]).size < np.size(of[0]):
                continue  # equal elements have no derivative
            before = len(values)
            try:
                perform(step, values, sums)
            except UnorderedError:
                return []
            except (ValueError, TypeError, IndexError, AttributeError) as error:
                one_write = step.do == "augment" or step.do in WRITES.keys() - {"swap", "rows", "live rows", "augment at"}
                if one_write and "read-only" in str(error) and np.size(of[0]):
                    program.append(step._replace(fails=True))
                continue
            if len(values) > before and (np.size(values[-1]) > LIMIT or np.ndim(values[-1]) > 4):
                values.pop()
                continue
            program.append(step)
            if any(np.abs(v).max(initial=0) > 30 for v in values):
                return []
        return program


# --- judging --------------------------------------------------------------------------------------


def judge(program: list[Step], inputs: tuple[np.ndarray, ...], rng: np.random.Generator) -> None:
    """Compare the engine with NumPy, in every way of differentiating."""
    u, v = (tuple(rng.normal(size=x.shape) for x in inputs) for _ in range(2))

    def loss(*xs: Any) -> Any:
        return run(program, *xs)[0]

    def slope(*along: Any, at: Any = inputs) -> float:
        moved = [_like(x, x + 1j * H * w) for x, w in zip(at, along, strict=True)]
        return float(np.imag(loss(*moved)) / H)

    def curvature(first: Any, second: Any) -> tuple[float, float]:
        def difference(e: float) -> float:
            ahead, behind = ([_like(x, x + d * w) for x, w in zip(inputs, first, strict=True)] for d in (e, -e))
            return (slope(*second, at=ahead) - slope(*second, at=behind)) / (2 * e)

        rough, fine, finest = (difference(e) for e in (2 * E, E, E / 2))
        found, check = (4 * finest - fine) / 3, (4 * fine - rough) / 3
        return found, abs(found - check) + 1e-6 * max(1.0, abs(found))

    value, variables = run(program, *inputs)
    if not np.isfinite(value):
        return
    leaves = [ag.Tensor(x, requires_grad=True) for x in inputs]
    leaves_like = [np.array(x) for x in inputs]  # a Tensor copies, so a layout with gaps is lost
    found, tensors = _engine(lambda: run(program, *leaves))
    expected = run(program, *leaves_like)[1]
    for k, (t, a) in enumerate(zip(tensors, expected, strict=True)):
        _same(_plain(t), a, f"variable {k}, eager")
    found.backward()
    first = slope(*v, at=leaves_like)
    _close(sum(np.sum((0 if t.grad is None else t.grad) * w) for t, w in zip(leaves, v, strict=True)), first, "backward()")
    for t, x in zip(leaves, inputs, strict=True):
        _same(t.data, x, "a leaf was changed")

    kept: list[Any] = []

    def keeping(*xs: Any) -> Any:
        out, kept[:] = run(program, *xs)
        return out

    both = tuple(range(INPUTS))
    got, gradients = _engine(lambda: ag.value_and_grad(keeping, both)(*inputs))
    _close(got, value, "value")
    for k, (t, a) in enumerate(zip(kept, variables, strict=True)):
        _same(_plain(t), a, f"variable {k}")
    first = slope(*v)
    _close(sum(np.sum(g * w) for g, w in zip(gradients, v, strict=True)), first, "grad")
    _close(_engine(lambda: ag.jvp(loss, inputs, v)[1]), first, "jvp")
    second, error = curvature(u, v)
    products = _engine(lambda: ag.hvp(loss, inputs, u))
    _close(sum(np.sum(h * w) for h, w in zip(products, v, strict=True)), second, "hvp", error)

    def directional(*xs: Any) -> Any:
        return sum(np.sum(g * w) for g, w in zip(ag.grad(loss, both)(*xs), u, strict=True))

    twice = _engine(lambda: ag.grad(directional, both)(*inputs))
    _close(sum(np.sum(h * w) for h, w in zip(twice, v, strict=True)), second, "grad of grad", error)

    x, z = inputs
    zero_x, zero_z = np.zeros(x.shape), np.zeros(z.shape)
    mixed, error = curvature((u[0], zero_z), (zero_x, v[1]))

    def inner(x: Any) -> Any:
        return np.sum(ag.grad(lambda z: loss(x, z))(z) * v[1])

    crossed = _engine(lambda: ag.grad(inner)(x))
    _close(np.sum(crossed * u[0]), mixed, "grad of one variable inside grad of the other", error)


def _like(x: np.ndarray, moved: Any) -> np.ndarray:
    """Give `moved` the memory layout of `x`."""
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return np.asarray(moved, order="C" if x.flags.c_contiguous else "F")
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), moved.dtype)
    wide[..., ::2] = moved
    return wide[..., ::2]


def _engine(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except DifferenceError:
        raise
    except ag.AutogradError as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from error


def _plain(t: Any) -> Any:
    while isinstance(t, ag.Tensor):
        t = t.data
    return t


def _same(got: Any, want: Any, what: str) -> None:
    if np.shape(got) != np.shape(want) or not np.allclose(got, want, rtol=1e-11, atol=1e-11):
        raise DifferenceError(f"{what}: {np.shape(got)} {got} instead of {np.shape(want)} {want}")


def _close(got: Any, want: Any, what: str, error: float | None = None) -> None:
    if not abs(float(got) - float(want)) <= (1e-8 * max(1.0, abs(float(want))) if error is None else error):
        raise DifferenceError(f"{what}: {float(got)!r} instead of {float(want)!r}")


def check(seed: int) -> str:
    """Grow a program from a seed and judge it; return 'right', 'refused' or 'none'."""
    grower = Grower(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        program = grower.grow(int(grower.rng.integers(4, 16)))
        if not program:
            return "none"
        try:
            judge(program, grower.inputs, grower.rng)
        except RefusedError:
            return "refused"
    return "right"


def show(seed: int) -> str:
    """Return a program as text."""
    grower = Grower(seed)
    with np.errstate(all="ignore"):
        program = grower.grow(int(grower.rng.integers(4, 16)))
    return "\n".join([*(repr(x) for x in grower.inputs), *map(str, program)])


def main(count: int, start: int = 0) -> int:
    """Check many programs; print what is wrong and how many were refused."""
    counts: Counter[str] = Counter()
    for seed in range(start, start + count):
        try:
            counts[check(seed)] += 1
        except Exception as error:  # noqa: BLE001 (the report)
            counts["WRONG"] += 1
            if counts["WRONG"] <= 10:
                print(f"seed {seed}: {type(error).__name__}: {error}"[:400])
    print(dict(counts))
    return counts["WRONG"] > 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
