"""Several recordings of a model, with batches of different sizes and values, made one in which what follows the batch is known.

A recording is of one run: it has the batch's size in its shapes and attributes as plain numbers, and what was computed beside the graph
(`autograd_np.stop_gradient`) as plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ExportError
from nn.interchange.following import Dim, Unknown, bare, merged
from nn.module import Module

__all__ = ["Step", "arrays_in", "others", "recorded", "with_arrays"]


@dataclass(eq=False)
class Step:
    """A Node of all recordings: an operation, an input or a Parameter.

    Attributes
    ----------
    kind : str
        The name of the operation, with "nn." before it for those of this library; "input" and "parameter".
    operands : list
        Steps, and what no Node made: arrays, numbers, `Repeated`, `Counted`, `Unknown`.
    attrs : dict
        The keyword attributes of the call, in the same form.
    shape : tuple of (int or Size)
    dtype : dtype
    where : str
        The path of the Module it was recorded in, and the user's line, for messages.
    scope : str
        That path.
    value : array
        Of an input or a Parameter, that of the first recording.
    """

    kind: str
    shape: tuple[Dim, ...]
    dtype: Any
    operands: list[Any] = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    scope: str = ""
    value: Any = None

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def options(self, **defaults: Any) -> list[Any]:
        """Return attributes in the order of `defaults`; refuse any other that is set."""
        for name, value in self.attrs.items():
            if name not in defaults and value is not None:
                raise ExportError(f"{name}={value!r:.80} is not covered")
        values = [self.attrs.get(name, default) for name, default in defaults.items()]
        for name, value in zip(defaults, values, strict=True):
            if isinstance(value, Unknown):
                raise ExportError(f"{name} {value.reason}")
        return values


def arrays_in(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, array) for what is in nested tuples, lists and dicts; ``None`` is nothing."""
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from arrays_in(tree[key], f"{name}.{key}")
    elif isinstance(tree, (tuple, list)):
        for i, item in enumerate(tree):
            yield from arrays_in(item, f"{name}.{i}")
    elif tree is not None:
        yield name, tree


