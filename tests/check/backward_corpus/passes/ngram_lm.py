"""A neural n-gram model over embedded words: concatenated rows, label smoothing, a frequency penalty, tied output."""

import numpy as np


def forward(C, H, d, U, b, context, target, smooth=0.1):
    n, k = context.shape
    e = C[context].reshape(n, -1)
    a = e @ H + d
    hid = np.tanh(a)
    mid = hid @ U
    logits = mid @ C.T + b
    shifted = logits - logits.max(axis=1)[:, None]
    logp = shifted - np.log(np.exp(shifted).sum(axis=1))[:, None]
    V = len(C)
    q = np.full((n, V), smooth / V)
    q[np.arange(n), target] += 1 - smooth
    ce = -np.sum(q * logp) / n
    return ce


def backward(C, H, U, context, e, hid, mid, logp, q):
    n, k = context.shape
    dlogits = np.exp(logp)
    dlogits -= q
    dlogits /= n
    db = dlogits.sum(axis=0)
    dC = dlogits.T @ mid
    dmid = dlogits @ C
    dU = hid.T @ dmid
    dhid = dmid @ U.T
    da = dhid * (1 - hid * hid)
    dd = da.sum(axis=0)
    dH = e.T @ da
    de = (da @ H.T).reshape(n, k, -1)
    for j in range(k):
        np.add.at(dC, context[:, j], de[:, j])
    return {"C": dC, "H": dH, "d": dd, "U": dU, "b": db}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "C": rng.normal(size=(5, 3)),
        "H": rng.normal(size=(6, 3)),
        "d": rng.normal(size=3),
        "U": rng.normal(size=(3, 3)),
        "b": rng.normal(size=5),
        "context": np.array([[0, 1], [1, 4], [2, 2], [4, 1], [3, 0], [1, 1]]),
        "target": np.array([1, 2, 4, 0, 2, 3]),
    }


GRADIENTS = {name: name for name in ("C", "H", "d", "U", "b")}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "logits-logp": ("dlogits = np.exp(logp)", "dlogits = logp.copy()", "wrong-point missing-factor", "log p for p", "dlogits -= q"),
    "no-q": ("    dlogits -= q\n", "", "missing-term", "the target is forgotten", "dlogits = np.exp", "dlogits /= n"),
    "plus-q": ("dlogits -= q", "dlogits += q", "sign", "+= for -="),
    "hard-target": ("dlogits -= q", "dlogits -= q > 0.5", "wrong-point", "without the smoothing"),
    "no-n": ("    dlogits /= n\n", "", "scale missing-factor", "1/n is missing", "dlogits -= q", "dlogits = np.exp"),
    "by-k": ("dlogits /= n", "dlogits /= k", "scale", "the length of the context"),
    "b-mean": ("db = dlogits.sum(axis=0)", "db = dlogits.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "b-axis": ("db = dlogits.sum(axis=0)", "db = dlogits.sum(axis=1)", "wrong-reduction shape", "sums over the words"),
    "C-hid": ("dC = dlogits.T @ mid", "dC = dlogits.T @ hid", "wrong-point", "hid for mid (same shape)"),
    "mid-raises": ("dmid = dlogits @ C", "dmid = dlogits @ C.T", "raises transpose shape", "C.T for C"),
    "U-transposed": ("dU = hid.T @ dmid", "dU = dmid.T @ hid", "transpose", "transposed (square)"),
    "U-mid": ("dU = hid.T @ dmid", "dU = mid.T @ dmid", "wrong-point", "mid for hid"),
    "hid-untransposed": ("dhid = dmid @ U.T", "dhid = dmid @ U", "transpose", "U for U.T (square)"),
    "no-tanh": ("da = dhid * (1 - hid * hid)", "da = dhid", "missing-factor", "tanh' is missing"),
    "tanh-mid": ("(1 - hid * hid)", "(1 - mid * mid)", "wrong-point", "mid for hid"),
    "tanh-plus": ("(1 - hid * hid)", "(1 + hid * hid)", "sign", "+ for -"),
    "d-dhid": ("dd = da.sum(axis=0)", "dd = dhid.sum(axis=0)", "missing-factor wrong-point", "dhid for da"),
    "H-dhid": ("dH = e.T @ da", "dH = e.T @ dhid", "missing-factor wrong-point", "dhid for da"),
    "e-order": (".reshape(n, k, -1)", ".reshape(n, -1, k).transpose(0, 2, 1)", "transpose wrong-point", "reshaped in another order", "np.add.at"),
    "add-buffered": ("np.add.at(dC, context[:, j], de[:, j])", "dC[context[:, j]] += de[:, j]", "missing-term double-count", "repeated words count once"),
    "add-first": ("context[:, j], de[:, j]", "context[:, j], de[:, 0]", "wrong-point", "always the first place"),
    "add-place": ("context[:, j], de[:, j]", "context[:, k - 1 - j], de[:, j]", "wrong-point", "the places are reversed"),
    "short": ("for j in range(k):", "for j in range(1, k):", "missing-term", "the first place is left out", "np.add.at", "dC = dlogits.T"),
    "stale-H": ("    de = (da @ H.T)", "    H = H - 0.1 * dH\n    de = (da @ H.T)", "stale-value", "H was updated before it is used", "de ="),
    "not-returned": (", \"U\": dU, \"b\": db}", ", \"U\": dU}", "not-returned", "db is computed and not returned", "db ="),
    "add-twice": ("context[:, j], de[:, j]", "context[:, j], 2 * de[:, j]", "scale double-count extra-factor", "each word counts twice"),
    "C-decay": ("dC = dlogits.T @ mid", "dC = dlogits.T @ mid + 0.01 * C", "extra-term", "a weight decay that the loss has not"),
}

DOUBLES = [("plus-q", "add-first"), ("no-n", "U-mid"), ("C-hid", "no-tanh"), ("b-mean", "add-buffered"), ("U-transposed", "d-dhid"), ("hid-untransposed", "H-dhid")]
# fmt: on
