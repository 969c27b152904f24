"""Mistakes inside loops are found on their line: recurrent cells, convolutions, pools, with objects and helpers between."""

from __future__ import annotations

import linecache

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(11)

SECONDS = 10.0
"""What is found must not depend on the speed of the machine."""


def programs(text):
    """Return what a program defines, as a file of that text would."""
    name = f"<loops {len(linecache.cache)} {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {"np": np, "__name__": "loops"}
    exec(compile(text, name, "exec"), scope)
    return scope


def fixes(text, inputs, right, wrong, forward="forward", backward="backward"):
    """Return (line, fix) of what is found in a program with one of its lines made wrong."""
    assert text.count(right) == 1
    scope = programs(text.replace(right, wrong))
    report = ag.check_backward(scope[forward], scope[backward], inputs, seconds=SECONDS)
    assert not report.ok
    return [(f.source.strip(), (f.fix or "").strip()) for f in report.findings]


def line_of(text, part):
    """Return the line of a program that a text stands in."""
    return next(line.strip() for line in text.splitlines() if part in line)


def assert_found(text, inputs, right, wrong):
    """Assert that the line made wrong is found, and nothing else, and corrected to what it was."""
    made_wrong = line_of(text.replace(right, wrong), wrong.splitlines()[0])
    (found,) = fixes(text, inputs, right, wrong)
    assert found == (made_wrong, line_of(text, right.splitlines()[0]))


# --- what a loop carries is zero at first

CELLS = """
def forward(xs, h0, Wx, Wh, Wo):
    hs, h = [h0], h0
    outs = []
    for t in range(xs.shape[0]):
        h = np.tanh(xs[t] @ Wx + h @ Wh)
        hs.append(h)
        outs.append(h @ Wo)
    return np.stack(outs), (xs, hs, Wx, Wh, Wo)


def step_back(dout, dcarried, x, before, after, Wx, Wh, Wo):
    dh = dout @ Wo.T
    dh += dcarried
    dz = dh * (1 - after**2)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, before.T @ dz, after.T @ dout


def backward(dout, cache):
    xs, hs, Wx, Wh, Wo = cache
    dxs, dWx, dWh, dWo = np.zeros_like(xs), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wo)
    dcarried = np.zeros_like(hs[0])
    for t in reversed(range(xs.shape[0])):
        dxs[t], dcarried, gx, gh, go = step_back(dout[t], dcarried, xs[t], hs[t], hs[t + 1], Wx, Wh, Wo)
        dWx += gx
        dWh += gh
        dWo += go
    return dxs, dcarried, dWx, dWh, dWo
"""
SEQUENCE = {
    "xs": RNG.normal(size=(4, 3, 2)),
    "h0": RNG.normal(size=(3, 5)),
    "Wx": RNG.normal(size=(2, 5)),
    "Wh": RNG.normal(size=(5, 5)) / 2,
    "Wo": RNG.normal(size=(5, 3)),
}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dh += dcarried", "dh += 0"),
        ("dWh += gh", "dWh += dWh"),
        ("dWx += gx", "dWx += 0.0"),
        ("hs[t], hs[t + 1], Wx, Wh, Wo)\n", "hs[t + 1], hs[t + 1], Wx, Wh, Wo)\n"),
    ],
)
def test_what_a_loop_carries_is_told_from_zeros(right, wrong):
    assert_found(CELLS, SEQUENCE, right, wrong)


