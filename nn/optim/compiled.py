"""The step of an optimiser as compiled code: the rules of all parameters in one function, which writes where they lie."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.optim.optimizer import COUNTS, Array, Numbers, Optimizer

__all__ = ["CompiledUpdate"]

LARGE = 1 << 16
"""Larger parameters are moved tile by tile, together with those of the same size; smaller ones by the function of the largest."""
_references: Callable[[Any], int] = getattr(sys, "getrefcount", lambda _: -1)
_EXAMPLE = ag.Tensor(np.zeros(1), requires_grad=True)
_ALONE = _references(_EXAMPLE.data) if hasattr(sys, "getrefcount") else 0
"""How often an array is referred to that nobody has but its Tensor."""


class _Moved(NamedTuple):
    """A parameter with what its rule takes."""

    parameter: Any
    gradient: Array
    arrays: dict[str, Array]
    numbers: Numbers
    maximize: bool


class CompiledUpdate:
    """Moves the parameters of an optimiser as its `step` does, by compiled code.

    Parameters are written where they lie if nobody else has their arrays: no view, no recorded result, no variable. Otherwise they get new
    ones, as ever.

    Parameters
    ----------
    optimiser : Optimizer
    backend : str
        Of `autograd_np.compile`.

    Attributes
    ----------
    note : str
        Why the step is the optimiser's own, if it is.
    """

    def __init__(self, optimiser: Any, backend: str = "auto") -> None:
        self.optimiser = optimiser
        self.backend = backend
        self.note = ""
        if not isinstance(optimiser, Optimizer) or type(optimiser).step is not Optimizer.step or not optimiser.has_rule:
            self.note = (
                f"{type(optimiser).__name__} computes its step as it stands, without compiled code: it has no rule for each parameter"
            )
        self._functions: dict[Any, Callable[..., None]] = {}

    def step(self) -> None:
        """Move every parameter that has a gradient.

        Raises
        ------
        autograd_np.DifferentiationError
            If no parameter has a gradient.
        """
        if self.note:
            self.optimiser.step()
            return
        together: dict[int, list[_Moved]] = {}
        for moved in self._counted():
            data = moved.parameter.data
            together.setdefault(data.size if data.nbytes >= LARGE else 0, []).append(moved)
        small = together.pop(0, [])  # they cost the calls: one function less to call
        if small:
            together.setdefault(max(together, default=0), []).extend(small)
        for group in together.values():
            self._move(group)

    def _counted(self) -> list[_Moved]:
        """Count the step of every parameter, and return what is to be moved; what cannot be compiled is moved."""
        optimiser = self.optimiser
        found: list[_Moved] = []
        states = iter(optimiser.state)
        any_has = False
        for group in optimiser.param_groups:
            maximize = bool(group.get("maximize"))
            known: dict[tuple[Any, ...], tuple[Numbers, dict[str, Any]]] = {}
            for p in group["params"]:
                state, g = next(states), p.grad
                if g is None:
                    continue
                any_has = True
                if type(g) not in (np.ndarray, np.float64, np.float32) or type(p.data) is not np.ndarray:
                    with ag.no_grad():
                        p -= optimiser._update(p.data, -g if maximize else g, state, group)
                    continue
                before = (len(state) > 0, *[state.get(name) for name in COUNTS])
                if before not in known:
                    numbers = optimiser._numbers(state, group)
                    known[before] = numbers, {name: state[name] for name in COUNTS if name in state}
                numbers, counts = known[before]
                state.update(counts)
                found.append(_Moved(p, g, optimiser._arrays(p.data, state, group), numbers, maximize))
        if not any_has:
            raise ag.DifferentiationError("step(): no parameter has a gradient; call loss.backward() first, after zero_grad()")
        return found

    def _move(self, group: list[_Moved]) -> None:
        """Move parameters by one function."""
        given: list[Array] = []
        gradients: list[Array] = []
        arrays: list[Array] = []
        shared: list[tuple[Any, Array]] = []
        numbers: list[Numbers] = []
        which: list[int] = []
        for p, g, own, n, _ in group:
            if not numbers or numbers[-1] is not n:  # the same numbers follow one another in a group, or are given twice
                numbers.append(n)
            which.append(len(numbers) - 1)
            if _is_alone(p):
                data = p.data
            else:
                data = np.array(p.data)
                shared.append((p, data))
            its = [data, g, *own.values()]
            if data.nbytes >= LARGE and data.ndim > 1 and all(x.flags.c_contiguous for x in its):
                its = [x.reshape(-1) for x in its]  # tiles lie in one piece
            given.append(its[0])
            gradients.append(its[1])
            arrays += its[2:]
        key = tuple(which), tuple([m.maximize for m in group]), tuple([tuple(m.arrays) for m in group]), tuple(map(tuple, numbers))
        if key not in self._functions:
            self._functions[key] = _function(self.optimiser._rule, self.backend, *key)
        self._functions[key](given, gradients, arrays, [x for n in numbers for x in n.values()])
        if shared:
            with ag.no_grad():
                for p, new in shared:
                    p[...] = new


def _is_alone(p: Any) -> bool:
    """Whether an array is referred to by its Tensor alone, so that nobody can see that it is written."""
    return _references(p.data) == _ALONE and p.data.base is None and bool(p.data.flags.writeable)


def _function(
    rule: Callable[..., Array],
    backend: str,
    which: tuple[int, ...],
    maximize: tuple[bool, ...],
    names: tuple[Any, ...],
    of_numbers: tuple[Any, ...],
) -> Callable[..., None]:
    """Return the compiled function of parameters, gradients, what is remembered of them one after the other, and the numbers of a step."""

    def update(values: list[Any], gradients: list[Any], arrays: list[Any], floats: list[float]) -> None:
        rest, more = iter(arrays), iter(floats)
        numbers = [{name: next(more) for name in own} for own in of_numbers]
        for p, g, n, up, own in zip(values, gradients, which, maximize, names, strict=True):
            p -= rule(p, -g if up else g, {name: next(rest) for name in own}, numbers[n])

    compiled: Callable[..., None] = ag.compile(update, in_place=True, backend=backend)
    return compiled
