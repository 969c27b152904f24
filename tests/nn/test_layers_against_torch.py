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
