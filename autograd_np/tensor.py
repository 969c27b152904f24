"""Tensor, an array that records what is done to it, and how an operation is recorded.

A Tensor is a handle: `data` (an ndarray or any NumPy-protocol array) and the Node that says where it
came from. The graph is made of Nodes alone, so a Tensor can be written in place, by pointing it to
a new Node, without touching what earlier operations recorded; and there are no reference cycles.

An operation belongs to the newest level among its operands; operands of older levels are constants to
it, and since they stay Tensors inside `values`, the outer level records the same computation for itself.

Only what recording needs may live here. What else a Tensor can do is given by the floors above.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from autograd_np import errors, ops
from autograd_np.anomaly import check_forward, keep
from autograd_np.attributes import mapped
from autograd_np.callers import asked_by, asking_library, call_site, leaves_the_turn, stores_into_array
from autograd_np.calls import bind, no_row, plain, refuse_other_meanings, value_of
from autograd_np.elsewhere import device_of
from autograd_np.memory import owner
from autograd_np.mirrored import import_line
from autograd_np.modes import DEFAULT, current_mode, current_scope, mode_entry
from autograd_np.node import EAGER, NO_ATTRS, Level, Node, WatchedNode, leaf_node, next_index
from autograd_np.numpy_warnings import retold
from autograd_np.op import AS_ONE, DATA, TABLE, Batched, Op, Primitive, Recordable, Several, batched_in, is_numpys
from autograd_np.overriding import gathered, is_among
from autograd_np.text import shorten
from autograd_np.typing import Array, Name, Shape

__all__ = [
    "Tensor",
    "alone",
    "apply",
    "handle",
    "known",
    "leaf",
    "read_each",
    "record",
    "record_one",
    "record_two",
    "recorded",
    "refuse_mixed_devices",
    "sign",
    "stop_gradient",
    "value_of",
]

CONSTANT = "constant"


def record(op: Op, args: tuple[Any, ...], attrs: dict[str, Any] = NO_ATTRS, sources: Sequence[Tensor] = ()) -> Any:
    """Apply `op` to operands (Tensors, arrays, scalars) and record it if a gradient can flow.

    `sources` are Tensors that attributes were read from. Returns ``NotImplemented`` for an operand that is no
    array, as an operator should.
    """
    if sources:
        return _record_across_levels(op, args, attrs, sources)
    level = None
    needs = False
    values = []
    parents = []
    for a in args:
        if isinstance(a, Tensor):
            node = a._node
            values.append(a.data)
            parents.append(node)
            if node is not None:
                if node.level is not level:
                    if level is not None:
                        return _record_across_levels(op, args, attrs)
                    level = node.level
                if node.needs:
                    needs = True
        else:
            if a.__class__ not in _PLAIN:
                if a.__class__ in (list, tuple) and is_among(a) and any(isinstance(b, Tensor) for b in args):
                    return record(op, tuple(map(gathered, args)), attrs)
                a = _operand(a)
                if a is NotImplemented:
                    return _with_no_array(op, args)
                if isinstance(a, Batched) and _is_newer(a, args):
                    return NotImplemented
            values.append(a)
            parents.append(None)
    try:
        data = op.fn(values, **attrs) if op.variadic else op.fn(*values, **attrs)
    except Exception as error:  # noqa: BLE001 (raised again there, unless it is a warning)
        data = _in_spite_of(error, op, values, attrs, args)
    return _result(op, tuple(parents), tuple(values), attrs, data, needs, level, args)


def _with_no_array(op: Op, args: tuple[Any, ...]) -> Any:
    """Return what an operator makes of a Tensor and something that is no array: a sparse matrix, or NotImplemented."""
    if len(args) != 2:
        return NotImplemented
    before = not isinstance(args[0], Tensor)
    t, other = args[before], args[not before]
    if op is ops.MULTIPLY:
        return ops.times_sparse(t, other, before=before, star=True)
    dense = ops.dense_of_sparse(t, other, op.name)
    return dense if dense is NotImplemented else record(op, (dense, t) if before else (t, dense))


def record_one(op: Op, a: Tensor) -> Any:
    """Do what `record` does, for one Tensor and no attributes: half of a network's operations."""
    node = a._node
    if node is None or not node.level.quick or mode_entry() is not DEFAULT or op.kind is CONSTANT or not node.needs:
        return record(op, (a,))
    value = a.data
    try:
        data = op.direct(value) if value.__class__ is _NDARRAY else op.fn(value)
    except Exception as error:  # noqa: BLE001 (raised again there, unless it is a warning)
        data = _in_spite_of(error, op, (value,))
    return recorded(op, (node,), (value,), data, node.level)


