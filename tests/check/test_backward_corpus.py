"""The corpus is what it claims to be, and `check_backward` meets its thresholds on it.

The floors are tested on some of the mutants, to stay below a minute; set BACKWARD_CORPUS=all for all of them.
``python -m benchmarks.check_backward`` prints what was said about each, and how far it is from what is wanted.
"""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
from backward_corpus import loading, score, truth

ALL = os.environ.get("BACKWARD_CORPUS") == "all"
SEEDS = 20 if ALL else 1
EVERY = 1 if ALL else 31
SECONDS = 10.0
"""What is found must not depend on the speed of the machine."""

FLOORS = {
    "detected": 0.97,
    "localised": 0.82,
    "explained": 0.74,
    "confidently wrong": 0.14,
    "doubles": 0.57,
    "helper": 0.57,
    "fix": 0.71,
}
"""What holds today, with a margin for the choice of mutants: these only ever go up, and to `score.THRESHOLDS` in the end."""


def test_mistakes_are_detected_localised_and_explained(tmp_path):  # it takes longest: first, so that the others run beside it
    every = [m for house in loading.PASSES for m in loading.mutants(house)]
    found = score.summarise(score.check_mutants(every[::EVERY], tmp_path, seconds=SECONDS))
    faults = [f"{j.mutant}: {j.check}" for j in found.judged if not (j.detected and j.localised)]
    short = found.short_of(FLOORS)
    assert not short, "\n".join([*short, *faults])


@pytest.mark.parametrize("house", loading.PASSES)
def test_the_right_pass_is_right_by_numeric_differences(house):
    module = loading.right(house)
    for seed in range(3):
        hand = truth.hand(module, seed)
        errors = truth.errors_of(hand, truth.numeric(module, hand, seed))
        assert max(errors.values()) < 1e-7, errors


@pytest.mark.parametrize("house", loading.PASSES)
def test_each_mutant_is_wrong_by_numeric_differences(house, tmp_path):
    module = loading.right(house)
    hand = truth.hand(module)
    true = truth.numeric(module, hand)
    for mutant in loading.mutants(house):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wrong formulas may overflow
            errors = truth.errors_of(truth.attempt(loading.write(house, mutant.text, tmp_path)), true)
        assert max(errors.values()) > 1e-3, f"{mutant}: {errors}"


@pytest.mark.parametrize("house", loading.PASSES)
def test_each_mutant_says_where_and_what_it_is(house):
    for mutant in loading.mutants(house):
        assert all(m.lines and m.kinds and m.kinds <= loading.KINDS for m in mutant.mistakes), mutant
        if mutant.double:
            first, second = mutant.mistakes
            assert not first.lines & second.lines, mutant


@pytest.mark.parametrize("house", loading.PASSES)
def test_the_blamed_line_holds_the_mistake(house):
    table = loading.right(house).MUTANTS
    for mutant in loading.mutants(house):
        lines = mutant.text.splitlines()
        for name, mistake in zip(mutant.name.split("+"), mutant.mistakes, strict=True) if not mutant.double else ():
            new = table[name][1]
            if new and "\n" not in new:
                assert any(new in lines[n - 1] for n in mistake.lines), mutant
            for other in table[name][4:]:
                assert any(other in lines[n - 1] for n in mistake.lines), (mutant, other)


def test_the_corpus_is_large_enough():
    every = [m for house in loading.PASSES for m in loading.mutants(house)]
    assert len(loading.PASSES) >= 45
    assert len(every) >= 950
    assert sum(m.double for m in every) >= 190
    kinds = {kind for m in every for mistake in m.mistakes for kind in mistake.kinds}
    assert kinds == loading.KINDS


def test_numeric_differences_see_a_gradient_that_is_off_by_a_millionth(monkeypatch):
    module = loading.right("notebook")
    hand = truth.hand(module)
    true = truth.numeric(module, hand)
    hand["parameters", "W1"] = hand["parameters", "W1"] * (1 + 1e-6)
    assert truth.errors_of(hand, true)["parameters", "W1"] == pytest.approx(1e-6, rel=0.01)
    hand["parameters", "b2"] = np.full((1, 1), np.nan)
    assert truth.errors_of(hand, true)["parameters", "b2"] == np.inf


