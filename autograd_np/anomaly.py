"""What `detect_anomaly` looks for: a NaN that an operation made, and arrays that were written to after they were recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.calls import value_of
from autograd_np.node import Node, WatchedNode
from autograd_np.overriding import bare
from autograd_np.results import Results

__all__ = ["check_forward", "check_kept", "has_nan", "keep"]


def has_nan(value: Any) -> bool:
    """Whether an array, or what a Tensor holds, has a NaN."""
    value = bare(value)
    if isinstance(value, Results):
        return any(map(has_nan, value))
    return getattr(getattr(value, "dtype", None), "kind", "") in "fc" and bool(np.isnan(value).any())


def check_forward(node: Node) -> None:
    """Raise if an operation made a NaN of operands without one."""
    if has_nan(node.out) and not any(has_nan(v) for v in node.values):
        assert node.op is not None
        shapes = ", ".join(str(np.shape(v)) for v in node.values)
        raise errors.AnomalyError(f"{node.op.name} on operands of shape {shapes} produced a NaN from operands without one, at {node.site}")


# --- arrays that change ---------------------------------------------------------------------------


def keep(node: WatchedNode) -> None:
    """Remember the arrays an operation was recorded with."""
    kept = node.kept = object.__new__(Node)
    kept.op, kept.parents, kept.needs = node.op, node.parents, node.needs
    kept.values = tuple(map(_copied, node.values))
    kept.attrs = {key: _copied(value) for key, value in node.attrs.items()}
    kept.out = _copied(node.out)


def check_kept(node: Node, derivatives: Callable[[Node], list[Any]]) -> None:
    """Raise if an array was written to since an operation was recorded, and its derivatives are others for that."""
    if not isinstance(node, WatchedNode):
        return
    changed = list(_changed(node, node.kept))
    if changed and _differ(node, node.kept, derivatives):
        assert node.op is not None
        raise errors.AnomalyError(
            f"{' and '.join(changed)} of {node.op.name} was written to after it was recorded at {node.site}, and before the sweep "
            f"that needs it. An operation keeps the array it is given: give it a copy (buffer.copy()), or make a new array each time"
        )


def _differ(node: Node, kept: Node, derivatives: Callable[[Node], list[Any]]) -> bool:
    try:
        return not _same(derivatives(node), derivatives(kept))
    except Exception:  # noqa: BLE001 (an index that is out of bounds by now, a shape that does not fit)
        return True


def _changed(node: Node, kept: Node) -> Iterator[str]:
    for i, (now, then) in enumerate(zip(node.values, kept.values, strict=True)):
        if not _same(now, then):
            yield f"operand {i}"
    for key, then in kept.attrs.items():
        if not _same(node.attrs[key], then):
            yield f"the argument {key}"
    if not _same(node.out, kept.out):
        yield "the result"


def _copied(x: Any) -> Any:
    x = value_of(x)
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, Results):
        return x.map(_copied)
    return type(x)(map(_copied, x)) if type(x) in (tuple, list) else x


def _same(a: Any, b: Any) -> bool:
    a, b = value_of(a), value_of(b)
    if isinstance(a, Results) and isinstance(b, Results):
        a, b = a.parts, b.parts
    if type(a) in (tuple, list) and type(b) in (tuple, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if not isinstance(a, (np.ndarray, np.generic)):
        return a is b or not isinstance(b, (np.ndarray, np.generic))
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
