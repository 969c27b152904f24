"""Running the user's forward function on arrays and on Tensors: its variables, and what of it can be differentiated."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.watch.calling import arguments, flat_names, leaf_names
from autograd_np.check.watch.point import Output, Traced, is_variable
from autograd_np.check.watch.program import LOSS_NAMES, Kept, Program, loss_arguments
from autograd_np.check.watch.stand_ins import in_place_of_numpy, tensor_numpy
from autograd_np.check.watch.state import bound, duplicate, leaves_in, spelled
from autograd_np.lines import Lines
from autograd_np.node import Level, Node
from autograd_np.tensor import Tensor, leaf
from autograd_np.trace import code_of

__all__ = ["trace_point"]


def trace_point(program: Program, inputs: Mapping[str, Any], instead: Mapping[Any, Any], *, keeps_all: bool = False) -> Traced:
    """Run forward on arrays and on Tensors.

    Parameters
    ----------
    inputs : mapping
    instead : mapping
        ``id`` of an array of the state -> the array to put in its place.
    keeps_all : bool
        Record what needs no gradient, too.

    Raises
    ------
    CheckSetupError
        If a parameter is not supplied.
    LeavesNumPyError, NoRowError
        From the line of the user's function that leaves NumPy.
    """
    run = program.run(inputs, program.fresh_world(instead))
    level = Level(sites=True, keeps_all=keeps_all)
    versions: dict[str, list[Node]] = {}
    leaves: dict[str, Node] = {}
    names = leaf_names(inputs)
    keys = {name: path for path, name in names.items()}

    numpy = in_place_of_numpy()  # also where an object or an argument holds it: `self.xp = np`

    def made_leaf(value: Any, name: str) -> Tensor:
        t = leaf(np.array(value), level, name=name)
        assert t._node is not None
        leaves[name] = t._node
        return t

    def wrap(value: Any, path: tuple[Any, ...]) -> Any:
        if is_variable(value) or path in program.numbers:
            return made_leaf(value, names[path])
        if isinstance(value, dict):
            return {k: wrap(v, (*path, k)) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(wrap(v, (*path, i)) for i, v in enumerate(value))
        return duplicate(value, dict(numpy))

    wrapped = {name: wrap(value, (name,)) for name, value in inputs.items()}
    tensors: dict[Any, Any] = {**numpy, **{key: value for key, value in instead.items() if isinstance(key, Kept)}}
    for name, (path, array) in program.state.items():
        tensors[id(array)] = made_leaf(instead.get(id(array), array), name)
        keys[name] = path
    for name, node in leaves.items():
        versions[name] = [node]
    see = _Names(level, versions)
    lines = Lines()
    final: dict[str, Any] = {}
    try:
        world = program.fresh_world(tensors)
        with program.installed(world, program.rng) as owners, tensor_numpy(program.world.functions, program.functions):
            try:
                out = _watched(bound(program.forward, owners), flat_names(wrapped), see, final, program, lines)
            except Exception:
                if not program.joint or not any(isinstance(final.get(name), Tensor) for name in LOSS_NAMES):
                    raise
                out = None  # the second of the passes that it is raises, or does what Tensors do not; the loss is there
            total: Any = None
            if program.loss is not None:
                run_loss = bound(program.loss, owners)
                with _Watch(code_of(run_loss), see, see.inner, program, lines, of_forward=False):
                    total = run_loss(**loss_arguments(run_loss, wrapped, final, out))
    except errors.AutogradError as error:
        raise type(error)(f"{_where(error, program)}{error}") from error
    finally:
        level.close()
    see.attributes(world, program)
    see.finish()
    scalar, outputs = _outputs(program, out, final, total, level)
    return Traced(program, inputs, instead, run, scalar, outputs, versions, leaves, keys, lines)


def _watched(
    f: Callable[..., Any], available: Mapping[str, Any], see: _Names, final: dict[str, Any], program: Program, lines: Lines
) -> Any:
    code = code_of(f)

    def see_and_keep(frame: FrameType) -> None:
        see(frame)
        final.update(frame.f_locals)

    with _Watch(code, see_and_keep, see.inner, program, lines):
        return f(**arguments(f, available, "forward"))


class _Watch:
    """Call one function with each frame of forward's own, and another with frames of the functions of the user's that it calls."""

    def __init__(
        self,
        code: CodeType | None,
        see: Callable[[FrameType], None],
        inner: Callable[[FrameType], None],
        program: Program,
        lines: Lines,
        *,
        of_forward: bool = True,
    ) -> None:
        self.code, self.see, self.inner, self.program, self.lines = code, see, inner, program, lines
        self.of_forward = of_forward

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self.on_call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def on_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code is self.code or (
            self.code is not None and code.co_name == self.code.co_name and code.co_firstlineno == self.code.co_firstlineno
        ):
            return self.in_own
        function = self.program.functions.of(code)
        if function is None:
            return None
        if self.of_forward:
            self.program.called_by_forward.add(id(function))
        return self.in_inner

    def in_own(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event in ("line", "return"):
            self.see(frame)
            self.lines.note(frame, event)
        return self.in_own

    def in_inner(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "return":
            self.inner(frame)
        elif event == "line" and self.of_forward:
            self.program.lines_of_forward.add((id(self.program.functions.of(frame.f_code)), frame.f_lineno))
        self.lines.note(frame, event)
        return self.in_inner


class _Names:
    """Sees local variables and gives Nodes the first name that was bound to them."""

    def __init__(self, level: Level, versions: dict[str, list[Node]]) -> None:
        self.level, self.versions = level, versions
        self._given: list[tuple[str, Node]] = []

    def __call__(self, frame: FrameType) -> None:
        for place, node in _tensor_leaves(frame.f_locals, self.level):
            self.note(place, node)

    def note(self, place: str, node: Node) -> None:
        """Record that a variable holds a Node."""
        of_input = node.op is None and bool(node.name)
        # an input is known by its own name, and as an element of a container (h[-1] = h0) by that one too
        for path in dict.fromkeys([node.name if of_input else place, *([place] if "[" in place else [])]):
            seen = self.versions.setdefault(str(path), [])
            if node not in seen:
                seen.append(node)
        if node.name is None:
            node.name = place

    def inner(self, frame: FrameType) -> None:
        """Name what a helper computed; it is no variable of forward's."""
        given = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        for place, node in _tensor_leaves(frame.f_locals, self.level):
            if place.partition("[")[0] in given:
                self._given.append((place, node))  # whoever called it may have a name for that
            elif node.name is None:
                node.name = place

    def finish(self) -> None:
        """Name what has no other name by the parameters of the helpers that it was handed to."""
        for place, node in self._given:
            if node.name is None:
                node.name = place

    def attributes(self, world: Sequence[Any], program: Program) -> None:
        """Record what forward left in the user's objects."""
        for slot, value in zip(program.world.slots, world, strict=True):
            for path, x in leaves_in(value, (slot.name,)):
                if isinstance(x, Tensor) and x._node is not None and x._node.level is self.level:
                    name = spelled(path).removeprefix("self.")
                    if x._node.op is not None:
                        self.note(name, x._node)