@pytest.mark.parametrize("house", loading.PASSES)
def test_no_false_alarm(house):
    alarms = [f"seed {seed}: {c}" for seed, c in score.false_alarms(house, range(SEEDS)) if c.verdict != "pass" or c.findings]
    assert not alarms, "\n".join(alarms)


def test_the_floors_are_below_what_is_wanted():
    assert FLOORS.keys() == score.THRESHOLDS.keys()
    assert all((score.THRESHOLDS[name] - floor) * (-1 if name == "confidently wrong" else 1) >= 0 for name, floor in FLOORS.items())


def _said(*findings, verdict="fail"):
    return score.Check(verdict, tuple(score.Finding(line, "dW", kind, "") for line, kind in findings), None, 0.0)


def test_judging_counts_places_and_kinds(tmp_path):
    single, double = (
        loading.Mutant("a", "b", "", tuple(loading.Mistake(frozenset({n}), frozenset({"sign"}), "") for n in lines))
        for lines in ((3,), (3, 5))
    )
    right = score.judge(single, _said((3, "sign")), tmp_path)
    assert right.flawless
    assert not score.judge(single, _said(verdict="pass"), tmp_path).detected
    assert not score.judge(single, _said(verdict="inconclusive"), tmp_path).detected
    elsewhere = score.judge(single, _said((4, "sign")), tmp_path)
    assert elsewhere.detected
    assert not elsewhere.localised
    assert elsewhere.misled == (True,)
    assert score.judge(single, _said((3, "unknown")), tmp_path).misled == (False,)
    assert score.judge(single, _said((3, "scale")), tmp_path).misled == (True,)
    assert score.judge(single, _said((3, "sign"), (9, "scale")), tmp_path).spurious == 1
    half = score.judge(double, _said((5, "sign")), tmp_path)
    assert half.localised
    assert half.found == half.explained == (False, True)
    summary = score.summarise([right, elsewhere, half, score.judge(double, _said((3, "sign"), (5, "unknown")), tmp_path)])
    assert summary.shares["detected"] == 1
    assert summary.shares["localised"] == 3 / 4
    assert summary.shares["explained"] == 3 / 6
    assert summary.shares["confidently wrong"] == 1 / 6
    assert summary.shares["doubles"] == 1 / 2
    assert [line.split(" ")[0] for line in summary.missed] == ["localised", "explained", "confidently", "doubles", "fix"]


def test_of_several_lines_that_are_named_one_has_to_be_mistaken(tmp_path):
    mutant = loading.Mutant("a", "b", "", (loading.Mistake(frozenset({3}), frozenset({"sign"}), ""),))
    beside, elsewhere = (score.Finding(line, "dW", "sign", "") for line in (3, 7))
    tied = score.Check("fail", (score.Finding(5, "dV", "scale", "", None, (beside,)),), None, 0.0)
    judged = score.judge(mutant, tied, tmp_path)
    assert judged.localised
    assert judged.explained == (True,)
    assert judged.misled == (False,)
    summary = score.summarise([judged])
    assert summary.lines_named == [2]
    assert summary.shares["one line a finding"] == 0
    astray = score.judge(mutant, score.Check("fail", (score.Finding(5, "dV", "scale", "", None, (elsewhere,)),), None, 0.0), tmp_path)
    assert not astray.localised
    assert astray.misled == (True,)


def test_a_fix_counts_if_the_pass_returns_what_it_would_without_the_mistake(tmp_path):
    single, double = (next(m for m in loading.mutants("notebook") if m.name == name) for name in ("dW2-no-m", "residual-reversed+dW1-no-m"))

    def cured(mutant, mistake, fix):
        (line,) = mutant.mistakes[mistake].lines
        return score.cures(mutant, mutant.mistakes[mistake], score.Finding(line, "", "", "", fix), tmp_path)

    assert cured(single, 0, "    dW2 = dZ2 @ A1.T / m")
    assert cured(single, 0, "dW2 = dZ2 @ A1.T / m")
    assert not cured(single, 0, None)
    assert not cured(single, 0, "    dW2 = dZ2 @ A1.T")
    assert not cured(single, 0, "    dW2 = dZ2 @ (")
    assert cured(double, 0, "    dZ2 = A2 - Y")
    assert cured(double, 1, "    dW1 = dZ1 @ X.T / m")
    assert not cured(double, 1, "    dW1 = dZ1 @ X.T * m")
