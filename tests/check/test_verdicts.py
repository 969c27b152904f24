"""The verdict is never wrong on the passes that everybody writes, at random points of any scale: no alarm, no PASS of a mistake.

Some of each family are tried here; BACKWARD_VERDICTS=1000 tries about a thousand right and a thousand wrong ones.
Where forward itself is not finite (a log of 0), a right pass may be refused, but never called wrong. A mistake counts where it
changes a gradient at the point by more than a thousandth of its largest element.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from backward_corpus import loading, truth
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from verdict_families import FAMILIES, made, mistakes

import autograd_np as ag
from autograd_np import errors

EACH = -(-int(os.environ.get("BACKWARD_VERDICTS", "27")) // len(FAMILIES))
OPTIONS = {"draws": 1, "seconds": 0.2}  # the verdict does not depend on the explanations

seeds = st.integers(0, 10**6)
sizes = st.integers(1, 8)
scales = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)


def verdict(module, **options):
    """Return the verdict on a pass, or ``refused``, and what was said."""
    with np.errstate(all="ignore"):
        try:
            report = ag.check_backward(*loading.functions(module), module.inputs(0), **{**OPTIONS, **options})
        except errors.CheckSetupError as e:
            return "refused", str(e)
    return report.verdict, str(report)


def is_finite(module):
    """Whether forward gives numbers at the point."""
    forward, _ = loading.functions(module)
    with np.errstate(all="ignore"):
        result = forward(**module.inputs(0))
    return bool(np.all(np.isfinite(result[0] if isinstance(result, tuple) else result)))


def is_wrong(module, right):
    """Whether a gradient is off by more than a thousandth of its largest element, if there are numbers to compare."""
    with np.errstate(all="ignore"):
        hand, other = truth.hand(right), truth.attempt(module)
    if not all(np.all(np.isfinite(g)) for g in hand.values()):
        return False
    return not other or any(
        np.shape(other.get(path)) != np.shape(g) or not np.max(np.abs(other[path] - g), initial=0) <= 1e-3 * np.max(np.abs(g), initial=0)
        for path, g in hand.items()
    )


def alarm(family, seed, m, scale, weight, **options):
    """Return what is said against a right pass."""
    module = made(family, seed, m, scale, weight)
    said, report = verdict(module, **options)
    return None if said == "pass" or (said != "fail" and not is_finite(module)) else f"{said}: {report}"


def miss(family, mistake, seed, m, scale, weight, **options):
    """Return what is said for a wrong pass, or ``nothing is wrong`` where the mistake changes nothing."""
    what, source = mistake
    module = made(family, seed, m, scale, weight, source)
    if not is_wrong(module, made(family, seed, m, scale, weight)):
        return "nothing is wrong"
    said, report = verdict(module, **options)
    return f"{what}: {report}" if said == "pass" else None


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=EACH)
@example(seed=0, m=1, scale=1e3, weight=1e3)
@given(seed=seeds, m=sizes, scale=scales, weight=scales)
def test_a_right_pass_raises_no_alarm(family, seed, m, scale, weight):
    assert not alarm(family, seed, m, scale, weight)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=EACH)
@given(data=st.data(), seed=seeds, m=sizes, scale=scales, weight=scales)
def test_a_wrong_pass_never_gets_a_pass(family, data, seed, m, scale, weight):
    said = miss(family, data.draw(st.sampled_from(mistakes(family))), seed, m, scale, weight)
    assume(said != "nothing is wrong")
    assert not said


HARD = [
    ("sigmoid net", 453320, 1, 23.11791488537115, 45.587013793041386),  # 1 - A is 0, and the true derivative 1e-197
    ("sigmoid net", 862067, 4, 144.32081199400827, 0.48801437824055144),
    ("sigmoid net", 156868, 4, 1.3938247390973661, 29.717187056386624),  # 1 - A has nine digits, at a draw
    ("sigmoid net", 619531, 2, 0.20192619792587985, 942.7916877099451),
    ("softmax", 271055, 3, 0.4842775597120486, 369.810697428203),  # p - 1 is 0, and the true one -1e-30
    ("softmax", 768773, 2, 0.035491035021921566, 638.0137622514706),
]
"""Points at which right passes lose every digit."""


@pytest.mark.parametrize("point", HARD, ids=str)
def test_a_right_pass_that_cancels_raises_no_alarm(point):
    assert not alarm(*point)


def test_a_point_without_a_finite_cost_and_draws_without_an_error_are_no_pass():
    (mistake,) = (m for m in mistakes("logistic") if m[0] == "db = np.sum(dZ, axis=1, keepdims=True) / m: times for divided by")
    assert miss("logistic", mistake, 991450, 3, 0.0016782122124816823, 463.1043138079407) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_the_families_are_right_by_numeric_differences(family):
    module = made(family, 1, 3, 1.0, 1.0)
    hand = truth.hand(module)
    assert max(truth.errors_of(hand, truth.numeric(module, hand)).values()) < 1e-7
    wrong = [what for what, source in mistakes(family) if is_wrong(made(family, 1, 3, 1.0, 1.0, source), module)]
    assert len(wrong) >= 10


def test_a_safeguard_that_is_part_of_a_one_is_told():
    def forward(W, X, Y):
        P = 1 / (1 + np.exp(-(X @ W)))
        return -np.mean(Y * np.log(P) + (1 - Y) * np.log(1.0000001 - P))

    def backward(X, Y, P):
        return {"dW": X.T @ (P - Y) / len(Y)}

    rng = np.random.default_rng(3)
    inputs = {"W": 2 * rng.normal(size=(3, 1)), "X": rng.normal(size=(7, 3)), "Y": rng.integers(0, 2, (7, 1)) + 0.0}
    report = ag.check_backward(forward, backward, inputs)
    assert report, str(report)
    assert any("without 1.0000001 at line" in said for said in report.readings)
