"""`scipy.special` at its extremes, against numbers of 450 digits that mpmath made; conventions, refusals, and what is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

special = pytest.importorskip("scipy.special")
mirror = pytest.importorskip("autograd_np.scipy.special")

REFERENCES: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...] = (
    ("log_ndtr", (-100000.0,), (100000.00001, -0.9999999999)),
    ("log_ndtr", (-40.0,), (40.02496884720726, -0.9993773316214086)),
    ("log_ndtr", (-5.0,), (5.186503967125842, -0.9673035653828878)),
    ("log_ndtr", (5.0,), (1.4867199409049056e-06, -7.433601914860711e-06)),
    ("log_ndtr", (30.0,), (1.4736461348785476e-196, -4.420938404635642e-195)),
    ("ndtr", (-30.0,), (1.4736461348785476e-196, 4.420938404635642e-195)),
    ("expit", (-700.0,), (9.85967654375977e-305, 9.85967654375977e-305)),
    ("expit", (40.0,), (4.248354255291589e-18, -4.248354255291589e-18)),
    ("log_expit", (-1000.0,), (1.0, 0.0)),
    ("log_expit", (700.0,), (9.85967654375977e-305, -9.85967654375977e-305)),
    ("logit", (0.9999999999,), (9999999173.59636, 9.999998345192786e19)),
    ("erfcx", (-5.0,), (-1440097986747.7388, 14688999464826.709)),
    ("erfcx", (0.0,), (-1.1283791670955126, 2.0)),
    ("erfcx", (11.9,), (-0.003942633974226029, 0.0006557763815958489)),
    ("erfcx", (12.1,), (-0.003814669471505324, 0.0006242134692411792)),
    ("erfcx", (1000.0,), (-5.641887372654967e-07, 1.1283757819707055e-09)),
    ("erfcx", (100000000.0,), (-5.641895835477562e-17, 1.1283791670955122e-24)),
    ("dawsn", (0.0,), (1.0, 0.0)),
    ("dawsn", (11.9,), (-0.0035689013762616514, 0.0006063316309717077)),
    ("dawsn", (-12.1,), (-0.003450667501261437, -0.0005763462990175655)),
    ("dawsn", (10000.0,), (-5.000000075000002e-09, 1.000000030000001e-12)),
    ("gammaln", (1e-10,), (-10000000000.577215, 1e20)),
    ("gammaln", (1.0,), (-0.5772156649015329, 1.6449340668482264)),
    ("gammaln", (10000000000.0,), (23.025850929890456, 1.00000000005e-10)),
    ("gammaln", (-2.5,), (1.103156640645243, 9.539246644989124)),
    ("psi", (1e-05,), (10000000001.644909, -2000000000000002.0)),
    ("psi", (10000000000.0,), (1.00000000005e-10, -1.0000000001e-20)),
    ("rgamma", (-1.0,), (-1.0, 0.8455686701969343)),
    ("rgamma", (0.0,), (1.0, 1.1544313298030657)),
    ("rgamma", (-3.5,), (-5.142286468884922, -28.47927707058353)),
    ("rgamma", (0.5,), (1.107791903872871, -0.6090034884161106)),
    ("rgamma", (20.0,), (-2.4419594231569027e-17, 7.211751181154921e-17)),
    ("betaln", (1.5, 10000000000.0), (-22.98936095606188, 0.9348022004446793, -1.4999999999625e-10, 1.499999999925e-20)),
    ("betaln", (10000000000.0, 20000000000.0), (-1.0986122887014431, 6.666666667111111e-11, -0.4054651081164977, 1.666666666736111e-11)),
    ("betaln", (1e-10, 2.0), (-10000000001.0, 1e20, -6.449340668280208e-11, 4.041138062944916e-11)),
    ("betaln", (30.5, 31.0), (-0.7096413923918021, 0.01693717259324977, -0.693113595334605, 0.016390873727076993)),
    ("i0e", (5.0,), (-0.019568545664785997, 0.006342637940663521)),
    ("i0e", (29.9,), (-0.0012358441341331198, 6.25452946251431e-05)),
    ("i0e", (31.0,), (-0.0011701038625981527, 5.7098278925799376e-05)),
    ("i0e", (100000000.0,), (-1.9947114094873313e-13, 2.9920671217111648e-21)),
    ("k0e", (1e-05,), (-99989.37097108502, 9999900015.69357)),
    ("k0e", (31.0,), (-0.0035880251753175963, 0.0001722774749968235)),
    ("k0e", (100000000.0,), (-6.266570663077861e-13, 9.399855971117152e-21)),
    ("exprel", (0.0,), (0.5, 0.3333333333333333)),
    ("exprel", (1e-05,), (0.5000033333458334, 0.3333358333433334)),
    ("exprel", (-0.7,), (0.31796935419306904, 0.19907629227818363)),
    ("exprel", (300.0,), (6.453172135301506e127, 6.43173350323551e127)),
    ("exprel", (-700.0,), (2.040816326530612e-06, 5.830903790087464e-09)),
    ("boxcox", (2.5, 0.0), (0.4, -0.16, 0.41979435265923737, 0.2564357830898465)),
    ("boxcox", (2.5, 1e-08), (0.4000000036651629, -0.15999999986606517, 0.4197943552235952, 0.2564357848521195)),
    ("boxcox", (0.3, 2.5), (0.1643167672515498, 0.8215838362577491, 0.12837284488405115, -0.07411602138459038)),
    ("inv_boxcox", (0.7, 0.0), (2.0137527074704766, 2.0137527074704766, -0.4933694133302667, 0.5813536253741641)),
    ("inv_boxcox", (0.7, 1e-09), (2.01375270556748, 2.0137527021441004, -0.49336941274891305, 0.5813536242808452)),
    ("inv_boxcox", (2.0, 1.5), (0.6299605249474366, -0.07874506561842957, -0.7126050306705424, 0.7316892743608022)),
    ("pseudo_huber", (1.0, 1e-06), (2.4999999999974996e-25, -7.499999999987498e-25, 9.999999999995e-07, 0.9999999999985)),
    ("pseudo_huber", (2.0, 1000000.0), (999996.000006, -1.999994, 1.999999999996, 7.999999999952e-18)),
    ("spence", (1.0,), (-1.0, 0.5)),
    ("spence", (1.000000001,), (-0.9999999995, 0.4999999993333333)),
    ("spence", (1e-100,), (-230.25850929940458, 1e100)),
    ("spence", (10000000000.0,), (-2.3025850932243044e-09, 2.2025850934445627e-19)),
    ("ellipk", (0.0,), (0.39269908169872414, 0.44178646691106466)),
    ("ellipk", (1e-09,), (0.39269908214051064, 0.44178646783145314)),
    ("ellipk", (-3.0,), (0.07878830166093198, 0.023496137974089035)),
    ("ellipe", (0.0,), (-0.39269908169872414, -0.14726215563702155)),
    ("ellipe", (0.99,), (-1.3533554636185103, -24.289376931325318)),
    ("ellipkm1", (1e-10,), (-4999999997.150195, 4.999999999875e19)),
    ("ellipkm1", (0.9,), (-0.4420023502753652, 0.5500939662195851)),
    ("gammainc", (0.5, 1e-10), (-0.00026023065019619644, 0.0059909798552012766, 56418.95834913373, -282094791802087.6)),
    ("gammainc", (0.001, 2.0), (-0.04905334583936488, -0.15289776820824402, 6.775360300294497e-05, -0.00010159652770291599)),
    ("gammainc", (100.0, 30.0), (-8.902177111131385e-24, 1.0726780259226652e-23, 1.7225272672794725e-23, 3.9618127147427865e-23)),
    ("gammaincc", (3.0, 100.0), (7.006897070938205e-40, 2.512361278377966e-39, -1.860037988010418e-40, 1.8228372282502097e-40)),
    ("gammaincc", (10000.0, 10100.0), (0.0024156880031763668, 2.4037093166337313e-05, -0.002403669257862049, 2.403669257862049e-05)),
    (
        "betainc",
        (0.5, 0.5, 1e-10),
        (
            -0.00015049409121949787,
            0.0035621344225238764,
            8.825424006040948e-06,
            -8.70931549050852e-06,
            31830.988619970616,
            -159154943083937.6,
        ),
    ),
    (
        "betainc",
        (200.0, 300.0, 0.3),
        (
            -3.141477273032247e-07,
            9.10268380132778e-08,
            1.682978076167301e-07,
            2.560902540879946e-08,
            0.00025962215522408574,
            0.061320280471974555,
        ),
    ),
    (
        "betainc",
        (0.001, 2.0, 0.4),
        (
            -0.3165503212611023,
            -0.2592187910796976,
            0.0002890984300597418,
            -0.0003245888967720125,
            0.0015001248195948363,
            -0.006246769769596164,
        ),
    ),
    ("rel_entr", (1e-300, 1e300), (-1380.5510557964274, 9.999999999999999e299, -0.0, 0.0)),
    ("entr", (1e-300,), (689.7755278982137, -9.999999999999999e299)),
    ("j1", (0.5,), (0.4539328918910651, -0.18106041075750862)),
    ("i1", (0.5,), (0.5476947599595309, 0.1940820070354198)),
    ("jv", (0.0, 1e-05), (-11.62885698031292, 133.58538060509616, -4.9999999999375e-06, -0.49999999998125)),
    ("jv", (2.5, 100.0), (0.1082019689208503, -0.09225025485138838, -0.07016526077919999, -0.03760031302500067)),
    ("kv", (0.0, 1.0), (-0.0, 0.3078110430921127, -0.6019072301972346, 1.0229316684379428)),
    ("kv", (1.5, 0.001), (302694.74731912016, 2348847.9711441705, -59449919.35260415, 148624778624.27426)),
    ("iv", (0.5, 50.0), (-2.955011743238962e18, -5.879964364053928e18, 2.8959052844613773e20, 2.8675312629873616e20)),
    ("expi", (1e-10,), (10000000001.0, -1e20)),
    ("exp1", (600.0,), (-4.417327588340518e-264, 4.424689800987752e-264)),
)
"""A function, its arguments, and the first and the second derivative by each of them."""

DIFFERENCES = ("gammainc", "gammaincc", "betainc", "jv", "kv", "iv")
"""By the shape or the order: their tolerance is one of the function's size as well."""