def record_two(op: Op, a: Any, b: Any) -> Any:
    """Do what `record` does, for two operands and no attributes: the other half."""
    if isinstance(a, Tensor):
        left = a._node
        x = a.data
        if isinstance(b, Tensor):
            right = b._node
            y = b.data
            node = left if right is None or (left is not None and left.needs) else right
            if left is not None and right is not None and left.level is not right.level:
                return _record_across_levels(op, (a, b), NO_ATTRS)
        elif b.__class__ in _PLAIN:
            node = left
            right = None
            y = b
        else:
            return record(op, (a, b))
    elif a.__class__ in _PLAIN:
        left = None
        x = a
        node = right = b._node
        y = b.data
    else:
        return record(op, (a, b))
    if node is None or not node.level.quick or mode_entry() is not DEFAULT or op.kind is CONSTANT or not node.needs:
        return record(op, (a, b))
    try:
        if y.__class__ is _NDARRAY:
            data = op.direct(x, y) if x.__class__ is _NDARRAY else op.fn(x, y)
        elif (x.__class__ in _FLOATS and y.__class__ in _NUMBERS) or (y.__class__ in _FLOATS and x.__class__ in _NUMBERS):
            data = op.of_numbers(x, y)
        else:
            data = op.fn(x, y)
    except Exception as error:  # noqa: BLE001 (raised again there, unless it is a warning)
        data = _in_spite_of(error, op, (x, y), NO_ATTRS, (a, b))
    return recorded(op, (left, right), (x, y), data, node.level)


def recorded(op: Op | None, parents: tuple[Node | None, ...], values: tuple[Any, ...], data: Array, level: Level) -> Tensor:
    """Return what an operation computed, with the Node of which all is known; calling the class costs as much again."""
    node = _new(Node)
    node.op = op
    node.parents = parents
    node.values = values
    node.attrs = NO_ATTRS
    node.out = data
    node.needs = True
    node.level = level
    node.index = next_index()
    node.grad = node.given_name = node.site = None
    result = _new(Tensor)
    result.data = data
    result._node = node
    result._storage = None
    return result


def _in_spite_of(error: Exception, op: Op, values: Sequence[Any], attrs: dict[str, Any] = NO_ATTRS, args: Sequence[Any] = ()) -> Any:
    """Return the result that NumPy only warned of, or raise, with the operation that another library's array could not do."""
    if isinstance(error, RuntimeWarning):
        return retold(error, op.fn, *((values,) if op.variadic else values), **attrs)
    if not isinstance(error, errors.AutogradError):
        refuse_mixed_devices(op.name, args, error)
    for v in map(value_of, values):
        if not is_numpys(v) and not isinstance(v, Batched) and not isinstance(error, errors.AutogradError):
            raise errors.NoRowError(
                f"{op.name} could not be recorded on a {type(v).__module__}.{type(v).__qualname__}: {' '.join(str(error).split())} "
                f"({type(error).__name__}); compute it first (x.compute() in Dask), or write it with functions that library has"
            ) from error
    raise error


def refuse_mixed_devices(name: str, args: Sequence[Any], error: Exception | None = None) -> None:
    """Raise if arrays, or Tensors, are on different devices; numbers go everywhere."""
    found: dict[str, str] = {}
    for i, a in enumerate(args):
        v = value_of(a)
        if hasattr(v, "__array_function__") and not isinstance(v, np.generic):
            called = a._called() if isinstance(a, Tensor) else ""
            what = f"operand {i}{called}, a {type(v).__module__}.{type(v).__qualname__} of shape {tuple(v.shape)}"
            found.setdefault(str(device_of(v)), what)
    if len(found) > 1:
        told = " and ".join(f"{what} on {device}" for device, what in found.items())
        raise errors.DeviceError(
            f"{name} got arrays of different devices: {told}; move one of them, with cupy.asarray(x) or x.get()"
        ) from error


