"""A user's own operations: a forward function and its derivative, dispatched like the built-in ones."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients
from autograd_np.node import Level
from autograd_np.op import Op, Primitive, Recordable, batched_in
from autograd_np.tensor import leaf, record
from autograd_np.typing import Array, Rule

__all__ = ["custom_gradient", "define"]


def define(
    forward: Callable[..., Any],
    *,
    partials: Sequence[Any] | None = None,
    vjp: Rule | Sequence[Rule | None] | None = None,
    jvp: Rule | None = None,
    vmap: Rule | None = None,
    name: str | None = None,
    check: Sequence[Any] | None = None,
    tex: str = "",
) -> Primitive:
    """Make an operation of a function and its derivative.

    Parameters
    ----------
    forward : callable
        Takes arrays as positional parameters and attributes as keyword-only ones; returns one array.
    partials : sequence, optional
        For functions of each element alone: a partial derivative an argument, each ``partial(y, *arrays)``, or
        the numbers 1, -1, 0. Gives both modes.
    vjp : callable, or a sequence of them, optional
        ``vjp(g, y, *arrays, **attributes)`` returns the cotangents, one an argument (bare if there is one;
        ``None`` for no gradient), each of its argument's shape. Written in NumPy, it can be differentiated again.
        A sequence has a rule an argument, or ``None``, each called as above and returning the cotangent of its argument; a rule
        whose cotangent is not asked for, as that of data, is not called.
        Of complex arrays `g` and the cotangents are gradients, ∂L/∂x + i ∂L/∂y, as everywhere outside the engine; a partial is the
        complex derivative, and of a real function the p with df = Re(p dz).
    jvp : callable, optional
        ``jvp(tangents, y, *arrays, **attributes)``; ``None`` among the tangents means zero. Without it the
        forward mode transposes `vjp`.
    vmap : callable, optional
        ``vmap(size, batched, *arrays, **attributes)`` returns the results of `size` examples at once, along the first axis; `batched`
        tells which arrays hold them, along theirs. Without it, or where it returns ``NotImplemented``, `autograd_np.vmap` runs the
        operation once for each example. Functions of each element alone need none.
    name : str, optional
        For drawings and messages; the function's name by default.
    check : sequence of arrays, optional
        Sample arguments: the derivative is compared with central differences at once.
    tex : str, optional
        LaTeX with ``#1``, ``#2`` for the arguments.

    Returns
    -------
    Primitive
        Call it on Tensors, arrays or scalars.

    Raises
    ------
    CustomRuleError
        If neither or both of `partials` and `vjp` are given, if `check` fails, and during a backward pass if a
        rule returns a wrong count, shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> cube = ag.define(lambda x: x**3, partials=[lambda y, x: 3 * x**2], name="cube", check=[np.array([1.0, 2.0])])
    >>> ag.grad(cube)(2.0)
    array(12.)
    """
    if (partials is None) == (vjp is None):
        raise errors.CustomRuleError("ag.define needs one of partials= (functions of each element alone) or vjp= (everything else)")
    if isinstance(forward, np.ufunc):  # whose signature, where it has one, counts `out` among the arguments
        arrays, attrs = [f"x{i + 1}" for i in range(forward.nin)], []
    else:
        parameters = inspect.signature(forward).parameters.values()
        arrays = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        attrs = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    title = name or str(getattr(forward, "__name__", "custom"))
    joint = callable(vjp)
    rules = [vjp] * len(arrays) if joint else list(vjp if partials is None else partials)  # type: ignore[arg-type]
    if len(rules) != len(arrays):
        what = "rules" if partials is None else "partials"
        raise errors.CustomRuleError(f"{title} takes {len(arrays)} arrays ({', '.join(arrays)}) but got {len(rules)} {what}")
    new = Primitive(forward)
    new.__name__ = title  # type: ignore[attr-defined]
    new.op = Op(
        title,
        new,
        "elementwise" if partials is not None else "general",
        rules,
        params=(*arrays, *attrs),
        jvp=jvp,
        tex=tex,
        joint=joint,
        strict=True,
        many=vmap,
    )
    if check is not None:
        _check(new, [np.asarray(x, float) if isinstance(x, (float, int)) else x for x in check])
    return new


def _check(new: Primitive, args: list[Array]) -> None:
    """Compare the rule with central differences in a random direction, by every argument."""
    rng = np.random.default_rng(0)
    level = Level()
    variables = [leaf(x, level, needs=np.asarray(x).dtype.kind in "fc") for x in args]
    out = new(*variables)
    g = rng.normal(size=out.shape)
    found = gradients({out._node: g}, stay_lazy=True)
    for i, (x, v) in enumerate(zip(args, variables, strict=True)):
        if v._node not in found:
            continue
        direction = rng.normal(size=np.shape(x))
        step = np.cbrt(np.finfo(float).eps) * np.maximum(1, abs(x))
        ahead, behind = ([*args[:i], x + sign * step * direction, *args[i + 1 :]] for sign in (1, -1))
        numeric = (np.sum(g * new(*ahead)) - np.sum(g * new(*behind))) / 2
        analytic = np.sum(found[v._node] * direction * step)
        if not np.isclose(analytic, numeric, rtol=1e-5, atol=1e-7 * np.max(step)):
            raise errors.CustomRuleError(
                f"the rule of {new.op.name} disagrees with central differences for argument {i}: "
                f"directional derivative {analytic:.6g}, numerically {numeric:.6g}"
            )
    level.close()


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns its result and the function that pulls a cotangent back.

    Parameters
    ----------
    f : callable
        ``f(*arrays)`` returns ``(y, pullback)``, and ``pullback(g)`` the cotangents, one an argument. `f` sees
        plain arrays (or Tensors of an outer transform), so `pullback` may keep what it needs.

    Returns
    -------
    callable
        Takes arrays or Tensors, returns `y`.

    Raises
    ------
    CustomRuleError
        During a backward pass, if `pullback` returns a wrong count, shape or dtype.

    Examples
    --------
    >>> import autograd_np as ag
    >>> @ag.custom_gradient
    ... def clipped(x):
    ...     return x, lambda g: g.clip(-1.0, 1.0)
    >>> ag.grad(lambda x: 5 * clipped(x))(2.0)
    array(1.)
    """

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        for batch in batched_in(args):
            if getattr(batch.whole, "requires_grad", False):  # the Tensor is inside, where the rule has to be recorded
                return batch.one_by_one(call, args, {})
        kept: list[Callable[..., Any]] = []

        def forward(*values: Any) -> Any:
            y, pullback = f(*values)
            kept[:] = [pullback]
            return y

        if not any(isinstance(x, Recordable) for a in args for x in (a if type(a) in (list, tuple) else (a,))):
            return forward(*args)

        def rule(g: Array, *_: Any) -> Any:
            return kept[0](g)

        name = getattr(f, "__name__", "custom")
        return record(Op(name, forward, "general", (rule,) * len(args), joint=True, strict=True), args)

    return call