@pytest.mark.parametrize(("name", "args", "expected"), REFERENCES, ids=lambda v: v if isinstance(v, str) else None)
def test_first_and_second_derivatives_at_extreme_values(name: str, args: tuple[float, ...], expected: tuple[float, ...]) -> None:
    f = getattr(special, name)
    size = abs(float(f(*args))) if name in DIFFERENCES else 0.0
    with np.errstate(all="ignore"):
        for i, x in enumerate(args):

            def alone(t: Any, i: int = i) -> Any:
                return f(*args[:i], t, *args[i + 1 :])

            first, second = ag.grad(alone)(x), ag.grad(ag.grad(alone))(x)
            np.testing.assert_allclose(first, expected[2 * i], rtol=1e-9, atol=1e-11 * size, err_msg=f"{name}{args} by {i}")
            np.testing.assert_allclose(second, expected[2 * i + 1], rtol=1e-9, atol=1e-9 * size, err_msg=f"{name}{args} by {i}, twice")
            np.testing.assert_allclose(ag.jvp(alone, (x,), (1.0,))[1], first, rtol=1e-12)


def test_a_wrong_reference_would_be_noticed() -> None:
    name, args, expected = REFERENCES[0]
    with pytest.raises(AssertionError):
        test_first_and_second_derivatives_at_extreme_values(name, args, (expected[0] * (1 + 1e-8), expected[1]))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (special.expit, 1000.0, 0.0),
        (special.expit, -1000.0, 0.0),
        (special.log_expit, -1e300, 1.0),
        (lambda y: special.xlogy(0.0, y), 0.0, 0.0),
        (lambda y: special.xlog1py(0.0, y), -1.0, 0.0),
        (lambda y: special.kl_div(0.0, y), 0.5, 1.0),
        (lambda y: special.rel_entr(0.0, y), 0.5, 0.0),
        (special.entr, -1.0, 0.0),  # a constant, minus infinity
        (lambda d: special.huber(d, 3.0), 1.0, 2.0),
        (lambda r: special.huber(1.0, r), -3.0, -1.0),
        (lambda r: special.pseudo_huber(1.0, r), 0.0, 0.0),
        (lambda r: special.pseudo_huber(0.0, r), 1.0, 0.0),
        (special.erfcx, 1e100, -1e-200 / np.sqrt(np.pi)),
        (special.ndtri, 0.5, np.sqrt(2 * np.pi)),
        (special.erf, np.inf, 0.0),
        (special.log_ndtr, np.inf, 0.0),
        (special.i0e, 0.0, 0.0),
        (special.j0, 0.0, 0.0),
        (special.i1, 0.0, 0.5),
        (lambda x: special.gammainc(2.0, x), 0.0, 0.0),
        (lambda a: special.gammainc(a, 0.0), 2.0, 0.0),
        (lambda x: special.betainc(2.0, 3.0, x), 1.0, 0.0),
        (lambda x: special.expn(0, x), 2.0, -np.exp(-2.0) * 3 / 4),
        (lambda x: special.eval_legendre(0, x), 0.3, 0.0),
        (lambda x: special.eval_legendre(3, x), 0.0, -1.5),
        (lambda z: np.real(mirror.lambertw(z)), 0.0, 1.0),
        (lambda z: np.real(mirror.lambertw(z)), 1e10, 9.52445909939416e-11),
    ],
)
def test_conventions_and_limits(f: Any, x: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ag.grad(f)(x), expected, rtol=1e-9, atol=1e-300)