def _result(
    op: Op,
    parents: tuple[Node | None, ...],
    values: tuple[Any, ...],
    attrs: dict[str, Any],
    data: Array,
    needs: bool,
    level: Level | None,
    args: tuple[Any, ...],
) -> Tensor:
    """Wrap what an operation computed, with a Node if it is to be recorded."""
    node = None
    if data.__class__ is _NDARRAY:
        is_view = data.base is not None or data is values[0]
    else:
        is_view = isinstance(data, Tensor) and owner(value_of(data)) is owner(value_of(values[0]))
    if level is not None:
        if level.closed:
            raise errors.DifferentiationError(_ESCAPED.format(op.name))
        mode = DEFAULT.value if mode_entry() is DEFAULT else current_mode()
        needs = needs and op.kind is not CONSTANT
        if (needs or level.keeps_all) and (level.order > mode.floor or level.data):
            if level.rewrites is not None:
                found = level.rewrites(op, args, attrs, data)
                if found is not None:
                    return found  # type: ignore[no-any-return]
            node = (WatchedNode if mode.anomaly else Node)(op, parents, values, attrs, data, needs, level)
            if mode.anomaly or level.sites:
                sign(node)
            if isinstance(node, WatchedNode):
                check_forward(node)
                keep(node)
    if node is None and (isinstance(data, Batched) or (isinstance(data, Tensor) and not is_view)):
        return data  # type: ignore[return-value]
    result = _new(Tensor)
    result.data = data
    result._node = node
    result._storage = None
    if is_view:
        result._note_view(args)
    return result


def sign(node: Node) -> None:
    """Write down the line of the user's that recorded a Node, and the scope it is in."""
    node.site = call_site()
    node.scope = current_scope()


def _is_newer(batch: Batched, args: Sequence[Any]) -> bool:
    """Whether a batched array is newer than all Tensors that it meets: then the operation is for it to carry out."""
    return all(a._node is None or a._node.level.order < batch.order for a in args if isinstance(a, Tensor))


def _operand(a: Any) -> Any:
    """Accept what NumPy would take for an array, without converting arrays of other libraries."""
    if isinstance(a, (list, tuple)):
        return np.asarray(a)
    if a is None or isinstance(a, (np.ndarray, np.generic, float, int, complex)) or hasattr(a, "__array_function__"):
        return refuse_other_meanings(a)
    if isinstance(a, numbers.Number):
        raise TypeError(
            f"a Tensor was combined with a {type(a).__name__}, a number that NumPy does not compute with; write float({a!r:.40})"
        )
    return NotImplemented


_ESCAPED = (
    "np.{} got a Tensor that escaped from the function it was traced in (grad, vjp, trace, ...): it was stored "
    "somewhere while the function ran. Return it from the function, or store ag.stop_gradient(x).data instead."
)


