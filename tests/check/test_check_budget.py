"""What a check may cost: work is counted, or measured as this thread's own time, never by the clock on the wall."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.check.explain import derived
from autograd_np.derivations.source.writing import Writer

RNG = np.random.default_rng(0)


def test_a_derived_line_in_which_shared_parts_multiply_is_not_written(monkeypatch):
    monkeypatch.setattr(derived, "SPARE", 50)  # not for want of time
    asked = [0]
    text = Writer.text

    def counted(self, e):
        asked[0] += 1
        if asked[0] > 20_000:
            pytest.fail("what is shared is written again and again")  # no Exception, which the search would survive
        return text(self, e)

    def forward(x, w):
        h = x
        for _ in range(9):
            h = np.tanh(h * w) * h + np.sin(h)
        return np.sum(h)

    def backward(x, w):
        return {"dx": np.cos(x) * w + x, "dw": np.sin(w) * x * x}

    monkeypatch.setattr(Writer, "text", counted)
    report = ag.check_backward(forward, backward, {"x": RNG.normal(size=4), "w": RNG.normal(size=4)}, seconds=0.2)
    assert report.verdict == "fail"
    assert [f.fix for f in report.findings] == [None]
