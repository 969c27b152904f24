"""What a check may cost: work is counted, or measured as this thread's own time, never by the clock on the wall."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.check import backward_pass
from autograd_np.check.explain import case, derived
from autograd_np.check.judge.session import Session
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


class _Counted:
    """A clock on which each run of backward takes so long, and nothing else takes any time."""

    def __init__(self, monkeypatch, seconds):
        self.runs, self.seconds = 0, seconds
        clock = SimpleNamespace(thread_time=self.now, perf_counter=self.now)
        for module in (case, derived):
            monkeypatch.setattr(module, "time", clock)
        for name in ("run", "quick"):
            monkeypatch.setattr(Session, name, self._counting(getattr(Session, name)))

    def now(self):
        return self.runs * self.seconds

    def _counting(self, method):
        def counted(*args, **kwargs):
            self.runs += 1
            return method(*args, **kwargs)

        return counted


def _step(x, h, Wx, Wh):
    return np.tanh(x @ Wx + h @ Wh)


def recurrent(x, h0, Wx, Wh, V):
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = _step(x[:, t], h, Wx, Wh)
        hs.append(h)
    y = np.stack(hs, axis=1) @ V
    return y, (x, h0, Wx, Wh, V, hs)


def recurrent_backward(dy, cache):
    x, h0, Wx, Wh, V, hs = cache
    dWx, dWh, dV, dx = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(V), np.zeros_like(x)
    dh = np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        before = hs[t - 1] if t > 0 else h0
        dV += np.cos(hs[t]).T @ dy[:, t]
        dh = dh + dy[:, t] @ V.T
        dz = dh * np.sqrt(np.abs(hs[t]))
        dx[:, t] = dz @ np.exp(Wx).T
        dWx += x[:, t].T @ dz
        dWh += before.T @ dz
        dh = dz @ Wh.T * np.cos(before)
    return {"dx": dx, "dh0": dh, "dWx": dWx, "dWh": dWh, "dV": dV}


RECURRENT = {
    "x": RNG.normal(size=(2, 4, 3)), "h0": RNG.normal(size=(2, 5)), "Wx": RNG.normal(size=(3, 5)), "Wh": RNG.normal(size=(5, 5)),
    "V": RNG.normal(size=(5, 2)),
}  # fmt: skip


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_several_mistakes_that_nothing_explains_take_no_more_than_the_budget(seconds, monkeypatch):
    """Everything that runs backward counts: what cures, doubts, weighing, conventions, what may be meant, what is derived."""
    clock = _Counted(monkeypatch, 0.002)
    spent = [0.0]
    find = backward_pass.find_mistakes

    def timed(*args):
        before = clock.now()
        try:
            return find(*args)
        finally:
            spent[0] += clock.now() - before

    monkeypatch.setattr(backward_pass, "find_mistakes", timed)
    report = ag.check_backward(recurrent, recurrent_backward, RECURRENT, seconds=seconds)
    assert report.verdict == "fail"
    assert report.findings
    assert spent[0] < 1.5 * seconds + 0.2, f"{spent[0] / clock.seconds:.0f} runs"


def test_nothing_more_is_made_when_the_time_is_over(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(case, "time", SimpleNamespace(thread_time=lambda: now[0], perf_counter=lambda: now[0]))
    made: list[int] = []

    def items():
        while True:
            now[0] += 0.5
            made.append(len(made))
            yield made[-1]

    budget = case.Budget(2.0)
    assert list(budget.within(items(), keep=0.5)) == [0, 1, 2]  # the third began with a second left
    assert not budget.ended
    assert list(budget.within(items())) == [3, 4]
    assert budget.ended
    assert list(budget.within(items())) == []
    assert made == [0, 1, 2, 3, 4]