MEMORY = """
class Memory:
    def __init__(self, decay, rate):
        self.decay, self.rate = decay, rate

    def forward(self, xs):
        self.xs, state = xs, np.zeros(xs.shape[1])
        self.states = [state]
        for x in xs:
            state = self.decay * state + self.rate * np.tanh(x)
            self.states.append(state)
        return np.array(self.states[1:])

    def backward(self, dout):
        dxs = np.zeros_like(self.xs)
        ddecay, drate = np.zeros_like(self.decay), np.zeros_like(self.rate)
        later = np.zeros(self.xs.shape[1])
        for t in range(len(self.xs) - 1, -1, -1):
            dstate = dout[t] + later
            ddecay += dstate * self.states[t]
            drate += dstate * np.tanh(self.xs[t])
            dxs[t] = dstate * self.rate * (1 - np.tanh(self.xs[t]) ** 2)
            later = dstate * self.decay
        return {"xs": dxs, "decay": ddecay, "rate": drate}


memory = Memory(np.array([0.5, 0.8, 0.9]), np.array([1.0, 1.5, 0.7]))
forward, backward = memory.forward, memory.backward
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dstate = dout[t] + later", "dstate = dout[t] + 0"),
        ("dstate * self.states[t]\n", "dstate * self.states[t + 1]\n"),
        ("later = dstate * self.decay", "later = dstate * self.rate"),
    ],
)
def test_of_an_object_too(right, wrong):
    assert_found(MEMORY, {"xs": RNG.normal(size=(5, 3))}, right, wrong)


# --- windows and their counters

FILTERS = """
def windows_forward(image, filters, stride):
    count, depth, size, _ = filters.shape
    high = (image.shape[1] - size) // stride + 1
    wide = (image.shape[2] - size) // stride + 1
    out = np.zeros((count, high, wide))
    for which in range(count):
        top = row = 0
        while top + size <= image.shape[1]:
            left = column = 0
            while left + size <= image.shape[2]:
                out[which, row, column] = np.sum(filters[which] * image[:, top : top + size, left : left + size])
                left += stride
                column += 1
            top += stride
            row += 1
    return out


def windows_backward(dout, image, filters, stride):
    count, depth, size, _ = filters.shape
    dimage, dfilters = np.zeros_like(image), np.zeros_like(filters)
    for which in range(count):
        top = row = 0
        while top + size <= image.shape[1]:
            left = column = 0
            while left + size <= image.shape[2]:
                dfilters[which] += dout[which, row, column] * image[:, top : top + size, left : left + size]
                dimage[:, top : top + size, left : left + size] += dout[which, row, column] * filters[which]
                left += stride
                column += 1
            top += stride
            row += 1
    return dimage, dfilters


def forward(image, filters):
    return windows_forward(image, filters, 2), (image, filters)


def backward(dout, cache):
    image, filters = cache
    dimage, dfilters = windows_backward(dout, image, filters, 2)
    return {"image": dimage, "filters": dfilters}