def _record_across_levels(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], sources: Sequence[Tensor] = ()) -> Any:
    args = tuple(map(gathered, args))
    batched = [a for a in (*args, *sources) if isinstance(a, Batched)]
    if any(_is_newer(a, args) for a in batched):
        return NotImplemented
    sources = [s for s in sources if isinstance(s, Tensor)] if batched else sources
    if batched and not sources and len({a._node.level for a in args if isinstance(a, Tensor) and a._node}) < 2:
        return record(op, args, attrs)
    level = max((a._node.level for a in (*args, *sources) if isinstance(a, Tensor) and a._node), key=attrgetter("order"))
    values: list[Any] = []
    parents: list[Node | None] = []
    for a in args:
        node = a._node if isinstance(a, Tensor) else None
        if node is not None and node.level is not level:
            older = handle(a.data, node)  # the user's own may be written later
            if level.takes_in:
                variable = level.lift(older)
                parents.append(variable)
                values.append(variable.out)
                continue
            parents.append(level.lift(older) if level.keeps_all else None)
            values.append(older)
            continue
        operand = a.data if isinstance(a, Tensor) else _operand(a)
        if operand is NotImplemented:
            return NotImplemented
        parents.append(node)
        values.append(operand)
    outer = [s for s in sources if s._node is not None and s._node.level is not level]
    if outer:
        data = record(op, tuple(values), attrs, outer)
    else:
        try:
            data = op.fn(values, **attrs) if op.variadic else op.fn(*values, **attrs)
        except Exception as error:  # noqa: BLE001 (raised again there, unless it is a warning)
            data = _in_spite_of(error, op, values, attrs, args)
    needs = any(p is not None and p.needs for p in parents)
    if DATA and any(s._of_data() for s in outer):  # what rules make of an index or a mask is recorded, too
        by = {id(value_of(s)): s for s in outer}
        attrs = {k: mapped(v, lambda part: by.get(id(part), part)) for k, v in attrs.items()}
    parents += [s._node for s in sources if s._node is not None and s._node.level is level]
    return _result(op, tuple(parents), tuple(values), attrs, data, needs, level, args)


