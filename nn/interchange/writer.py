"""The graph that is being written: names, nodes, initialisers, and sizes that follow the batch as computations of its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.errors import ExportError
from nn.interchange.following import Counted, Dim, Repeated, Size, Unknown
from nn.interchange.recording import Step

__all__ = ["Part", "Writer"]


class Part(NamedTuple):
    """A range of the last axis of a result: of all steps, which are the first axis, or without that axis of the last step."""

    start: int
    stop: int
    name: str
    of_last: bool


class Writer:
    """Nodes and initialisers of an ONNX graph.

    Attributes
    ----------
    nodes, initialisers : list
        Protocol buffers, in the order in which they were added.
    opset : int
        The version of the operators.
    """

    def __init__(self, opset: int, dtype: Any, batch: tuple[str, int] | None, state: dict[int, str]) -> None:
        self.opset = opset
        self.nodes: list[Any] = []
        self.initialisers: list[Any] = []
        self._dtype = np.dtype(dtype)
        self._batch = batch  # an input, and the axis along which it has the batch
        self._state = state  # id of an array -> its name in the state_dict
        self._known: dict[Any, str] = {}
        self._kept: list[Any] = []  # so that an id is one array's alone
        self._taken: set[str] = set()
        self._scope = ""
        self.parts: dict[Step, list[Part]] = {}
        """What there is of results that ONNX returns in part alone."""

    # --- names

    def name(self, wanted: str) -> str:
        """Return a name that nothing else has."""
        name, n = wanted, 1
        while name in self._taken:
            n += 1
            name = f"{wanted}_{n}"
        self._taken.add(name)
        return name

    def enter(self, step: Step) -> None:
        """Let what is added be called after the module of a Step."""
        self._scope = f"{step.scope}/" if step.scope else ""

    def made(self, step: Step, name: str) -> None:
        """Note what a Step's result is called."""
        self._known[step] = name

    def output(self, step: Step, name: str) -> None:
        """Call the result of a Step by the name of an output."""
        old = self._known[step]
        maker = next((node for node in self.nodes if old in node.output), None)
        if maker is None:
            self._scope = ""
            old = self.add("Identity", old)
            maker = self.nodes[-1]
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if other == old else other for other in names]
        self._known[step] = name

    def prune(self, outputs: Sequence[str]) -> None:
        """Drop the nodes and initialisers that no output is computed from: another operator may do what they did."""
        needed = set(outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                kept.append(node)
                needed.update(node.input)
        self.nodes = kept[::-1]
        self.initialisers = [array for array in self.initialisers if array.name in needed]

    # --- dtypes

    def dtype(self, dtype: Any) -> Any:
        """Return the dtype that stands for one of NumPy's: floats are all of the file's."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "biuf":
            raise ExportError(f"{dtype} is not covered; real numbers, integers and booleans are")
        return self._dtype if dtype.kind == "f" else dtype

    def code(self, dtype: Any) -> int:
        """Return ONNX's number for a dtype."""
        import onnx

        return int(onnx.helper.np_dtype_to_tensor_dtype(self.dtype(dtype)))

    def cast(self, name: str, dtype: Any) -> str:
        """Return what has the values of `name` in another dtype."""
        return self.add("Cast", name, to=self.code(dtype))

    # --- nodes

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return what that is called; an input that is left out is an empty text."""
        return self.several(kind, inputs, 1, **attributes)[0]

    def several(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Add a node, and return what its outputs are called."""
        import onnx

        names = [self.name(f"{self._scope}{kind}") for _ in range(outputs)]
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        self.nodes.append(onnx.helper.make_node(kind, inputs, names, name=names[0], **attributes))
        return names

    # --- operands

    def operand(self, x: Any, dtype: Any = None) -> str:
        """Return what an operand is called, in a dtype if one is asked for."""
        if isinstance(x, Unknown):
            raise ExportError(f"an operand {x.reason}")
        if isinstance(x, Step):
            if x in self.parts:
                raise ExportError(f"an operand is the whole result of {x.kind.removeprefix('nn.')}, of which ONNX returns parts")
            name = self._known[x]
            return name if dtype is None or self.dtype(dtype) == self.dtype(x.dtype) else self.cast(name, dtype)
        if isinstance(x, Repeated):
            return self.add("Expand", self.constant(x.one, dtype), self.ints(x.shape))
        if isinstance(x, Counted):
            return self._counted(x, dtype)
        if isinstance(x, Size):
            number = self.add("Squeeze", self.size(x))
            return number if dtype is None else self.cast(number, dtype)
        if not isinstance(x, (bool, int, float, np.ndarray)):
            raise ExportError(f"an operand of type {type(x).__name__} is not covered")
        return self.constant(x, dtype)

    def _counted(self, x: Counted, dtype: Any) -> str:
        *_, size = [n for n in x.shape if isinstance(n, Size)]
        count = self.add("Squeeze", self.size(size))
        end = self.add("Add", self.add("Mul", count, self.number(x.step)), self.number(x.start))
        numbers = self.add("Range", self.number(x.start), end, self.number(x.step))
        if len(x.shape) > 1:
            numbers = self.add("Reshape", numbers, self.ints(x.shape))
        return self.cast(numbers, dtype or x.dtype)

    def constant(self, x: Any, dtype: Any = None) -> str:
        """Return the initialiser of an array or number; what is part of the state has its name."""
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
        dtype = self.dtype(array.dtype if dtype is None else dtype)
        one = array.ndim == 0 and id(x) not in self._state
        key = ("number", repr(array.item()), dtype) if one else ("array", id(x), dtype)
        if key not in self._known:
            with np.errstate(over="ignore"):  # a number beyond the file's is infinite, as in a mask
                self._known[key] = self._initialiser(array.astype(dtype), self._called(x))
            self._kept.append(x)
        return self._known[key]

    def _called(self, x: Any) -> str:
        """Return the name of an array, or of the one that it is all of in another shape."""
        while isinstance(x, np.ndarray):
            if id(x) in self._state:
                return self._state[id(x)]
            x = x.base if isinstance(x.base, np.ndarray) and x.base.size == x.size else None
        return f"{self._scope}constant"

    def _initialiser(self, array: Any, wanted: str) -> str:
        import onnx

        name = self.name(wanted)
        self.initialisers.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def number(self, n: int) -> str:
        """Return the initialiser of an integer."""
        return self.constant(int(n), np.int64)

    # --- sizes

    def ints(self, sizes: Sequence[Dim]) -> str:
        """Return a vector of integers, some of which may follow the batch."""
        if not any(isinstance(n, Size) for n in sizes):
            key = ("ints", tuple(sizes))
            if key not in self._known:
                self._known[key] = self._initialiser(np.array(sizes, np.int64), "sizes")
            return self._known[key]
        parts = [self.size(n) if isinstance(n, Size) else self.ints([n]) for n in sizes]
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=0)

    def size(self, n: Size) -> str:
        """Return a vector of the one number that follows the batch."""
        if n not in self._known:
            assert self._batch is not None  # nothing follows what is not there
            scope, self._scope = self._scope, ""
            name, axis = self._batch
            if n == Size(1):
                found = self.add("Shape", name, start=axis, end=axis + 1)
            else:
                found = self.size(Size(1))
                found = found if n.each == 1 else self.add("Mul", found, self.ints([n.each]))
                found = self.add("Add", found, self.ints([n.more])) if n.more else found
            self._scope, self._known[n] = scope, found
        return self._known[n]

    def reshape(self, name: str, sizes: Sequence[Dim]) -> str:
        """Return the elements of `name` in another shape; a single size that follows the batch is left to the operator."""
        if 0 in sizes:
            return self.add("Reshape", name, self.ints(sizes), allowzero=1)
        alone = sum(isinstance(n, Size) for n in sizes) == 1
        return self.add("Reshape", name, self.ints([-1 if alone and isinstance(n, Size) else n for n in sizes]))
