"""Losses and distances are PyTorch's, with all options: values and gradients by every floating argument, in both precisions."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
import nn

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))
P, Q = RNG.uniform(0.05, 0.95, size=(2, 5, 4))
SHARES = RNG.dirichlet(np.ones(4), size=5)
SIGNS, SIGNS5 = np.where(RNG.normal(size=(5, 4)) > 0, 1.0, -1.0), np.array([1.0, -1, -1, 1, 1])
NUMBERS = np.array([0, 3, 1, 1, 2])
DEEP, DEEP_NUMBERS = RNG.normal(size=(2, 4, 3, 2)), RNG.integers(0, 4, size=(2, 3, 2))
WEIGHT = np.array([0.5, 2.0, 1.0, 0.0])
Z = RNG.normal(size=(5, 4))
REDUCTIONS = ({}, {"reduction": "sum"}, {"reduction": "none"})

CASES = [
    *((name, r, (X, Y)) for name in ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss") for r in REDUCTIONS),
    ("HuberLoss", {"delta": 0.3}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.3, "reduction": "none"}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.0}, (X, Y)),
    *(("BCELoss", {**r, **w}, (P, Q)) for r in REDUCTIONS for w in ({}, {"weight": WEIGHT}, {"weight": P})),
    *(
        ("BCEWithLogitsLoss", {**r, **w}, (X, Q))
        for r in REDUCTIONS
        for w in ({}, {"weight": WEIGHT}, {"pos_weight": WEIGHT}, {"weight": P, "pos_weight": 1 + WEIGHT})
    ),
    *(
        ("CrossEntropyLoss", {**r, **w, **s, **i}, (X, NUMBERS))
        for r in REDUCTIONS
        for w in ({}, {"weight": WEIGHT})
        for s in ({}, {"label_smoothing": 0.2})
        for i in ({}, {"ignore_index": 1})
    ),
    *(("CrossEntropyLoss", {**r, **w, "label_smoothing": 0.1}, (X, SHARES)) for r in REDUCTIONS for w in ({}, {"weight": WEIGHT})),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 2, "label_smoothing": 0.3}, (DEEP, DEEP_NUMBERS)),
    ("CrossEntropyLoss", {"reduction": "none"}, (X[0], np.array(2))),
    ("CrossEntropyLoss", {}, (X[:1], NUMBERS[:1])),
    *(("NLLLoss", {**r, **w, **i}, (X, NUMBERS)) for r in REDUCTIONS for w in ({}, {"weight": WEIGHT}) for i in ({}, {"ignore_index": 1})),
    ("NLLLoss", {"ignore_index": 2}, (DEEP, DEEP_NUMBERS)),
    *(("KLDivLoss", {"reduction": r, "log_target": t}, (X, Y if t else Q)) for r in ("sum", "none", "batchmean") for t in (False, True)),
    *(
        ("PoissonNLLLoss", {**r, "log_input": log, "full": full}, (X if log else P, 4 * Q))
        for r in REDUCTIONS
        for log in (True, False)
        for full in (True, False)
    ),
    *(("GaussianNLLLoss", {**r, "full": full}, (X, Y, P)) for r in REDUCTIONS for full in (True, False)),
    ("GaussianNLLLoss", {"eps": 0.3}, (X, Y, P)),
    ("GaussianNLLLoss", {"reduction": "none"}, (X, Y, P[:, :1])),
    ("GaussianNLLLoss", {"reduction": "none"}, (X, Y, P[:, 0])),
    *(("CosineEmbeddingLoss", {**r, "margin": m}, (X, Y, SIGNS5)) for r in REDUCTIONS for m in (0.0, -0.3)),
    ("CosineEmbeddingLoss", {}, (X[0], Y[0], np.array(-1.0))),
    *(("HingeEmbeddingLoss", {**r, "margin": 0.4}, (P, SIGNS)) for r in REDUCTIONS),
    *(("MarginRankingLoss", {**r, "margin": m}, (X[:, 0], Y[:, 0], SIGNS5)) for r in REDUCTIONS for m in (0.0, 0.5)),
    *(("SoftMarginLoss", r, (X, SIGNS)) for r in REDUCTIONS),
    *(("MultiMarginLoss", {**r, "p": p, "weight": w}, (X, NUMBERS)) for r in REDUCTIONS for p in (1, 2) for w in (None, WEIGHT)),
    ("MultiMarginLoss", {"margin": 0.3}, (X[0], np.array(1))),
    *(("TripletMarginLoss", {**r, **o}, (X, Y, Z)) for r in REDUCTIONS for o in ({}, {"p": 1.0, "margin": 2.0}, {"swap": True, "p": 3.0})),
    ("TripletMarginLoss", {}, (X[0], Y[0], Z[0])),
]
DIFFERENT_TARGETS = {"BCELoss", "MarginRankingLoss", "CosineEmbeddingLoss", "HingeEmbeddingLoss", "SoftMarginLoss"}
"""PyTorch has no gradient by these targets, or not where they are labels."""


def both(dtype, args, last_counts):
    """Return the arguments as variables of both libraries."""
    ours, theirs = [], []
    for i, a in enumerate(args):
        floats = a.dtype.kind == "f"
        wanted = floats and (i < len(args) - 1 or last_counts)
        a = a.astype(dtype) if floats else a
        ours.append(ag.Tensor(a, requires_grad=wanted))
        theirs.append(torch.tensor(a, requires_grad=wanted))
    return ours, theirs


def compare(found, expected, ours, theirs, rtol):
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=rtol, atol=rtol)
    seed = np.linspace(0.5, 2, found.size).reshape(found.shape).astype(found.dtype)
    found.backward(seed)
    expected.backward(torch.tensor(seed))
    for t, u in zip(ours, theirs, strict=True):
        if u.requires_grad:
            assert t.grad.dtype == t.dtype
            np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize(("name", "options", "args"), CASES)
def test_losses(name, options, args, dtype, rtol):
    ours, theirs = both(dtype, args, name not in DIFFERENT_TARGETS)
    converted = {k: torch.tensor(v.astype(dtype)) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    compare(getattr(nn, name)(**options)(*ours), getattr(torch.nn, name)(**converted)(*theirs), ours, theirs, rtol)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize(
    ("name", "options", "args"),
    [
        ("cosine_similarity", {}, (X, Y)),
        ("cosine_similarity", {"dim": 0}, (X, Y)),
        ("cosine_similarity", {"dim": -1, "eps": 1e-3}, (DEEP, DEEP + 1)),
        ("cosine_similarity", {"dim": 1}, (X, Y[:1])),
        ("pairwise_distance", {}, (X, Y)),
        ("pairwise_distance", {"p": 1.0, "keepdim": True}, (X, Y)),
        ("pairwise_distance", {"p": 3.0, "eps": 0.1}, (X, Y[0])),
        ("normalize", {}, (X,)),
        ("normalize", {"p": 1.0, "dim": 0}, (X,)),
        ("normalize", {"p": 4.0, "dim": 2, "eps": 1.5}, (DEEP,)),
    ],
)
def test_distances(name, options, args, dtype, rtol):
    ours, theirs = both(dtype, args, True)
    found = getattr(nn.functional, name)(*ours, **options)
    compare(found, getattr(torch.nn.functional, name)(*theirs, **options), ours, theirs, rtol)


def test_the_divergence_from_certainty_is_finite():
    found = nn.KLDivLoss(reduction="none")(X, np.eye(5, 4))
    np.testing.assert_allclose(found, torch.nn.KLDivLoss(reduction="none")(torch.tensor(X), torch.eye(5, 4)).numpy())


def test_weights_are_buffers_under_pytorchs_names():
    ours = nn.BCEWithLogitsLoss(WEIGHT, pos_weight=WEIGHT)
    theirs = torch.nn.BCEWithLogitsLoss(torch.tensor(WEIGHT), pos_weight=torch.tensor(WEIGHT))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight", "pos_weight"]


LOSSES = [name for name in dir(nn) if name.endswith("Loss")]


@pytest.mark.parametrize("name", LOSSES)
def test_defaults_are_pytorchs(name):
    import inspect

    ours = inspect.signature(getattr(nn, name)).parameters
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    assert {n: p.default for n, p in ours.items()} == {n: theirs[n].default for n in ours}
    assert set(theirs) - set(ours) <= {"size_average", "reduce"}
