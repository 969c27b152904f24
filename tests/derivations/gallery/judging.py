"""How good a printed backward pass is, beside one that was derived by hand."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
import json
import linecache
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import autograd_np as ag

__all__ = ["CHAPTERS", "ENTRIES", "Entry", "Judged", "agree", "elsewhere", "entries", "executed", "judge", "statements"]

ENTRIES = Path(__file__).parent / "entries"
CHAPTERS = {
    "Regression": ["ridge", "logistic_regression", "logistic_margins", "huber", "hinge", "gaussian"],
    "Nets": ["notebook", "softmax_labels", "softmax_one_hot", "dropout_mlp", "dict_net"],
    "Layers": ["batch_norm", "layer_norm", "attention", "rnn_step", "lstm_step", "convolution", "convolution_1d"],
    "Vectors": ["l2_normalisation", "cosine_similarity", "log_sum_exp_pooling", "embeddings", "matrix_factorisation", "k_means"],
}
"""The entries in the order of the documentation."""
SIZES = ((5, 3), (8, 3), (2, 3), (4, 2), (7, 4))
"""The sizes with which a pass is derived, batch and features, and others at which it must be right."""
SIZE_NAMES = frozenset("mn")
UNNAMED = frozenset(f"d{letter}" for letter in "zasuvqr")
"""Gradients by what the user gave no name, where they are used often."""
_number = count()


class Entry:
    """A loss or a layer, and its backward pass derived by hand.

    Attributes
    ----------
    name, title : str
    f, backward : callable
    wrt : tuple of str
    inputs : callable
    source : str
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.source = path.read_text("utf-8")
        module = _loaded(path)
        self.title = (module.__doc__ or "").strip()
        self.is_layer = hasattr(module, "forward")
        self.f: Callable[..., Any] = module.forward if self.is_layer else module.loss
        self.backward: Callable[..., Any] = module.backward
        self.wrt: tuple[str, ...] = module.WRT
        self.inputs: Callable[[np.random.Generator, int, int], dict[str, Any]] = module.inputs
        self.module = module

    def arguments(self, sizes: tuple[int, int] = SIZES[0], seed: int = 0) -> dict[str, Any]:
        """Return arguments by name."""
        return self.inputs(np.random.default_rng(seed), *sizes)

    def printed(self) -> str:
        """Return what `ag.derive` prints."""
        return ag.derive(self.f, *self.arguments().values(), wrt=self.wrt).to_numpy()

    def user_names(self) -> set[str]:
        """Return the names in forward and in the functions it may call."""
        functions = [f for f in vars(self.module).values() if isinstance(f, FunctionType) and f.__module__ == self.module.__name__]
        sources = [inspect.getsource(f) for f in functions if f.__name__ not in ("backward", "inputs")]
        return {name for source in sources for name in _names(ast.parse(source), strings=True)}


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"gallery_{path.stem}_{next(_number)}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def entries(folder: Path = ENTRIES) -> list[Entry]:
    """Return the entries of a folder, those of the gallery in the order of its chapters."""
    order = {name: i for i, name in enumerate(n for names in CHAPTERS.values() for n in names)}
    return [Entry(path) for path in sorted(folder.glob("*.py"), key=lambda p: (order.get(p.stem, len(order)), p.stem))]


def executed(source: str) -> dict[str, Any]:
    """Return what a program defines; its lines can be read, as those of a file can."""
    file = f"<printed {next(_number)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    defined: dict[str, Any] = {"__name__": f"printed_{next(_number)}"}
    exec(compile(source, file, "exec"), defined)  # what `derive` printed is what is judged
    return defined


# --- what is counted


def _function(source: str, name: str) -> ast.FunctionDef:
    return next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name)


def defined(source: str) -> list[str]:
    """Return the functions that a program defines."""
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]


def function_of(source: str, name: str) -> str:
    """Return the lines of a function of a program."""
    function = _function(source, name)
    return "\n".join(source.splitlines()[function.lineno - 1 : function.end_lineno])


