"""The corpus is what it claims to be, and `check_backward` meets its thresholds on it.

The thresholds are tested on every third mutant, to stay below a minute; set BACKWARD_CORPUS=all for all of them.
``python -m benchmarks.check_backward`` prints what was said about each.
"""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
from backward_corpus import loading, score, truth

SEEDS = 20 if os.environ.get("BACKWARD_CORPUS") == "all" else 5
EVERY = 1 if os.environ.get("BACKWARD_CORPUS") == "all" else 3


@pytest.mark.parametrize("house", loading.PASSES)
def test_the_right_pass_is_right_by_numeric_differences(house):
    module = loading.right(house)
    for seed in range(3):
        hand = truth.gradients(module, truth.hand(module, seed))
        errors = truth.errors_of(hand, truth.numeric(module, list(hand), seed))
        assert max(errors.values()) < 1e-7, errors


@pytest.mark.parametrize("house", loading.PASSES)
def test_each_mutant_is_wrong_by_numeric_differences(house, tmp_path):
    module = loading.right(house)
    hand = truth.gradients(module, truth.hand(module))
    true = truth.numeric(module, list(hand))
    for mutant in loading.mutants(house):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wrong formulas may overflow
            wrong = loading.write(mutant, tmp_path)
            errors = truth.errors_of(truth.gradients(wrong, truth.hand(wrong)), true)
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


def test_the_corpus_is_large_enough():
    every = [m for house in loading.PASSES for m in loading.mutants(house)]
    assert len(loading.PASSES) >= 14
    assert len(every) >= 130
    assert sum(m.double for m in every) >= 30
    kinds = {kind for m in every for mistake in m.mistakes for kind in mistake.kinds}
    assert kinds == loading.KINDS


def test_numeric_differences_see_a_gradient_that_is_off_by_a_millionth(monkeypatch):
    module = loading.right("notebook")
    hand = truth.gradients(module, truth.hand(module))
    true = truth.numeric(module, list(hand))
    hand["parameters", "W1"] = hand["parameters", "W1"] * (1 + 1e-6)
    assert truth.errors_of(hand, true)["parameters", "W1"] == pytest.approx(1e-6, rel=0.01)
    hand["parameters", "b2"] = np.full((1, 1), np.nan)
    assert truth.errors_of(hand, true)["parameters", "b2"] == np.inf


@pytest.mark.parametrize("house", loading.PASSES)
def test_no_false_alarm(house):
    alarms = [f"seed {seed}: {c}" for seed, c in score.false_alarms(house, range(SEEDS)) if c.verdict != "pass" or c.findings]
    assert not alarms, "\n".join(alarms)


def test_mistakes_are_detected_localised_and_explained(tmp_path, monkeypatch):
    monkeypatch.setattr("autograd_np.check.explain.case.SECONDS", 60.0)  # what is found must not depend on the speed of the machine
    every = [m for house in loading.PASSES for m in loading.mutants(house)]
    found = score.summarise(score.check_mutants(every[::EVERY], tmp_path))
    faults = [f"{j.mutant}: {j.check}" for j in found.judged if not (j.detected and j.localised)]
    assert not found.missed, "\n".join([*found.missed, *faults])


def _said(*findings, verdict="fail"):
    return score.Check(verdict, tuple((line, "dW", kind, "") for line, kind in findings), None, 0.0)


def test_judging_counts_places_and_kinds():
    single, double = (
        loading.Mutant("a", "b", "", tuple(loading.Mistake(frozenset({n}), frozenset({"sign"}), "") for n in lines))
        for lines in ((3,), (3, 5))
    )
    right = score.judge(single, _said((3, "sign")))
    assert right.flawless
    assert not score.judge(single, _said(verdict="pass")).detected
    assert not score.judge(single, _said(verdict="inconclusive")).detected
    elsewhere = score.judge(single, _said((4, "sign")))
    assert elsewhere.detected
    assert not elsewhere.localised
    assert elsewhere.misled == (True,)
    assert score.judge(single, _said((3, "unknown"))).misled == (False,)
    assert score.judge(single, _said((3, "scale"))).misled == (True,)
    assert score.judge(single, _said((3, "sign"), (9, "scale"))).spurious == 1
    half = score.judge(double, _said((5, "sign")))
    assert half.localised
    assert half.found == half.explained == (False, True)
    summary = score.summarise([right, elsewhere, half, score.judge(double, _said((3, "sign"), (5, "unknown")))])
    assert summary.shares["detected"] == 1
    assert summary.shares["localised"] == 3 / 4
    assert summary.shares["explained"] == 3 / 6
    assert summary.shares["confidently wrong"] == 1 / 6
    assert summary.shares["doubles"] == 1 / 2
    assert [line.split(" ")[0] for line in summary.missed] == ["localised", "explained", "confidently", "doubles"]
