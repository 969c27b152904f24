"""One step of gradient descent of the notebook's 2-3-1 network, by hand and by every engine.

The layout is the notebook's, features x samples: X (2, m), Y (1, m), W1 (3, 2), b1 (3, 1), W2 (1, 3), b2 (1, 1).
Every contender computes the cost, the four gradients and the new parameters, in float64, starting from the
same parameters, the way its users write it. Two of the engines appear twice: with the sigmoid and the cost
spelled out as in the notebook, and with the fused forms they offer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import Settings, Timing, compare, interleave, repeated, same, without

__all__ = ["BASELINE", "CONTENDERS", "PEERS", "Contender", "check", "contenders", "problem", "run"]

Arrays = tuple[np.ndarray, ...]
RATE = 0.01


class Contender(NamedTuple):
    """`step` updates the parameters and returns the cost; `parameters` reads them as arrays."""

    step: Callable[[], Any]
    parameters: Callable[[], Arrays]


def problem(m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Return X, Y and the initial W1, b1, W2, b2: standard normal, labels 1 where the two features agree in sign."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2, m))
    Y = (X[:1] * X[1:] > 0).astype(float)
    return X, Y, tuple(rng.standard_normal(shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1)))


def sigmoid(np: Any, z: Any) -> Any:
    """Return the sigmoid spelled out, in the array package `np`."""
    return 1 / (1 + np.exp(-z))


def cost(np: Any, X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """Return the network's cross-entropy spelled out, in the array package `np`."""
    A1 = sigmoid(np, np.dot(W1, X) + b1)
    A2 = sigmoid(np, np.dot(W2, A1) + b2)
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]


# --- the contenders -------------------------------------------------------------------------------


