"""Every layer of the table equals PyTorch's: state, outputs, gradients by inputs and parameters, in both precisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, Case

import autograd_np as ag

torch: Any = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:(enable_nested_tensor|Using padding=.same.):UserWarning")

PAIRS = [(np.float64, 1e-11, 1e-12), (np.float32, 2e-4, 2e-5)]


def leaves(x: Any) -> list[Any]:
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in leaves(part)]
    return [] if x is None else [x]


def theirs(case: Case, dtype: Any, state: dict[str, Any]) -> Any:
    more = {"dtype": torch.float64 if dtype is np.float64 else torch.float32}
    layer = case.make(torch.nn, **({} if case.bare else more))
    keys = list(layer.state_dict())
    assert list(state) == keys  # in this order, too
    layer.load_state_dict({k: torch.tensor(np.asarray(v)) for k, v in state.items()})
    return layer


def both(case: Case, dtype: Any, rtol: float, atol: float) -> None:
    layer = case.layer(dtype)
    other = theirs(case, dtype, layer.state_dict()).train(case.training)
    xs = [ag.Tensor(x, requires_grad=True) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in case.arrays(dtype)]
    ts = [torch.tensor(x, requires_grad=x.dtype.kind == "f") if isinstance(x, np.ndarray) else x for x in case.arrays(dtype)]
    call = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    ours, expected = leaves(layer(*xs, **case.call)), leaves(other(*ts, **call))
    assert len(ours) == len(expected)
    rng = np.random.default_rng(5)
    for y, t in zip(ours, expected, strict=True):
        assert y.shape == tuple(t.shape)
        assert y.dtype == t.detach().numpy().dtype
        np.testing.assert_allclose(ag.stop_gradient(y), t.detach().numpy(), rtol=rtol, atol=atol)
    seeds = [rng.normal(size=y.shape).astype(y.dtype) for y in ours]
    sum(np.sum(y * s) for y, s in zip(ours, seeds, strict=True)).backward()
    sum((t * torch.tensor(s)).sum() for t, s in zip(expected, seeds, strict=True)).backward()
    pairs = [(p.grad, q.grad) for p, q in zip(layer.parameters(), other.parameters(), strict=True)]
    pairs += [(x.grad, t.grad) for x, t in zip(xs, ts, strict=True) if isinstance(x, ag.Tensor)]
    for got, wanted in pairs:
        wanted = wanted.numpy() if wanted is not None else np.zeros_like(got)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol * max(1, np.max(np.abs(wanted), initial=0)))
    for (name, ours_), (_, theirs_) in zip(layer.state_dict().items(), other.state_dict().items(), strict=True):  # running statistics
        np.testing.assert_allclose(ours_, theirs_.numpy(), rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize(("dtype", "rtol", "atol"), PAIRS, ids=["float64", "float32"])
@pytest.mark.parametrize("case", [c for c in CASES if c.of_torch], ids=lambda c: c.name)
def test_a_layer_is_pytorchs(case: Case, dtype: Any, rtol: float, atol: float) -> None:
    both(case, dtype, max(rtol, case.loose), max(atol, case.loose))


def test_states_of_an_lstm_go_in_and_come_out() -> None:
    import nn

    rng = np.random.default_rng(0)
    x, h, c = rng.normal(size=(3, 2, 3)), rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 2))
    layer = nn.LSTM(3, 2, num_layers=2, bidirectional=True, rng=0)
    other = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, dtype=torch.float64)
    other.load_state_dict({k: torch.tensor(v) for k, v in layer.state_dict().items()})
    xs = [ag.Tensor(a, requires_grad=True) for a in (x, h, c)]
    ts = [torch.tensor(a, requires_grad=True) for a in (x, h, c)]
    ours, expected = leaves(layer(xs[0], (xs[1], xs[2]))), leaves(other(ts[0], (ts[1], ts[2])))
    sum(np.sum(np.sin(y)) for y in ours).backward()
    sum(y.sin().sum() for y in expected).backward()
    for got, wanted in zip(ours, expected, strict=True):
        np.testing.assert_allclose(got.data, wanted.detach().numpy(), rtol=1e-12)
    for a, t in zip(xs, ts, strict=True):
        np.testing.assert_allclose(a.grad, t.grad.numpy(), rtol=1e-10, atol=1e-13)
    for cell, kind in ((nn.LSTMCell(3, 2, rng=0), torch.nn.LSTMCell(3, 2, dtype=torch.float64)),):
        kind.load_state_dict({k: torch.tensor(v) for k, v in cell.state_dict().items()})
        for got, wanted in zip(cell(x[0], (h[0], c[0])), kind(ts[0][0], (ts[1][0], ts[2][0])), strict=True):
            np.testing.assert_allclose(got.data, wanted.detach().numpy(), rtol=1e-12)


MASK = np.tri(3, 5, dtype=bool)


@pytest.mark.parametrize(
    "how",
    [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": MASK}, {"attn_mask": np.where(MASK, 0.5, -1.0)}],
    ids=["plain", "causal", "scale", "booleans", "numbers"],
)
def test_attention_is_pytorchs(how: dict[str, Any]) -> None:
    from nn import functional as F  # noqa: N812

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6))]
    xs, ts = [ag.Tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    y = F.scaled_dot_product_attention(*xs, **how)
    call = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in how.items()}
    t = torch.nn.functional.scaled_dot_product_attention(*ts, **call)
    np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-12)
    np.sum(np.sin(y)).backward()
    t.sin().sum().backward()
    for a, b in zip(xs, ts, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_initial_values_are_drawn_from_the_same_distributions() -> None:
    import nn

    makes = [
        lambda lib, **more: lib.Conv2d(8, 16, 5, groups=2, **more),
        lambda lib, **more: lib.ConvTranspose2d(8, 16, 5, **more),
        lambda lib, **more: lib.Bilinear(10, 12, 20, **more),
        lambda lib, **more: lib.Embedding(40, 30, **more),
        lambda lib, **more: lib.LSTM(20, 30, **more),
        lambda lib, **more: lib.MultiheadAttention(32, 4, **more),
        lambda lib, **more: lib.MultiheadAttention(32, 4, kdim=20, **more),
        lambda lib, **more: lib.TransformerEncoderLayer(32, 4, 40, **more),
    ]
    for make in makes:
        state, expected = make(nn, rng=0).state_dict(), make(torch.nn, dtype=torch.float64).state_dict()
        for name, values in state.items():
            theirs_ = expected[name].numpy()
            if values.size > 500:
                np.testing.assert_allclose(values.std(), theirs_.std(), rtol=0.15, err_msg=name)
            elif not theirs_.std():
                np.testing.assert_array_equal(values, theirs_, err_msg=name)
