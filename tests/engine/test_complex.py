"""Complex numbers: the stated convention, what it means for each transform, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag

RNG = np.random.default_rng(11)
Z = RNG.normal(size=3) + 1j * RNG.normal(size=3)
W = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
X = RNG.normal(size=3)

LOSSES: dict[str, Callable[[Any], Any]] = {
    "modulus": lambda z: np.sum(np.abs(z) ** 2),
    "real part": lambda z: np.real(np.sum(z * z * z)),
    "imaginary part": lambda z: np.sum(z.imag * z.real),
    "angle": lambda z: np.sum(np.angle(z) ** 2) + np.angle(z[0], deg=True),
    "conjugate": lambda z: np.real(np.sum(z * z.conj() * z)),
    "vdot": lambda z: np.real(np.vdot(z, W @ z)),
    "phase": lambda z: np.sum(np.real(np.sign(z) * Z)),
    "logarithm": lambda z: np.sum(np.abs(np.log(z) + np.sqrt(z) + z**1.5 + 2**z + z ** (1 + 2j))),
    "functions": lambda z: np.real(np.sum(np.tanh(z) * np.sin(z) / (1 + np.exp(z)) + np.arctan(z / 3) - np.arcsinh(z))),
    "selection": lambda z: np.sum(np.abs(np.where(np.abs(z) > 1, z * z, z[::-1])) ** 2),
    "shapes": lambda z: np.real(np.sum(np.stack([z, z * z]).T.reshape(2, 3) @ np.concatenate([z[:1], Z[:2]]))),
    "products": lambda z: np.abs(np.einsum("i,ij,j->", z, W, z)) + np.abs(np.tensordot(z, W, 1) @ np.outer(z, Z) @ np.kron(z, z[:1])),
    "spread": lambda z: np.var(z) + np.std(z) + np.linalg.norm(z) + np.real(np.mean(z) * np.prod(z) + np.cumsum(z)[1]),
    "system": lambda z: np.linalg.norm(np.linalg.solve(W, z) - np.linalg.inv(W) @ z**2) + np.abs(np.linalg.det(W * z)),
    "spectrum": lambda z: np.sum(np.abs(np.fft.fft(z, 5)) ** 3) + np.sum(np.fft.irfft(z) ** 2) + np.sum(np.fft.hfft(z, norm="ortho") ** 2),
    "in place": lambda z: np.sum(np.abs(_written(z)) ** 2),
    "sigmoid": lambda z: np.real(np.sum(ag.sigmoid(z))),
    "eigenvalues": lambda z: np.sum(np.linalg.eigvalsh(np.outer(z, z.conj()) + np.diag([1.0, 2.0, 3.0])) ** 3),
    "determinant": lambda z: np.linalg.slogdet(W + np.diag(z))[1] * np.real(np.linalg.slogdet(W * z)[0]),
}  # fmt: skip


def _written(z: Any) -> Any:
    y = z * 1
    y[1:] *= 2j
    y[0] = y[1] * y[2]
    return y


@pytest.mark.parametrize("name", LOSSES)
def test_a_gradient_is_the_direction_of_steepest_ascent(name: str) -> None:
    f = LOSSES[name]
    g = ag.grad(f)(Z)
    assert g.dtype == complex
    np.testing.assert_allclose(g, numeric_gradient(f, Z), rtol=1e-7, atol=1e-8)
    assert f(Z - 1e-4 * g) < f(Z)
    leaf = ag.Tensor(Z, requires_grad=True)
    f(leaf).backward()
    np.testing.assert_allclose(leaf.grad, g, rtol=1e-14)
    t = RNG.normal(size=3) + 1j * RNG.normal(size=3)
    slope = np.sum(np.real(g) * np.real(t) + np.imag(g) * np.imag(t))
    np.testing.assert_allclose(ag.jvp(f, (Z,), (t,))[1], slope, rtol=1e-9)
    both = ag.grad(lambda x, y: f(x + 1j * y), (0, 1))(Z.real, Z.imag)
    assert both[0].dtype == float
    np.testing.assert_allclose(both[0] + 1j * both[1], g, rtol=1e-10)
    product = ag.hvp(f, Z, t)
    ahead, behind = (ag.grad(f)(Z + s * 1e-5 * t) for s in (1, -1))
    np.testing.assert_allclose(product, (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-5)
    for dtype in (np.complex64, np.complex128):
        assert ag.grad(lambda z: f(z).astype(np.float32))(Z.astype(dtype)).dtype == dtype


def test_holomorphic_functions_have_the_conjugate_of_their_derivative() -> None:
    z = np.array(0.7 - 0.4j)
    for f, slope in ((np.exp, np.exp(z)), (np.sin, np.cos(z)), (lambda z: 1 / z, -1 / z**2), (lambda z: z**3, 3 * z**2)):
        out, pullback = ag.vjp(f, z)
        np.testing.assert_allclose(pullback(np.ones_like(out))[0], np.conj(slope))
        np.testing.assert_allclose(pullback(np.asarray(2 + 1j))[0], (2 + 1j) * np.conj(slope))
        np.testing.assert_allclose(ag.jvp(f, (z,), (1j,))[1], 1j * slope)


def test_the_pullback_is_the_adjoint() -> None:
    t, w = (RNG.normal(size=3) + 1j * RNG.normal(size=3) for _ in range(2))
    f = lambda z: W @ np.conj(z) + z * np.real(z)  # noqa: E731
    moved, (pulled,) = ag.jvp(f, (Z,), (t,))[1], ag.vjp(f, Z)[1](w)
    np.testing.assert_allclose(np.real(np.vdot(w, moved)), np.real(np.vdot(pulled, t)))


def test_real_variables_get_real_gradients() -> None:
    f = lambda x: np.sum(np.abs(np.fft.fft(x * Z)) ** 3)  # noqa: E731
    g = ag.grad(f)(X)
    assert g.dtype == float
    np.testing.assert_allclose(g, numeric_gradient(f, X), rtol=1e-7)
    x = ag.Tensor(X.astype(np.float32), requires_grad=True)
    np.abs(np.sum(x * 1j + x)).backward()
    assert x.grad.dtype == np.float32
    h = ag.hessian(f)(X)
    assert h.dtype == float
    np.testing.assert_allclose(h, h.T, rtol=1e-9, atol=1e-9)
    out = ag.jacobian(lambda x: np.exp(1j * x))(X)
    np.testing.assert_allclose(out, np.diag(1j * np.exp(1j * X)))
    np.testing.assert_allclose(ag.jacobian(lambda x: np.sum(x * Z))(X), Z)


def test_conventions_at_zero() -> None:
    zero = np.zeros(2, complex)
    for f in (lambda z: np.sum(np.abs(z)), np.linalg.norm, np.std, lambda z: np.sum(np.angle(z))):
        np.testing.assert_array_equal(ag.grad(f)(zero), zero)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.grad(lambda z: np.sum(np.where(np.abs(z) > 0, np.real(np.log(z)), 0.0)))(zero), zero)


def test_what_has_no_meaning_is_refused_with_what_to_write() -> None:
    refusals: list[tuple[Callable[[], Any], str]] = [
        (
            lambda: ag.grad(lambda z: np.sum(z * z))(Z),
            r"grad\(<lambda>\) needs a function that returns a real loss, got complex128; take np\.real",
        ),
        (lambda: ag.grad(lambda x: np.sum(x * 1j))(X), r"real loss"),
        (lambda: np.sum(ag.Tensor(Z, requires_grad=True)).backward(), r"without a seed needs a real loss"),
        (lambda: ag.graph(np.sum(ag.Tensor(Z, requires_grad=True))).gradients(), "pass a seed"),
        (lambda: ag.jacobian(np.exp)(Z), r"jacobian\(exp\) got complex numbers.*real and imaginary part as two arguments"),
        (lambda: ag.hessian(lambda z: np.sum(np.abs(z)))(Z), r"hessian\(<lambda>\) got complex numbers"),
        (lambda: ag.vjp(np.sin, X)[1](X * 1j), r"complex numbers \(complex128\) for what is real, float64"),
    ]
    for call, message in refusals:
        with pytest.raises(ag.DifferentiationError, match=message):
            call()
    seeded = ag.Tensor(Z, requires_grad=True)
    np.sum(seeded * seeded).backward(1j)
    np.testing.assert_allclose(seeded.grad, 1j * np.conj(2 * Z))


def test_parts_cannot_be_written_in_silence() -> None:
    y = ag.Tensor(Z, requires_grad=True) * 1
    with pytest.raises(ValueError, match="read-only"):
        np.real(y)[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        y.imag[0] = 1.0
    real = ag.Tensor(X, requires_grad=True) * 1
    for write in (lambda: real.__setitem__(0, 1j), lambda: real.__iadd__(1j), lambda: np.add(real, 1j, out=real)):
        with pytest.raises(TypeError):
            write()
    np.testing.assert_array_equal(real.data, X)
    y[0] = 2.0
    y += 1j
    np.testing.assert_array_equal(y.data, np.append(2.0, Z[1:]) + 1j)
    with pytest.warns(np.exceptions.ComplexWarning, match="discards") as caught:
        y.astype(float)
    assert caught[0].filename == __file__


def test_rules_of_users_take_gradients_to_gradients() -> None:
    """The convention is one: a user's rule sees what the user sees."""

    @ag.custom_gradient
    def squared(z: Any) -> Any:
        return np.abs(z) ** 2, lambda g: 2 * g * z

    twisted = ag.define(lambda z: z * (2 + 1j), vjp=lambda g, y, z: g * (2 - 1j), name="twisted")
    exp = ag.define(lambda z: np.exp(z), partials=[lambda y, z: y], name="exponential")
    for f, own in ((squared, lambda z: np.abs(z) ** 2), (twisted, lambda z: z * (2 + 1j)), (exp, np.exp)):
        mine, numpys = (ag.grad(lambda z, h=h: np.sum(np.abs(h(z) + Z) ** 2))(Z) for h in (f, own))
        np.testing.assert_allclose(mine, numpys, rtol=1e-12)
        mine, numpys = (ag.hvp(lambda z, h=h: np.sum(np.abs(h(z) + Z) ** 2), Z, Z) for h in (f, own))
        np.testing.assert_allclose(mine, numpys, rtol=1e-12)


def test_graphs_and_anomalies() -> None:
    graph = ag.trace(lambda z: np.sum(np.abs(np.fft.fft(z)) ** 2), Z)
    assert "complex128" in str(graph)
    seen = graph.gradients()
    np.testing.assert_allclose(seen[graph.nodes[0]], 2 * 3 * Z)
    assert "complex128" in graph.to_dot().source
    with ag.detect_anomaly():
        np.testing.assert_allclose(ag.grad(LOSSES["functions"])(Z), ag.grad(LOSSES["functions"])(Z))
        with np.errstate(all="ignore"), pytest.raises(ag.AnomalyError, match="subtract"):
            ag.grad(lambda z: np.real(np.sum(np.log(z) - np.log(z))))(np.zeros(1, complex))
