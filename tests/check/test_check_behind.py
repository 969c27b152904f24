"""The line is found where names between a mistake and the results mislead, and where helpers, objects and containers lie between."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(3)


def lines(report):
    """Return the statements that findings blame, and their corrections."""
    return [(f.source.strip(), (f.fix or "").strip()) for f in report.findings]


def softmax_and_gradient(scores, y):
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    logs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    p = np.exp(shifted)
    n = len(y)
    loss = -np.sum(logs[np.arange(n), y]) / n
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    return loss, dscores


def test_a_helper_that_a_function_of_both_passes_calls_is_suspected():
    def net(W, X, y):
        scores = X @ W
        loss, dscores = softmax_and_gradient(scores, y)
        return loss, {"W": X.T @ dscores}

    inputs = {"W": RNG.normal(size=(4, 3)), "X": RNG.normal(size=(6, 4)), "y": RNG.integers(0, 3, 6)}
    assert lines(ag.check_backward(net, net, inputs)) == [("p = np.exp(shifted)", "p = np.exp(logs)")]


def cell(x, h, Wx, Wh):
    return np.tanh(x @ Wx + h @ Wh)


def rnn(x, h0, Wx, Wh):
    h, hs = h0, []
    for t in range(len(x)):
        hs.append((x[t], h, h := cell(x[t], h, Wx, Wh)))
    return h, (hs, Wx, Wh)


def test_a_dict_of_one_steps_gradients_may_be_called_like_that_of_all():
    def cell_back(dh, cache, Wx, Wh):
        x, before, after = cache
        da = (1 - after**2) * dh
        return {"dx": da @ Wx.T, "dh": da @ Wh.T, "dWx": x.T @ da, "dWh": before.T @ da}

    def rnn_back(dh, cache):
        hs, Wx, Wh = cache
        dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
        for one in reversed(hs):
            grads = cell_back(dh, one, Wx, Wh)
            dWx += grads["dWx"]
            dWh -= grads["dWh"]
            dh = grads["dh"]
        grads = {"h0": dh, "dWx": dWx, "dWh": dWh}
        return grads

    inputs = {"x": RNG.normal(size=(3, 2, 4)), "h0": RNG.normal(size=(2, 3)), "Wx": RNG.normal(size=(4, 3)), "Wh": RNG.normal(size=(3, 3))}
    assert lines(ag.check_backward(rnn, rnn_back, inputs)) == [('dWh -= grads["dWh"]', 'dWh += grads["dWh"]')]


def test_what_forward_reads_at_is_kept_whole_where_its_last_part_is_a_call():
    def forward(x):
        best = x.argmax(axis=0)
        out = x[best, np.arange(x.shape[1])]
        return out, (x, best)

    def backward(dout, cache):
        x, best = cache
        dx = np.zeros_like(x)
        dx[best, np.arange(x.shape[1])] = dout
        dx = (dx.reshape(x.shape)) * 2
        return dx

    report = ag.check_backward(forward, backward, {"x": RNG.normal(size=(3, 5))})
    assert lines(report) == [("dx = (dx.reshape(x.shape)) * 2", "dx = dx.reshape(x.shape)")]


def test_a_minus_that_was_written_is_taken_away_before_one_is_put_elsewhere():
    def forward(x):
        e = np.exp(x)
        return e / np.sum(e, axis=1, keepdims=True)

    def backward(dout, x):
        p = forward(x)
        one = np.sum(dout * p, axis=1, keepdims=True)
        two = one * np.ones_like(p)
        three = -(two * p)
        return dout * p - three

    report = ag.check_backward(forward, backward, {"x": RNG.normal(size=(3, 4))})
    assert lines(report) == [("three = -(two * p)", "three = two * p")]


class Norm:
    """A layer whose method computes what another one adds up."""

    def __init__(self):
        self.params = {"scale": RNG.normal(size=5), "shift": RNG.normal(size=5)}
        self.grads = {"scale": np.zeros(5), "shift": np.zeros(5)}
        self.eps = 0.1

    def forward(self, X):
        self.X = X
        self.N = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + self.eps)
        return self.params["scale"] * self.N + self.params["shift"]

    def backward(self, dout):
        dX, dscale, dshift = self.step(dout)
        self.grads["scale"] += dscale
        self.grads["shift"] += dshift
        return dX

    def step(self, dout):
        n = len(dout)
        dshift = -(dout.sum(axis=0))
        dscale = np.sum(dout * self.N, axis=0)
        dN = dout * self.params["scale"]
        inner = n * dN - dN.sum(axis=0) - self.N * (dN * self.N).sum(axis=0)
        inner = inner / (n * np.sqrt(self.X.var(axis=0) + self.eps))
        return inner, dscale, dshift


def test_what_a_method_computes_for_one_result_is_not_behind_the_others():
    layer = Norm()
    report = ag.check_backward(layer.forward, layer.backward, {"X": RNG.normal(size=(7, 5))})
    assert lines(report) == [("dshift = -(dout.sum(axis=0))", "dshift = dout.sum(axis=0)")]


def test_a_gradient_of_data_in_two_steps_is_missed_where_a_parameter_is_returned():
    def forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, (x, w)

    def backward(dout, cache):
        x, w = cache
        dx = dout @ w.T
        dx = dx.reshape(x.shape)
        dw = x.reshape(len(x), -1).T @ dout
        db = np.sum(dout, axis=0)
        return w, dw, db

    inputs = {"x": RNG.normal(size=(4, 2, 3)), "w": RNG.normal(size=(6, 5)), "b": RNG.normal(size=5)}
    report = ag.check_backward(forward, backward, inputs)
    assert report.verdict == "fail"
    assert lines(report) == [("return w, dw, db", "return dx, dw, db")]


@pytest.mark.parametrize(("returned", "fix"), [("x", "return dx, dw"), ("n", "return dx")])
def test_what_stands_in_the_place_of_a_gradient_is_found(returned, fix):
    def forward(x, w):
        return x @ w, (x, w)

    def tuple_back(dout, cache):
        x, w = cache
        dx = dout @ w.T  # noqa: F841
        dw = x.T @ dout
        return x, dw

    class Layer:
        def __init__(self):
            self.w = RNG.normal(size=(3, 2))

        def forward(self, x):
            self.x = x
            return x @ self.w

        def backward(self, dout):
            n = len(dout)
            self.dw = self.x.T @ dout
            dx = dout @ self.w.T  # noqa: F841
            return n

    x = RNG.normal(size=(4, 3))
    layer = Layer()
    report = (
        ag.check_backward(forward, tuple_back, {"x": x, "w": RNG.normal(size=(3, 2))})
        if returned == "x"
        else ag.check_backward(layer.forward, layer.backward, {"x": x})
    )
    assert report.verdict == "fail"
    assert [f.fix.strip() for f in report.findings] == [fix]


def test_an_element_that_a_loop_works_on_is_no_whole_gradient():
    def forward(A):
        out = np.zeros(len(A))
        for i in range(len(A)):
            out[i] = np.mean(A[i])
        return out, A

    def backward(dout, A):
        dA = np.zeros_like(A)
        for i in range(len(A)):
            da = dout[i]
            dA[i] -= da / A.shape[1]
        return dA

    assert lines(ag.check_backward(forward, backward, {"A": RNG.normal(size=(4, 3))})) == [
        ("dA[i] -= da / A.shape[1]", "dA[i] += da / A.shape[1]")
    ]


class Cell:
    """One step of a recurrent net: its gradients are left in a list of its own."""

    def __init__(self, W, U):
        self.params = [W, U]
        self.grads = [np.zeros_like(W), np.zeros_like(U)]

    def forward(self, x, h):
        W, U = self.params
        self.seen = x, h, np.tanh(x @ W + h @ U)
        return self.seen[-1]

    def backward(self, dout):
        W, U = self.params
        x, h, out = self.seen
        da = dout * (1 - out**2)
        self.grads[0][...] = x.T @ da
        self.grads[1][...] = h.T @ da * 2
        return da @ W.T, da @ U.T


class Steps:
    """All steps: adds up what the lists of its cells hold."""

    def __init__(self):
        self.params = [RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, xs):
        h, hs, self.cells = np.zeros((2, 3)), [], []
        for x in xs:
            self.cells.append(Cell(*self.params))
            h = self.cells[-1].forward(x, h)
            hs.append(h)
        return np.stack(hs)

    def backward(self, douts):
        sums, dxs, dh = [0, 0], np.zeros((len(douts), 2, 4)), 0
        for t in reversed(range(len(douts))):
            cell = self.cells[t]
            dxs[t], dh = cell.backward(douts[t] + dh)
            for i, grad in enumerate(cell.grads):
                sums[i] += grad
        for i, grad in enumerate(sums):
            self.grads[i][...] = grad
        return dxs

    def over_another_list(self, douts):
        sums, dxs, dh = [0, 0], np.zeros((len(douts), 2, 4)), 0
        for t in reversed(range(len(douts))):
            dxs[t], dh = self.cells[t].backward(douts[t] + dh)
            for i, grad in enumerate(self.cells[t].grads):
                sums[i] += grad
        for i, grad in enumerate(dh):
            self.grads[i][...] = grad
        return dxs


class RightCell(Cell):
    """The same without a mistake."""

    def backward(self, dout):
        W, U = self.params
        x, h, out = self.seen
        da = dout * (1 - out**2)
        self.grads[0][...] = x.T @ da
        self.grads[1][...] = h.T @ da
        return da @ W.T, da @ U.T


def test_arrays_of_another_object_are_followed_to_where_they_were_written():
    net = Steps()
    report = ag.check_backward(net.forward, net.backward, {"xs": RNG.normal(size=(3, 2, 4))})
    assert lines(report) == [("self.grads[1][...] = h.T @ da * 2", "self.grads[1][...] = h.T @ da")]
    assert "cell.backward(douts[t] + dh)" in report.findings[0].call


def test_a_loop_over_an_array_may_be_meant_to_go_over_a_list(monkeypatch):
    monkeypatch.setattr(f"{__name__}.Cell", RightCell)
    net = Steps()
    report = ag.check_backward(net.forward, net.over_another_list, {"xs": RNG.normal(size=(3, 2, 4))})
    assert lines(report) == [("for i, grad in enumerate(dh):", "for i, grad in enumerate(sums):")]


def test_what_a_right_result_reads_for_its_shape_alone_may_be_wrong():
    def forward(x, w):
        return x @ w

    def backward(dout, x, w):
        flipped = -w
        dx = dout @ flipped.T
        dw = (x.T @ dout).reshape(flipped.shape)
        return dx, dw

    report = ag.check_backward(forward, backward, {"x": RNG.normal(size=(5, 4)), "w": RNG.normal(size=(4, 3))})
    assert lines(report) == [("flipped = -w", "flipped = w")]
