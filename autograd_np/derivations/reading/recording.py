"""From a function to expressions, under the names that its variables have."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.derivations.expression import Expression, Sheet, walked
from autograd_np.derivations.reading.lockstep import Lockstep, NotAlikeError
from autograd_np.derivations.reading.making import understanding_arrays
from autograd_np.derivations.reading.points import Run, runs
from autograd_np.derivations.reading.state import with_state
from autograd_np.graph import Graph
from autograd_np.node import Node
from autograd_np.op import value_of
from autograd_np.tensor import Tensor
from autograd_np.trace import code_of
from autograd_np.trees import flatten

__all__ = ["Number", "Recording", "record", "recorded"]


PRODUCTS = (np.matmul, np.dot, np.tensordot)


class Number(NamedTuple):
    """A number that a variable of the user's held: an integer read from a shape, a constant of a module."""

    name: str
    values: tuple[Any, ...]
    line: tuple[str, int] | None  # the file and line that assigned it, if that was in the function itself


class Recording:
    """A function as expressions.

    Attributes
    ----------
    inputs : dict of (str, Expression)
        The arrays and numbers among the arguments by name, in the order of the parameters; entries of containers by their keys.
    outputs : list of Expression
    names : dict of (Expression, str)
        What variables of the user's held, in the order in which they were computed.
    numbers : list of Number
        Python numbers that variables held, those of the function itself first.
    called : tuple of code
        The user's functions that were called.
    parameters : frozenset of str
        Those inputs that are parameters of the function themselves, no entries of containers.
    trained : set of Expression
        Tensors that require a gradient and that the function was not given: the parameters of a model.
    lines : dict of (Expression, (str, int))
        The variable of the function itself that first held a value, and the line that was executed then.
    versions : dict of (str, list of Expression)
        What a variable that was assigned several times held, in order.
    sites : dict of (Expression, str)
        The file and line that recorded an operation.
    nodes : list of (Node, Expression)
        What the Nodes of the first run are, in the order of its graph.
    """

    def __init__(self, f: Callable[..., Any] | None, sheet: Sheet) -> None:
        self.f = f
        self.sheet = sheet
        self.inputs: dict[str, Expression] = {}
        self.outputs: list[Expression] = []
        self.names: dict[Expression, str] = {}
        self.numbers: list[Number] = []
        self.sites: dict[Expression, str] = {}
        self.nodes: list[tuple[Node, Expression]] = []
        self.captured: dict[str, Expression] = {}
        self.steps: list[Expression] = []
        self.called: tuple[CodeType, ...] = ()
        self.parameters: frozenset[str] = frozenset()
        self.trained: set[Expression] = set()
        self.lines: dict[Expression, tuple[str, int]] = {}
        self.versions: dict[str, list[Expression]] = {}


class _Watch:
    """What the variables of the user's functions held during one run."""

    def __init__(self, code: Any) -> None:
        self.code = code
        self.variables: dict[Node, tuple[str, str]] = {}  # of functions that `code` called
        self.own: dict[Node, tuple[str, int | None]] = {}  # with the line that was executed
        self.held: dict[str, dict[Node, None]] = {}  # whatever else that is called
        self.arrays: dict[int, tuple[str, Any]] = {}
        self.changing: set[str] = set()  # numbers that held several values: the count of a loop
        self.inside: dict[Node, str] = {}  # in lists and objects
        self.numbers: dict[str, tuple[Any, tuple[str, int] | None]] = {}
        self.called: dict[CodeType, None] = {}
        self._last: dict[int, int] = {}

    def __call__(self, frame: FrameType, variables: Iterable[tuple[str, Any]]) -> None:
        mine = frame.f_code is self.code
        line = self._last.get(id(frame))
        self._last[id(frame)] = frame.f_lineno
        if not mine:
            self.called[frame.f_code] = None
        given = () if mine else frame.f_code.co_varnames[: frame.f_code.co_argcount]  # named by who called, or nobody
        for variable, value in variables:
            if variable in given and variable != "self":
                continue
            for name, x in _entries(value, variable):
                if isinstance(x, Tensor):
                    if x._node is None:
                        self.arrays.setdefault(id(value_of(x)), (name, x))
                    elif name != variable and not isinstance(value, dict):
                        self.inside.setdefault(x._node, name)
                    elif mine:
                        self.own.setdefault(x._node, (name, line))
                        self.held.setdefault(name, {})[x._node] = None
                    else:
                        self.variables.setdefault(x._node, (frame.f_code.co_name, name))
                elif isinstance(x, np.ndarray):
                    self.arrays.setdefault(id(x), (name, x))
                elif mine:
                    first = self.numbers.setdefault(name, (x, (frame.f_code.co_filename, line) if line else None))[0]
                    if first != x or type(first) is not type(x):  # 5.0, and then int(5.0), of which one can be an index
                        self.changing.add(name)