def apply(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Look `fn` up in the table and record it, sorting its arguments into arrays and attributes."""
    row = fn.op if fn.__class__ is Primitive else TABLE.get(fn)
    if row.__class__ is Op and not kwargs and len(args) == len(row.rules) and not row.variadic:
        if len(args) == 2 and (isinstance(args[0], Tensor) or isinstance(args[1], Tensor)):  # it may be inside a list
            result = record_two(row, *args)
        elif len(args) == 1 and not row.selects and isinstance(args[0], Tensor):
            result = record_one(row, args[0])
        else:
            result = record(row, args)
        if row.strict and isinstance(result, Tensor) and result._storage is None:
            _note_if_a_view(result, args)  # a user's function may return its argument
        return result
    if row is None:
        row = ops.row_of_scipys(fn)
        if row is None:
            raise errors.NoRowError(no_row(fn))
    if row.__class__ is Several:
        operands, attrs, sources, out = bind(row, args, kwargs)
        result = read_each(row, record(row, operands, attrs, sources))
        return result if out is None else ops.write_out(fn, out, result)
    if row.__class__ is not Op:
        derived, out = cast("Callable[..., Any]", row), kwargs.get("out")
        given = {k: v for k, v in kwargs.items() if k != "out"}
        as_one = AS_ONE.get()
        one = as_one(fn, args, given) if as_one is not None else None
        if one is not None:
            operands, attrs, sources, _ = bind(one, args, given)
            return record(one, operands, attrs, sources)
        try:
            result = derived(*args, **given)
        except RuntimeWarning as warning:
            result = retold(warning, derived, *args, **given)
        return result if out is None else ops.write_out(fn, out, result)
    operands, attrs, sources, out = bind(row, args, kwargs)
    result = record(row, operands, attrs, sources)
    if result is NotImplemented and (batched := batched_in([*args, *kwargs.values()])):
        return batched[0].__record__(fn, args, kwargs)
    return result if out is None else ops.write_out(fn, out, result)


def read_each(op: Several, whole: Any) -> Any:
    """Return what a call returned, array by array, in the container that the function returns."""
    if whole is NotImplemented:
        return whole
    found = whole.data
    return found.form(record(op.reader(i, found), (whole,), {"index": i}) for i in range(len(found)))


def _note_if_a_view(result: Tensor, args: tuple[Any, ...]) -> None:
    data = result.data
    if data.__class__ is not _NDARRAY or data.base is not None or any(isinstance(a, Tensor) and a.data is data for a in args):
        result._note_view(args)


# --- Tensor ---------------------------------------------------------------------------------------


class Tensor(Recordable):
    """An array that records the operations applied to it, so that gradients can flow back.

    Parameters
    ----------
    data : array_like
        Numbers; an ndarray is copied, other NumPy-protocol arrays (Dask, CuPy) are kept as they are.
    requires_grad : bool, default False
        Whether `backward` stores a gradient in `.grad`. Only floating and complex dtypes can.
    name : str or callable, optional
        Shown in drawings and messages. A function without arguments, which returns a str or None, is asked each time that it is shown.

    Attributes
    ----------
    data : array
        The values.
    grad : array or None
        After `backward`: the gradient, an array of the shape and dtype of `data`. It accumulates.

    Raises
    ------
    DifferentiationError
        If `requires_grad` is asked of integers or booleans.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> w = ag.Tensor([1.0, 2.0], requires_grad=True)
    >>> loss = np.sum(w ** 2)
    >>> loss.backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ("__weakref__", "_cut", "_node", "_storage", "data")
    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    data: Array
    _node: Node | None
    _storage: Any  # of `storage`, a floor above: the memory that this Tensor shares with others
    _cut: bool  # a view that was made without its gradient

    def __init__(self, data: Any, requires_grad: bool = False, name: Name = None) -> None:
        if isinstance(data, Tensor):
            if data.requires_grad:
                raise errors.DifferentiationError(
                    "Tensor(t) would cut the graph of t without saying so; use t itself, or Tensor(t.detach())"
                )
            data = data.data
        if isinstance(data, Batched):
            data.leave("ag.Tensor(...)")
        if not hasattr(data, "__array_function__") or isinstance(data, (np.ndarray, np.generic)):
            data = np.array(refuse_other_meanings(data))
            if data.dtype.kind not in "biufc":
                raise TypeError(f"Tensor needs numbers, got an array of dtype {data.dtype}")
        self.data = data
        self._storage = None
        self._node = None
        if requires_grad or name is not None:
            self._node = leaf_node(data, EAGER, needs=requires_grad, name=name)

    # --- what it is

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to this Tensor."""
        return self._node is not None and self._node.needs

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._node is not None and self._node.op is not None:
            raise errors.DifferentiationError("only a leaf's requires_grad can be set; use .detach() to cut a result off")
        name = None if self._node is None else self._node.given_name
        self._node = leaf_node(self.data, EAGER, needs=value, name=name) if value or name is not None else None
        if value and self._storage is not None:
            self._lend(self)

    @property
    def is_leaf(self) -> bool:
        """Whether this Tensor was made by the user rather than by an operation."""
        return self._node is None or self._node.op is None

    @property
    def grad(self) -> Any:
        """The accumulated gradient of a leaf, or ``None``."""
        return self._node.grad if self._node is not None else None

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and np.shape(value) != self.shape:
            raise errors.DifferentiationError(f"a gradient of shape {np.shape(value)} was set on a Tensor of shape {self.shape}")
        if self._node is not None:
            self._node.grad = value
        elif value is not None:
            raise errors.DifferentiationError("a Tensor that does not require a gradient cannot hold one; set requires_grad first")

    @property
    def name(self) -> str | None:
        """The name shown in drawings and messages."""
        return None if self._node is None else self._node.name

    @name.setter
    def name(self, value: Name) -> None:
        if self._node is not None:
            self._node.given_name = value
        elif value is not None:
            self._node = leaf_node(self.data, EAGER, needs=False, name=value)

    @property
    def shape(self) -> Shape:
        """The shape."""
        return cast("Shape", self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        return cast("np.dtype[Any]", self.data.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return cast(int, self.data.ndim)

    @property
    def size(self) -> int:
        """The number of elements."""
        return cast(int, self.data.size)

    # --- gradients

    def backward(self, seed: Any = None) -> None:
        """Add the gradient of this Tensor to its leaves; given by `autograd_np.backward`, the floor above."""
        raise NotImplementedError

    def detach(self) -> Tensor:
        """Return the same values without the graph, as a Tensor of its own: no write to one is seen in the other."""
        if isinstance(self.data, Batched):
            return self.data  # type: ignore[return-value]
        return handle(self.data, self._node if self._node is not None and self._node.level.data else None)

    def numpy(self) -> Any:
        """Return the values as an array, outside the graph; the memory is shared until the Tensor is written."""
        return self._leaving("numpy")

    def _leaving(self, how: str) -> Any:
        """Return the values; refused inside a function being differentiated, whose gradient would be cut without a word."""
        node = self._losing()
        if node is not None and (node.needs or node.level.data) and node.level is not EAGER and not node.level.closed:
            raise errors.LeavesNumPyError(
                f".{how}() of a Tensor{self._called()} inside a function being differentiated or traced would cut its gradient off, "
                f"at {call_site()}. Use NumPy's functions on the Tensor itself; ag.stop_gradient(x).{how}() for the value as a constant"
            )
        return value_of(self)

    def _losing(self) -> Node | None:
        """Return the Node whose gradient, or place in the graph, the bare values would lose: this Tensor's, or of one it holds."""
        x: Any = self
        while isinstance(x, Tensor):
            node = x._node
            if node is not None and (node.needs or node.level.keeps_all):
                return node
            x = x.data
        return None

    # --- NumPy's protocols

    def __record__(self, fn: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if fn.op.quick and len(args) == 1 and args[0] is self and not kwargs:
            return record_one(fn.op, args[0])
        return apply(fn, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            row = TABLE.get(ufunc)
            if row.__class__ is Op:
                if len(inputs) == 1:
                    return record_one(row, inputs[0])
                return record_two(row, *inputs) if len(inputs) == 2 else record(row, inputs)
            return apply(ufunc, inputs, kwargs)
        try:
            return ops.ufunc_method(apply, ufunc, method, inputs, kwargs)
        except RuntimeWarning as warning:
            return retold(warning, ops.ufunc_method, apply, ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return apply(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        node = self._losing()
        if node is not None:
            if leaves_the_turn():
                return _opaque(self)
            asked = asked_by()
            if self._of_data():
                raise node.level.refusing(asking_library(), self._is_data(asked))
            raise node.level.refusing(
                asking_library(),
                f"{asked} needs a plain ndarray of a Tensor{self._called()} that requires a gradient, which would lose its gradient. "
                f"{_mirrored(asked)}"
                f"For lists of Tensors {errors.IMPORT_LINE}, or use np.stack; ufuncs take np.array([...]) there; np.where "
                f"to select, NumPy's functions to compute; ag.define to add a function; x.data or x.detach() for the values alone",
            )
        values = value_of(self)
        try:
            array = np.array(values, dtype=dtype, copy=copy)
        except RuntimeWarning as warning:
            array = retold(warning, np.array, values, dtype=dtype, copy=copy)
        return self._hand_out(array) if array is values else array

    def _called(self) -> str:
        return f" {shorten(repr(self.name), 80)}" if self.name else ""

    def _number(self, convert: Callable[[Any], Any]) -> Any:
        node = self._losing()
        if node is not None and (node.level is not EAGER or stores_into_array()):
            asked = asked_by()
            if self._of_data():
                raise node.level.refusing(asking_library(), self._is_data(f"{convert.__name__}(), for {asked},"))
            raise node.level.refusing(
                asking_library(),
                f"{convert.__name__}() of a Tensor{self._called()}, for {asked}, would lose its gradient. {_mirrored(asked)}"
                f"Use NumPy's functions "
                f"(np.exp for math.exp, ...); {errors.IMPORT_LINE} to collect numbers, and to write them into arrays of floats that "
                f"it made; ag.stop_gradient(x).item() for the value as a constant",
            )
        return convert(value_of(self))

    def __float__(self) -> float:
        return cast(float, self._number(float))

    def __int__(self) -> int:
        return cast(int, self._number(int))

    def __complex__(self) -> complex:
        return cast(complex, self._number(complex))

    def _of_data(self) -> bool:
        """Whether this is data of a function that is being compiled, or was computed from such."""
        x: Any = self
        while isinstance(x, Tensor):
            if x._node is not None and x._node.level.data:
                return True
            x = x.data
        return False

    def _is_data(self, asked: str) -> str:
        """Return what to say where values are asked for that a function which is being compiled gets with each call."""
        return (
            f"{asked} reads the values of a Tensor{self._called()} in a function that is being compiled: they are data, others in each "
            f"call, and what is computed of them outside of the record would stay what it was. Use NumPy's functions: np.where(mask, a, b) "
            f"or np.select in the place of a branch or of x[mask], np.stack or y = np.where(mask, value, y) in the place of y[i] = value "
            f"in an array that was made of plain numbers (or {errors.IMPORT_LINE}, whose arrays can be written); or compute it outside, "
            f"and hand it in as an argument"
        )

    def __index__(self) -> int:
        if self._of_data():
            raise errors.LeavesNumPyError(
                f"a Tensor{self._called()} was read as an integer of Python's, at {call_site()}, in a function that is being compiled: its "
                f"value is data, another in each call. Hand a Python int in, which is part of the signature"
            )
        if self.dtype.kind not in "iu" or self.ndim:
            raise TypeError(f"only an integer scalar can be an index, got a Tensor of dtype {self.dtype} and shape {self.shape}")
        return int(value_of(self))

    def __bool__(self) -> bool:
        node = self._node
        if (node is not None and node.level.keeps_all) or self._of_data():
            raise errors.LeavesNumPyError(
                f"bool() of a Tensor{self._called()} under trace: a branch on a value cannot be part of a graph. "
                f"Use np.where(condition, a, b)"
            )
        return bool(value_of(self))

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d Tensor")
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item)) if self._of_data() else bool(np.any(value_of(self) == value_of(item)))

    def __repr__(self) -> str:
        body = np.array2string(self.data, prefix="Tensor(", separator=", ") if isinstance(self.data, np.ndarray) else repr(self.data)
        extra = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({body}{extra}{f', name={shorten(repr(self.name), 80)}' if self.name else ''})"

    def __format__(self, spec: str) -> str:
        """Write a number as numbers are written, an array with each element so."""
        values = value_of(self)
        if self.ndim == 0:
            return format(values[()], spec)
        if not spec or not isinstance(values, np.ndarray):
            return format(str(self), spec)
        return np.array2string(values, separator=", ", formatter={"all": lambda x: format(x, spec)})

    # --- indexing

    def __getitem__(self, index: Any) -> Tensor:
        sources: list[Tensor] = []
        index = plain(index, "x[...]", sources)
        result = record(ops.GETITEM, (self,), {"index": index}, sources)
        return cast(
            Tensor,
            result if result is not NotImplemented else sources[0].__record__(cast(Primitive, ops.GETITEM.fn), (self,), {"index": index}),
        )

    # --- operators

    def __add__(self, other: Any) -> Any:
        return record_two(ops.ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return record_two(ops.ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return record_two(ops.SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Any:
        return record_two(ops.SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Any:
        return record_two(ops.MULTIPLY, self, other)

    def __rmul__(self, other: Any) -> Any:
        return record_two(ops.MULTIPLY, other, self)

    def __truediv__(self, other: Any) -> Any:
        return record_two(ops.DIVIDE, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return record_two(ops.DIVIDE, other, self)

    def __neg__(self) -> Any:
        return record_one(ops.NEGATIVE, self)

    def __matmul__(self, other: Any) -> Any:
        return apply(np.matmul, (self, other), {}) if known(other) else ops.times_sparse(self, other, before=False)

    def __rmatmul__(self, other: Any) -> Any:
        return apply(np.matmul, (other, self), {}) if known(other) else ops.times_sparse(self, other, before=True)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is not None:
            raise errors.NoRowError("pow(x, y, modulus) of a Tensor has no derivative; write np.remainder(x**y, modulus) if that is meant")
        return apply(np.power, (self, other), {}) if known(other) else NotImplemented

    def __rpow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is not None:
            raise errors.NoRowError(
                "pow(x, y, modulus) with a Tensor has no derivative; write np.remainder(x**y, modulus) if that is meant"
            )
        return apply(np.power, (other, self), {}) if known(other) else NotImplemented

    # --- what the floors above attach, as type checkers see it

    if TYPE_CHECKING:
        # ruff: disable[D102, N802]
        @property
        def nbytes(self) -> int: ...
        @property
        def itemsize(self) -> int: ...
        @property
        def device(self) -> Any: ...
        @property
        def T(self) -> Tensor: ...
        @property
        def mT(self) -> Tensor: ...
        @property
        def strides(self) -> tuple[int, ...]: ...
        @property
        def real(self) -> Tensor: ...
        @property
        def imag(self) -> Tensor: ...
        def item(self) -> float | int | bool | complex: ...
        def tolist(self) -> Any: ...
        def __divmod__(self, other: Any) -> Any: ...
        def __rdivmod__(self, other: Any) -> Any: ...
        def sort(self, axis: int = -1, **kwargs: Any) -> None: ...
        def partition(self, kth: Any, axis: int = -1, **kwargs: Any) -> None: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def _note_view(self, args: tuple[Any, ...]) -> None: ...
        def _hand_out(self, array: Any) -> Any: ...
        def _lend(self, variable: Tensor) -> None: ...
        def fill(self, value: Any) -> None: ...
        def put(self, ind: Any, v: Any, mode: str = "raise") -> None: ...
        def compress(self, condition: Any, axis: Any = None) -> Tensor: ...
        def copy(self, order: str = "C") -> Tensor: ...
        def flatten(self, order: str = "C") -> Tensor: ...
        def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def astype(self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True) -> Tensor: ...
        def sigmoid(self) -> Tensor: ...
        def relu(self) -> Tensor: ...
        def softplus(self) -> Tensor: ...
        def log_sigmoid(self) -> Tensor: ...
        def softmax(self, axis: Any = -1) -> Tensor: ...
        def log_softmax(self, axis: Any = -1) -> Tensor: ...

        # ruff: enable[D102, N802]


_new = object.__new__
_NDARRAY = np.ndarray
_SCALARS = (float, int, np.ndarray, Tensor, np.generic, bool, complex, list, tuple)
_FLOATS = frozenset({np.float64, np.float32})
_NUMBERS = _FLOATS | {float, int}
_PLAIN = _NUMBERS | {np.ndarray}


def known(other: Any) -> bool:
    """Whether an operator can try its other operand, rather than leave it the turn."""
    return isinstance(other, _SCALARS) or hasattr(other, "__array_ufunc__")


def _mirrored(asked: str) -> str:
    """Return what to say where a function of SciPy's that asked is one that takes Tensors here."""
    line = import_line(asked.partition(" at ")[0])
    return f"Here it takes Tensors: `{line}`. " if line else ""


def _opaque(t: Tensor) -> Any:
    """Return an array that holds a Tensor as an object."""
    box = np.empty((), object)
    box[()] = t
    return box


# --- making Tensors -------------------------------------------------------------------------------


def leaf(data: Any, level: Level, *, needs: bool = True, name: Name = None) -> Tensor:
    """Wrap an array, or a Tensor of an older level, as a variable of `level`, without a copy."""
    if data.__class__ is _NDARRAY:
        return handle(data, leaf_node(data, level, needs=needs, name=name))
    if not hasattr(data, "__array_function__"):
        data = np.asarray(data)
    if isinstance(data, Tensor):
        lender, data = data, handle(data.data, data._node)
        t = handle(data, leaf_node(data, level, needs=needs, name=name))
        lender._lend(t)
        return t
    return handle(refuse_other_meanings(data), leaf_node(data, level, needs=needs, name=name))


def handle(data: Array, node: Node | None) -> Tensor:
    """Make a Tensor of recorded values: one that nobody else has, and so nobody writes."""
    t = _new(Tensor)
    t.data, t._node, t._storage = data, node, None
    return t


def alone(x: Any) -> Any:
    """Return what was recorded as a result of its own, so that no write to it reaches the record; arrays as they are."""
    return handle(x.data, x._node) if isinstance(x, Tensor) else x


def stop_gradient(x: Any) -> Any:
    """Return the values of `x` as a constant of its own: no gradient flows through it, at any level.

    Parameters
    ----------
    x : Tensor or array

    Returns
    -------
    Tensor or array
        A Tensor of a Tensor, a copy of an array: later writes to `x` are not seen in it.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.grad(lambda x: x * ag.stop_gradient(x))(3.0)
    array(3.)
    """
    if isinstance(x, Tensor):
        while isinstance(x, Tensor):
            if x._node is not None and x._node.level.data:
                return handle(x.data, x._node)
            x = x.data
        return x.stopped() if isinstance(x, Batched) else handle(x, None)
    return x.stopped() if isinstance(x, Batched) else x.copy() if isinstance(x, np.ndarray) else x