def gradients_by_hand(parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the cost and the gradients that were derived on paper, as the notebook does."""
    W1, b1, W2, b2 = parameters
    m = X.shape[1]
    A1 = sigmoid(np, np.dot(W1, X) + b1)
    A2 = sigmoid(np, np.dot(W2, A1) + b2)
    loss = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return loss, (dW1, db1, dW2, db2)


def by_hand(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Train by the gradients that were derived on paper."""
    W1, b1, W2, b2 = initial

    def step() -> Any:
        nonlocal W1, b1, W2, b2
        loss, (dW1, db1, dW2, db2) = gradients_by_hand((W1, b1, W2, b2), X, Y)
        W1, b1, W2, b2 = W1 - RATE * dW1, b1 - RATE * db1, W2 - RATE * dW2, b2 - RATE * db2
        return loss

    return Contender(step, lambda: (W1, b1, W2, b2))


def _tensors(loss_of: Callable[..., Any], initial: Arrays) -> Contender:
    """Train autograd_np Tensors with `backward`."""
    import autograd_np as ag

    parameters = [ag.Tensor(p, requires_grad=True) for p in initial]

    def step() -> Any:
        loss = loss_of(*parameters)
        loss.backward()
        for p in parameters:
            p.data = p.data - RATE * p.grad
            p.grad = None
        return loss.data

    return Contender(step, lambda: tuple(p.data for p in parameters))


def autograd_np_plain(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Run the notebook's own forward pass, unmodified, on Tensors."""
    return _tensors(lambda *parameters: cost(np, X, Y, *parameters), initial)


def autograd_np_fused(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Use the stable sigmoid and the loss on logits."""
    import autograd_np as ag
    from nn.functional import binary_cross_entropy_with_logits

    def loss_of(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        A1 = ag.sigmoid(np.dot(W1, X) + b1)
        return binary_cross_entropy_with_logits(np.dot(W2, A1) + b2, Y)

    return _tensors(loss_of, initial)


def autograd_np_functional(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Run the notebook's forward pass under `value_and_grad`, plain arrays in and out."""
    import autograd_np as ag

    value_and_grad = ag.value_and_grad(lambda *parameters: cost(np, X, Y, *parameters), (0, 1, 2, 3))
    parameters = initial

    def step() -> Any:
        nonlocal parameters
        loss, gradients = value_and_grad(*parameters)
        parameters = tuple(p - RATE * g for p, g in zip(parameters, gradients, strict=True))
        return loss

    return Contender(step, lambda: parameters)


def hips_autograd(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Run the same forward pass on HIPS autograd's wrapped NumPy."""
    import autograd
    import autograd.numpy as anp

    value_and_grad = autograd.value_and_grad(lambda *parameters: cost(anp, X, Y, *parameters), argnum=(0, 1, 2, 3))
    parameters = initial

    def step() -> Any:
        nonlocal parameters
        loss, gradients = value_and_grad(*parameters)
        parameters = tuple(p - RATE * g for p, g in zip(parameters, gradients, strict=True))
        return loss

    return Contender(step, lambda: parameters)


def mygrad(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Run the same forward pass on MyGrad, without its memory guard, as its documentation advises for speed."""
    import mygrad as mg

    parameters = [mg.tensor(p) for p in initial]

    def forward(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        # mygrad has no dot
        A1 = sigmoid(mg, mg.matmul(W1, X) + b1)
        A2 = sigmoid(mg, mg.matmul(W2, A1) + b2)
        return -mg.sum(Y * mg.log(A2) + (1 - Y) * mg.log(1 - A2)) / X.shape[1]

    def step() -> Any:
        with mg.mem_guard_off:
            loss = forward(*parameters)
            loss.backward()
            for p in parameters:
                p.data -= RATE * p.grad
                p.null_grad()
        return loss.data

    return Contender(step, lambda: tuple(p.data for p in parameters))


def _torch(X: np.ndarray, Y: np.ndarray, initial: Arrays, fused: bool) -> Contender:
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(X), torch.tensor(Y)
    parameters = [torch.tensor(p, requires_grad=True) for p in initial]
    logits_loss = torch.nn.functional.binary_cross_entropy_with_logits

    def plain(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        A1 = 1 / (1 + torch.exp(-(torch.mm(W1, x) + b1)))
        A2 = 1 / (1 + torch.exp(-(torch.mm(W2, A1) + b2)))
        return -torch.sum(y * torch.log(A2) + (1 - y) * torch.log(1 - A2)) / x.shape[1]

    def with_logits(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        return logits_loss(torch.mm(W2, torch.sigmoid(torch.mm(W1, x) + b1)) + b2, y)

    forward = with_logits if fused else plain

    def step() -> Any:
        loss = forward(*parameters)
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= RATE * p.grad
                p.grad = None
        return loss.detach()

    return Contender(step, lambda: tuple(p.detach().numpy().copy() for p in parameters))


def torch_plain(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Spell the same forward pass out in PyTorch."""
    return _torch(X, Y, initial, fused=False)


def torch_fused(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Use PyTorch's sigmoid and its loss on logits."""
    return _torch(X, Y, initial, fused=True)


def jax_jit(X: np.ndarray, Y: np.ndarray, initial: Arrays) -> Contender:
    """Compile the whole step with XLA; the compilation is not timed."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def update(parameters: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(lambda ps: cost(jnp, x, y, *ps))(parameters)
        return loss, tuple(p - RATE * g for p, g in zip(parameters, gradients, strict=True))

    x, y = jnp.asarray(X), jnp.asarray(Y)
    parameters = tuple(jnp.asarray(p) for p in initial)

    def step() -> Any:
        nonlocal parameters
        loss, parameters = jax.block_until_ready(update(parameters, x, y))
        return loss

    return Contender(step, lambda: tuple(np.asarray(p) for p in parameters))


BASELINE = "NumPy by hand"
CONTENDERS: dict[str, Callable[[np.ndarray, np.ndarray, Arrays], Contender]] = {
    BASELINE: by_hand,
    "autograd_np, code unchanged": autograd_np_plain,
    "autograd_np, value_and_grad": autograd_np_functional,
    "autograd_np, logits loss": autograd_np_fused,
    "HIPS autograd": hips_autograd,
    "MyGrad": mygrad,
    "PyTorch eager": torch_plain,
    "PyTorch eager, logits loss": torch_fused,
    "jax.jit": jax_jit,
}
PEERS = {
    "HIPS autograd": "autograd",
    "MyGrad": "mygrad",
    "PyTorch eager": "torch",
    "PyTorch eager, logits loss": "torch",
    "jax.jit": "jax",
}


# --- the comparison -------------------------------------------------------------------------------


def contenders(m: int, seed: int = 0) -> dict[str, Contender]:
    """Return the contenders that are installed, all at the same initial parameters."""
    X, Y, initial = problem(m, seed)
    missing = without(PEERS)
    return {name: make(X, Y, tuple(p.copy() for p in initial)) for name, make in CONTENDERS.items() if name not in missing}


def check(field: dict[str, Contender]) -> None:
    """Take one step with everybody and demand equal costs and gradients.

    The gradient is read off the step itself, (before - after) / rate, so that what is checked is what is timed.

    Raises
    ------
    AssertionError
        Naming the contender that disagrees with the hand-written step.
    """
    found = {}
    for name, (step, parameters) in field.items():
        before = tuple(p.copy() for p in parameters())
        loss = float(step())
        found[name] = (loss, *((b - a) / RATE for b, a in zip(before, parameters(), strict=True)))
    for name, numbers in found.items():
        same(name, numbers, found[BASELINE])


def run(settings: Settings) -> list[Timing]:
    """Time the step at every batch size."""
    timings = []
    for m in (4, 100, 1_000) if settings.quick else (4, 100, 1_000, 10_000, 100_000):
        field = contenders(m, settings.seed)
        check(field)
        tasks = {name: repeated(contender.step, settings.min_seconds) for name, contender in field.items()}
        timings += compare(interleave(tasks, settings.rounds, settings.seed), m)
    return timings
