"""Who computes a case: by hand, this package, and its peers, each as its users write it. Packages are imported when they are used."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from benchmarks.compiled.case import Case, Problem, Running

__all__ = ["BASELINE", "CONTENDERS", "Contender", "field", "start"]

BASELINE = "NumPy by hand"


class Contender(NamedTuple):
    """One of the table.

    Attributes
    ----------
    start : callable
        ``start(case, problem) -> Running``.
    module : str
        What it needs to be installed.
    lacks : frozenset of str
        What of `Case.needs` it does not have.
    """

    start: Callable[[Case, Problem], Running]
    module: str = "numpy"
    lacks: frozenset[str] = frozenset()


class _Words:
    """The functions of an array package, and some it lacks: a loss is written in these."""

    def __init__(self, package: Any, **others: Any) -> None:
        self._package = package
        self.__dict__.update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._package, name)

    def relu(self, x: Any) -> Any:
        return self.maximum(x, 0)

    def softmax(self, x: Any) -> Any:
        e = self.exp(x - self.max(x, axis=-1, keepdims=True))
        return e / self.sum(e, axis=-1, keepdims=True)

    def log_softmax(self, x: Any) -> Any:
        x = x - self.max(x, axis=-1, keepdims=True)
        return x - self.log(self.sum(self.exp(x), axis=-1, keepdims=True))

    def softplus(self, x: Any) -> Any:
        return self.logaddexp(0, x)


def _functional(case: Case, problem: Problem, function: Callable[..., tuple[Any, Any]]) -> Running:
    """Run a function of parameters and data that returns the loss and gradients, and take the step here."""
    state, results, rate = problem.parameters, problem.parameters, case.rate

    def call() -> Any:
        nonlocal state, results
        loss, gradients = function(state, *problem.data)
        if rate is None:
            results = gradients
        else:
            results = state = tuple(p - rate * g for p, g in zip(state, gradients, strict=True))
        return loss

    return Running(call, lambda: tuple(np.asarray(r) for r in results))


def _whole(case: Case, parameters: Any, data: Any, function: Callable[..., tuple[Any, Any]]) -> Running:
    """Run a function that does all of a step, and returns the loss, and the results."""
    state = results = parameters

    def call() -> Any:
        nonlocal state, results
        loss, results = function(state, *data)
        if case.rate is not None:
            state = results
        return loss

    return Running(call, lambda: tuple(np.asarray(r) for r in results))


# --- by hand --------------------------------------------------------------------------------------


def by_hand(case: Case, problem: Problem) -> Running:
    """Run what a person writes."""
    return _functional(case, problem, case.by_hand)


def tuned(case: Case, problem: Problem) -> Running:
    """Run what a person writes who knows what it costs: no array is made in a step."""
    assert case.tuned is not None
    forward_and_backward, gradients = case.tuned(problem.parameters, *problem.data)
    rate = case.rate
    if rate is None:
        return Running(forward_and_backward, lambda: gradients)

    def call() -> Any:
        loss = forward_and_backward()
        for p, g in zip(problem.parameters, gradients, strict=True):
            np.multiply(g, rate, out=g)
            np.subtract(p, g, out=p)
        return loss

    return Running(call, lambda: problem.parameters)


# --- this package ---------------------------------------------------------------------------------


def _differentiated(case: Case) -> Callable[..., tuple[Any, Any]]:
    import autograd_np as ag

    words = _Words(np, relu=ag.relu, softmax=ag.softmax, log_softmax=ag.log_softmax, softplus=ag.softplus)
    if case.hessian:
        hessian = ag.hessian(lambda x: case.loss(words, (x,)))
        return lambda parameters: (case.loss(words, parameters), (hessian(*parameters),))
    return ag.value_and_grad(lambda parameters, *data: case.loss(words, parameters, *data))


def eager(case: Case, problem: Problem) -> Running:
    """Differentiate as the code runs."""
    return _functional(case, problem, _differentiated(case))


def _compiled(backend: str) -> Callable[[Case, Problem], Running]:
    def start(case: Case, problem: Problem) -> Running:
        import autograd_np as ag

        differentiated, rate = _differentiated(case), case.rate

        def step(parameters: Any, *data: Any) -> Any:
            loss, gradients = differentiated(parameters, *data)
            if rate is None:
                return loss, gradients
            return loss, tuple(p - rate * g for p, g in zip(parameters, gradients, strict=True))

        if case.in_place:

            def in_place(parameters: Any, *data: Any) -> Any:
                loss, gradients = differentiated(parameters, *data)
                for p, g in zip(parameters, gradients, strict=True):
                    p -= rate * g
                return loss

            written, own = ag.compile(in_place, in_place=True, backend=backend), tuple(map(np.array, problem.parameters))
            return Running(lambda: written(own, *problem.data), lambda: own, written.wait)
        compiled = ag.compile(step, backend=backend)
        return _whole(case, problem.parameters, problem.data, compiled)._replace(settled=lambda: compiled.wait())

    return start


# --- peers ----------------------------------------------------------------------------------------


def jax_jit(case: Case, problem: Problem) -> Running:
    """Compile the whole step with XLA; the compilation is not timed."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    words = _Words(jnp, relu=jax.nn.relu, softmax=jax.nn.softmax, log_softmax=jax.nn.log_softmax, softplus=jax.nn.softplus)

    @jax.jit
    def step(parameters: Any, *data: Any) -> Any:
        if case.hessian:
            (x,) = parameters
            return case.loss(words, parameters), (jax.hessian(lambda x: case.loss(words, (x,)))(x),)
        loss, gradients = jax.value_and_grad(lambda ps: case.loss(words, ps, *data))(parameters)
        if case.rate is None:
            return loss, gradients
        return loss, tuple(p - case.rate * g for p, g in zip(parameters, gradients, strict=True))

    parameters, data = (tuple(map(jnp.asarray, arrays)) for arrays in problem)
    return _whole(case, parameters, data, lambda *args: jax.block_until_ready(step(*args)))


