"""Gradients of complex functions against JAX, whose convention is the conjugate of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
RNG = np.random.default_rng(13)
Z = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
W = RNG.normal(size=(3, 3))

LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "functions": lambda z, m: m.real(m.sum(m.exp(z) * m.sin(z) / (2 + m.tanh(z)))),
    "parts": lambda z, m: m.sum(m.real(z) * m.imag(z) + m.abs(z) ** 3 + m.angle(z)),
    "conjugates": lambda z, m: m.real(m.vdot(z, z @ z) * m.sum(m.conj(z))),
    "powers": lambda z, m: m.abs(m.sum(z ** (1.5 + 0.2j) + m.log(z) + m.sqrt(z))),
    "products": lambda z, m: m.abs(m.einsum("ij,jk,ik->", z, m.conj(z), z)),
    "transform": lambda z, m: m.sum(m.abs(m.fft.fft2(z)) ** 3) + m.sum(m.fft.irfft(z) ** 2),
    "inverse": lambda z, m: m.sum(m.abs(m.linalg.inv(z)) ** 2) + m.linalg.slogdet(z)[1],
    "cholesky": lambda z, m: m.sum(m.abs(m.linalg.cholesky(z @ m.conj(z.T) + m.eye(3))) ** 3),
    "eigh": lambda z, m: m.sum(m.abs(m.linalg.eigh(z + m.conj(z.T))[1]) ** 4) + m.sum(m.linalg.eigh(z + m.conj(z.T))[0] ** 3),
    "svd": lambda z, m: m.sum(m.abs(m.linalg.svd(z)[0]) ** 4) + m.sum(m.linalg.svd(z)[1] ** 3),
    "qr": lambda z, m: m.sum(m.abs(m.linalg.qr(z)[0]) ** 4),
    "pinv": lambda z, m: m.sum(m.abs(m.linalg.pinv(z[:, :2])) ** 2),
}


@pytest.fixture(autouse=True)
def _double_precision() -> Any:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_conjugate_of_jaxs(name: str) -> None:
    f = LOSSES[name]
    np.testing.assert_allclose(ag.grad(lambda z: f(z, np))(Z), np.conj(jax.grad(lambda z: f(z, jnp))(Z)), rtol=1e-8, atol=1e-10)
    t = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
    np.testing.assert_allclose(ag.jvp(lambda z: f(z, np), (Z,), (t,))[1], jax.jvp(lambda z: f(z, jnp), (Z,), (t,))[1], rtol=1e-8)
    real = jax.grad(lambda x: f(x + 1j * W, jnp))(W)
    np.testing.assert_allclose(ag.grad(lambda x: f(x + 1j * W, np))(W), real, rtol=1e-8, atol=1e-10)
