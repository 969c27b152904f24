"""One check: the user's functions, their points, and runs of backward in which wrong values are replaced by right ones."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.chains import chain_ends
from autograd_np.check.judge.compare import close
from autograd_np.check.judge.names import pair
from autograd_np.check.judge.outcome import Key, Returned
from autograd_np.check.judge.pairing import Pairing
from autograd_np.check.watch.calling import arguments, bound_to, flat_names, fresh, plain_forward
from autograd_np.check.watch.forward import Point, evaluate_point
from autograd_np.check.watch.interpret import CannotEvaluate, execute
from autograd_np.check.watch.run import Event, StopRunError, record_events
from autograd_np.check.watch.source import Source
from autograd_np.node import Node
from autograd_np.trace import code_of
from autograd_np.typing import Array

__all__ = ["Session"]

_UPSTREAM = {
    "dout",
    "d_out",
    "dy",
    "dY",
    "dL",
    "dloss",
    "g",
    "gout",
    "gy",
    "upstream",
    "grad_output",
    "grad_out",
    "grad",
    "delta",
    "dnext",
    "dz",
    "dA",
    "dZ",
}
_CACHE = {"cache", "ctx", "context", "memory", "saved", "state", "tape", "caches", "intermediates", "residuals"}


class Session:
    """The functions, the names and the points of one check."""

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        loss: Callable[..., Any] | None,
        names: Mapping[str, str] | None,
        wrt: Sequence[str] | None,
        tolerance: float,
    ) -> None:
        self.forward, self.backward, self.loss = forward, backward, loss
        self.tolerance = tolerance
        self.source = Source(backward)
        self.forward_source = Source(forward)
        self.globals: Mapping[str, Any] = getattr(getattr(backward, "__func__", backward), "__globals__", {})
        self.pairing = Pairing(backward, self.source, self.forward_source, names, wrt)
        self._counts: dict[int, dict[str, int]] = {}
        self._structures: dict[int, dict[tuple[int, str, int], Key]] = {}
        self.returned_names: set[str] = set()
        self.ignored: set[str] = set()

    # --- points and arguments

    def point(self, inputs: Mapping[str, Any], rng: np.random.Generator) -> Point:
        """Evaluate forward and its gradients at some inputs."""
        return evaluate_point(self.forward, self.loss, inputs, rng, self._given_upstream(inputs), self._scalars(inputs))

    def _scalars(self, inputs: Mapping[str, Any]) -> set[str]:
        """Return the inputs that are Python numbers and whose gradient backward computes."""
        syntax = list(ast.walk(self.source.tree)) if self.source.tree else []
        written = {n.id for n in syntax if isinstance(n, ast.Name)}
        written |= {n.value for n in syntax if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        numbers = [k for k, v in inputs.items() if type(v) is float]
        return {x for name in written - set(inputs) if (x := pair(name, numbers, self.pairing.names)) is not None}

    def _given_upstream(self, inputs: Mapping[str, Any]) -> Any:
        """Return the upstream gradient if the user put it among the inputs."""
        if self.loss is not None:
            return None
        outputs = self.pairing.output_names()
        taken = set(self.forward_source.parameters)
        for name, value in inputs.items():
            of_backward = name in self.source.parameters and name not in taken and isinstance(value, (np.ndarray, np.generic))
            if of_backward and (pair(name, outputs) or name in _UPSTREAM):
                return value
        return None

    def arguments(self, point: Point) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return backward, bound to a fresh copy of its object, and its arguments."""
        owners: dict[int, Any] = {}
        result, variables = point.result, point.variables
        if hasattr(self.forward, "__self__"):
            result, variables, _ = plain_forward(bound_to(self.forward, owners), None, fresh(dict(point.inputs)))
        available = {**flat_names(point.inputs), **variables, **point.inputs}
        outputs = list(result) if isinstance(result, tuple) else [result]
        names = self.pairing.output_names()

        def guess(name: str) -> Any:
            where = pair(name, [n for n in names if n])
            position = names.index(where) if where in names else None
            arrays = [i for i, x in enumerate(outputs) if isinstance(x, (np.ndarray, np.generic, float))]
            if position is None and name in _UPSTREAM and arrays:
                position = arrays[0]
            if position is not None and position in arrays:
                if point.upstream and arrays.index(position) < len(point.upstream):
                    return point.upstream[arrays.index(position)]
                nodes = point.nodes_of(names[position]) if position < len(names) else []
                return point.truth(nodes[-1]) if nodes else 1.0
            others = [x for i, x in enumerate(outputs) if i not in arrays]
            if others and (name in _CACHE or len(others) == 1):
                return others[-1]
            if name in _CACHE and isinstance(variables, dict):
                return dict(variables)
            return None

        filled = arguments(self.backward, available, "backward", guess)
        return bound_to(self.backward, owners), fresh(filled)

    # --- running

    def run(self, point: Point, override: Callable[[Event], Any] | None = None) -> tuple[list[Returned], list[Event]]:
        """Run backward at a point."""
        result, events, _ = self._run(point, override)
        return self.pairing.returned(result, point), events

    def _run(self, point: Point, override: Callable[[Event], Any] | None) -> tuple[Any, list[Event], dict[str, int]]:
        """Return what backward returned, its events, and the integers among its variables."""
        function, kwargs = self.arguments(point)
        try:
            with np.errstate(all="ignore"):
                result, events, final = record_events(function, (), kwargs, self.source, override)
        except StopRunError:
            raise
        except Exception as error:
            if override is not None:
                raise CannotEvaluate(str(error)) from error
            line = _line_of(error, code_of(self.backward))
            raise errors.CheckSetupError(
                f"backward raised {type(error).__name__} at {self.source.filename}:{line}: {error}\n"
                f"    {self.source.text(line)}\nThe check needs a backward pass that runs"
            ) from error
        return result, events, {k: int(v) for k, v in final.items() if isinstance(v, (int, np.integer)) and not isinstance(v, bool)}

    def structure(self, point: Point) -> dict[tuple[int, str, int], Key]:
        """Return, for the last event of every chain, the chain's key."""
        if id(point) not in self._structures:
            events, self._counts[id(point)] = self._run(point, None)[1:]
            single = {e.path for e in events if len(point.nodes_of(self.pairing.of_event(e, point) or "")) == 1}
            self._structures[id(point)] = chain_ends(events, self.source, single)
        return self._structures[id(point)]

    def target_node(self, r: Returned, point: Point) -> Node:
        """Return the Node whose gradient a returned array must be: the input, or the version it fits."""
        if r.forward_name in point.leaves:
            return point.leaves[r.forward_name]
        nodes = point.nodes_of(r.forward_name)
        for node in nodes:
            if close(r.value, point.truth(node), self.tolerance, point.scale):
                return node
        return nodes[-1]

    def rerun(self, body: Sequence[ast.stmt], e: Event, point: Point) -> Array | None:
        """Execute edited statements where an event happened."""
        try:
            value = execute(body, self.scope(e, point), e.path)
        except CannotEvaluate:
            return None
        return np.asarray(value, float) if isinstance(value, (np.ndarray, np.generic, float, int)) else None

    def scope(self, e: Event, point: Point) -> dict[str, Any]:
        """Return what a line could name: globals, forward's variables, backward's own."""
        return {**self.globals, **self.candidates(e, point), **e.before}

    def candidates(self, e: Event, point: Point) -> dict[str, Any]:
        """Return the arrays a line may have meant."""
        return point.in_sight(e.before)

    def counts(self, point: Point) -> dict[str, int]:
        """Return the integers among backward's variables."""
        self.structure(point)
        return self._counts[id(point)]


def _line_of(error: BaseException, code: Any) -> int:
    """Return the line of the user's function at which an error passed through it."""
    line, tb = 0, error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code is code:
            line = tb.tb_lineno
        tb = tb.tb_next
    return line