def statements(source: str) -> int:
    """Return how many assignments the backward pass of a program has, ``np.add.at`` counted as one."""
    found = 0
    for node in ast.walk(_function(source, "backward")):
        in_place = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func).endswith(".at")
        found += in_place or isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
    return found


def operations(source: str) -> int:
    """Return how much there is to read in the backward pass of a program: operators, calls, indices, comparisons."""
    kinds = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Call, ast.Subscript, ast.Compare, ast.AugAssign)
    return sum(isinstance(node, kinds) for node in ast.walk(_function(source, "backward")))


def allowed(by_hand: int) -> int:
    """Return how many statements may be printed where so many were written by hand."""
    return by_hand + 1 if by_hand <= 3 else int(1.3 * by_hand)


def _names(tree: ast.AST, *, strings: bool = False) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # a key


def helpers(source: str) -> list[str]:
    """Return the functions that a program defines because NumPy lacks them."""
    return [name for name in defined(source) if name not in ("forward", "backward", "value_and_grad")]


def strangers(entry: Entry, source: str) -> list[str]:
    """Return the names in the printed backward pass that are neither the user's (numbered where there are several) nor made of them.

    Functions that the program defines for itself are `helpers`.
    """
    mine = entry.user_names() | {"out", "np", *helpers(source)}
    known = mine | {f"d{n}" for n in mine} | SIZE_NAMES | UNNAMED | set(dir(builtins))
    found = set(_names(_function(source, "backward")))
    return sorted(n for n in found if n not in known and re.sub(r"_\d+$", "", n) not in known)


# --- what is compared


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        flat |= _flat(value) if isinstance(value, dict) else {name: value}
    return flat


def eager(entry: Entry, arguments: dict[str, Any], upstream: Any = None) -> tuple[Any, dict[str, Any]]:
    """Return the result and the gradients as the engine computes them."""
    leaves: dict[str, Any] = {}

    def lifted(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: lifted(k, v) for k, v in value.items()}
        if name in entry.wrt or np.asarray(value).dtype.kind == "f":  # all of them: an array's own methods take no Tensors
            leaves[name] = value = ag.Tensor(np.asarray(value), requires_grad=name in entry.wrt)
        return value

    result = entry.f(**{name: lifted(name, value) for name, value in arguments.items()})
    result.backward(upstream)
    return result.data, {f"d{name}": leaves[name].grad for name in entry.wrt}


def agree(entry: Entry, program: dict[str, Any], sizes: tuple[int, int], seed: int = 0) -> str:
    """Return in what a printed program differs from the engine at some sizes: nothing, if it is right."""
    arguments = entry.arguments(sizes, seed)
    upstream, given = None, _flat(arguments)
    if entry.is_layer:
        result, _ = program["forward"](**_taken(program["forward"], given))
        upstream = np.random.default_rng(seed + 1).normal(size=np.shape(result))
        name = next(p for p in inspect.signature(program["value_and_grad"]).parameters if p not in given)
        given[name] = upstream
    value, gradients = program["value_and_grad"](**_taken(program["value_and_grad"], given))
    expected, wanted = eager(entry, arguments, upstream)
    if list(gradients) != list(wanted):
        return f"gradients {', '.join(gradients)}"
    for name, got, right in [("value", value, expected), *((k, gradients[k], wanted[k]) for k in wanted)]:
        right = np.asarray(right)
        if np.shape(got) != right.shape or np.asarray(got).dtype != right.dtype:
            return f"{name} at {sizes}: {np.shape(got)} {np.asarray(got).dtype} for {right.shape} {right.dtype}"
        if not np.allclose(got, right, rtol=1e-9, atol=1e-12 * max(1.0, float(np.max(np.abs(right), initial=0)))):
            return f"{name} at {sizes}: off by {np.max(np.abs(got - right)):.1e}"
    return ""


