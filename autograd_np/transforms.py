"""Functions to functions: gradients, Jacobians, products with them, in reverse and forward mode.

Every transform opens a `Level`, wraps the arguments it differentiates in Tensors of that level, runs the
function, and reads the recorded Nodes with the sweeps of `backward`. Arguments and results may be nested
dicts, lists and tuples. Since a Tensor may hold a Tensor, transforms nest freely.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients, one_like, pushforward, seed_for
from autograd_np.elsewhere import computed, is_lazy
from autograd_np.modes import lazy_mode
from autograd_np.node import Level, Node
from autograd_np.op import is_numpys
from autograd_np.tensor import Tensor, alone, leaf
from autograd_np.trees import Unflatten, flatten
from autograd_np.typing import Array, PyTree

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Argnums = int | Sequence[int]
Argnames = str | Sequence[str]


# --- arguments and results -------------------------------------------------------------------------


def _variable(x: Any, level: Level, where: str) -> Tensor:
    """Wrap a leaf of the arguments, or say why it has no gradient."""
    if x.__class__ is np.ndarray and x.dtype.kind in "fc":
        return leaf(x, level)
    if x.__class__ is Tensor and x._node is None and x._storage is None:
        x = x.data  # a constant, such as autograd_np.numpy makes: what is asked about it is answered with arrays
    if not hasattr(x, "__array_function__") and not isinstance(x, (float, int, complex, np.generic)):
        raise errors.DifferentiationError(f"{where} needs arrays of floats, got {type(x).__name__} ({x!r:.60})")
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    if x.dtype.kind not in "fc":
        raise errors.DifferentiationError(
            f"{where} needs floats, got {x.dtype}; convert with np.asarray(x, float), or leave the argument out of the differentiated ones"
        )
    return leaf(x, level)


def _wrap(tree: PyTree, level: Level, where: str) -> tuple[PyTree, list[Tensor], Unflatten]:
    if tree.__class__ is np.ndarray:  # the common case, where a microsecond an argument is felt
        variable = _variable(tree, level, where)
        return variable, [variable], lambda leaves: leaves[0]
    leaves, unflatten = flatten(tree)
    variables = [_variable(x, level, where) for x in leaves]
    return unflatten(variables), variables, unflatten


def _node_at(x: Any, level: Level) -> Node | None:
    """Return the Node of a result if it depends on a variable of `level`."""
    node = x._node if isinstance(x, Tensor) else None
    return node if node is not None and node.level is level and node.needs else None


def _unwrap(x: Any, level: Level) -> Any:
    """Return a result as the caller of the transform sees it: without this level, sharing no memory with the arguments."""
    if isinstance(x, Tensor) and (x._node is None or x._node.level is level):
        node, data = x._node, x.data
        passed_on = node is not None and (node.op is None or any(v is data for v in node.values))  # np.squeeze may return its argument
        return data.copy() if isinstance(data, np.ndarray) and (passed_on or data.base is not None) else alone(data)
    return x


def _collect(found: dict[Node, Array], variables: list[Tensor]) -> list[Any]:
    result = []
    for v in variables:
        g = found.get(cast(Node, v._node))
        result.append(np.zeros_like(v.data) if g is None else g)
    return result


def _settled(found: list[Any], primals: list[Any]) -> list[Any]:
    """Compute what is lazy, in one go, if all that it was asked about are NumPy's arrays: small ones, of parameters."""
    if not any(map(is_lazy, found)) or lazy_mode() or not all(map(is_numpys, primals)):
        return found
    return [np.array(x) if is_numpys(x) else x for x in computed(found)]


def _selected(argnums: Argnums, count: int, where: str) -> tuple[int, ...]:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in numbers:
        if not -count <= n < count:
            raise TypeError(f"{where}: argnums={argnums} but the function was called with {count} positional arguments")
    return tuple(n % count for n in numbers)


def _slots(
    f: Callable[..., Any], argnums: Argnums | None, argnames: Argnames | None, args: Sequence[Any], kwargs: dict[str, Any], where: str
) -> tuple[int | str, ...]:
    """Return where the differentiated arguments of a call stand: positions, and names of keyword arguments."""
    if argnames is None:
        return _selected(0 if argnums is None else argnums, len(args), where)
    if argnums is not None:
        raise TypeError(f"{where} got argnums={argnums} and argnames={argnames!r}; name the arguments one way")
    found: list[int | str] = []
    positional: list[str] = []
    for name in (argnames,) if isinstance(argnames, str) else argnames:
        if name not in kwargs and not positional:
            positional = list(inspect.signature(f).parameters)[: len(args)]
        if name not in kwargs and name not in positional:
            raise TypeError(f"{where}: argnames={argnames!r} but the function was called without an argument {name!r}")
        found.append(name if name in kwargs else positional.index(name))
    return tuple(found)


