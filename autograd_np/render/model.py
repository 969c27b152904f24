"""Graph -> Drawing: what a picture shows, before any renderer decides how.

Both renderers (DOT and the explorer) read a `Drawing` and nothing else. Reading a graph changes nothing in it.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from autograd_np import errors
from autograd_np.graph import Graph, is_parameter, reading
from autograd_np.node import Node
from autograd_np.render.collapse import around_of, close, collapse, deeper_than, without_turns
from autograd_np.render.drawing import Drawing, DrawnCluster, DrawnEdge, DrawnNode, Kind, Verdict
from autograd_np.render.fit import SCREEN, too_much
from autograd_np.render.frames import Frame
from autograd_np.render.net import net_of
from autograd_np.render.parts import Net, Part
from autograd_np.render.rules import Rules
from autograd_np.render.values import bytes_text, value_lines
from autograd_np.sweeps import topological
from autograd_np.tensor import value_of
from autograd_np.text import shorten, shown, shown_list
from autograd_np.typing import Array

__all__ = ["describe", "results_of"]

LONGEST_ATTRIBUTE = 60


def describe(
    graph: Graph,
    *,
    values: bool = False,
    gradients: bool = False,
    rules: bool = False,
    order: bool = False,
    backward: bool = False,
    memory: bool = False,
    depth: int | Literal["auto"] | None = "auto",
    around: Node | str | None = None,
    hops: int = 1,
    fold: bool = False,
    repeats: bool | Literal["open"] = True,
    max_nodes: int = 400,
    parameters: Sequence[str] = (),
    output: Node | str | None = None,
    seed: Any = None,
    verdicts: Mapping[Node, tuple[Verdict, str]] | None = None,
) -> Drawing:
    """Describe the picture of a graph.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph`, `autograd_np.trace` or ``nn.Module.graph``.
    values : bool
        Show what every node holds: small arrays whole, large ones as min, mean and max, with a count of NaN and infinities.
    gradients : bool
        Show the gradient of the output at every node, in the same way.
    rules : bool
        Show the local derivative of every operation.
    order : bool
        Number the nodes as the reverse sweep visits them.
    backward : bool
        Draw an edge for every gradient that flows back.
    memory : bool
        Show the size of every result.
    depth : int, "auto" or None
        Draw modules and called functions that are nested deeper than this as one box each: 0 draws the outermost ones as boxes, None
        none. ``"auto"`` draws as boxes those without which the picture can be read on one screen, and none if something is asked for
        that only the things inside can show (`values`, `gradients`, `rules`, `order`, `memory`, `verdicts`).
    around : Node or str, optional
        Draw only this node (or the node with this name) and what is within `hops` edges of it.
    hops : int
        See `around`.
    fold : bool
        Draw chains of elementwise operations as one box.
    repeats : bool or "open"
        Of what is repeated three times or more (turns of a loop, calls of a function, modules of a list), draw the first and the last
        turn, and all between as one box, unless `around` is given. False draws all turns, and ``"open"`` all with a frame around each.
    max_nodes : int
        A graph that would have more boxes is collapsed until it has not, and `Drawing.notes` says so.
    parameters : sequence of str
        Names of leaves to draw as parameters, besides those of modules and the leaves made with ``requires_grad=True``.
    output : Node or str, optional
        The node (or the name of the node) that `gradients` and `order` are of; see `Graph.result` for the default. What else the
        function returns is drawn as what it is, an intermediate result.
    seed : array, optional
        Where the result is no scalar: its cotangent. By default ones, and a note says so.
    verdicts : dict, optional
        Node -> (``"ok"``, ``"wrong"`` or ``"unknown"``, what to say about it).

    Raises
    ------
    RenderError
        If `around` names no node, or `parameters` no input, or a number makes no sense.
    DifferentiationError
        If `output` names no node, or gradients are asked for and several outputs could be meant.

    Examples
    --------
    >>> import autograd_np as ag
    >>> from autograd_np.render.model import describe
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> drawing = describe(ag.graph(x * x), values=True, rules=True)
    >>> [(n.id, n.kind, n.op, n.value, n.rule) for n in drawing.nodes]
    [('n0', 'parameter', '', ('2',), ()), ('n1', 'output', 'multiply', ('4',), ('∂n1/∂x = x + x',))]
    """
    for name, number, least in (("hops", hops, 0), ("max_nodes", max_nodes, 10), ("depth", 0 if depth in ("auto", None) else depth, 0)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise errors.RenderError(f"{name} must be an integer of at least {least}, got {number!r}")
    if repeats not in (True, False, "open"):
        raise errors.RenderError(f'repeats must be True, False or "open", got {repeats!r}')
    _known(parameters, [n for n in graph.leaves if n.name])
    results = results_of(graph, output)
    if (gradients or order) and len(results) > 1:
        graph.result()  # says that one has to be chosen
    drawing = Drawing(total=len(graph))
    net = net_of(graph, results)
    constants = {id(part.constant): part.id for part in net.parts if part.node is None}
    if around is not None:
        net = around_of(net, _position(graph, around), hops, drawing.notes)
    if depth == "auto":
        depth, fits = None, not (values or gradients or rules or order or memory or verdicts)
    else:
        fits = False
    closed = {frame for frame in net.frames() if frame.folded and repeats is True and around is None}
    if depth is not None:
        closed |= deeper_than(net, depth)
    if fits and around is None:
        closed = too_much(net, closed, SCREEN)
    net = close(net, closed)
    if not repeats:
        net = without_turns(net)
    net = collapse(net, fold=fold, max_nodes=max_nodes, notes=drawing.notes)

    painter = _Painter(graph, net, drawing, constants)
    painter.parameters = set(parameters)
    if gradients:
        painter.gradients = _gradients(graph, results[0], seed, drawing.notes)
    if order:
        swept = [n for n in topological(results) if n.needs]
        painter.order = {n: i for i, n in enumerate(swept, 1)}
    painter.rules = Rules(painter.called) if rules else None
    painter.values, painter.memory, painter.verdicts = values, memory, verdicts or {}
    drawing.nodes = [painter.node(part) for part in net.parts]
    if memory:
        drawing.notes.append(f"results held in memory: {bytes_text(_held(graph))}")
    drawing.edges = _edges(net, backward=backward)
    drawing.clusters = [DrawnCluster(f.path, f.title, f.parent.path if f.parent else "", f.kind, f.stands_for) for f in net.frames()]
    return drawing


def _position(graph: Graph, around: Node | str) -> int:
    if isinstance(around, Node):
        try:
            return int(graph.id_of(around)[1:])
        except KeyError:
            raise errors.RenderError(f"{around!r} is not in this graph") from None
    for i, node in enumerate(graph.nodes):
        if around in (node.name, graph.id_of(node)):
            return i
    named = shown_list([n.name for n in graph.nodes if n.name])
    raise errors.RenderError(f"no node is named {shown(around)!r}; there are {named}, and ids n0 to n{len(graph) - 1}")


def _known(parameters: Sequence[str], leaves: Sequence[Node]) -> None:
    """Refuse names that no leaf has."""
    if isinstance(parameters, str):
        raise errors.RenderError(f"parameters should be a sequence of names, such as [{parameters!r}], got one str")
    named = list(dict.fromkeys(n.name or "" for n in leaves))
    missing = [repr(shown(name)) for name in parameters if name not in named]
    if missing:
        raise errors.RenderError(f"no input is named {', '.join(missing)}, to be drawn as a parameter; there are {shown_list(named)}")


def results_of(graph: Graph, output: Node | str | None = None) -> tuple[Node, ...]:
    """Return the result, or all outputs if any of them could be meant."""
    try:
        return (graph.result(output),)
    except errors.DifferentiationError:
        if output is not None:
            raise
        return graph.outputs


def _gradients(graph: Graph, root: Node, seed: Any, notes: list[str]) -> dict[Node, Array]:
    if seed is None and np.size(root.out) != 1:
        notes.append(f"gradients of the sum of {graph.label_of(root)}, which has shape {np.shape(root.out)}")
        seed = np.ones_like(value_of(root.out))
    return graph.gradients(seed, output=root)


def _held(graph: Graph) -> int:
    """Bytes of the distinct arrays that the results keep alive."""
    held: dict[int, int] = {}
    for node in graph.nodes:
        array = value_of(node.out)
        while isinstance(getattr(array, "base", None), np.ndarray):
            array = array.base
        held[id(array)] = getattr(array, "nbytes", 0)
    return sum(held.values())


@dataclass
class _Painter:
    """Writes the texts of the parts that are left after collapsing."""

    graph: Graph
    net: Net
    drawing: Drawing
    constants: Mapping[int, str]
    parameters: set[str] = field(default_factory=set)
    gradients: Mapping[Node, Array] | None = None
    order: Mapping[Node, int] = field(default_factory=dict)
    rules: Rules | None = None
    verdicts: Mapping[Node, tuple[Verdict, str]] = field(default_factory=dict)
    values: bool = False
    memory: bool = False

    def called(self, x: Any) -> str:
        """Return what a Node, or the array or number of a constant operand, is called in the picture."""
        if isinstance(x, Node):
            return self.graph.label_of(x)
        array = value_of(x)
        name = self.graph.names.get(id(array), ("",))[0]
        return name or self.constants.get(id(array), "") or _number(array)

    def node(self, part: Part) -> DrawnNode:
        """Return the box of a part."""
        drawn = (
            self._group(part) if part.title is not None else self._constant(part) if part.node is None else self._single(part, part.node)
        )
        if self.rules is not None and not drawn.name:
            drawn.called = self.called(part.constant if part.node is None else part.node)
        return drawn

    def _single(self, part: Part, node: Node) -> DrawnNode:
        array = value_of(node.out)
        drawn = DrawnNode(
            part.id,
            self._kind(node, part),
            op=_call(self.graph, node) if node.op else "",
            name=node.name or "",
            shape=tuple(np.shape(array)),
            dtype=str(getattr(array, "dtype", type(array).__name__)),
            short=_short(node.name or "", part.frame),
            module=part.frame.path,
            size=part.size,
            returned=part.returned,
            node=node,
        )
        if self.values:
            drawn.value = value_lines(array)
        if self.gradients is not None and node in self.gradients:
            drawn.gradient = value_lines(value_of(self.gradients[node]))
        if self.rules is not None and node.op is not None:
            drawn.rule = self.rules.lines(node)
        if self.memory:
            drawn.memory = bytes_text(getattr(array, "nbytes", 0))
        drawn.order = self.order.get(node)
        if node in self.verdicts:
            drawn.verdict, drawn.note = self.verdicts[node]
        drawn.title = _title(drawn, node, part.frame)
        return drawn

    def _kind(self, node: Node, part: Part) -> Kind:
        if node.op is not None:
            return "output" if part.returned else "operation"
        return "parameter" if is_parameter(node) or node.name in self.parameters else "input"

    def _constant(self, part: Part) -> DrawnNode:
        array = part.constant
        name = self.graph.names.get(id(array), ("",))[0]
        drawn = DrawnNode(part.id, "constant", name=name, shape=tuple(np.shape(array)), dtype=str(array.dtype), module=part.frame.path)
        drawn.short, drawn.size = _short(name, part.frame), part.size
        if self.values:
            drawn.value = value_lines(array)
        if self.memory:
            drawn.memory = bytes_text(getattr(array, "nbytes", 0))
        drawn.title = _title(drawn, None, part.frame)
        return drawn

    def _group(self, part: Part) -> DrawnNode:
        drawn = DrawnNode(part.id, "group", name=part.title or "", short=part.title or "", module=part.frame.path, size=part.size)
        drawn.op = part.contents
        drawn.returned = part.returned
        if part.node is not None:  # the last of a chain: what leaves the group
            drawn.shape = tuple(np.shape(part.node.out))
            drawn.dtype = str(part.node.out.dtype)
        worst = [self.verdicts[n] for n in part.members if n in self.verdicts]
        for verdict in ("wrong", "unknown", "ok"):
            found = [note for v, note in worst if v == verdict]
            if found:
                drawn.verdict, drawn.note = verdict, found[0]
                break
        drawn.title = (drawn.name, drawn.op, f"{part.size:,} nodes")
        return drawn


def _title(drawn: DrawnNode, node: Node | None, frame: Frame) -> tuple[str, ...]:
    lines = [drawn.name, f"{drawn.kind}{': ' if drawn.op else ''}{drawn.op}", f"shape {drawn.shape}, {drawn.dtype}"]
    if drawn.module:
        lines.append(f"in {frame.path if frame.kind == 'module' else frame.title}")
    for what, text in (("value", drawn.value), ("gradient", drawn.gradient), ("rule", drawn.rule)):
        if text:
            lines += [f"{what}:", *text] if len(text) > 1 else [f"{what}: {text[0]}"]
    if drawn.order:
        lines.append(f"step {drawn.order} of the reverse sweep")
    if drawn.memory:
        lines.append(f"memory: {drawn.memory}")
    if drawn.verdict:
        lines.append(f"{drawn.verdict}: {drawn.note}")
    if node is not None and node.site:
        place = re.split(r"[\\/]", node.site)[-1]  # the file, not where it lies on its author's machine
        lines.append(f"at {place}")
    return tuple(line for line in lines if line)


def _short(name: str, frame: Frame) -> str:
    """Return the name that is enough inside a frame: ``weight`` for ``layers.0.weight``."""
    prefix = next((each.prefix for each in frame.around() if each.prefix), "")
    return name.removeprefix(prefix) if prefix != name else name


def _call(graph: Graph, node: Node) -> str:
    """Write the operation as a call that shows what is not drawn: attributes and scalar operands (a dot stands for an edge)."""
    assert node.op is not None
    attributes = graph.attributes(node)
    if read := reading(node, _operand(graph, node) if node.op.name == "getitem" else "", attributes):
        return read
    operands = []
    scalars = False
    for parent, value in zip(node.parents[: len(node.values)], node.values, strict=True):
        array = value_of(value)
        if parent is not None or np.ndim(array):
            operands.append("·")
        elif array is not None:
            scalars = True
            name = graph.names.get(id(array), ("",))[0]
            operands.append(f"{name} = {_number(array)}" if name else _number(array))
    attrs = [shorten(text, LONGEST_ATTRIBUTE) for key, text in attributes.items() if node.attrs[key] is not None]
    inside = [*(operands if scalars else []), *attrs]
    return f"{node.op.name}({', '.join(inside)})" if inside else node.op.name


def _number(array: Any) -> str:
    number = array.item() if hasattr(array, "item") and np.size(array) == 1 else array
    return f"{number:.6g}" if isinstance(number, float) else reprlib.repr(number)


def _operand(graph: Graph, node: Node) -> str:
    """Return the last piece of the name of what an operation reads, or a dot."""
    name = next(iter(graph.operands(node))).name or "·"
    return shown(name.rpartition(".")[2] or name)


MANY = 4  # an operation that reads one result more often than this has one edge with a number
_COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum"})


def _edges(net: Net, *, backward: bool) -> list[DrawnEdge]:
    edges: list[DrawnEdge] = []
    flows: list[DrawnEdge] = []
    for part in net.parts:
        node = part.node
        numbered = len(part.operands) > 1 and part.title is None
        numbered = numbered and node is not None and node.op is not None and node.op.name not in _COMMUTATIVE
        uses: dict[int, list[int]] = {}
        for source, position in part.operands:
            uses.setdefault(source, []).append(position)
        for source, positions in uses.items():
            other = net.parts[source]
            if len(positions) > MANY:
                edges.append(DrawnEdge(other.id, part.id, f"×{len(positions):,}"))
            else:
                edges += [DrawnEdge(other.id, part.id, str(p + 1) if numbered else "") for p in positions]
            if backward and any(_flows(part, other, p) for p in positions):
                flows.append(DrawnEdge(part.id, other.id, backward=True))
    return edges + flows


def _flows(part: Part, source: Part, position: int) -> bool:
    """Whether a gradient goes back along an edge."""
    if source.node is None or part.node is None or part.title is not None or source.title is not None:
        return source.needs and part.needs
    op = part.node.op
    if op is None or not source.node.needs:
        return False
    rule = op.rules[0 if op.joint else position] if op.rules else None
    return op.kind != "constant" and rule is not None and not (isinstance(rule, int) and rule == 0)