def _taken(f: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {p: given[p] for p in inspect.signature(f).parameters}


def checked(forward: Callable[..., Any], backward: Callable[..., Any], entry: Entry, sizes: tuple[int, int] = SIZES[0]) -> str:
    """Return what `ag.check_backward` has against a backward pass of an entry: nothing, if it passes."""
    given = entry.arguments(sizes)
    if forward is not entry.f:  # the entries of containers are arguments of what is printed
        given = _taken(forward, _flat(given))
    report = ag.check_backward(forward, backward, given)
    if not report.ok:
        return str(report).splitlines()[0]
    compared = len(report.gradients)
    return "" if compared >= len(entry.wrt) else f"{compared} of {len(entry.wrt)} gradients compared"


# --- the judge


@dataclass
class Judged:
    """What was found about an entry.

    Attributes
    ----------
    name : str
    by_hand, printed : int
        Statements of the backward passes.
    operations : tuple of int
        Operations by hand, and printed.
    wrong : str
        In what the printed program differs from the engine, at the size with which it was derived.
    elsewhere : str
        The same, at other sizes.
    unchecked : str
        What `ag.check_backward` has against it.
    strangers : list of str
        Names that are not the user's.
    helpers : list of str
        Functions that the program brings along.
    milliseconds : float
        The fastest of three derivations after a first.
    source : str
        What was printed.
    error : str
        What was raised.
    """

    name: str
    by_hand: int
    printed: int = 0
    operations: tuple[int, int] = (0, 0)
    wrong: str = ""
    elsewhere: str = ""
    unchecked: str = ""
    strangers: list[str] | tuple[str, ...] = ()
    helpers: list[str] | tuple[str, ...] = ()
    milliseconds: float = 0.0
    same: bool = True
    source: str = ""
    error: str = ""

    @property
    def short(self) -> bool:
        """Whether it has hardly more statements than by hand."""
        return not self.error and self.printed <= allowed(self.by_hand)

    @property
    def compact(self) -> bool:
        """Whether its statements are not much longer than by hand."""
        by_hand, printed = self.operations
        return not self.error and printed <= 1.75 * by_hand + 1

    @property
    def flawless(self) -> bool:
        """Whether nothing is to be said against it but its time and its length in operations."""
        return self.short and self.same and not (self.error or self.wrong or self.elsewhere or self.unchecked or self.strangers)


def judge(entry: Entry, rounds: int = 3) -> Judged:
    """Derive, print, count, execute and compare."""
    found = Judged(entry.name, statements(entry.source))
    try:
        source = found.source = entry.printed()
        program = executed(source)
    except Exception as e:  # noqa: BLE001 (whatever is raised is a finding)
        found.error = f"{type(e).__name__}: {e}"
        return found
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        found.same &= entry.printed() == source
        times.append(time.perf_counter() - start)
    found.milliseconds = 1000 * min(times, default=0.0)
    found.printed = statements(source)
    found.operations = operations(entry.source), operations(source)
    found.strangers, found.helpers = strangers(entry, source), helpers(source)
    found.wrong = _attempted(agree, entry, program, SIZES[0])
    found.elsewhere = next((x for s in SIZES[1:] if (x := _attempted(agree, entry, program, s, seed=1))), "")
    found.unchecked = _attempted(checked, program["forward"], program["backward"], entry)
    return found


def _attempted(f: Callable[..., str], *args: Any, **options: Any) -> str:
    try:
        return f(*args, **options)
    except Exception as e:  # noqa: BLE001
        return f"{type(e).__name__}: {e}"


def elsewhere(folder: Path = ENTRIES, hash_seed: int = 4711) -> dict[str, str]:
    """Return what another process prints for each entry of a folder."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from gallery import judging; judging.tell({str(folder)!r})"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONHASHSEED": str(hash_seed),
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, encoding="utf-8", check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def tell(folder: str) -> None:
    """Print as JSON what is printed for each entry of a folder."""
    found = {}
    for entry in entries(Path(folder)):
        try:
            found[entry.name] = entry.printed()
        except Exception as e:  # noqa: BLE001
            found[entry.name] = f"{type(e).__name__}: {e}"
    print(json.dumps(found))
