"""Copies and pickles: what of a Tensor travels into another process or another object.

A leaf travels with its values, gradient and name, and is a leaf of its own on arrival; of a graph nothing travels, so a
result that has one is refused, or, inside a transform, copied as NumPy would: recorded. The methods are attached to Tensor.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from autograd_np import errors
from autograd_np.ndarray_methods import attach
from autograd_np.node import EAGER
from autograd_np.tensor import Tensor

__all__: list[str] = []


def __getstate__(self: Tensor) -> dict[str, Any]:  # noqa: N807 (attached below)
    """Return what is pickled: of a leaf everything, of a graph nothing."""
    node = self._node
    if isinstance(self.data, Tensor) or (node is not None and (node.op is not None or node.level is not EAGER)):
        made = f"the result of {node.op.name}" if node is not None and node.op else "the argument of a function being differentiated"
        raise errors.DifferentiationError(
            f"a Tensor{self._called()}, {made}, cannot be pickled or deep-copied: its graph stays where it was recorded. "
            f"Take x.detach() for the values, x.copy() for a recorded copy, or the leaves it was computed from"
        )
    attributes, slots = cast("tuple[dict[str, Any] | None, dict[str, Any]]", object.__getstate__(self))
    own = {name: value for name, value in slots.items() if name not in Tensor.__slots__}
    return {
        "data": self.data,
        "requires_grad": self.requires_grad,
        "name": None if node is None else node.given_name,
        "grad": self.grad,
        "attributes": {**(attributes or {}), **own},
    }


def __setstate__(self: Tensor, state: dict[str, Any]) -> None:  # noqa: N807 (attached below)
    """Become a leaf of this process."""
    Tensor.__init__(self, state["data"], state["requires_grad"], state["name"])
    if state["grad"] is not None:
        self.grad = state["grad"]
    for name, value in state["attributes"].items():
        setattr(self, name, value)


def __copy__(self: Tensor) -> Tensor:  # noqa: N807 (attached below)
    return self.copy()


def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:  # noqa: N807 (attached below)
    node = self._node
    if isinstance(self.data, Tensor) or (node is not None and node.level is not EAGER):
        return self.copy()
    state = __getstate__(self)
    new = memo[id(self)] = type(self).__new__(type(self))
    __setstate__(new, copy.deepcopy(state, memo))
    return new


attach(__getstate__, __setstate__, __copy__, __deepcopy__)