def _name_of(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


# --- reverse mode ---------------------------------------------------------------------------------


def vjp(f: Callable[..., Any], *primals: PyTree) -> tuple[PyTree, Callable[[PyTree], tuple[PyTree, ...]]]:
    """Evaluate `f` and return its result with the function that pulls cotangents back.

    Parameters
    ----------
    f : callable
        Takes the primals; returns an array or nested containers of arrays.
    *primals : arrays or nested containers of arrays
        Floats or complex numbers.

    Returns
    -------
    out : as `f` returns
        Plain arrays.
    pullback : callable
        Takes a cotangent of the structure and shapes of `out`; returns a tuple with one entry a primal, of the
        primal's structure, shapes and dtypes. It can be called any number of times.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, or `pullback` gets a cotangent of another structure or shape.

    Notes
    -----
    Of complex numbers a cotangent, like a gradient, is the derivative by the real part plus i times that by the imaginary part, so
    that the pullback multiplies by the conjugate transpose of the Jacobian. A real primal gets the real part.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> out, pullback = ag.vjp(np.multiply, 2.0, np.array([3.0, 4.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array(43.), array([ 2., 20.]))
    """
    where = f"vjp({_name_of(f)})"
    with Level() as level:
        wrapped = [_wrap(p, level, where) for p in primals]
        out = f(*(tree for tree, _, _ in wrapped))
    leaves, unflatten_out = flatten(out)

    def pullback(cotangent: PyTree, *, stay_lazy: bool = False) -> tuple[PyTree, ...]:
        seeds, _ = flatten(cotangent)
        if len(seeds) != len(leaves):
            raise errors.DifferentiationError(
                f"the pullback of {where} got {len(seeds)} cotangents, expected {len(leaves)}, the structure of the output"
            )
        cotangents: dict[Node, Array] = {}
        for x, seed in zip(leaves, seeds, strict=True):
            node = _node_at(x, level)
            if node is not None:
                seed = seed_for(seed, node.out, f"the pullback of {where}")
                cotangents[node] = cotangents[node] + seed if node in cotangents else seed
        found = gradients(cotangents, stay_lazy=stay_lazy) if cotangents else {}
        return tuple(unflatten(_collect(found, variables)) for _, variables, unflatten in wrapped)

    return unflatten_out([_unwrap(x, level) for x in leaves]), pullback


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None, has_aux: bool = False
) -> Callable[..., tuple[Any, PyTree]]:
    """Return a function that evaluates `f` and its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar: shape () or one element. With `has_aux`, a pair of it and anything else.
    argnums : int or sequence of int, default 0
        Which positional arguments to differentiate; nested containers are differentiated leaf by leaf.
    argnames : str or sequence of str, optional
        Instead of `argnums`: the names of the arguments to differentiate, given by keyword or by position.
    has_aux : bool
        Whether `f` returns ``(loss, aux)``. What is in `aux` comes back without a gradient: predictions, statistics, a state.

    Returns
    -------
    callable
        Called as `f` is, returns ``(value, gradient)``, or ``((value, aux), gradient)``. With a sequence of `argnums` the
        gradient is a tuple, with a sequence of `argnames` a dict. Where `f` computes with lazy (Dask) arrays, the gradients by NumPy's
        arrays are NumPy's arrays, computed in one go together with the value, and those by lazy arrays are lazy; see `autograd_np.lazy`.

    Raises
    ------
    DifferentiationError
        If a differentiated argument is not of floats or complex numbers, or `f` does not return a real scalar.
    TypeError
        If `argnums` or `argnames` names an argument that was not given, or both are used.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.value_and_grad(lambda p: np.sum(p["w"] ** 2))({"w": np.array([1.0, 2.0])})
    (np.float64(5.0), {'w': array([2., 4.])})
    >>> ag.value_and_grad(lambda x, *, scale: (x * scale, x + 1), argnames="scale", has_aux=True)(3.0, scale=2.0)
    ((np.float64(6.0), 4.0), array(3.))
    """
    return _value_and_grad(f, argnums, argnames, has_aux, valued=True)


