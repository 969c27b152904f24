"""A convolution by im2col as a layer with W, b and their gradients; col2im adds the patches back."""

import numpy as np


def im2col(x, kh, kw, stride):
    N, C, H, W = x.shape
    oh, ow = (H - kh) // stride + 1, (W - kw) // stride + 1
    col = np.zeros((N, C, kh, kw, oh, ow))
    for i in range(kh):
        for j in range(kw):
            col[:, :, i, j] = x[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * oh * ow, -1)


def col2im(col, shape, kh, kw, stride):
    N, C, H, W = shape
    oh, ow = (H - kh) // stride + 1, (W - kw) // stride + 1
    col = col.reshape(N, oh, ow, C, kh, kw).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros(shape)
    for i in range(kh):
        for j in range(kw):
            img[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += col[:, :, i, j]
    return img


class Convolution:
    def __init__(self, W, b, stride):
        self.W, self.b, self.stride = W, b, stride
        self.dW = self.db = None

    def forward(self, x):
        FN, C, FH, FW = self.W.shape
        N, _, H, W = x.shape
        oh, ow = (H - FH) // self.stride + 1, (W - FW) // self.stride + 1
        self.shape = x.shape
        self.col = im2col(x, FH, FW, self.stride)
        self.col_W = self.W.reshape(FN, -1).T
        out = self.col @ self.col_W + self.b
        return out.reshape(N, oh, ow, -1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        FN, C, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = np.sum(dout, axis=0)
        dW = self.col.T @ dout
        self.dW = dW.transpose(1, 0).reshape(FN, C, FH, FW)
        dcol = dout @ self.col_W.T
        return col2im(dcol, self.shape, FH, FW, self.stride)


def build(seed=0):
    rng = np.random.default_rng(40 + seed)
    layer = Convolution(rng.normal(size=(2, 3, 2, 2)), rng.normal(size=2), 1)
    return layer.forward, layer.backward


def inputs(seed=0):
    return {"x": np.random.default_rng(seed).normal(size=(2, 3, 3, 4))}


UPSTREAM = {"dout": None}
GRADIENTS = "x"
LEFT = {"dW": "W", "db": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-transpose": ("dout.transpose(0, 2, 3, 1).reshape", "dout.reshape", "transpose missing-factor wrong-point", "the channels are not moved to the end"),
    "other-transpose": ("dout.transpose(0, 2, 3, 1)", "dout.transpose(0, 3, 2, 1)", "transpose", "height and width exchanged"),
    "db-mean": ("np.sum(dout, axis=0)", "np.mean(dout, axis=0)", "scale wrong-reduction", "mean for sum"),
    "db-all": ("np.sum(dout, axis=0)", "np.sum(dout)", "wrong-reduction shape", "a scalar"),
    "db-keepdims": ("np.sum(dout, axis=0)", "np.sum(dout, axis=0, keepdims=True)", "shape wrong-reduction", "(1, n) for (n,)"),
    "dW-batch": ("dW = self.col.T @ dout", "dW = self.col.T @ dout / self.shape[0]", "scale extra-factor", "1/N too much"),
    "dW-order": ("dW.transpose(1, 0).reshape", "dW.reshape", "transpose wrong-point", "reshaped without the transpose"),
    "dW-local": ("self.dW = dW.transpose", "dW = dW.transpose", "not-returned", "not left in the object"),
    "dcol-negated": ("dcol = dout @", "dcol = -dout @", "sign", "minus"),
    "dcol-gradient": ("dout @ self.col_W.T", "dout @ dW.T", "wrong-point", "dW for W"),
    "dcol-untransposed": ("dout @ self.col_W.T", "dout @ self.col_W", "raises transpose shape", "W for W.T"),
    "img-assigned": ("] += col[:, :, i, j]", "] = col[:, :, i, j]", "missing-term", "= for +=: patches that overlap are lost"),
    "img-index": ("col[:, :, i, j]", "col[:, :, j, i]", "wrong-point transpose", "row and column of the kernel exchanged"),
    "img-rows": ("range(kh)", "range(kh - 1)", "missing-term", "the last row of the kernel is left out", "img[:, :, i", "return img"),
    "col-transpose": (".transpose(0, 3, 4, 5, 1, 2)", ".transpose(0, 3, 5, 4, 1, 2)", "transpose", "row and column of the kernel exchanged", "img[:, :, i"),
}

INSIDE = {"img-assigned": "col2im", "img-index": "col2im", "img-rows": "col2im", "col-transpose": "col2im"}

DOUBLES = [("db-mean", "img-assigned"), ("dW-batch", "dcol-negated"), ("db-all", "img-index"), ("dW-order", "img-rows")]
# fmt: on
