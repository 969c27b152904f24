"""Graph -> DOT text, one DOT node a Node."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autograd_np.graph import Constant, Graph
from autograd_np.tensor import Node, value_of

if TYPE_CHECKING:
    import graphviz

__all__ = ["literal", "to_dot"]

# Form tells the roles apart; the fills (tints of the Okabe-Ito palette) only repeat it.
LEAF = {"shape": "ellipse", "fillcolor": "#d6ebf8"}
CONSTANT = {"shape": "note", "fillcolor": "#eeeeee"}
NUMBER = {"shape": "plaintext", "style": "", "margin": "0.02", "width": "0", "height": "0"}
OPERATION = {"shape": "box", "style": "filled,rounded", "fillcolor": "#ffffff"}
OUTPUT = {"peripheries": "2", "fillcolor": "#fbe3c2"}

FONT = {"fontname": "Helvetica,Arial,sans-serif", "fontsize": "11"}
COMMUTATIVE = frozenset({"add", "multiply"})
ZERO_WIDTH_JOINER = "\u200d"


def literal(text: str) -> str:
    r"""Return `text` as a piece of a DOT label that shows exactly this text.

    DOT reads backslashes, HTML entities and control characters in a label; here none of them means anything. Characters
    that cannot be seen are shown as Python escapes them, except the joiner inside composed emoji.

    Examples
    --------
    >>> print(literal("a\nb & <c>"))
    a\\nb &amp; <c>
    """
    seen = "".join(c if c.isprintable() or c == ZERO_WIDTH_JOINER else c.encode("unicode_escape").decode() for c in text)
    return seen.replace("\\", "\\\\").replace("&", "&amp;")


def _type_of(value: Any) -> str:
    return f"{np.shape(value)} {value.dtype}"


def _label(*lines: str | None) -> str:
    import graphviz

    label: str = graphviz.nohtml("\\n".join(literal(line) for line in lines if line))
    return label


def _operation(node: Node) -> str:
    assert node.op is not None
    attrs = ", ".join(f"{key}={reprlib.repr(value)}" for key, value in node.attrs.items())
    return f"{node.op.name}({attrs})" if attrs else node.op.name


def to_dot(graph: Graph, *, direction: Literal["TB", "LR"] = "TB") -> graphviz.Digraph:
    """Return the graph as DOT: the same program gives the same text.

    Leaves are ellipses, constants notes, operations rounded boxes, and results have a double border. Where
    the order of operands matters, the edges are numbered.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph` or `autograd_np.trace`.
    direction : {"TB", "LR"}
        Draw from top to bottom or from left to right.

    Returns
    -------
    graphviz.Digraph
        Its node ids are ``graph.id_of(node)``; ``.source`` is the text.

    Examples
    --------
    >>> import autograd_np as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> dot = ag.graph(x * x).to_dot()
    >>> print(*[line.strip() for line in dot.source.splitlines() if "->" in line])
    n0 -> n1 n0 -> n1
    """
    import graphviz

    dot = graphviz.Digraph(
        graph_attr={"rankdir": direction, "bgcolor": "white"},
        node_attr={**FONT, "style": "filled", "color": "#444444", "margin": "0.12,0.06"},
        edge_attr={
            **FONT,
            "fontsize": "9",
            "color": "#666666",
            "fontcolor": "#666666",
            "arrowsize": "0.7",
            "labeldistance": "1.7",
            "labelangle": "30",
        },
    )
    outputs = set(graph.outputs)
    constants: dict[int, str] = {}
    drawn = 0
    for node in graph:
        ends = OUTPUT if node in outputs else {}
        if node.op is None:
            dot.node(graph.id_of(node), _label(node.name or "leaf", _type_of(node.out)), **{**LEAF, **ends})
            continue
        dot.node(graph.id_of(node), _label(node.name, _operation(node), _type_of(node.out)), **{**OPERATION, **ends})
        operands = graph.operands(node)
        for i, operand in enumerate(operands):
            if isinstance(operand, Node):
                source = graph.id_of(operand)
            elif operand.out is None:
                continue
            else:
                # A number is drawn where it is used; an array once, however often it is used.
                value = value_of(operand.out)
                array = np.ndim(value) > 0
                source = constants.get(id(value), "") if array else ""
                if not source:
                    source = f"c{drawn}"
                    drawn += 1
                    _draw_constant(dot, source, operand, value, array)
                    if array:
                        constants[id(value)] = source
            numbered = {"headlabel": str(i + 1)} if len(operands) > 1 and node.op.name not in COMMUTATIVE else {}
            dot.edge(source, graph.id_of(node), **numbered)
    return dot


def _draw_constant(dot: graphviz.Digraph, id_: str, constant: Constant, value: Any, array: bool) -> None:
    if array:
        dot.node(id_, _label(constant.name or "constant", _type_of(value)), **CONSTANT)
    else:
        text = str(value) if isinstance(value, (np.generic, np.ndarray)) else reprlib.repr(value)
        dot.node(id_, _label(f"{constant.name} = {text}" if constant.name else text), **NUMBER)