def _value_and_grad(
    f: Callable[..., Any], argnums: Argnums | None, argnames: Argnames | None, has_aux: bool, *, valued: bool
) -> Callable[..., tuple[Any, PyTree]]:
    """Do what `value_and_grad` does; a lazy value that is not `valued` is not computed."""
    where = f"grad({_name_of(f)})"
    names = None if argnames is None or isinstance(argnames, str) else tuple(argnames)
    alone_asked = names is None and (argnums is None or isinstance(argnums, int))

    def evaluate(*args: Any, **kwargs: Any) -> tuple[Any, PyTree]:
        slots = _slots(f, argnums, argnames, args, kwargs, where)
        with Level() as level:
            wrapped = {n: _wrap(args[n] if isinstance(n, int) else kwargs[n], level, where) for n in slots}
            if argnames is not None:
                kwargs = {k: wrapped[k][0] if k in wrapped else v for k, v in kwargs.items()}
            out = f(*[wrapped[n][0] if n in wrapped else a for n, a in enumerate(args)], **kwargs)
        aux: Any = None
        if has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise errors.DifferentiationError(
                    f"{where} with has_aux=True needs a function that returns a pair (loss, aux), got {type(out).__name__}"
                )
            out, aux = out
            leaves, unflatten = flatten(aux)
            aux = unflatten([_unwrap(x, level) for x in leaves])
        if not hasattr(out, "shape") and not isinstance(out, (float, int)):
            hint = "; if the second is not to be differentiated, pass has_aux=True" if isinstance(out, tuple) and len(out) == 2 else ""
            raise errors.DifferentiationError(
                f"{where} needs a function that returns a scalar, got {type(out).__name__}; use ag.vjp for other results{hint}"
            )
        if getattr(out, "size", 1) != 1:
            raise errors.DifferentiationError(
                f"{where} needs a function that returns a scalar, got shape {np.shape(out)}; "
                f"reduce it (np.sum, np.mean), or use ag.jacobian or ag.vjp"
            )
        if isinstance(out, Tensor) and out.dtype.kind == "c":
            raise errors.DifferentiationError(
                f"{where} needs a function that returns a real loss, got {out.dtype}; take np.real(loss), np.imag(loss) or np.abs(loss), "
                f"or use ag.vjp"
            )
        node = _node_at(out, level)
        values = {node: node.out} if valued and node is not None and is_lazy(node.out) else None
        found = gradients({node: one_like(node.out)}, values=values) if node is not None else {}
        trees = tuple(wrapped[n][2](_collect(found, wrapped[n][1])) for n in slots)
        gradient = trees[0] if alone_asked else trees if names is None else dict(zip(names, trees, strict=True))
        value = values[node] if values and not is_lazy(values[node]) else _unwrap(out, level)  # type: ignore[index]
        return (value, aux) if has_aux else value, gradient

    return evaluate