def _tensor_leaves(variables: Mapping[str, Any], level: Level) -> Iterator[tuple[str, Node]]:
    def inside(value: Any, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        if isinstance(value, Tensor):
            if value._node is not None and value._node.level is level:
                yield path, value._node
        elif depth and isinstance(value, dict):
            for k, v in value.items():
                yield from inside(v, k if isinstance(k, str) else f"{path}[{k!r}]", depth - 1)
        elif depth and isinstance(value, (list, tuple)) and len(value) < 1000:
            for i, v in enumerate(value):
                yield from inside(v, f"{path}[{i}]", depth - 1)

    for name, value in variables.items():
        if name != "self":
            yield from inside(value, name, 3)


def _outputs(program: Program, out: Any, final: Mapping[str, Any], total: Any, level: Level) -> tuple[Output | None, list[Output]]:
    """Find what can be differentiated: the loss, or every array that forward returned."""

    def node_of(x: Any) -> Node | None:
        node = x._node if isinstance(x, Tensor) else None
        return node if node is not None and node.level is level and node.needs else None

    if program.loss is not None:
        node = node_of(total)
        return (Output(-1, node, "loss") if node is not None else None), []
    parts = list(out) if isinstance(out, (tuple, list)) else [out]
    names = output_names(program, len(parts))
    found = [Output(i, node, name) for i, (x, name) in enumerate(zip(parts, names, strict=True)) if (node := node_of(x)) is not None]
    scalars = [o for o in found if np.size(o.node.out) == 1 and (o.shape == () or len(parts) == 1 or o.name in LOSS_NAMES)]
    called = [o for o in scalars if o.name in LOSS_NAMES or "loss" in o.name.lower() or "cost" in o.name.lower()]
    first = [o for o in scalars if o.position == 0 and not (program.joint and o.name.startswith("d"))]
    scalar = next(iter([*called, *first, *scalars]), None) if scalars else None
    if scalar is None:
        for name in LOSS_NAMES:
            node = node_of(final.get(name))
            if node is not None and np.size(node.out) == 1 and (program.joint or not found):
                return Output(name, node, name), found
    return scalar, [o for o in found if o is not scalar]


def output_names(program: Program, count: int) -> list[str]:
    """Return the names in forward's return statement."""
    function = program.function_of(program.forward)
    for r in reversed(function.returns if function is not None else []):
        elements = r.value.elts if isinstance(r.value, ast.Tuple) else [r.value]
        if len(elements) == count:
            return [e.id if isinstance(e, ast.Name) else e.attr if isinstance(e, ast.Attribute) else "" for e in elements]
    return [""] * count


def _where(error: BaseException, program: Program) -> str:
    """Return ``file:line: `` of the deepest line of the user's functions in a traceback."""
    place, tb = "", error.__traceback__
    while tb is not None:
        if program.functions.of(tb.tb_frame.f_code) is not None:
            place = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}: "
        tb = tb.tb_next
    return place
