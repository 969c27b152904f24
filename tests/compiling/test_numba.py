"""Loops compute what NumPy computes, run by Python and compiled by Numba; what is faster stays; what is kept is the user's own."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np import errors
from autograd_np.compiling import loops, nests, numba_code, ways

sys.path.insert(0, str(Path(__file__).parent))
from loops import by_numba, interpreted, judge, pieces_of, same  # type: ignore[attr-defined]

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(numba_code.FOLDER, str(tmp_path_factory.mktemp("kept")))
        yield


def network(m: int = 7) -> tuple[Any, list[np.ndarray]]:
    """Return a training step of the notebook's network, and its arguments."""
    rng = np.random.default_rng(m)

    def step(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        def cost(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
            A1 = np.tanh(np.dot(W1, X) + b1)
            A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
            return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]

        loss, gradients = ag.value_and_grad(cost, (0, 1, 2, 3))(W1, b1, W2, b2)
        return loss, [p - 0.1 * g for p, g in zip((W1, b1, W2, b2), gradients, strict=True)]

    shapes = ((3, 2), (3, 1), (1, 3), (1, 1), (2, m))
    arrays = [rng.standard_normal(shape) for shape in shapes]
    return step, [*arrays, (arrays[-1][:1] > 0).astype(float)]


def leaves(x: Any) -> list[Any]:
    return [y for z in x for y in leaves(z)] if isinstance(x, (tuple, list)) else [x]


# --- run by Python ----------------------------------------------------------------------------------


def test_random_programs_by_loops_are_what_they_are_by_numpy() -> None:
    said = [judge(seed) for seed in range(60)]
    assert said.count("loops") > 10
    assert said.count("mixed") > 20


LAYOUTS: dict[str, Any] = {
    "a transpose is read along its rows": lambda x, y: np.sum(x.T * y[0, :3], axis=1),
    "a flattened transpose is a copy": lambda x, y: np.reshape(x.T, -1) * 2 + np.ravel(x),
    "every second element, from behind": lambda x, y: x[::-1, ::2] * y[:3, 1::2],
    "an axis is put in": lambda x, y: x[:, None] + x[None, :],
    "one element": lambda x, y: x[-1, 2] * y,
    "sums along either axis, and all": lambda x, y: (x.sum(0), x.sum(1, keepdims=True), x.sum(), x.max(1), x.min(0)),
    "a sum that is spread": lambda x, y: x / np.sum(x, axis=0) + np.max(x),
    "products, small and long": lambda x, y: (x @ y[:, :2], x.T @ x, x @ np.ones(4), np.dot(x[0], x[1]), (x @ y) @ y.T),
    "questions and choices": lambda x, y: np.where((x > 0) & (y[:3] < 1) | ~(x == y[:3]), x, 0.5) * (x >= 0),
    "a vector times a matrix": lambda x, y: x[0] @ y,
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layouts(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((3, 4)).astype(dtype), rng.standard_normal((4, 4)).astype(dtype)
    compiled = ag.compile(LAYOUTS[name], backend="numpy")
    compiled(x, y)
    for data in ((x, y), (x + 1, 2 * y)):
        wanted = compiled._of_last().code.make()(*data)
        same(interpreted(pieces_of(compiled))(*data), wanted, 1e-12)


def test_long_sums_are_taken_in_blocks_of_any_length() -> None:
    for n in (5_000, 8_192, 8_209):  # a length that divides, a power of two, a prime
        x = np.random.default_rng(n).standard_normal(n)
        compiled = ag.compile(lambda x: (np.sum(x * 2), np.max(x), np.vdot(x, x)), backend="numpy")
        wanted = compiled(x)
        same(interpreted(pieces_of(compiled))(x), wanted, 1e-12)


def test_what_loops_do_not_do_is_numpys_and_told() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.linalg.inv(np.exp(x)) * 2)

    compiled = ag.compile(f, backend="numpy")
    x = np.random.default_rng(0).standard_normal((3, 3))
    wanted = compiled(x)
    pieces = pieces_of(compiled)
    assert len(pieces.functions) == 2
    assert len(pieces.notes) == 1
    assert pieces.notes[0].startswith("inv of shape (3, 3) at ")
    same(interpreted(pieces)(x), [wanted])


def test_a_nan_is_left_to_numpy() -> None:
    step, arrays = network()
    compiled = ag.compile(step, backend="numpy")
    compiled(*arrays)
    arrays[4] = arrays[4] * np.nan
    assert interpreted(pieces_of(compiled))(*arrays) is None


# --- whichever is faster ----------------------------------------------------------------------------


def slow(seconds: float, step: Any) -> Any:
    import time

    def run(*data: Any) -> Any:
        time.sleep(seconds)
        return step(*data)

    return run


@pytest.mark.parametrize(("loops", "numpys", "stays"), [(0.0, 0.02, "numba"), (0.02, 0.0, "numpy")])
def test_the_faster_way_stays(monkeypatch: pytest.MonkeyPatch, loops: float, numpys: float, stays: str) -> None:
    monkeypatch.setattr(ways, "PATIENCE", 0.0)
    monkeypatch.setattr(ways, "TURNS", 3)
    monkeypatch.setattr(ways, "has_numba", lambda: True)

    class Code:
        source = "loops"

        def __init__(self, pieces: Any) -> None:
            self.pieces = pieces

        def make(self) -> Any:
            return slow(loops, interpreted(self.pieces))

    monkeypatch.setattr(ways, "numba_code", Code)
    step, arrays = network()
    compiled = ag.compile(step, backend="auto")
    first = compiled(*arrays)
    assert compiled.backend == "numpy"
    entry = compiled._of_last()
    make = entry.code.make
    entry._threads.step = slow(numpys, make())
    for _ in range(20):
        if compiled.wait():
            break
        same(leaves(compiled(*arrays)), leaves(first), 1e-12)
    assert compiled.wait()
    assert compiled.backend == stays
    same(leaves(compiled(*arrays)), leaves(first), 1e-12)
    assert ("loops" in compiled.source) is (stays == "numba")


def test_loops_that_are_wrong_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "PATIENCE", 0.0)
    monkeypatch.setattr(ways, "has_numba", lambda: True)

    class Code:
        source = ""

        def __init__(self, pieces: Any) -> None:
            self.step = interpreted(pieces)

        def make(self) -> Any:
            return lambda *data: [2 * x for x in self.step(*data)]

    monkeypatch.setattr(ways, "numba_code", Code)
    compiled = ag.compile(lambda x: np.sum(np.exp(x)))
    x = np.arange(3.0)
    wanted = compiled(x)
    compiled(x)
    assert not compiled.wait()
    with pytest.warns(errors.CompileWarning, match="computed by NumPy"):
        same([compiled(x)], [wanted])
    assert compiled.wait()
    assert compiled.backend == "numpy"
    same([compiled(x)], [wanted])


def test_a_function_that_takes_no_time_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "has_numba", lambda: True)
    monkeypatch.setattr(ways, "_worker", None)
    compiled = ag.compile(lambda x: np.sum(np.exp(x)))
    for _ in range(5):
        compiled(np.arange(3.0))
    assert compiled.backend == "numpy"


