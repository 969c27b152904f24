"""What `state_dict` and `load_state_dict` share: a state is compared as a whole before anything is changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError

__all__ = ["IncompatibleKeys", "array_of", "assign", "completed", "fitted", "held", "refuse_conflicts"]


class IncompatibleKeys(NamedTuple):
    """The names that a state lacked, and those it had too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def held(x: Any) -> Any:
    """Return the array that a Tensor holds, and anything else as it is."""
    return x.numpy() if isinstance(x, ag.Tensor) else x


def array_of(x: Any) -> Any:
    """Return a copy of the values of a Tensor, array or number."""
    return np.array(held(x), order="C")


def fitted(
    expected: Mapping[str, Any], state: Mapping[str, Any], what: str, *, strict: bool = True
) -> tuple[dict[str, Any], IncompatibleKeys]:
    """Return the arrays of `state` in the shapes and dtypes of `expected`, or raise with all that is wrong.

    Parameters
    ----------
    expected : mapping
        Name -> something with a shape and a dtype.
    state : mapping
        Name -> array, Tensor or number.
    what : str
        For the message.
    strict : bool
        Whether missing and unexpected names are errors.
    """
    if not isinstance(state, Mapping):
        raise StateDictError(f"{what} expected a dict of names and arrays, got {type(state).__name__}")
    keys = IncompatibleKeys([k for k in expected if k not in state], [k for k in state if k not in expected])
    problems = []
    if strict and keys.missing_keys:
        problems.append(f"missing: {', '.join(keys.missing_keys)}")
    if strict and keys.unexpected_keys:
        problems.append(f"unexpected: {', '.join(map(str, keys.unexpected_keys))}")
    new = {}
    for name, own in expected.items():
        if name not in state:
            continue
        value = array_of(state[name])
        if value.shape != own.shape:
            problems.append(f"{name}: got shape {value.shape}, expected {own.shape}")
        elif value.dtype.kind not in "biuf" or not np.can_cast(value.dtype, own.dtype, "same_kind"):
            problems.append(f"{name}: got dtype {value.dtype}, expected {own.dtype}")
        else:
            new[name] = value.astype(own.dtype)
    if problems:
        raise StateDictError(f"{what} does not fit, and nothing was changed: " + "; ".join(problems))
    return new, keys


def completed(state: Mapping[str, Any], ties: Mapping[str, Hashable]) -> Mapping[str, Any]:
    """Return a state in which what is tied has its values under each of its names, of which some writers keep one.

    Parameters
    ----------
    state : mapping
    ties : mapping
        Name -> what is the same for names that are tied, and no others.
    """
    if not isinstance(state, Mapping):
        return state
    values = {tie: state[name] for name, tie in ties.items() if name in state}
    return {**state, **{name: values[tie] for name, tie in ties.items() if tie in values and name not in state}}


def refuse_conflicts(new: Mapping[str, Any], ties: Mapping[str, Hashable], what: str) -> None:
    """Refuse a state in which what is tied has several values."""
    first: dict[Hashable, str] = {}
    for name, value in new.items():
        other = first.setdefault(ties[name], name)
        if other != name and not np.array_equal(value, new[other], equal_nan=True):
            raise StateDictError(f"{what} does not fit, and nothing was changed: {other} and {name} are tied, but have different values")


def assign(pairs: Iterable[tuple[ag.Tensor, Any]]) -> None:
    """Give each Tensor new values, all of them or none."""
    done: list[tuple[ag.Tensor, Any]] = []
    with ag.no_grad():
        try:
            for t, value in pairs:
                before = t.data
                t[...] = value
                done.append((t, before))
        except BaseException:
            for t, before in reversed(done):
                t[...] = before
            raise
