"""Calls of NumPy's functions as they arrive: which arguments are operands, which are attributes, and what the table lacks.

This is what is known of a call from its row alone. Nothing is computed or recorded here, and a Tensor is only something that
holds data and can be refused: it may not be made or changed.
"""

from __future__ import annotations

from typing import Any, cast

from autograd_np import errors
from autograd_np.op import Op, Recordable

__all__ = ["bind", "no_row", "plain"]


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], list[Any], Any]:
    """Sort the arguments of a call into operands, attributes, the Tensors that attributes were read from, and `out`."""
    arrays = 1 if op.variadic else len(op.rules)
    given = dict(zip(op.params, args, strict=False))
    if len(args) > len(op.params):
        raise TypeError(f"{op.name} takes {len(op.params)} arguments ({', '.join(op.params)}), got {len(args)}")
    for key, value in kwargs.items():
        if key in given:
            raise TypeError(f"{op.name}() got two values for the argument {key!r}")
        given[key] = value
    out = given.pop("out", None)
    attrs = {k: v for k, v in given.items() if k not in op.params[:arrays]}
    sources: list[Any] = []
    for key in attrs:
        if key not in op.attrs:
            raise errors.NoRowError(
                f"the row of {op.name} does not cover the argument {key}={attrs[key]!r}; it covers {', '.join(op.attrs) or 'none'}"
            )
        attrs[key] = plain(attrs[key], f"{op.name}(..., {key}=)", sources)
    operands = [given.get(name) for name in op.params[:arrays]]
    return tuple(cast("list[Any]", operands[0]) if op.variadic else operands), attrs, sources, out


def plain(value: Any, where: str, sources: list[Any]) -> Any:
    """Take the data out of Tensors among attributes and indices; they cannot carry a gradient.

    Those of a level that keeps all are added to `sources`, for the graph to show.
    """
    if isinstance(value, Recordable):
        tensor: Any = value
        if tensor.requires_grad:
            raise errors.DifferentiationError(
                f"{where} got a Tensor that requires a gradient, and there is none through this argument; pass x.detach() if that is meant"
            )
        if tensor._node is not None and tensor._node.level.keeps_all:
            sources.append(tensor)
        return plain(tensor.data, where, sources)
    if type(value) in (tuple, list):
        return type(value)(plain(v, where, sources) for v in value)
    if type(value) is slice:
        return slice(*(plain(v, where, sources) for v in (value.start, value.stop, value.step)))
    return value


_INSTEAD = {
    "apply_along_axis": "the function on the whole array with axis=",
    "resize": "np.tile and a slice",
    "quantile": "np.sort(x, axis) and a weighted mean of its neighbouring elements",
    "percentile": "np.sort(x, axis) and a weighted mean of its neighbouring elements",
    "interp": "np.searchsorted and a weighted mean of the neighbouring elements",
    "polyval": "Horner's rule: y = y * x + c for each coefficient",
    "unique": "np.sort(x)",
}


def no_row(fn: Any) -> str:
    """Return what to say of a function of NumPy's that is not in the table."""
    name = getattr(fn, "__name__", str(fn))
    module = (getattr(fn, "__module__", None) or "numpy").replace("numpy", "np")
    instead = f"; write {_INSTEAD[name]} instead" if name in _INSTEAD else ""
    return (
        f"{module}.{name} has no row in autograd_np's table of derivatives{instead}. If no gradient is "
        f"needed here, call it on x.data; otherwise add the operation with ag.define"
    )