def _torch(compiled: bool) -> Callable[[Case, Problem], Running]:
    def start(case: Case, problem: Problem) -> Running:
        import torch

        torch.set_num_threads(1)
        words = _Words(
            torch, dot=torch.mm, max=torch.amax, relu=torch.relu, softplus=torch.nn.functional.softplus,
            softmax=lambda x: torch.softmax(x, -1), log_softmax=lambda x: torch.log_softmax(x, -1),
        )  # fmt: skip

        def compile_(function: Any) -> Any:
            if not compiled:
                return function
            torch.compiler.reset()  # what was compiled for another size would make this one dynamic
            return torch.compile(function, dynamic=False)

        data = tuple(map(torch.tensor, problem.data))
        if case.hessian:
            (x,) = map(torch.tensor, problem.parameters)

            def both(x: Any) -> Any:
                return case.loss(words, (x,)), (torch.func.hessian(lambda x: case.loss(words, (x,)))(x),)

            both_compiled = compile_(both)
            return _whole(case, (x,), (), lambda parameters: both_compiled(*parameters))

        parameters = [torch.tensor(p, requires_grad=True) for p in problem.parameters]
        loss_of = compile_(lambda parameters, *data: case.loss(words, parameters, *data))
        results: list[Any] = []

        def call() -> Any:
            loss = loss_of(parameters, *data)
            loss.backward()
            if case.rate is None:
                results[:] = [p.grad for p in parameters]
            with torch.no_grad():
                for p in parameters:
                    if case.rate is not None:
                        p -= case.rate * p.grad
                    p.grad = None
            return loss.detach()

        return Running(call, lambda: tuple(r.detach().numpy().copy() for r in (parameters if case.rate is not None else results)))

    return start


def hips_autograd(case: Case, problem: Problem) -> Running:
    """Run the loss on HIPS autograd's wrapped NumPy."""
    import autograd
    import autograd.numpy as anp

    words = _Words(anp)
    if case.hessian:
        hessian = autograd.hessian(lambda x: case.loss(words, (x,)))
        return _functional(case, problem, lambda ps: (case.loss(words, ps), (hessian(*ps),)))
    return _functional(case, problem, autograd.value_and_grad(lambda ps, *data: case.loss(words, ps, *data)))


def mygrad(case: Case, problem: Problem) -> Running:
    """Run the loss on MyGrad, without its memory guard, as its documentation advises for speed."""
    import mygrad as mg

    words = _Words(mg, dot=mg.matmul)  # it has no dot
    parameters = [mg.tensor(p) for p in problem.parameters]
    results: list[Any] = []

    def call() -> Any:
        with mg.mem_guard_off:
            loss = case.loss(words, parameters, *problem.data)
            loss.backward()
            if case.rate is None:
                results[:] = [p.grad for p in parameters]
            for p in parameters:
                if case.rate is not None:
                    p.data -= case.rate * p.grad
                p.null_grad()
        return loss.data

    return Running(call, lambda: tuple(results) if case.rate is None else tuple(p.data for p in parameters))


CONTENDERS = {
    BASELINE: Contender(by_hand),
    "NumPy, tuned by hand": Contender(tuned),
    "autograd_np, eager": Contender(eager),
    "ag.compile, NumPy": Contender(_compiled("numpy")),
    "ag.compile, Numba": Contender(_compiled("numba"), "numba"),
    "ag.compile, auto": Contender(_compiled("auto"), "numba"),
    "jax.jit": Contender(jax_jit, "jax"),
    "PyTorch eager": Contender(_torch(False), "torch"),
    "torch.compile": Contender(_torch(True), "torch"),
    "HIPS autograd": Contender(hips_autograd, "autograd"),
    "MyGrad": Contender(mygrad, "mygrad", frozenset({"hessian", "cholesky"})),
}


def start(name: str, case: Case, size: int, seed: int) -> Running:
    """Return a contender at the start of a case, with arrays of its own that every other has alike."""
    return CONTENDERS[name].start(case, case.problem(size, np.random.default_rng(seed)))


def field(case: Case) -> list[str]:
    """Return the contenders that are installed and have what the case needs."""
    return [
        name
        for name, c in CONTENDERS.items()
        if not (c.lacks & case.needs) and (c.start is not tuned or case.tuned is not None) and find_spec(c.module) is not None
    ]