def test_single_precision_is_kept() -> None:
    x = np.array([0.3, 0.7], np.float32)
    for f in (
        special.expit, special.gammaln, special.psi, special.erfcx, special.log_ndtr, special.ndtri, special.i0e, special.j1, special.ellipk,
        lambda t: special.xlogy(t, t), lambda t: special.gammainc(t, t), lambda t: special.betainc(t, t, t), lambda t: special.jv(t, t),
    ):  # fmt: skip
        single, double = ag.value_and_grad(lambda t, f=f: np.sum(f(t)))(x), ag.value_and_grad(lambda t, f=f: np.sum(f(t)))(x.astype(float))
        assert single[0].dtype == single[1].dtype == np.float32
        np.testing.assert_allclose(single[1], double[1], rtol=2e-5)
        assert ag.grad(lambda t, f=f: np.sum(ag.grad(lambda u: np.sum(f(u)))(t)))(x).dtype == np.float32


def test_the_schwarz_theorem_for_shapes() -> None:
    """Mixed derivatives by the point and the shape are one from a closed form and one from differences."""
    for f, args in (
        (special.gammainc, (1.7, 2.2)), (special.gammaincc, (30.0, 45.0)), (special.gammaincinv, (2.5, 0.3)), (special.betainc, (1.3, 2.6, 0.4)),
        (special.betaincinv, (1.3, 2.6, 0.4)), (special.stdtr, (3.3, -1.4)), (special.stdtrit, (3.3, 0.2)), (special.jv, (1.3, 2.5)),
        (special.kv, (0.0, 0.7)), (special.ive, (2.1, 9.0)), (special.poch, (2.3, 1.4)), (special.binom, (7.5, 2.2)), (special.owens_t, (0.7, 0.4)),
    ):  # fmt: skip
        h = ag.hessian(lambda p, f=f: f(*(p[i] for i in range(len(p)))))(np.array(args))
        np.testing.assert_allclose(h, h.T, rtol=1e-8, atol=1e-10, err_msg=f.__name__)


