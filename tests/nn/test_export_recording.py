"""What the export finds out before it writes anything: which numbers of a recording follow the batch. It needs nothing but NumPy."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, Case

import autograd_np as ag
import nn
from nn.interchange.following import Counted, Repeated, Size, Unknown, merged, product
from nn.interchange.recording import recorded

BATCHES = [2, 3, 5]


@pytest.mark.parametrize(
    ("of_batch", "expected"),
    [
        (lambda n: 7, 7),
        (lambda n: 4 * n, Size(4)),
        (lambda n: np.int64(3 * n - 1), Size(3, -1)),
        (lambda n: float(n), Size(1)),
        (lambda n: np.float32(n), Unknown),
        (lambda n: n * n, Unknown),
        (lambda n: 1 / n, Unknown),
        (lambda n: n > 2, Unknown),
        (lambda n: "ij" if n > 2 else "ji", Unknown),
        (lambda n: float("nan"), float),
        (lambda n: (n, [2, n + 1], slice(None, n)), (Size(1), [2, Size(1, 1)], slice(None, Size(1)))),
        (lambda n: (1,) * n, Unknown),
        (lambda n: 1 if n == 2 else 1.0, Unknown),
        (lambda n: np.arange(3, dtype=np.int32), np.ndarray),
        (lambda n: np.zeros(3) + n, Unknown),
        (lambda n: np.zeros((n, n)) + np.arange(n), Unknown),
        (lambda n: np.arange(n) ** 2, Unknown),
        (lambda n: np.arange(n * n), Unknown),
        (lambda n: np.ones(2 if n == 2 else (1, 2)), Unknown),
    ],
)
def test_what_differs_is_a_line_in_the_size_of_the_batch_or_unknown(of_batch: Any, expected: Any) -> None:
    found = merged([of_batch(n) for n in BATCHES], BATCHES)
    assert isinstance(found, expected) if isinstance(expected, type) else found == expected


def test_arrays_that_grow_are_repetitions_or_counts() -> None:
    table = np.arange(3.0)
    found = merged([np.tile(table, (n, 1)) for n in BATCHES], BATCHES)
    assert isinstance(found, Repeated)
    assert found.shape == (Size(1), 3)
    np.testing.assert_array_equal(found.one, [table])
    assert merged([3 * np.arange(2 * n)[None] + 1 for n in BATCHES], BATCHES) == Counted(1, 3, (1, Size(2)), np.dtype(int))


def test_products_of_sizes() -> None:
    assert product([2, 3]) == 6
    assert product([2, Size(3, 1), 2]) == Size(12, 4)
    with pytest.raises(nn.ExportError, match="two sizes that both follow the batch"):
        product([Size(1), Size(1)])


def test_several_recordings_are_one() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(3, 4, rng=0)

        def forward(self, x: Any, scale: Any) -> Any:
            y = self.inner(x)
            return np.reshape(y, (len(x) * 2, 2))[1:] * scale - ag.stop_gradient(x).max()

    x, scale = np.ones((1, 3)), np.ones(2)
    steps, (output,), inputs = recorded(Model(), [x, scale], [0, None], 1)
    assert [s.kind for s in inputs if s is not None] == ["input", "input"]
    assert inputs[0].shape == (Size(1), 3)
    assert output.shape == (Size(2, -1), 2)
    reshape = next(s for s in steps if s.kind == "reshape" and s.scope == "")
    assert reshape.attrs["shape"] == (Size(2), 2)
    assert {s.scope for s in steps} == {"", "inner"}
    assert isinstance(output.operands[1], Unknown)  # it depends on the values, which the recordings do not share
    np.testing.assert_array_equal(x, 1.0)


def test_without_onnx_the_extra_is_named(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(nn.MissingExtraError, match=r"needs onnx, .*pip install 'autograd-np\[onnx\]'"):
        nn.export_onnx(nn.Tanh(), tmp_path / "a.onnx", np.ones(2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", [c for c in CASES if all(np.size(x) for x in c.arrays())], ids=lambda c: c.name)
def test_no_layer_computes_beside_the_graph(case: Case) -> None:
    """Each input is in the record, and what an operation needs of it is its operand; the statistics of a norm go with their input."""
    layer = case.layer().eval()
    model = nn.Sequential(layer)
    model.forward = lambda *xs: layer(*xs, **case.call)  # type: ignore[method-assign]
    arrays = case.arrays()
    steps, _, inputs = recorded(model, arrays, [None] * len(arrays), None)
    assert all(x is not None for x in inputs)
    for step in steps:
        needed = step.operands[:1] if step.kind == "nn.standardize" else step.operands
        assert not any(isinstance(x, Unknown) for x in [*needed, *step.attrs.values()]), step