def _entries(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of the arrays and numbers that a variable holds."""
    if isinstance(value, (Tensor, np.ndarray)) or (isinstance(value, (int, float, np.number)) and not isinstance(value, bool)):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (Tensor, np.ndarray, list, tuple, dict)):
                yield from _entries(item, key if isinstance(key, str) else f"{name}_{key}")
    elif isinstance(value, (list, tuple)) and len(value) < 200:
        for i, item in enumerate(value):
            if isinstance(item, (Tensor, np.ndarray, list, tuple, dict)):
                yield from _entries(item, f"{name}_{i + 1}")
    elif name == "self":
        for key, item in vars(value).items() if hasattr(value, "__dict__") else ():
            if isinstance(item, (Tensor, np.ndarray, int, float, dict, list, tuple)) and not key.startswith("__"):
                yield from _entries(item, key)


def record(f: Callable[..., Any], inputs: Sequence[Any], *, makes: bool = False, most: int | None = None) -> Recording:
    """Run `f` on Tensors and return what it computed.

    Parameters
    ----------
    f : callable
    inputs : sequence
        The positional arguments.
    makes : bool
        Record the arrays that `f` makes, and what it computes from these alone, too.
    most : int, optional
        How many operations the function may compute.

    Raises
    ------
    DifferentiationError
        As `autograd_np.trace` does.
    """
    names = _parameters(f, len(inputs))
    code = code_of(f)
    call, state = with_state(f)
    state = {name if name not in names else f"{name}_": x for name, x in state.items()}
    arguments = {**dict(zip(names, inputs, strict=True)), **state}
    found = _first_that_runs(call, arguments, lambda: _Watch(code), makes=makes, most=most)
    for points in (found, found[-1:]):
        recording = Recording(f, Sheet(len(points)))
        try:
            _Reader(recording, points).read(list(arguments), list(arguments.values()), set(state))
        except NotAlikeError:
            continue
        return recording
    raise errors.DifferentiationError("the function does something else each time that it runs; a derivation is written for one formula")


def _first_that_runs(
    f: Callable[..., Any], arguments: dict[str, Any], watching: Callable[[], _Watch], *, makes: bool, most: int | None
) -> list[Run]:
    """Run as it stands; or with arrays that can be written into; or with labels and numbers as they are, which are looked up in lists."""
    failed: Exception | None = None
    for integers, made in ((True, ""), (True, "fiub"), (True, "f"), (False, ""), (False, "f")):
        if makes and not made:
            continue
        try:
            return runs(understanding_arrays(f, made) if made else f, arguments, watching, integers=integers, most=most)
        except (errors.LeavesNumPyError, errors.InPlaceError) as error:
            failed = failed or error
        except (ValueError, TypeError) as error:  # "setting an array element with a sequence"
            if "array element" not in str(error) and "0-dimensional" not in str(error):
                raise
            failed = failed or error
    assert failed is not None
    raise failed


def recorded(graph: Graph) -> Recording:
    """Read a graph as it is, with the sizes that it was recorded with."""
    watch = _Watch(None)
    named = {n: n.name.rpartition(".") for n in graph.nodes if n.op is not None and n.name}
    watch.own = {n: (name, None) for n, (function, _, name) in named.items() if not function}
    watch.variables = {n: (function, name) for n, (function, _, name) in named.items() if function}
    watch.arrays = {i: (name, x) for i, (name, x) in graph.names.items()}
    recording = Recording(None, Sheet(1))
    leaves: list[Node | None] = list(graph.leaves)
    names = [n.name or f"x{i + 1}" for i, n in enumerate(graph.leaves)]
    _Reader(recording, [Run(graph, leaves, watch, [None] * len(leaves))]).read(names, [0.0] * len(names))
    return recording


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Return a name for each positional argument."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}_{i + 1}" for i in range(count - len(names))]
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
    return [*names, *(f"x{i + 1}" for i in range(len(names), count))][:count]


RESERVED = frozenset(("np", "ag", "scipy", "forward", "backward", "value_and_grad"))
"""What a program calls by these names."""


def identifier(name: str) -> str:
    """Return a name as a variable can have it."""
    name = re.sub(r"\W+", "_", name).strip("_") or "x"
    number, _, rest = name.partition("_")
    name = f"{rest}_{number}" if number.isdigit() and rest[:1].isalpha() else name  # 0.weight is weight_0
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else f"_{name}" if name[0].isdigit() else name


class _Reader:
    """Reads the graphs of all runs side by side."""

    def __init__(self, recording: Recording, found: list[Run]) -> None:
        self.recording = recording
        self.sheet = recording.sheet
        self.runs = found
        arrays = found[0].seen.arrays
        self.together = Lockstep(self.sheet, lambda array: arrays.get(id(array), (None,))[0])
        self.of_node = self.together.of_node
        self.globals: dict[int, str] = {}
        self.taken: set[str] = set()

    def read(self, names: list[str], inputs: Sequence[Any], state: Collection[str] = ()) -> None:
        """Read what the runs recorded; of the `state` of an object, what the result depends on is an input."""
        recording = self.recording
        recording.called = tuple(self.runs[0].seen.called)
        recording.parameters = frozenset(
            name for name, x in zip(names, inputs, strict=True) if name not in state and [*_paths(x, name)] == [name]
        )
        paths = [path for name, x in zip(names, inputs, strict=True) for path in _paths(x, name)]
        leaves = list(zip(*(run.inputs for run in self.runs), strict=True))
        seen: list[str] = []
        for path, nodes in zip(paths, leaves, strict=True):
            if nodes[0] is None:
                values = [run.leaves[len(seen)] for run in self.runs]
                seen.append(path)
                if isinstance(values[0], np.ndarray):
                    recording.inputs[path] = self.sheet.variable(self._fresh(path), values)
                    self.together.know_array(recording.inputs[path])
                continue
            seen.append(path)
            e = self.sheet.variable(self._fresh(path), [value_of(n.out) for n in nodes])
            recording.inputs[e.name or path] = e
            self.together.know(nodes, e)
        self._captured()
        for nodes in zip(*(run.graph.nodes for run in self.runs), strict=True):
            if nodes[0] not in self.of_node[0]:
                self._add(nodes)
        outputs = [self.of_node[0][n] for n in self.runs[0].graph.outputs]
        recording.outputs = outputs
        recording.nodes = [(n, self.of_node[0][n]) for n in self.runs[0].graph.nodes]
        self._drop_unused(state, set(walked(outputs)))
        self._name()
        self._name_inner_layers()
        self._numbers()

    def _drop_unused(self, state: Collection[str], used: set[Expression]) -> None:
        """Keep of an object's arrays those that the result depends on, under the names that the function has for them."""
        kept = {n: e for n, e in self.recording.inputs.items() if n not in state or e in used}
        self.taken -= set(self.recording.inputs) - set(kept)
        held = {self.of_node[0].get(node): name for node, (name, _) in self.runs[0].seen.own.items()}
        self.recording.inputs = {}
        for name, e in kept.items():
            if name in state:
                self.taken.discard(name)
                e.name = self._fresh(held.get(e) or re.sub(r"_\d+$", "", name))
            self.recording.inputs[e.name or name] = e

    def _fresh(self, name: str) -> str:
        name = identifier(name)
        if name in self.taken:
            name = next(n for i in range(2, 10**6) if (n := f"{name}_{i}") not in self.taken)
        self.taken.add(name)
        return name

    def _captured(self) -> None:
        """Give the arrays of the user's modules, closures and objects the names they have there."""
        for name, value in _surroundings(self.recording.f):
            for path, x in _entries(value, name):
                if isinstance(x, np.ndarray):
                    self.globals.setdefault(id(x), path)

    def _add(self, nodes: tuple[Node, ...]) -> None:
        node = nodes[0]
        if node.op is None and not node.needs and type(node.out) is np.ndarray:  # an array that the function made
            array = self.together.add(nodes)
            if array.kind == "array":
                array.name = array.name or self._variable_of(node)
            return
        if node.op is None:
            e = self.sheet.variable(self._fresh(node.name or "x"), [value_of(n.out) for n in nodes])
            self.recording.captured[e.name or ""] = e
            if node.needs:
                self.recording.trained.add(e)
            self.together.know(nodes, e)
            return
        for v in (*(v for v, p in zip(node.values, node.parents, strict=False) if p is None), *node.attrs.values()):
            self._know_captured(v)
        e = self.together.add(nodes)
        self.recording.sites.setdefault(e, node.site or "")
        self.recording.steps.append(e)

    def _variable_of(self, node: Node) -> str | None:
        """Return the variable that a Node was the value of first."""
        seen = self.runs[0].seen
        name = seen.own.get(node, (None,))[0] or seen.variables.get(node, (None, None))[1]
        return identifier(name) if name is not None else None

    def _know_captured(self, value: Any) -> None:
        """Make an array of the user's module or object a variable: it is the same in every run."""
        if type(value) in (tuple, list):
            for v in value:
                self._know_captured(v)
        value = value_of(value)
        name = self.globals.get(id(value))
        if name is not None and id(value) not in self.together.of_array[0]:
            e = self.sheet.variable(self._fresh(name), [value] * self.sheet.points)
            self.recording.captured[e.name or name] = e
            self.together.know_array(e)

    def _name(self) -> None:
        seen = self.runs[0].seen
        mine = {node: name for node, (name, _) in seen.own.items()}
        others = {node: name for node, (_, name) in seen.variables.items()}
        for variables, prefix in ((mine, False), (others, True), (seen.inside, True)):
            again: dict[str, list[Node]] = {}
            for node, name in variables.items():
                e = self.of_node[0].get(node)
                if node.op is not None and e is not None and e.op is not None and e not in self.recording.names:
                    again.setdefault(name, []).append(node)
                    self.recording.names[e] = ""
                    if not prefix and seen.own[node][1] is not None:
                        self.recording.lines[e] = name, seen.own[node][1]
            for name, nodes in again.items():
                numbered = not prefix and (len(nodes) > 1 or self._holds_several(name))
                if len(nodes) > 1 and not prefix and identifier(name) not in self.taken:
                    self.recording.versions[identifier(name)] = [self.of_node[0][node] for node in nodes]
                for i, node in enumerate(nodes):
                    self.recording.names[self.of_node[0][node]] = self._fresh(f"{name}_{i + 1}" if numbered else name)
        steps = {e: i for i, e in reversed(list(enumerate(self.recording.steps)))}
        self.recording.names = dict(sorted(self.recording.names.items(), key=lambda item: steps.get(item[0], -1)))

    def _holds_several(self, name: str) -> bool:
        """Whether a variable held something else before or after, which may have another name: a line that reads it means one of them."""
        held = {self.of_node[0].get(node) for node in self.runs[0].seen.held.get(name, ())}
        return sum(e is not None and (e.op is not None or e.name != name) for e in held) > 1

    def _name_inner_layers(self) -> None:
        """Name what a product takes of another product, where the user wrote both in one line."""
        recording = self.recording
        depends: set[Expression] = set()
        for e in recording.steps:
            depends_now = e.is_call(*PRODUCTS) or any(a in depends and a not in recording.names for a in e.args)
            if e.is_call(*PRODUCTS):
                for a in e.args:
                    if a in depends and a not in recording.names and a.op is not None and a.op.kind == "elementwise":
                        recording.names[a] = self._fresh("h")
            if depends_now:
                depends.add(e)
        steps = {e: i for i, e in enumerate(recording.steps)}
        recording.names = dict(sorted(recording.names.items(), key=lambda item: steps.get(item[0], -1)))

    def _numbers(self) -> None:
        first = self.runs[0].seen.numbers
        for name, (_, line) in first.items():
            if any(name in run.seen.changing for run in self.runs):
                continue
            values = tuple(run.seen.numbers.get(name, (None,))[0] for run in self.runs)
            if name not in self.recording.inputs and None not in values:
                self.recording.numbers.append(Number(name, values, line))
        for name, e in self.recording.inputs.items():
            if e.ndim == 0:
                self.recording.numbers.append(Number(name, tuple(v.item() for v in e.values), None))
        for name, value in _surroundings(self.recording.f):
            for path, x in _entries(value, name):
                if isinstance(x, (int, float)):
                    self.recording.numbers.append(Number(identifier(path), (x,) * self.sheet.points, None))


def _paths(value: Any, name: str) -> Iterator[str]:
    """Yield a name for each leaf of an argument, in the order of `flatten`."""
    leaves, unflatten = flatten(value)
    if len(leaves) == 1 and leaves[0] is value:
        yield name
        return
    tree = unflatten(list(range(len(leaves))))
    where: dict[int, str] = {}

    def walk(x: Any, path: str) -> None:
        if isinstance(x, dict):
            for key, item in x.items():
                walk(item, key if isinstance(key, str) else f"{path}_{key}")
        elif isinstance(x, (list, tuple)):
            for i, item in enumerate(x):
                walk(item, x._fields[i] if hasattr(x, "_fields") else f"{path}_{i + 1}")
        elif hasattr(x, "__dict__"):
            for key, item in vars(x).items():
                walk(item, key)
        elif isinstance(x, int):
            where[x] = path

    walk(tree, name)
    yield from (where.get(i, f"{name}_{i + 1}") for i in range(len(leaves)))


def _surroundings(f: Callable[..., Any] | None) -> Iterator[tuple[str, Any]]:
    """Yield the variables outside a function that it can read: of its closure, its module and its object."""
    if f is None:
        return
    f = inspect.unwrap(f)
    owner = getattr(f, "__self__", None)
    function = getattr(f, "__func__", f)
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    for name in code.co_names:
        if name in function.__globals__ and not inspect.ismodule(function.__globals__[name]):
            yield name, function.__globals__[name]
    if owner is not None and not inspect.ismodule(owner) and hasattr(owner, "__dict__"):
        yield "self", owner
