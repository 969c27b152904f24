"""How each row of the table runs on many examples at once.

A rule gets a `Call` and returns the results of all examples, along the first axis. What it does not cover it gives up by `NoRule`,
and the operation runs in a loop; so does a row that has no rule. A rule has to be right for any mixture of operands with and
without an axis of examples, and counts axes of one example, so that none from the end, or out of range, meets that axis.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.batching.axes import AXES, reduction
from autograd_np.batching.call import Call, NoRule, Rule
from autograd_np.batching.elements import ELEMENTS, elementwise
from autograd_np.batching.moving import MOVING
from autograd_np.batching.picking import PICKING, add_along, getitem, scatter_add, setitem
from autograd_np.batching.products import PRODUCTS, einsum
from autograd_np.op import TABLE, Op, Primitive
from autograd_np.ops.contraction import einsum_of

__all__ = ["RULES", "TAKES_BATCHED_ATTRS", "elementwise", "rule_of"]


def _row_of(fn: object) -> Op:
    row = fn.op if isinstance(fn, Primitive) else TABLE[fn]
    assert isinstance(row, Op)
    return row


RULES: dict[Op, Rule] = {_row_of(fn): rule for family in (ELEMENTS, AXES, MOVING, PICKING, PRODUCTS) for fn, rule in family.items()}
"""A row -> how it runs on many examples; rows of functions of each element alone need no entry."""

TAKES_BATCHED_ATTRS: frozenset[Rule] = frozenset({getitem, setitem, scatter_add, add_along, reduction})
"""Rules of rows whose attributes may differ from example to example: indices, and masks of reductions."""


def _users(many: Callable[..., Any], c: Call) -> Any:
    """Run what a user's own operation does on many examples."""
    found = many(c.size, tuple(c.flags), *c.xs, **c.attrs)
    if found is NotImplemented:
        raise NoRule
    if np.ndim(found) == 0 or found.shape[0] != c.size:
        raise errors.CustomRuleError(
            f"the rule vmap= of {getattr(c.fn, '__name__', 'an operation')} returned shape {np.shape(found)}; expected the {c.size} "
            f"examples along the first axis"
        )
    return found


def rule_of(row: Op) -> Rule | None:
    """Return the rule of a row, or ``None`` where it runs in a loop."""
    found = RULES.get(row)
    if found is None and row.many is not None:
        return functools.partial(_users, row.many)
    if found is None and row.by_element:
        return elementwise
    if found is None and row.name == "einsum" and row is einsum_of(len(row.rules)).op:
        return einsum  # of more operands than the table has rows for at first
    return found