def test_higher_orders_by_a_shape_end_with_a_word() -> None:
    f: Any = lambda a: special.gammainc(a, 1.5)  # noqa: E731
    third = ag.grad(ag.grad(ag.grad(f)))
    step = 1e-3
    expected = (ag.grad(ag.grad(f))(2.0 + step) - ag.grad(ag.grad(f))(2.0 - step)) / (2 * step)
    np.testing.assert_allclose(third(2.0), expected, rtol=1e-5)
    with pytest.raises(ag.NoRowError, match=r"scipy\.special\.gammainc has no 4th derivative"):
        ag.grad(third)(2.0)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: special.hyp2f1(t, 1.0, 2.0, 0.5), r"scipy\.special\.hyp2f1 has no derivative by its argument a"),
        (lambda t: special.yn(t, 2.0), r"scipy\.special\.yn has no derivative by its argument n"),
        (lambda t: special.eval_legendre(t, 0.3), r"scipy\.special\.eval_legendre has no derivative by its argument n"),
        (lambda t: mirror.zeta(t, 2.0), r"scipy\.special\.zeta has no derivative by its argument x"),
        (mirror.zeta, r"scipy\.special\.zeta has no derivative by x"),
        (lambda t: special.struve(1.0, t), r"scipy\.special\.struve has no row"),
        (lambda t: mirror.comb(t, 2, exact=True), r"scipy\.special\.comb does not cover the argument exact=True"),
    ],
)
def test_what_has_no_derivative_is_refused_by_name(f: Any, message: str) -> None:
    with pytest.raises(ag.NoRowError, match=message):
        ag.grad(f)(2.0)