def test_what_is_asked_for_and_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.CompileError, match=r"backend must be one of 'auto', 'numba', 'numpy', got 'jit'"):
        ag.compile(lambda x: x, backend="jit")
    monkeypatch.setattr(ways, "has_numba", lambda: False)
    with pytest.raises(errors.CompileError, match=r"pip install \"autograd-np\[fast\]\""):
        ag.compile(lambda x: np.exp(x), backend="numba")(np.arange(3.0))
    assert ag.compile(lambda x: np.exp(x))(np.zeros(1)) == 1


# --- what is kept -----------------------------------------------------------------------------------


def test_the_folder_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(numba_code.FOLDER, str(tmp_path / "new"))
    assert numba_code.cache_folder() == tmp_path / "new"
    if sys.platform == "win32":
        return
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    (tmp_path / "new").chmod(0o777)  # anybody could put code there
    assert numba_code.cache_folder() != tmp_path / "new"
    (tmp_path / "file").touch()
    monkeypatch.setenv(numba_code.FOLDER, str(tmp_path / "file" / "below"))
    assert numba_code.cache_folder().is_dir()


TINY = loops.HEAD + '\n\n@njit("float64(float64)", cache=True)\ndef part0(x):\n    return x + 1.0\n'
HITS = """
import sys
from autograd_np.compiling.numba_code import _module
f = _module(sys.stdin.read()).part0
print(f(1.0), sum(f.stats.cache_hits.values()))
"""


@needs_numba
def test_another_process_finds_what_was_compiled_and_what_is_broken_is_made_anew() -> None:
    kept = numba_code.cache_folder()
    before = set(kept.rglob("*.nbi"))

    def told() -> list[str]:
        return subprocess.run([sys.executable, "-c", HITS], input=TINY, capture_output=True, text=True, check=True).stdout.split()

    assert numba_code._module(TINY).part0(1.0) == 2.0
    assert told() == ["2.0", "1"]
    (index,) = set(kept.rglob("*.nbi")) - before
    index.write_bytes(b"broken")
    assert told() == ["2.0", "0"]