"""
IMAGE = {"image": RNG.normal(size=(2, 7, 7)), "filters": RNG.normal(size=(3, 2, 3, 3))}


@pytest.mark.parametrize("wrong", ["row : row + size, column : column + size", "left : left + size, top : top + size"])
def test_a_window_that_moves_with_other_counters(wrong):
    right = "dout[which, row, column] * image[:, top : top + size, left : left + size]"
    assert_found(FILTERS, IMAGE, right, f"dout[which, row, column] * image[:, {wrong}]")


STRIDES = """
def forward(x, k):
    n, size, step = len(x), len(k), 3
    out = np.zeros((n, (x.shape[1] - size) // step + 1, (x.shape[2] - size) // step + 1))
    for i in range(n):
        for a in range(out.shape[1]):
            for b in range(out.shape[2]):
                out[i, a, b] = np.sum(x[i, step * a : step * a + size, step * b : step * b + size] * k)
    return out, (x, k, step)


def backward(dout, cache):
    x, k, step = cache
    n, rows, columns = dout.shape
    size = len(k)
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(n):
        for a in range(rows):
            for b in range(columns):
                g = dout[i, a, b]
                dk += g * x[i, step * a : step * a + size, step * b : step * b + size]
                dx[i, step * a : step * a + size, step * b : step * b + size] += g * k
    return dx, dk
"""


def test_a_window_that_moves_by_one_instead_of_its_stride():
    right = "dk += g * x[i, step * a : step * a + size, step * b : step * b + size]"
    wrong = "dk += g * x[i, a : a + size, b : b + size]"
    assert_found(STRIDES, {"x": RNG.normal(size=(2, 8, 8)), "k": RNG.normal(size=(4, 4))}, right, wrong)


def test_a_number_in_an_index_beside_counters():
    assert_found(STRIDES, {"x": RNG.normal(size=(2, 8, 8)), "k": RNG.normal(size=(4, 4))}, "g = dout[i, a, b]", "g = dout[i, a, 0]")


# --- masks and scatters in helpers

POOL = """
def largest(part):
    return part == np.max(part)


def forward(x):
    out = np.zeros((x.shape[0], x.shape[1] // 2, x.shape[2] // 2))
    for c in range(x.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[c, i, j] = np.max(x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2])
    return out, x


def backward(dout, x):
    dx = np.zeros_like(x)
    for c in range(dout.shape[0]):
        for i in range(dout.shape[1]):
            for j in range(dout.shape[2]):
                part = x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                mask = largest(part)
                dx[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += mask * dout[c, i, j]
    return dx
"""


def test_a_mask_of_the_largest_elements_in_a_helper():
    assert_found(POOL, {"x": RNG.normal(size=(2, 6, 6))}, "return part == np.max(part)", "return part > 0")


SCATTER = """
ROWS = np.array([[0, 1], [1, 2], [2, 3]])


def gather(x):
    return x[:, ROWS, 1:3]


def scatter(dparts, shape):
    dx = np.zeros(shape)
    np.add.at(dx, (slice(None), ROWS, slice(1, 3)), dparts)
    return dx


def forward(x, w):
    parts = gather(x)
    return np.sum(np.tanh(parts * w), axis=2), (parts, x.shape, w)


def backward(dout, cache):
    parts, shape, w = cache
    dscaled = (1 - np.tanh(parts * w) ** 2) * dout[:, :, None, :]
    return scatter(dscaled * w, shape), np.sum(dscaled * parts, axis=(0, 1))
"""


def test_a_scatter_through_slices_and_repeated_indices():
    right, wrong = "np.add.at(dx, (slice(None), ROWS, slice(1, 3)), dparts)", "dx[:, ROWS, 1:3] = dparts"
    assert_found(SCATTER, {"x": RNG.normal(size=(3, 4, 5)), "w": RNG.normal(size=(2, 2))}, right, wrong)


# --- what a statement moves tells it from others

GATED = """
def squash(x):
    return 1 / (1 + np.exp(-x))


def forward(xs, h0, Wz, Uz, Wr, Ur, Wn, Un):
    h, saved = h0, []
    for x in xs:
        z = squash(x @ Wz + h @ Uz)
        r = squash(x @ Wr + h @ Ur)
        n = np.tanh(x @ Wn + (r * h) @ Un)
        saved.append((x, h, z, r, n))
        h = (1 - z) * n + z * h
    return h, (saved, Wz, Uz, Wr, Ur, Wn, Un)


def step_backward(dh, kept, Uz, Ur, Un):
    x, before, z, r, n = kept
    dn = dh * (1 - z) * (1 - n**2)
    dgated = dn @ Un.T
    dz = dh * (before - n) * z * (1 - z)
    dr = dgated * before * r * (1 - r)
    dWn = x.T @ dn
    dUn = (r * before).T @ dn
    dWz, dUz = x.T @ dz, before.T @ dz
    dWr, dUr = x.T @ dr, before.T @ dr
    dbefore = dh * z + dgated * r
    dbefore += dz @ Uz.T + dr @ Ur.T
    return dbefore, (dWz, dUz, dWr, dUr, dWn, dUn)


def backward(dh, cache):
    saved, Wz, Uz, Wr, Ur, Wn, Un = cache
    grads = [np.zeros_like(W) for W in (Wz, Uz, Wr, Ur, Wn, Un)]
    for kept in reversed(saved):
        dh, found = step_backward(dh, kept, Uz, Ur, Un)
        for total, g in zip(grads, found):
            total += g
    dWz, dUz, dWr, dUr, dWn, dUn = grads
    return {"h0": dh, "Wz": dWz, "Uz": dUz, "Wr": dWr, "Ur": dUr, "Wn": dWn, "Un": dUn}
"""
GATES = {
    "xs": RNG.normal(size=(4, 3, 2)),
    "h0": RNG.normal(size=(3, 4)),
    **{name: RNG.normal(size=((2, 4) if name[0] == "W" else (4, 4))) for name in ("Wz", "Uz", "Wr", "Ur", "Wn", "Un")},
}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dUn = (r * before).T @ dn", "dUn = before.T @ dn"),
        ("dWn = x.T @ dn", "dWn = x.T @ dr"),
        ("dgated = dn @ Un.T", "dgated = dn @ Uz.T"),
        ("dr = dgated * before * r", "dr = dgated * n * r"),
        ("dbefore = dh * z + dgated * r", "dbefore = dh * z + dgated"),
    ],
)
def test_a_line_of_a_cell_that_is_told_by_what_it_moves(right, wrong):
    line = line_of(GATED.replace(right, wrong), wrong)
    (found,) = fixes(GATED, GATES, right, wrong)
    assert found[0] == line
    assert found[1]


THROUGH_TIME = """
class Sum:
    def forward(self, a, b):
        return a + b

    def backward(self, a, b, dz):
        da = dz * np.ones_like(a)
        db = dz * np.ones_like(b)
        return da, db


class Product:
    def forward(self, M, v):
        return M @ v

    def backward(self, M, v, dz):
        return np.outer(dz, v), M.T @ dz


plus, times = Sum(), Product()


class Step:
    def forward(self, x, before, U, W):
        self.x, self.before = x, before
        self.u, self.w = times.forward(U, x), times.forward(W, before)
        self.state = np.tanh(plus.forward(self.u, self.w))
        return self.state

    def backward(self, x, before, U, W, dstate):
        dsum = dstate * (1 - self.state**2)
        du, dw = plus.backward(self.u, self.w, dsum)
        dW, dbefore = times.backward(W, before, dw)
        dU, dx = times.backward(U, x, du)
        return dbefore, dU, dW


class Recurrent:
    def __init__(self, U, W):
        self.U, self.W = U, W

    def forward(self, xs):
        self.xs, self.steps, state = xs, [], np.zeros(len(self.W))
        for x in xs:
            step = Step()
            state = step.forward(x, state, self.U, self.W)
            self.steps.append(step)
        return np.array([step.state for step in self.steps])

    def backward(self, dstates):
        dU, dW = np.zeros_like(self.U), np.zeros_like(self.W)
        for t in range(len(self.xs)):
            dstate = dstates[t]
            for i in range(t, -1, -1):
                before = np.zeros(len(self.W)) if i == 0 else self.steps[i - 1].state
                dstate, dU_i, dW_i = self.steps[i].backward(self.xs[i], before, self.U, self.W, dstate)
                dU += dU_i
                dW += dW_i
        return dU, dW


net = Recurrent(np.array([[0.3, -0.7], [0.5, 0.2], [-0.4, 0.9]]), np.array([[0.1, -0.5, 0.4], [0.6, 0.3, -0.2], [-0.8, 0.2, 0.5]]))
forward, backward = net.forward, net.backward
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("self.steps[i - 1].state", "self.steps[i].state"),
        ("dW += dW_i", "dW += dW"),
        ("before, self.U, self.W, dstate)", "before, self.U, self.W, dstates[t])"),
        ("dW, dbefore = times.backward(W, before, dw)", "dW, dbefore = times.backward(W, self.state, dw)"),
    ],
)
def test_steps_that_are_objects_and_call_helpers(right, wrong):
    text = THROUGH_TIME.replace(right, wrong)
    scope = programs(text)
    (finding,) = ag.check_backward(scope["forward"], scope["backward"], {"xs": RNG.normal(size=(4, 2))}).findings
    assert line_of(text, wrong) in [f.source.strip() for f in (finding, *finding.rivals)]
