"""L-BFGS: steps along the gradient times an inverse Hessian that is estimated from the last steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.optim.line_search import Trial, strong_wolfe
from nn.optim.optimizer import Array, Optimizer, Params
from nn.state import array_of, fitted

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5.

    A step is up to `max_iter` iterations, each of which calls the closure. It pays where the loss is the same at each call,
    on all data rather than on a batch.

    Parameters
    ----------
    params : iterable of Tensor
        What to move; one group.
    lr : float
        The length of a step, or the first length that the line search tries.
    max_iter : int
        Iterations a step.
    max_eval : int, optional
        Calls of the closure a step; 5/4 of `max_iter` by default.
    tolerance_grad, tolerance_change : float
        A step ends where no element of the gradient is larger, or none of the change and not the change of the loss.
    history_size : int
        How many changes are remembered, each as large as the parameters, twice.
    line_search_fn : "strong_wolfe" or None
        Search for the length of each step, or take `lr`.
    maximize : bool
        Go up.

    Raises
    ------
    ValueError
        If a setting is out of its range, or there are several groups.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> p = nn.Parameter([-1.5, 2.0])
    >>> optimiser = nn.LBFGS([p], line_search_fn="strong_wolfe", max_iter=50)
    >>> def closure():
    ...     optimiser.zero_grad()
    ...     loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimiser.step(closure)
    >>> np.allclose(p.data, [1.0, 1.0])
    True
    """

    settings = ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size", "maximize")
    lr: float
    max_iter: int
    max_eval: int
    tolerance_grad: float
    tolerance_change: float
    history_size: int
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: Literal["strong_wolfe"] | None = None,
        *,
        maximize: bool = False,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn={line_search_fn!r} is not known; expected 'strong_wolfe' or None")
        super().__init__(
            params,
            lr=float(lr),
            max_iter=int(max_iter),
            max_eval=int(max_iter * 5 // 4 if max_eval is None else max_eval),
            tolerance_grad=float(tolerance_grad),
            tolerance_change=float(tolerance_change),
            history_size=int(history_size),
            maximize=bool(maximize),
        )
        self.line_search_fn = line_search_fn
        self.changes: list[tuple[Array, Array, float]] = []
        """For each of the last iterations: the change of the gradient, the step, and the inverse of their product."""
        self.last: dict[str, Any] = {}
        """Of the last iteration: the direction, the length along it, the gradient and the loss before it; and counts."""

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take the parameters; a second group is refused, since all of them move along one direction."""
        if self.param_groups:
            raise ValueError("LBFGS moves all parameters along one direction and has a single group of them")
        super().add_param_group(group)

    # --- parameters as one vector

    def _found(self, loss: Any) -> tuple[float, Array]:
        """Return what is to become small, and its gradient."""
        g = np.concatenate([np.ravel(np.zeros_like(p.data) if p.grad is None else p.grad) for p in self.params])
        return (-float(loss), -g) if self.maximize else (float(loss), g)

    def _values(self) -> Array:
        return np.concatenate([np.ravel(p.data) for p in self.params])

    def _move_to(self, flat: Array) -> None:
        start = 0
        with ag.no_grad():
            for p in self.params:
                p[...] = flat[start : start + p.size].reshape(p.shape).astype(p.dtype, copy=False)
                start += p.size

    # --- the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters, by several iterations.

        Parameters
        ----------
        closure : callable
            Computes the loss and the gradients, ``zero_grad()`` included, and returns the loss.

        Returns
        -------
        What the closure returned at the start.

        Raises
        ------
        TypeError
            Without a closure.
        autograd_np.DifferentiationError
            If no parameter has a gradient after the closure was called.
        """
        if closure is None:
            raise TypeError("LBFGS evaluates the loss several times a step; pass a function: optimiser.step(closure)")
        first = closure()
        if all(p.grad is None for p in self.params):
            raise ag.DifferentiationError("step(): no parameter has a gradient after the closure; it must call loss.backward()")
        loss, g = self._found(first)
        self.last["func_evals"] = self.last.get("func_evals", 0) + 1
        evaluations = 1
        converged = bool(np.max(np.abs(g)) <= self.tolerance_grad)
        for k in range(1, self.max_iter + 1):
            if converged:
                break
            d = self._direction(g)
            t = self.lr * (min(1.0, 1.0 / float(np.sum(np.abs(g)))) if self.last["n_iter"] == 1 else 1.0)
            slope = float(np.dot(g, d))
            self.last.update(d=d, t=t, prev_grad=g, prev_loss=loss)
            if slope > -self.tolerance_change:
                break
            x = self._values()
            before = loss
            if self.line_search_fn is not None:
                evaluate = self._evaluator(closure, x, d)
                size, tries = float(np.max(np.abs(d))), self.max_eval - evaluations
                found, count = strong_wolfe(evaluate, Trial(0.0, loss, g, slope), t, size, tries=tries)
                t, loss, g = found.t, found.value, found.gradient
                self._move_to(x + t * d)
            else:
                self._move_to(x + t * d)
                count = 0
                if k < self.max_iter:
                    (loss, g), count = self._found(closure()), 1
            self.last["t"] = t
            evaluations += count
            self.last["func_evals"] += count
            converged = bool(np.max(np.abs(g)) <= self.tolerance_grad)
            small = np.max(np.abs(t * d)) <= self.tolerance_change or abs(loss - before) < self.tolerance_change
            if evaluations >= self.max_eval or small:
                break
        return first

    def _evaluator(self, closure: Callable[[], Any], x: Array, d: Array) -> Callable[[float], Trial]:
        def evaluate(t: float) -> Trial:
            self._move_to(x + t * d)
            loss, g = self._found(closure())
            return Trial(t, loss, g, float(np.dot(g, d)))

        return evaluate

    def _direction(self, g: Array) -> Array:
        """Remember the last change, and return minus the gradient times the estimate of the inverse Hessian."""
        last = self.last
        last["n_iter"] = last.get("n_iter", 0) + 1
        if last["n_iter"] == 1:
            last["scale"] = 1.0
            return -g
        y, s = g - last["prev_grad"], last["t"] * last["d"]
        curvature = float(np.dot(y, s))
        if curvature > 1e-10:
            self.changes = [*self.changes, (y, s, 1 / curvature)][-self.history_size :]
            last["scale"] = curvature / float(np.dot(y, y))
        q, weights = -g, []
        for y, s, inverse in reversed(self.changes):
            weights.append(float(np.dot(s, q)) * inverse)
            q -= weights[-1] * y
        q *= last["scale"]
        for (y, s, inverse), weight in zip(self.changes, reversed(weights), strict=True):
            q += (weight - float(np.dot(y, q)) * inverse) * s
        return q

    # --- state

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the settings, of the last changes, and of the last iteration, as a flat dict of arrays."""
        kept = {name: array_of(value) for name, value in self.last.items()}
        if self.changes:
            ys, steps, inverses = zip(*self.changes, strict=True)
            kept |= {"old_dirs": np.stack(ys), "old_stps": np.stack(steps), "ro": np.array(inverses)}
        return super().state_dict() | kept

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state; all of it, or none if anything does not fit.

        Raises
        ------
        StateDictError
            Naming everything that does not fit; the optimiser is as it was.
        """
        expected: dict[str, Any] = {name: array_of(getattr(self, name)) for name in self.settings}
        flat = self._values()
        if isinstance(state_dict, Mapping) and "func_evals" in state_dict:
            expected["func_evals"] = np.zeros((), int)
            if "n_iter" in state_dict:
                expected |= {"n_iter": np.zeros((), int), "d": flat, "prev_grad": flat}
                expected |= {name: np.zeros(()) for name in ("t", "scale", "prev_loss")}
            if "ro" in state_dict:
                n = len(np.atleast_1d(array_of(state_dict["ro"])))
                expected |= {"ro": np.zeros(n), **{name: np.empty((n, flat.size), flat.dtype) for name in ("old_dirs", "old_stps")}}
        what = f"the state for {type(self).__name__}"
        new, _ = fitted(expected, state_dict, what)
        settings = {name: type(getattr(self, name))(new.pop(name)) for name in self.settings}
        try:
            self._check(settings)
        except ValueError as error:
            raise StateDictError(f"{what} does not fit, and nothing was changed: {error}") from error
        self.param_groups[0].update(settings)
        changes = [new.pop(name) for name in ("old_dirs", "old_stps", "ro") if name in new]
        self.changes = [(y, s, float(inverse)) for y, s, inverse in zip(*changes, strict=True)]
        self.last = {name: value if value.ndim else value.item() for name, value in new.items()}

    @staticmethod
    def _check(settings: Mapping[str, Any]) -> None:
        Optimizer._check(settings)
        for name in ("max_iter", "max_eval", "history_size"):
            if settings[name] < 1:
                raise ValueError(f"{name}={settings[name]} must be at least 1")
        for name in ("tolerance_grad", "tolerance_change"):
            if not (settings[name] >= 0 and math.isfinite(settings[name])):
                raise ValueError(f"{name}={settings[name]} must be at least 0")