def with_arrays(tree: Any, f: Callable[[Any], Any]) -> Any:
    """Return nested containers with `f` of each array, called in the order of `arrays_in`."""
    if isinstance(tree, dict):
        new = {key: with_arrays(tree[key], f) for key in sorted(tree)}
        return {key: new[key] for key in tree}
    if isinstance(tree, (tuple, list)):
        items = [with_arrays(item, f) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return None if tree is None else f(tree)


# --- recording ------------------------------------------------------------------------------------


def others(example: Sequence[Any], axes: Sequence[int | None], size: int, turn: int) -> list[Any]:
    """Return copies of an example, with a batch of another size; at later turns they have other values.

    Floats become others, of either sign, but for zeros, which mean something in a mask; so what was computed from them beside the
    graph is other numbers. Integers are those of other samples, since they may number something.
    """
    rest = iter(axes)
    rng = np.random.default_rng(turn)

    def other(x: Any) -> Any:
        axis = next(rest)
        x = x.copy() if axis is None else np.take(x, (np.arange(size) + turn) % x.shape[axis], axis)
        return np.asarray(x * rng.uniform(-1, 1, x.shape), x.dtype) if turn and x.dtype.kind == "f" else x

    return [with_arrays(argument, other) for argument in example]


def _kind(node: Any) -> str:
    """Return the name of an operation; of one that a user defined, which may have any name, its module comes first."""
    op = node.op
    if not op.strict:
        return str(op.name)
    return f"nn.{op.name}" if getattr(op.fn, "__module__", "").startswith("nn.") else f"{getattr(op.fn, '__module__', '?')}:{op.name}"


def _graph(model: Module, inputs: Sequence[Any], size: int, batch: int | None) -> ag.Graph:
    try:
        with np.errstate(all="ignore"):  # what other values are not made for
            return model.graph(*inputs)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        if size == (batch or 0):
            raise
        raise ExportError(
            f"{type(model).__name__} takes the example, but not {size} samples like it in the place of {batch}: {error}. batch_axis "
            f"says which axis is the batch's; with batch_axis=None the file takes arrays of one shape"
        ) from error


def recorded(
    model: Module, example: Sequence[Any], axes: Sequence[int | None], batch: int | None
) -> tuple[list[Step], list[Step], list[Any]]:
    """Record a model for several batches.

    Parameters
    ----------
    model : Module
    example : sequence
        What `forward` is called with: arrays in nested containers.
    axes : sequence of (int or None)
        For each array, the axis of the batch.
    batch : int or None
        Its size in the example.

    Returns
    -------
    steps : list of Step
        In topological order.
    outputs : list of Step
    inputs : list of (Step or None)
        For each array of the example; ``None`` where the model does not use it.
    """
    start = max(batch or 0, 2)
    batches = [start, start + 1, start + 3] if batch is not None else [0, 0, 0]
    graphs, given = [], []
    for turn, size in enumerate(batches):
        inputs = others(example, axes, size, turn)
        given.append([x for _, x in arrays_in(inputs, "")])
        graphs.append(_graph(model, inputs, size, batch))
    if len({(len(g.nodes), len(g.outputs)) for g in graphs}) > 1:
        raise ExportError(
            f"{type(model).__name__} does other operations for batches of {', '.join(map(str, batches))}, as in a loop over samples; "
            f"export it for one size with batch_axis=None, or write it for all samples at once"
        )
    places = [{node: i for i, node in enumerate(g.nodes)} for g in graphs]
    steps: list[Step] = []
    for nodes in zip(*(g.nodes for g in graphs), strict=True):
        steps.append(_step(nodes, batches, places, steps))
    inputs = [next((s for n, s in zip(graphs[0].nodes, steps, strict=True) if n.op is None and n.out is x), None) for x in given[0]]
    for step in inputs:
        if step is not None:
            step.kind = "input"
    return steps, [steps[places[0][node]] for node in graphs[0].outputs], inputs


def _step(nodes: Sequence[Any], batches: Sequence[int], places: Sequence[dict[Any, int]], steps: list[Step]) -> Step:
    first = nodes[0]
    scope = getattr(first, "scope", "") or ""
    where = f" in {scope}" if scope else ""
    where += f" at {first.site}" if first.site else ""
    outs = [bare(n.out) for n in nodes]
    shape = merged([np.shape(out) for out in outs], batches)
    step = Step("parameter", shape, getattr(outs[0], "dtype", None), where=where, scope=scope, value=outs[0])
    if first.op is None:
        return step
    if any(n.op is not first.op for n in nodes):
        raise ExportError(f"another operation than {first.op.name}{where} is done for another batch; export with batch_axis=None")
    count = len(first.values)
    step.kind, step.value = _kind(first), None
    step.operands = [_operand(nodes, k, batches, places, steps) for k in range(count)]
    made = {id(bare(p.out)): steps[places[0][p]] for p in first.parents[count:] if p is not None}
    step.attrs = {name: _attribute([n.attrs[name] for n in nodes], made, batches) for name in first.attrs}
    return step


def _operand(nodes: Sequence[Any], k: int, batches: Sequence[int], places: Sequence[dict[Any, int]], steps: list[Step]) -> Any:
    parents = [n.parents[k] for n in nodes]
    if all(p is None for p in parents):
        return merged([n.values[k] for n in nodes], batches)
    found = {None if p is None else place[p] for p, place in zip(parents, places, strict=True)}
    position = found.pop()
    return Unknown("is computed otherwise for another batch") if found or position is None else steps[position]


def _attribute(values: Sequence[Any], made: dict[int, Step], batches: Sequence[int]) -> Any:
    """Return an attribute, with the Steps that arrays in it were read from."""
    first = values[0]
    if id(bare(first)) in made:
        return made[id(bare(first))]
    if type(first) in (tuple, list) and all(type(v) is type(first) and len(v) == len(first) for v in values):
        return type(first)(_attribute(part, made, batches) for part in zip(*values, strict=True))
    return merged(values, batches)
