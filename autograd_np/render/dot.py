"""Drawing -> DOT text."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from autograd_np.graph import Graph
from autograd_np.render.drawing import Drawing, DrawnCluster, DrawnNode
from autograd_np.render.engine import draw
from autograd_np.render.metrics import box_of
from autograd_np.render.model import describe
from autograd_np.render.palette import DARK, FONT, FORM, LIGHT, MARKS, Palette, Theme
from autograd_np.text import shorten, visible

if TYPE_CHECKING:
    import graphviz

__all__ = ["Direction", "Line", "lines_of", "literal", "to_dot", "write"]

Direction = Literal["auto", "TB", "LR"]

LONGEST = 64  # characters of one line of a label
LARGE = 250  # boxes: from here on, straight edges and a coarser layout
STEPS = 3e6  # of the search for good places, times points: about a second
LENGTH = 15_000  # ranks passed by all edges together: above this, the longest edges (of at least LONG) are not drawn
LONG = 20


class Line(NamedTuple):
    """A line of a label, and what it tells: ``name``, ``op``, ``faint``, ``value``, ``gradient``, ``rule``."""

    text: str
    role: str


def literal(text: str) -> str:
    r"""Return `text` as a piece of a DOT label that shows exactly this text.

    DOT reads backslashes, HTML entities and control characters in a label; here none of them means anything.

    Examples
    --------
    >>> print(literal("a\nb & <c>"))
    a\\nb &amp; <c>
    """
    return visible(text).replace("\\", "\\\\").replace("&", "&amp;")


def lines_of(drawn: DrawnNode) -> list[Line]:
    """Return the label of a node, line by line; long lines are cut, and complete in the tooltip."""
    lines: list[Line] = []
    name = drawn.short or drawn.called or ("" if drawn.op else drawn.kind)
    head = f"{MARKS[drawn.verdict]} " if drawn.verdict else ""
    if name:
        lines.append(Line(f"{head}{_cut(name)}", "name"))
    if drawn.op:
        lines.append(Line(_cut(drawn.op), "op") if name else Line(f"{head}{_cut(drawn.op)}", "name"))
    if drawn.dtype:
        lines.append(Line(f"{drawn.shape} {drawn.dtype}", "faint"))
    if drawn.kind == "group" and drawn.size > 1:
        lines.append(Line(f"{drawn.size:,} nodes", "faint"))
    if drawn.memory:
        lines.append(Line(drawn.memory, "faint"))
    lines += [Line(_cut(text), "value") for text in drawn.value]
    lines += [Line(_cut(text), "rule") for text in drawn.rule]
    told = [f"← {drawn.order}"] if drawn.order else []
    if drawn.gradient:
        told.append("gradient" if len(drawn.gradient) > 1 else f"gradient {_cut(drawn.gradient[0])}")
    if told:
        lines.append(Line("  ".join(told), "gradient"))
    if len(drawn.gradient) > 1:
        lines += [Line(_cut(text), "gradient mono") for text in drawn.gradient]
    if drawn.note:
        lines += [Line(_cut(text), "note") for text in drawn.note.split("\n")]
    return lines


def _cut(text: str) -> str:
    return shorten(text, LONGEST)


def _label(lines: Iterable[str]) -> str:
    import graphviz

    label: str = graphviz.nohtml("\\n".join(literal(line).replace("  ", "\u00a0\u00a0") for line in lines))
    return label


def to_dot(graph: Graph, *, direction: Direction = "auto", theme: Theme = "light", **options: Any) -> graphviz.Digraph:
    """Return the graph as DOT: the same program gives the same text.

    Inputs are ellipses, parameters boxes with thick lines and sharp corners, constants notes with a dashed line, operations
    rounded boxes, groups have a third dimension, results a double border, and modules a frame. Where the order of operands
    matters, the edges are numbered; numbers stand in the operation.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph`, `autograd_np.trace` or ``nn.Module.graph``.
    direction : {"auto", "TB", "LR"}
        Draw from top to bottom or from left to right; by default, in the way that fills more of a screen.
    theme : {"light", "dark", "auto"}
        Colours; ``"auto"`` is light in DOT.
    **options
        What to show: see `autograd_np.render.describe`.

    Returns
    -------
    graphviz.Digraph
        Its node ids are ``graph.id_of(node)``; ``.source`` is the text. In Jupyter it shows itself, with or without Graphviz's ``dot``.

    Examples
    --------
    >>> import autograd_np as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> dot = ag.graph(x * x).to_dot()
    >>> print(*[line.strip() for line in dot.source.splitlines() if "->" in line])
    n0 -> n1 n0 -> n1
    """
    return write(describe(graph, **options), direction=direction, theme=theme)


@functools.cache
def _digraph() -> type[graphviz.Digraph]:
    """Return graphviz's class, made to show itself in Jupyter where there is no ``dot``."""
    import graphviz

    class Digraph(graphviz.Digraph):  # type: ignore[misc]
        """DOT text that shows itself as a picture."""

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:  # noqa: ARG002 (Jupyter's signature)
            return {"image/svg+xml": draw(self.source).decode(), "text/plain": self.source}

    return Digraph


def write(drawing: Drawing, *, direction: Direction = "auto", theme: Theme = "light") -> graphviz.Digraph:
    """Return a Drawing as DOT."""
    palette = DARK if theme == "dark" else LIGHT
    spans = _spans(drawing)
    cut = _too_long(drawing, spans)
    edge = {"fontname": FONT, "fontsize": "9", "color": palette.edge, "fontcolor": palette.faint, "arrowsize": "0.7"}
    dot = _digraph()(
        graph_attr={
            "rankdir": _direction(drawing) if direction == "auto" else direction,
            "bgcolor": palette.paper,
            "fontname": FONT,
            "fontsize": "10",
            "fontcolor": palette.faint,
            "ranksep": "0.35",
            "nodesep": "0.25",
            **_layout(drawing, spans),
        },
        node_attr={"fontname": FONT, "fontsize": "11", "fontcolor": palette.ink, "style": "filled", "margin": "0.14,0.06", "height": "0.3"},
        edge_attr={**edge, "labeldistance": "1.7", "labelangle": "30"},
    )
    notes = list(drawing.notes)
    if cut:
        notes.append(
            f"{sum(map(len, cut.values())):,} edges that are too long to follow end in dotted boxes that name where they come from"
        )
    if notes:
        dot.attr(label=_label(notes), labelloc="b", labeljust="l")
    _write_nodes(dot, drawing, palette)
    for target, sources in cut.items():
        named = ", ".join(sources[:3]) + (f" … {sources[-1]} ({len(sources):,} results)" if len(sources) > 3 else "")
        dot.node(
            f"far_{target}", _label([named]), shape="box", style="dotted", color=palette.edge, fontcolor=palette.faint, **{"class": "far"}
        )
        dot.edge(f"far_{target}", target, style="dotted")
    for i, e in enumerate(drawing.edges):
        extra: dict[str, str] = {}
        if i not in spans and not e.backward:
            continue
        if e.label:
            extra["headlabel"] = literal(e.label)
        if e.backward:
            extra |= {"class": "back", "color": palette.gradient, "style": "dashed", "constraint": "false", "arrowhead": "vee"}
        dot.edge(e.source, e.target, **extra)
    return dot


SCREEN = (16, 9)


def _direction(drawing: Drawing) -> str:
    """Return the direction in which the picture, laid out roughly, can be shown larger on a screen."""
    if len(drawing.nodes) >= LARGE:
        return "TB"
    rank: dict[str, int] = {}
    sources: dict[str, list[str]] = {}
    for e in drawing.edges:
        if not e.backward:
            sources.setdefault(e.target, []).append(e.source)
    rows: dict[int, list[tuple[float, float]]] = {}
    for drawn in drawing.nodes:
        rank[drawn.id] = 1 + max((rank.get(source, 0) for source in sources.get(drawn.id, ())), default=-1)
        rows.setdefault(rank[drawn.id], []).append(box_of(lines_of(drawn), drawn.kind))

    def scale(along: int) -> float:
        """Return how large the picture is on the screen if the ranks follow each other along one of its axes."""
        length = sum(max(size[along] for size in row) + 25 for row in rows.values())
        breadth = max((sum(size[1 - along] + 18 for size in row) for row in rows.values()), default=1.0)
        return min(SCREEN[along] / max(length, 1.0), SCREEN[1 - along] / breadth)

    return "LR" if scale(0) > scale(1) else "TB"


def _layout(drawing: Drawing, spans: Mapping[int, int]) -> dict[str, str]:
    """Return settings that keep the layout of large graphs fast: less search for the best places, straight edges."""
    nodes = len(drawing.nodes)
    if nodes < LARGE:
        return {}
    points = nodes + sum(spans.values())  # Graphviz bends an edge at every rank that it passes
    return {"nslimit": f"{min(1, STEPS / points / nodes):.3g}", "nslimit1": "2", "mclimit": "0.1", "searchsize": "10", "splines": "line"}


def _spans(drawing: Drawing) -> dict[int, int]:
    """Return how many ranks each edge passes, by its position among the edges, if every node is drawn just before its first reader."""
    out: dict[str, list[int]] = {}
    for i, e in enumerate(drawing.edges):
        if not e.backward:
            out.setdefault(e.source, []).append(i)
    above_end: dict[str, int] = {}
    spans: dict[int, int] = {}
    for drawn in reversed(drawing.nodes):
        edges = out.get(drawn.id, ())
        readers = {i: above_end.get(drawing.edges[i].target, 0) for i in edges}
        rank = above_end[drawn.id] = 1 + max(readers.values(), default=0)
        spans |= {i: max(1, rank - reader) for i, reader in readers.items()}
    return spans


def _too_long(drawing: Drawing, spans: dict[int, int]) -> dict[str, list[str]]:
    """Take the longest edges out of `spans` where there is too much of them to lay out or to follow; return sources by target."""
    excess = sum(spans.values()) - LENGTH - 4 * len(drawing.nodes)
    cut: dict[str, list[str]] = {}
    if len(drawing.nodes) < LARGE or excess <= 0:
        return cut
    for i in sorted(spans, key=lambda i: -spans[i]):
        if excess <= 0 or spans[i] < LONG:
            break
        excess -= spans.pop(i)
        cut.setdefault(drawing.edges[i].target, []).append(drawing.edges[i].source)
    return cut


def _write_nodes(dot: graphviz.Digraph, drawing: Drawing, palette: Palette) -> None:
    inside: dict[str, list[DrawnNode]] = {}
    for drawn in drawing.nodes:
        inside.setdefault(drawn.module, []).append(drawn)
    bodies: dict[str, graphviz.Digraph] = {"": dot}
    for i, cluster in enumerate(drawing.clusters):
        bodies[cluster.path] = _frame(i, cluster, palette)
    for path, body in bodies.items():
        for drawn in inside.get(path, ()):
            _write_node(body, drawn, palette)
    for cluster in reversed(drawing.clusters):  # innermost first: a body is copied when it is put into its parent
        bodies[cluster.parent].subgraph(bodies[cluster.path])


def _frame(i: int, cluster: DrawnCluster, palette: Palette) -> graphviz.Digraph:
    import graphviz

    return graphviz.Digraph(
        f"cluster_{i}",
        graph_attr={
            "label": _label([_cut(cluster.title)]),
            "id": f"frame{i}",
            "style": "rounded,filled,dashed" if cluster.kind in ("turn", "turns") else "rounded,filled",
            "bgcolor": palette.frame.fill,
            "pencolor": palette.frame.line,
            "fontcolor": palette.faint,
            "labeljust": "l",
            "labelloc": "t",
            "margin": "10",
        },
    )


def _write_node(dot: graphviz.Digraph, drawn: DrawnNode, palette: Palette) -> None:
    form = dict(FORM[drawn.kind])
    if drawn.returned:
        form["peripheries"] = "2"
    tone = palette.kinds[drawn.kind]
    classes: str = drawn.kind
    if drawn.verdict:
        tone = palette.verdicts[drawn.verdict]
        classes += f" is-{drawn.verdict}"
        if drawn.verdict == "wrong":
            form["penwidth"] = "2.5"
        elif drawn.verdict == "unknown":
            form["style"] = "filled,dashed"
    lines = lines_of(drawn)
    form["width"] = f"{box_of(lines, drawn.kind)[0] / 72:.2f}"  # Graphviz measures other fonts than readers have
    dot.node(drawn.id, _label(line.text for line in lines), id=drawn.id, fillcolor=tone.fill, color=tone.line, **{"class": classes}, **form)