def test_complex_numbers() -> None:
    z = np.array([0.7 + 0.4j, 2.3 - 1.1j])
    for f in (special.loggamma, special.gamma, special.rgamma, special.psi, special.erf, special.erfcx, special.log_ndtr, mirror.lambertw):
        step = 1e-5
        for direction in (1, 1j):
            moved = ag.jvp(f, (z,), (np.full_like(z, direction),))[1]
            expected = (f(z + step * direction) - f(z - step * direction)) / (2 * step)
            np.testing.assert_allclose(moved, expected, rtol=1e-7, err_msg=f.__name__)
    with pytest.raises(ag.NoRowError, match="of complex numbers"):
        ag.grad(lambda z: np.sum(np.real(special.ive(1.0, z))))(z)


def test_options_and_lists_of_the_mirror() -> None:
    x = np.array([[0.3, 1.2], [2.4, 0.5]])
    b = np.array([[1.0, 0.0], [2.0, 0.5]])
    for axis in (None, 0, -1):
        t = ag.Tensor(x, requires_grad=True)
        found = mirror.logsumexp(t, axis=axis, b=b)
        np.testing.assert_allclose(found.data, special.logsumexp(x, axis=axis, b=b), rtol=1e-14)
        np.sum(found).backward()
        np.testing.assert_allclose(t.grad, b * np.exp(x - special.logsumexp(x, axis=axis, b=b, keepdims=True)), rtol=1e-14)
    np.testing.assert_allclose(mirror.multigammaln(ag.Tensor(x + 2), 3).data, special.multigammaln(x + 2, 3), rtol=1e-14)
    np.testing.assert_array_equal(mirror.polygamma([0, 1], ag.Tensor(x)).data, special.polygamma([0, 1], x))
    t, u = ag.Tensor(0.3, requires_grad=True), ag.Tensor(1.2, requires_grad=True)
    np.testing.assert_allclose(mirror.logsumexp([t, u]).data, special.logsumexp([0.3, 1.2]))
    np.testing.assert_allclose(mirror.softmax(x=[[t, 0.5], [u, 0.1]], axis=0).data, special.softmax([[0.3, 0.5], [1.2, 0.1]], axis=0))
    signs = np.array([[1.0, 0.0], [2.0, -3.5]])
    for given in (None, b, signs):
        for options in ({"axis": 0}, {"axis": -1, "keepdims": True}):
            log, sign = mirror.logsumexp(ag.Tensor(x), b=given, return_sign=True, **options)
            expected, expected_sign = special.logsumexp(x, b=given, return_sign=True, **options)
            np.testing.assert_allclose(log.data, expected, rtol=1e-13)
            np.testing.assert_array_equal(ag.stop_gradient(sign).data, expected_sign)
    slope = ag.grad(lambda x: mirror.logsumexp(x, b=signs, return_sign=True)[0])(x)
    np.testing.assert_allclose(slope, signs * np.exp(x) / np.sum(signs * np.exp(x)), rtol=1e-13)
    with pytest.raises(ValueError, match="dimension"):
        mirror.multigammaln(ag.Tensor(x), 1.5)