def grad(
    f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None, has_aux: bool = False
) -> Callable[..., PyTree]:
    """Return the function that computes the gradient of the scalar function `f`.

    Parameters and errors as in `value_and_grad`; with `has_aux` it returns ``(gradient, aux)``.

    Notes
    -----
    By a complex argument x + iy the gradient is ∂f/∂x + i ∂f/∂y, the direction of steepest ascent, so that ``z -= lr * gradient``
    descends; PyTorch's convention, and the conjugate of JAX's.

    Where an infinite slope meets a zero, the zero wins if a selection left the element out (``np.where(x > 0, np.log(x), 0)`` at 0
    has the gradient 0), and the answer is NaN if the zero is merely a value (``np.sqrt(x) ** 2`` at 0).

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.grad(np.sin)(0.0)
    array(1.)
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    array(12.)
    >>> ag.grad(lambda x, y: x * y, argnames=["y"])(3.0, y=1.0)
    {'y': array(3.)}
    """
    evaluate = _value_and_grad(f, argnums, argnames, has_aux, valued=False)

    def gradient(*args: Any, **kwargs: Any) -> PyTree:
        value, found = evaluate(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


# --- forward mode ---------------------------------------------------------------------------------


def _as_sequence(x: PyTree) -> Sequence[PyTree]:
    return x if isinstance(x, (tuple, list)) else (x,)


def _linearize(f: Callable[..., Any], primals: Sequence[PyTree], where: str) -> tuple[PyTree, Callable[[Sequence[PyTree]], PyTree]]:
    """Evaluate `f` once, and return its result and the function that pushes tangents forward."""
    with Level() as level:
        wrapped = [_wrap(p, level, where) for p in primals]
        out = f(*(tree for tree, _, _ in wrapped))
    leaves, unflatten_out = flatten(out)
    variables = [v for _, group, _ in wrapped for v in group]
    nodes = [_node_at(x, level) for x in leaves]
    roots = [node for node in nodes if node is not None]

    def push(tangents: Sequence[PyTree]) -> PyTree:
        if len(tangents) != len(wrapped):
            raise errors.DifferentiationError(f"{where} got {len(tangents)} tangents for {len(wrapped)} primals")
        given = [t for tree in tangents for t in flatten(tree)[0]]
        if len(given) != len(variables):
            raise errors.DifferentiationError(
                f"{where} got {len(given)} tangent arrays for {len(variables)} primal arrays; their structures must agree"
            )
        moved = {cast(Node, v._node): seed_for(t, v.data, where) for v, t in zip(variables, given, strict=True)}
        found = pushforward(moved, roots)
        lent = set(map(id, given))
        found = {root: t.copy() if isinstance(t, np.ndarray) and (id(t) in lent or t.base is not None) else t for root, t in found.items()}
        moved_leaves = [
            np.zeros_like(_unwrap(x, level)) if node is None or node not in found else alone(found[node])
            for x, node in zip(leaves, nodes, strict=True)
        ]
        return unflatten_out(moved_leaves)

    return unflatten_out([_unwrap(x, level) for x in leaves]), push


def jvp(f: Callable[..., Any], primals: Sequence[PyTree], tangents: Sequence[PyTree]) -> tuple[PyTree, PyTree]:
    """Evaluate `f` and its derivative in the direction of `tangents` (forward mode).

    Parameters
    ----------
    f : callable
        Takes the primals; returns arrays or nested containers of them.
    primals, tangents : sequences of arrays or nested containers
        One entry an argument, of equal shapes. A bare array stands for a function of one argument.

    Returns
    -------
    out, tangent_out : as `f` returns
        The value and its directional derivative, plain arrays. Of complex numbers it is linear over the reals: nothing is conjugated.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, or the tangents have another structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.jvp(np.multiply, (2.0, 3.0), (1.0, 10.0))
    (np.float64(6.0), np.float64(23.0))
    """
    out, push = _linearize(f, _as_sequence(primals), f"jvp({_name_of(f)})")
    return out, push(_as_sequence(tangents))


def hvp(f: Callable[..., Any], primals: Sequence[PyTree], vectors: Sequence[PyTree]) -> PyTree:
    """Return the product of the Hessian of the scalar function `f` with `vectors`, forward over reverse.

    Parameters
    ----------
    f : callable
        Takes the primals, returns a scalar.
    primals, vectors : sequences of arrays or nested containers
        One entry an argument, of equal shapes. A bare array stands for a function of one argument.

    Returns
    -------
    tuple
        One entry an argument; for bare arrays, the bare result. Of complex arguments it is the derivative of the gradient along
        the vectors, which is linear over the reals.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, `f` does not return a real scalar, or `vectors` have another structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    bare = not isinstance(primals, (tuple, list))
    points = _as_sequence(primals)
    product = jvp(grad(f, tuple(range(len(points)))), points, _as_sequence(vectors))[1]
    leaves, unflatten = flatten(product)
    if any(map(is_lazy, leaves)):
        product = unflatten(_settled(leaves, flatten(points)[0]))
    return product[0] if bare else product


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., PyTree]:
    """Return the function that computes the Jacobian of `f`.

    The sweep runs once an output element or once an input element, whichever are fewer.

    Parameters
    ----------
    f : callable
        Returns an array or nested containers of arrays.
    argnums : int or sequence of int
        Which positional arguments to differentiate.

    Returns
    -------
    callable
        Called as `f` is. Each output leaf becomes the structure of the arguments, with arrays of shape
        ``output.shape + input.shape``.

    Raises
    ------
    DifferentiationError
        If a differentiated argument is not of floats, or of complex numbers, whose derivative is linear over the reals only.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return _jacobian(f, argnums, f"jacobian({_name_of(f)})")


def _jacobian(f: Callable[..., Any], argnums: Argnums, where: str) -> Callable[..., PyTree]:
    def evaluate(*args: Any, **kwargs: Any) -> PyTree:
        numbers = _selected(argnums, len(args), where)
        for n in numbers:
            _refuse_complex(flatten(args[n])[0], where)

        def of_selected(*chosen: Any) -> Any:
            full = list(args)
            for n, x in zip(numbers, chosen, strict=True):
                full[n] = x
            return f(*full, **kwargs)

        chosen = tuple(args[n] for n in numbers)
        out, push = _linearize(of_selected, chosen, where)
        in_leaves, unflatten_in = flatten(chosen)
        out_leaves, unflatten_out = flatten(out)
        shapes_in = [np.shape(x) for x in in_leaves]
        shapes_out = [np.shape(x) for x in out_leaves]
        narrow = sum(map(_size, shapes_in)) <= sum(map(_size, shapes_out))
        if narrow or any(np.iscomplexobj(x) for x in out_leaves):  # a pullback gives real arguments the real part alone
            blocks = _by_columns(push, unflatten_in, in_leaves, out_leaves)
        else:
            pullback = vjp(of_selected, *chosen)[1]
            blocks = _by_rows(lambda unit: pullback(unit, stay_lazy=True), unflatten_out, in_leaves, out_leaves)  # type: ignore[call-arg]
        rows = []
        for i, shape_out in enumerate(shapes_out):
            entries = [np.reshape(blocks[i][j], shape_out + shape_in) for j, shape_in in enumerate(shapes_in)]
            tree = unflatten_in(entries)
            rows.append(tree[0] if isinstance(argnums, int) else tree)
        return unflatten_out(rows)

    return evaluate


def _refuse_complex(leaves: Sequence[Any], where: str) -> None:
    for x in leaves:
        if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise errors.DifferentiationError(
                f"{where} got complex numbers: a derivative by them is linear over the real numbers only, so that no array of entries "
                f"holds it. Take real and imaginary part as two arguments, lambda x, y: f(x + 1j * y), or use ag.jvp and ag.vjp"
            )


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def _basis(leaves: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield, for each element of each leaf, arrays that are zero but for a one in its place."""
    for i, x in enumerate(leaves):
        for k in range(_size(np.shape(x))):
            unit = [np.zeros(np.shape(v), getattr(v, "dtype", float)) for v in leaves]
            unit[i].flat[k] = 1
            yield unit


def _by_columns(push: Callable[..., Any], unflatten_in: Unflatten, in_leaves: Sequence[Any], out_leaves: Sequence[Any]) -> list[list[Any]]:
    columns = [flatten(push(unflatten_in(unit)))[0] for unit in _basis(in_leaves)]
    blocks: list[list[Any]] = []
    for i, out in enumerate(out_leaves):
        row, start = [], 0
        for x in in_leaves:
            size = _size(np.shape(x))
            mine = [np.reshape(c[i], (-1,)) for c in columns[start : start + size]]
            row.append(np.stack(mine, axis=1) if mine else np.zeros(np.shape(out) + np.shape(x)))
            start += size
        blocks.append(row)
    return blocks


def _by_rows(
    pullback: Callable[..., Any], unflatten_out: Unflatten, in_leaves: Sequence[Any], out_leaves: Sequence[Any]
) -> list[list[Any]]:
    rows = [flatten(pullback(unflatten_out(unit)))[0] for unit in _basis(out_leaves)]
    blocks, start = [], 0
    for out in out_leaves:
        size = _size(np.shape(out))
        mine = rows[start : start + size]
        blocks.append(
            [
                np.stack([np.reshape(r[j], (-1,)) for r in mine]) if mine else np.zeros(np.shape(out) + np.shape(x))
                for j, x in enumerate(in_leaves)
            ]
        )
        start += size
    return blocks


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., PyTree]:
    """Return the function that computes the matrix of second derivatives of the scalar function `f`.

    Parameters and errors as in `grad`; the result is ``jacobian(grad(f))``: for each differentiated argument,
    its structure with, in each leaf's place, arrays of shape ``leaf.shape + other_leaf.shape``.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 2.0]))
    array([[0., 4.],
           [4., 2.]])
    """
    evaluate = _jacobian(grad(f, argnums), argnums, f"hessian({_name_of(f)})")

    def second(*args: Any, **kwargs: Any) -> PyTree:
        found, unflatten = flatten(evaluate(*args, **kwargs))
        return unflatten(_settled(found, [x for n in _selected(argnums, len(args), "hessian") for x in flatten(args[n])[0]]))

    return second
