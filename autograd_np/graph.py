"""Graph: what was recorded, in topological order, for every reader (drawing, checking, exporting).

A Graph is made from results, or by `autograd_np.trace`. It is read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients
from autograd_np.indices import index_text
from autograd_np.lines import Call, Lines
from autograd_np.node import EAGER, Node
from autograd_np.op import RESULT, STEP, Op
from autograd_np.sweeps import topological
from autograd_np.tensor import Tensor, handle, value_of
from autograd_np.text import shown, shown_list
from autograd_np.typing import Array

if TYPE_CHECKING:
    from pathlib import Path

    import graphviz

__all__ = ["Call", "Constant", "Graph", "Operation", "graph", "is_parameter", "operation", "reading"]


class Constant:
    """An operand that no Node made: an array or a number, with the name it had in the user's function."""

    __slots__ = ("name", "out")

    def __init__(self, out: Any, name: str | None = None) -> None:
        self.out = out
        self.name = name


class Graph:
    """Recorded operations in topological order.

    Attributes
    ----------
    nodes : tuple of Node
        Operations and leaves; every node comes after the ones it depends on.
    outputs : tuple of Node
        The results the graph was made from.
    names : dict
        ``id(array)`` -> name, for constants that `trace` saw in the user's variables.
    modules : dict
        Path -> class name of the modules that ``nn.Module.graph`` saw; empty otherwise.
    made_by : tuple or None
        The function that was traced and its arguments; ``None`` for a graph that was recorded otherwise.
    again : callable or None
        Traces that function anew: ``graph.again(*inputs)`` is the graph of a run with other arguments.
    gradient_nodes : frozenset of Node
        Of a joint graph (`Graph.backward`), the Nodes of its backward pass.
    lines : Lines or None
        Which line of the user's recorded each Node, of a graph that was traced.

    Examples
    --------
    >>> import autograd_np as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> print(ag.graph(x * x + 1.0))
    x    : parameter () float64
    n1   = multiply(x, x)              () float64
    n2   = add(n1, 1.0)                () float64
    return n2
    """

    def __init__(self, outputs: Sequence[Node], *, names: dict[int, tuple[str, Any]] | None = None) -> None:
        self.outputs = tuple(outputs)
        self.nodes = tuple(reversed(topological(self.outputs)))
        self.names = names or {}
        self.modules: dict[str, str] = {}
        self.made_by: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
        self.again: Callable[..., Graph] | None = None
        self.gradient_nodes: frozenset[Node] = frozenset()
        self.lines: Lines | None = None
        self._position = {node: i for i, node in enumerate(self.nodes)}
        self.validate()

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the user's functions by the one that was traced, in the order in which they began."""
        return () if self.lines is None else self.lines.calls

    def id_of(self, node: Node) -> str:
        """Return a stable id: the position in topological order, so the same program gives the same ids."""
        return f"n{self._position[node]}"

    def label_of(self, node: Node) -> str:
        """Return the user's name for a node, or its id."""
        return node.name or self.id_of(node)

    def operands(self, node: Node) -> list[Node | Constant]:
        """Return what an operation was applied to: Nodes, and Constants where no Node made the operand.

        After the operands of a traced operation come the Nodes that its attributes (an index) were read from.
        """
        count = len(node.values)
        operands = [self._constant(v) if p is None else p for p, v in zip(node.parents[:count], node.values, strict=True)]
        return operands + [p for p in node.parents[count:] if p is not None]

    def attributes(self, node: Node, label: Callable[[Node], str] | None = None) -> dict[str, str]:
        """Return the attributes of an operation as text, ``axis=0``, with the labels of the Nodes that they were read from.

        An index is what stands between brackets: ``index=[:, 0:8]``. A `label` says what Nodes are called, if not as in `label_of`.
        """
        label = label or self.label_of
        read = {id(value_of(p.out)): shown(label(p)) for p in node.parents[len(node.values) :] if p is not None}
        told = {k: _attribute(v, read) for k, v in node.attrs.items()}
        if "index" in told and node.op not in (RESULT, STEP):
            told["index"] = f"[{index_text(node.attrs['index'], lambda v: _place(v, read))}]"
        return {k: f"{k}={text}" for k, text in told.items()}

    def _constant(self, value: Any) -> Constant:
        own = value.name if isinstance(value, Tensor) else None
        return Constant(value, own or self.names.get(id(value_of(value)), (None, None))[0])

    @property
    def leaves(self) -> tuple[Node, ...]:
        """The inputs and parameters: nodes that no operation made."""
        return tuple(n for n in self.nodes if n.op is None)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the leaves that are Tensors with ``requires_grad``, not inputs of the traced function."""
        return tuple(n.name for n in self.leaves if n.name and is_parameter(n))

    def find(self, name: str) -> Node:
        """Return the node with this name; raises KeyError with the names there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node is named {shown(name)!r}; there are {', '.join(shown(n.name) for n in self.nodes if n.name) or 'none'}")

    def result(self, output: Node | str | None = None) -> Node:
        """Return the node that gradients are of.

        Parameters
        ----------
        output : Node or str, optional
            A node, or its name. By default the only output. Of several it is the real number that is called loss or cost, or the first
            output if that is a real number, or the only one that is: a function that returns ``(cost, cache)`` has the cost for a result.

        Returns
        -------
        Node

        Raises
        ------
        DifferentiationError
            If no node has this name, or several outputs could be meant.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> def forward(W, x):
        ...     z = W @ x
        ...     cost = np.sum(z * z)
        ...     return cost, (W, z)
        >>> graph = ag.trace(forward, np.ones((2, 3)), np.ones(3))
        >>> graph.result().name, [node.name for node in graph.saved], graph.result("z").out
        ('cost', ['W', 'z'], array([3., 3.]))
        """
        if output is not None:
            return self._chosen(output)
        if len(self.outputs) == 1:
            return self.outputs[0]
        numbers = [n for n in self.outputs if n.needs and np.shape(n.out) == () and n.out.dtype.kind == "f"]
        called = [n for n in numbers if any(word in (n.name or "").lower() for word in ("loss", "cost"))]
        if called or numbers[:1] == [self.outputs[0]] or len(numbers) == 1:
            return (called or numbers)[0]
        raise errors.DifferentiationError(
            f"gradients belong to one result, and there are {len(self.outputs)} ({shown_list(map(self.label_of, self.outputs))}); "
            f"choose one by its name with output="
        )

    def _chosen(self, output: Node | str) -> Node:
        for node in self.nodes:
            if output is node or (isinstance(output, str) and output in (node.name, self.id_of(node))):
                return node
        named = shown_list(n.name for n in self.nodes if n.op is not None and n.name)
        raise errors.DifferentiationError(
            f"no node is named {shown(output)!r}, to take gradients of; there are {named}, and ids n0 to n{len(self) - 1}"
        )

    @property
    def saved(self) -> tuple[Node, ...]:
        """The outputs beside the `result`, if that is clear: what a forward pass hands to its backward pass."""
        try:
            result = self.result()
        except errors.DifferentiationError:
            return ()
        return tuple(n for n in self.outputs if n is not result)

    def gradients(self, seed: Any = None, *, output: Node | str | None = None) -> dict[Node, Array]:
        """Return the gradient of the result at *every* node that has one.

        Parameters
        ----------
        seed : array_like, optional
            The cotangent of the result; 1 for a real number, and needed for anything else.
        output : Node or str, optional
            Which result: see `result`.

        Raises
        ------
        DifferentiationError
            If several outputs could be meant, or the result is not a scalar and there is no seed.
        """
        root = self.result(output)
        if seed is None and root.out.size != 1:
            raise errors.DifferentiationError(f"the output has shape {np.shape(root.out)}; pass a seed of that shape")
        if seed is None and root.out.dtype.kind == "c":
            raise errors.DifferentiationError(f"the output is {root.out.dtype}, and gradients are those of a real number; pass a seed")
        seed = np.ones_like(root.out) if seed is None else np.asarray(seed, root.out.dtype)
        seen: dict[Node, Array] = {}
        gradients({root: seed}, seen)
        return seen

    # --- derivations: given by `autograd_np.derivations`, a floor above

    def backward(self, wrt: str | Sequence[str] | None = None) -> Graph:
        """Return forward and backward as one graph.

        Parameters
        ----------
        wrt : str or sequence of str, optional
            The leaves whose gradients are wanted, by name; every floating one if left out.

        Returns
        -------
        Graph
            Its outputs are the result and then the gradients. The gradient of a variable ``Z1`` is called ``dZ1``; the Nodes of the
            backward pass are in `gradient_nodes`.

        Raises
        ------
        DifferentiationError
            If no leaf has such a name.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> def f(x):
        ...     y = np.sin(x)
        ...     return np.sum(y * y)
        >>> print(ag.trace(f, np.ones(3)).backward())
        """
        raise NotImplementedError

    def simplify(self, *, explain: bool = False) -> Any:
        """Return the graph with its operations simplified: the same values in fewer steps, or in steps that do not overflow.

        Parameters
        ----------
        explain : bool
            Return also how often each rule fired, by its name.

        Returns
        -------
        Graph, or (Graph, dict)

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> print(ag.trace(lambda z: np.log(1 / (1 + np.exp(-z))), np.ones(3)).simplify())
        z    : leaf (3,) float64
        n1   = log_sigmoid(z)              (3,) float64
        return n1
        """
        raise NotImplementedError

    def to_numpy(self, wrt: str | Sequence[str] | None = None, *, typed: bool = False) -> str:
        """Return forward and backward as NumPy that a person would write; see `autograd_np.derivations`."""
        raise NotImplementedError

    def to_latex(self, wrt: str | Sequence[str] | None = None, *, index: bool = False, document: bool = True) -> str:
        """Return the derivation of the gradients as LaTeX, step by step; see `autograd_np.derivations.face.Derivation.to_latex`."""
        raise NotImplementedError

    # --- drawing: given by `autograd_np.render`, the floor above

    def to_dot(self, *, direction: Literal["auto", "TB", "LR"] = "auto") -> graphviz.Digraph:
        """Return the graph as DOT text with stable ids."""
        raise NotImplementedError

    def render(self, path: str | Path, **options: Any) -> Path:
        """Draw the graph into a .svg, .dot, .gv, .png or .pdf file."""
        raise NotImplementedError

    def explore(
        self, path: str | Path | None = None, *, live: bool = False, output: Node | str | None = None, seed: Any = None, **options: Any
    ) -> Any:
        """Write an .html page that steps through the evaluation and the reverse sweep; see `autograd_np.explorer.explore`.

        With ``live=True`` nothing is written: numbers can be changed on the page, and Python computes; see `autograd_np.live.showing`.
        """
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return what Jupyter shows."""
        raise NotImplementedError

    def validate(self) -> None:
        """Check that every node stands after its operands and that shapes are known.

        Raises
        ------
        DifferentiationError
            If the graph is not well formed, which would be a defect of this library.
        """
        for i, node in enumerate(self.nodes):
            for parent in node.parents:
                if parent is not None and self._position[parent] >= i:
                    raise errors.DifferentiationError(f"{node!r} stands before its operand {parent!r}")
            if node.op is not None and len(node.parents) < len(node.values):
                raise errors.DifferentiationError(f"{node!r} has {len(node.parents)} parents and {len(node.values)} values")

    def __str__(self) -> str:
        lines = []
        for node in self.nodes:
            what = f"{np.shape(node.out)} {node.out.dtype}"
            if node.op is None:
                role = "parameter" if is_parameter(node) else "leaf"
                lines.append(f"{shown(self.label_of(node)):4} : {role} {what}")
                continue
            count = len(node.values)
            operands = [shown(self.label_of(p) if isinstance(p, Node) else p.name or _short(p.out)) for p in self.operands(node)[:count]]
            call = reading(node, operands[0], self.attributes(node)) if operands else ""
            if not call:
                call = f"{shown(node.op.name)}({', '.join([*operands, *self.attributes(node).values()])})"
            lines.append(f"{f'{shown(self.label_of(node)):4} = {call}':34} {what}")
        return "\n".join([*lines, f"return {', '.join(shown(self.label_of(n)) for n in self.outputs)}"])

    def __repr__(self) -> str:
        return f"<Graph of {len(self.nodes)} nodes, {len(self.leaves)} leaves>"


def _short(x: Any) -> str:
    return repr(x) if isinstance(x, (float, int)) else str(x) if np.size(x) == 1 else f"array{np.shape(x)}"


def is_parameter(leaf: Node) -> bool:
    """Whether a leaf was made with ``requires_grad=True``, be it in the graph itself or a Tensor that a traced function uses."""
    return leaf.op is None and leaf.needs and (leaf.level is EAGER or (isinstance(leaf.out, Tensor) and leaf.out.requires_grad))


def reading(node: Node, operand: str, attributes: Mapping[str, str]) -> str:
    """Write an operation that reads a part of its operand as Python does, ``x[:, 0:8]``; return nothing for other operations."""
    if node.op in (RESULT, STEP):
        return operand + str(value_of(node.values[0]).name_of(node.attrs["index"]))
    return operand + attributes["index"].removeprefix("index=") if node.op is not None and node.op.name == "getitem" else ""


def _place(value: Any, read: dict[int, str]) -> str:
    """Write what stands in a place of an index: arrays of places as lists."""
    if id(value) not in read and isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) < 2:
        value = value.tolist()
    return _attribute(value, read)


LONG = 10


def _attribute(value: Any, read: dict[int, str]) -> str:
    """Write an attribute: the label of the Node it was read from, a short form of arrays."""
    if id(value) in read:
        return read[id(value)]
    if type(value) in (tuple, list):
        shown_of = list(value) if len(value) <= LONG else [*value[: LONG // 2], ..., value[-1]]
        inside = ", ".join("…" if v is ... and len(value) > LONG else _attribute(v, read) for v in shown_of)
        return f"[{inside}]" if type(value) is list else f"({inside},)" if len(value) == 1 else f"({inside})"
    if type(value) is slice:
        return f"slice({', '.join(_attribute(v, read) for v in (value.start, value.stop, value.step))})"
    return repr(value) if np.ndim(value) < 2 and np.size(value) < LONG else f"array{np.shape(value)}"


def graph(tensor: Tensor) -> Graph:
    """Return the Graph a Tensor was computed by.

    Parameters
    ----------
    tensor : Tensor
        A result, or a leaf.

    Returns
    -------
    Graph

    Raises
    ------
    DifferentiationError
        If nothing was recorded for it.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> ag.graph(np.sum(w * w))
    <Graph of 3 nodes, 1 leaves>
    """
    if not isinstance(tensor, Tensor) or tensor._node is None:
        raise errors.DifferentiationError(
            "ag.graph needs a Tensor that was computed from one with requires_grad=True; for a function of arrays use ag.trace(f, *inputs)"
        )
    return Graph([tensor._node])


class Operation(NamedTuple):
    """The operation that made a Tensor: the row of the table, what it was applied to, and its attributes."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]


def operation(tensor: Tensor) -> Operation | None:
    """Return the operation that made a Tensor, so that a function can build on what its argument was computed from.

    Parameters
    ----------
    tensor : Tensor
        A result.

    Returns
    -------
    Operation or None
        Its `operands` are Tensors that share the recorded graph, or plain arrays and numbers where nothing was
        recorded. ``None`` for leaves and constants.

    Examples
    --------
    >>> import autograd_np as ag
    >>> z = ag.Tensor(0.5, requires_grad=True, name="z")
    >>> made = ag.operation(ag.sigmoid(z))
    >>> made.op is ag.sigmoid.op, made.operands
    (True, (Tensor(0.5, requires_grad=True, name='z'),))
    """
    node = tensor._node
    if node is None or node.op is None:
        return None
    return Operation(node.op, tuple(operands_of(node)), node.attrs)


def operands_of(node: Node) -> list[Any]:
    """Return what an operation was applied to, as Tensors where something was recorded."""
    return [v if p is None else handle(v, p) for p, v in zip(node.parents, node.values)]  # noqa: B905 (parents may be more)