# --- compiled ---------------------------------------------------------------------------------------


@needs_numba
def test_a_training_step_by_numba() -> None:
    kept = numba_code.cache_folder()
    before = set(kept.rglob("*.nbi"))
    step, arrays = network()
    by_numpy, compiled = ag.compile(step, backend="numpy"), ag.compile(step, backend="numba")
    for _ in range(3):
        loss, new = by_numpy(*arrays)
        got, found = compiled(*arrays)
        same([got, *found], [loss, *new], 1e-12)
        arrays[:4] = new
    assert compiled.backend == "numba"
    assert compiled.notes == []
    assert "@njit" in compiled.source
    assert len(set(kept.rglob("*.nbi")) - before) == 1

    cut = [*arrays[:4], np.asfortranarray(arrays[4]), np.repeat(arrays[5], 2, axis=1)[:, ::2]]
    cut[5].flags.writeable = False
    same(leaves(compiled(*cut)), leaves(by_numpy(*arrays)), 1e-12)
    lost = [*arrays[:4], arrays[4] * np.nan, arrays[5]]
    assert all(np.all(np.isnan(x)) for x in leaves(compiled(*lost)))

    again = ag.compile(step, backend="numba")
    same(leaves(again(*arrays)), leaves(by_numpy(*arrays)), 1e-12)
    assert len(set(kept.rglob("*.nbi")) - before) == 1  # it was there

    results: list[Any] = [None] * 4
    inputs = [[a + 0.1 * i for a in arrays] for i in range(4)]

    def call(i: int) -> None:
        for _ in range(50):
            results[i] = compiled(*inputs[i])

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(4):
        same(leaves(results[i]), leaves(by_numpy(*inputs[i])), 1e-12)


ODD = [0.0, -0.0, 1.0, -1.0, 0.5, -0.3, 2.5, -7.25, 30.0, -30.0, 1e-3, -1e-9, 88.0, -100.0, 3e38, -3e38, 1e-40, np.inf, -np.inf, np.nan]
SINGLE = sorted((f for f in nests.ARITHMETIC if f.nin == 1), key=lambda f: f.__name__)
DOUBLE = sorted((f for f in (nests.ARITHMETIC | nests.COMPARISONS) if f.nin == 2), key=lambda f: f.__name__)


@needs_numba
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_function_by_numba_is_numpys(dtype: Any) -> None:
    """One function of all, since compiling takes longer than computing; values lie side by side, so that several are computed at once."""
    x = np.array(ODD * 4, dtype)
    y = np.roll(np.array(ODD * 4, dtype), 7)
    functions = [*SINGLE, *DOUBLE, np.isnan]

    def f(x: Any, y: Any) -> Any:
        return [(fn(x) if fn.nin == 1 else fn(x, y)) for fn in functions]

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = ag.compile(f, backend="numpy", check=False)
        compiled(x, y)
        pieces = pieces_of(compiled)
        assert pieces.notes == []
        text = pieces.text.replace("return found", "return False")  # NaN are wanted
        pieces.functions[0] = pieces.functions[0].__class__(**{**vars(pieces.functions[0]), "text": text.partition("\n\n\n")[2]})
        got = by_numba(pieces)(x, y)
        wanted = [fn(x) if fn.nin == 1 else fn(x, y) for fn in functions]
    for fn, a, b in zip(functions, got, wanted, strict=True):
        assert a.dtype == b.dtype
        if b.dtype == bool:
            np.testing.assert_array_equal(a, b, err_msg=fn.__name__)
            continue
        known = np.isfinite(b)
        np.testing.assert_array_equal(a[~known], b[~known], err_msg=fn.__name__)
        zero = b == 0
        np.testing.assert_array_equal(np.signbit(a[zero & (a == 0)]), np.signbit(b[zero & (a == 0)]), err_msg=fn.__name__)
        off = np.abs(a[known].astype(float) - b[known].astype(float)) / np.spacing(np.abs(b[known]))
        assert np.max(off, initial=0.0) <= 4, (fn.__name__, x[known][np.argmax(off)], np.max(off))


@needs_numba
def test_some_random_programs_by_numba() -> None:
    assert {judge(seed, by_numba) for seed in (3, 11)} <= {"loops", "mixed"}


def test_a_part_that_is_given_nothing() -> None:
    assert judge(10296) == "mixed"
