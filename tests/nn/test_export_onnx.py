"""What is exported computes the same in ONNX Runtime, for batches of other sizes than the example's; what cannot be said is refused."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, Case

import autograd_np as ag
import nn

onnx: Any = pytest.importorskip("onnx")
onnxruntime: Any = pytest.importorskip("onnxruntime")


class Function(nn.Module):
    """A function as a model."""

    def __init__(self, f: Any) -> None:
        self.f = f

    def forward(self, *xs: Any) -> Any:
        return self.f(*xs)


def leaves(x: Any) -> list[Any]:
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in leaves(part)]
    return [] if x is None else [x]


def run(path: Any, *xs: Any) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {i.name: x.astype(np.float32) if x.dtype.kind == "f" else x for i, x in zip(session.get_inputs(), leaves(xs), strict=True)}
    return session.run(None, given)


def agree(model: nn.Module, path: Any, *xs: Any) -> None:
    """Compare the file and the model on arrays."""
    expected = leaves(model(*xs))
    got = run(path, *xs)
    assert len(got) == len(expected)
    for y, wanted in zip(got, expected, strict=True):
        wanted = ag.stop_gradient(wanted)
        wanted = wanted.numpy() if isinstance(wanted, ag.Tensor) else np.asarray(wanted)
        assert y.shape == wanted.shape
        assert y.dtype == (np.float32 if wanted.dtype.kind == "f" else wanted.dtype)
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5 * max(1, np.max(np.abs(wanted), initial=0)))


def axis_of(case: Case) -> int | None:
    """Return the axis of the batch; None for one sample, and where a mask beside the inputs is that of one batch."""
    one = ("one-sample", "unbatched", "single", "keep", "glu-first", "layer-no-affine", "rms-no-affine", "padding", "masks")
    if case.name.removesuffix("-eval").endswith(one) and not case.name.startswith(("max", "avg", "embedding", "conv")):
        return None
    if case.name.endswith("one-sample"):
        return None
    steps_first = case.name.startswith(("RNN", "LSTM", "GRU", "attention", "encoder")) and "Cell" not in case.name
    return int(steps_first and not case.name.endswith(("all", "batch-first")))


def redrawn(x: np.ndarray, axis: int | None, more: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    x = x if axis is None else np.take(x, rng.integers(x.shape[axis], size=x.shape[axis] + more), axis)
    return rng.permuted(x) if x.dtype.kind == "f" else x


@pytest.mark.parametrize("case", [c for c in CASES if all(np.size(x) for x in c.arrays())], ids=lambda c: c.name)
def test_every_layer(case: Case, tmp_path: Any) -> None:
    layer, axis = case.layer().eval(), axis_of(case)
    model = layer
    if case.call:
        model = Function(lambda *xs: layer(*xs, **case.call))
        model.layer = layer
    nn.export_onnx(model, tmp_path / "a.onnx", *case.arrays(), batch_axis=axis)
    for more in (0, 2):
        agree(model, tmp_path / "a.onnx", *(redrawn(x, axis, more) for x in case.arrays()))


# --- NumPy's functions ----------------------------------------------------------------------------

W = np.linspace(-1, 1, 12).reshape(3, 4)
FUNCTIONS: dict[str, Any] = {
    "unary": lambda x: [
        f(x) for f in (np.exp, np.abs, np.sign, np.floor, np.ceil, np.tanh, np.arctan, np.sinh, np.rint, np.square, np.negative)
    ],
    "of-positive": lambda x: [f(x * x + 0.5) for f in (np.log, np.sqrt, np.reciprocal, np.log1p, np.log2, np.log10, np.expm1, np.exp2)],
    "rounding": lambda x: (np.trunc(3 * x), np.square(x), np.negative(x), 7 * x // 2, (7 * x) % 2, np.positive(x), x.astype(np.float32)),
    "stable": lambda x: (ag.sigmoid(x), ag.log_sigmoid(x), ag.softplus(x), np.logaddexp(x, 1.0), ag.logsumexp(x, axis=1), np.hypot(x, 2.0)),
    "comparing": lambda x: (x > 0, x <= W[0], np.equal(x, x), x != 0, (x > 0) & (x < 1), ~(x > 0), np.isnan(x), np.isfinite(x)),
    "choosing": lambda x: (np.where(x > 0, x, 0), np.clip(x, -0.5, None), np.maximum(x, W[0]), np.minimum(x, 0), np.where(x > 0, 1, x)),
    "weak-numbers": lambda x: (2 * x, 1 / (x * x + 1), x**3, 2.0**x, -x + True),
    "reducing": lambda x: (
        x.sum(),
        x.mean(axis=1),
        x.max(axis=(0, 1)),
        np.min(x, axis=-1, keepdims=True),
        np.prod(x, axis=1),
        x.sum(axis=()),
    ),
    "variance": lambda x: (np.var(x), np.std(x, axis=0), np.var(x, axis=1, ddof=1, keepdims=True), np.var(x, axis=0, ddof=1)),
    "places": lambda x: (np.argmax(x, axis=1), np.argmin(x), np.any(x > 0, axis=1), np.all(x > 0, axis=0)),
    "counting": lambda x: ((x > 0).sum(axis=1), np.mean(x > 0), np.cumsum(x, axis=1), np.cumsum(x), np.prod(x, axis=1)),
    "products": lambda x: (x @ W.T, x @ W[0], np.dot(x, W.T), np.einsum("bi,ji->bj", x, W), np.vecdot(x, W[0]), np.outer(x[:, 0], W[0])),
    "with-itself": lambda x: (x @ x.T, x.T @ x, np.tril(x @ x.T), np.triu(x @ x.T, 1)),
    "reshaping": lambda x: (x.reshape(-1), x.reshape(2, -1, 2), x.reshape(x.shape[0], 2, 2), np.ravel(x), x.T, x.reshape(x.size)),
    "axes": lambda x: (x[None], np.expand_dims(x, (0, 3)), np.squeeze(x[:, None], 1), np.moveaxis(x[None], 0, 2), np.swapaxes(x, 0, 1)),
    "joining": lambda x: (np.concatenate([x, x[:, :2]], axis=1), np.stack([x, 2 * x], axis=1), np.concatenate([x, W]), np.hstack([x, x])),
    "splitting": lambda x: (*np.split(x, 2, axis=1), *np.array_split(x, 3, axis=1)),
    "spreading": lambda x: (np.broadcast_to(x, (3, *x.shape)), np.tile(x, (2, 1)), np.repeat(x, 3, axis=1), np.repeat(x, 2, axis=0)),
    "turning": lambda x: (np.flip(x), np.flip(x, 1), np.roll(x, 1, axis=1), x[::-1], x[:, ::-2]),
    "padding": lambda x: (np.pad(x, 1), np.pad(x, ((0, 0), (1, 2)), mode="edge"), np.pad(x, ((0, 0), (2, 1)), mode="reflect")),
    "wrapping": lambda x: (np.pad(x, ((0, 0), (1, 3)), mode="wrap"), np.pad(x, ((0, 0), (2, 2)), constant_values=7.0)),
    "slices": lambda x: (x[0], x[-1, 1:], x[..., 2], x[:, 1:3], x[1:], x[: x.shape[0] - 1], x[:, None, -1], x[()]),
    "indices": lambda x: (x[:, [2, 0]], x[[0, 1, 0]], x[np.arange(len(x)), 1], x[np.array([[0, 1]]), 2], x[:, np.array([0, 3])][:, None]),
    "indices-apart": lambda x: (x.reshape(-1, 2, 2)[:, [0, 1], [1, 0]], x[None][[0, 0], :, [1, 2]], x.reshape(-1, 2, 2)[0, :, [1, 1]]),
    "computed-indices": lambda x: (
        x[np.argmax(x[:, :2], axis=1)],
        x[:, 1:][np.argmax(x[:, :2], axis=1), np.argmax(x[:, :3], axis=1)],
        np.take(x, np.argmax(x, axis=1) % 2, axis=1),
    ),
    "along": lambda x: (np.take_along_axis(x, np.argmax(x, axis=1)[:, None], axis=1), np.take(x, np.argmax(x, axis=1) % 2, axis=1)),
    "sizes": lambda x: (
        x / x.shape[0],
        x.sum(axis=0) / len(x),
        x + np.arange(len(x))[:, None],
        x + np.zeros((len(x), 1)),
        x * np.ones(x.shape),
    ),
    "likes": lambda x: (x + np.zeros((len(x), 1)), x * np.ones(x.shape), np.zeros_like(x), np.ones_like(x), x + np.full(x.shape, 3.0)),
    "integers": lambda x: (np.argmax(x, axis=1) + 1, np.argmax(x, axis=1) // 2, (np.argmax(x, axis=1) - 3) % 2, np.argmax(x, axis=1) / 2),
    "tokens": lambda x: ag.softmax(np.concatenate([np.broadcast_to(W[:1], (x.shape[0], 4)), x], axis=1)[:, ::2], axis=0),
}


def written(x: Any) -> Any:
    """Write in place, through views too."""
    y = x * 1
    y[:, 1:3] = 0.5
    y[0] = y[1] * 2
    y[:, -1] += 1
    y[0, ::1][:2] = x[None, 0, 2:]
    z = np.stack([x, x])
    z[1, :, 2] = 7.0
    z[:, :, 3:] = 0 * x[:, :1]
    z[:, :, 2:2] = 1.0
    return y, z


FUNCTIONS["in-place"] = written
FUNCTIONS["norms"] = lambda x: (np.linalg.norm(x), np.linalg.norm(x, axis=1, keepdims=True), np.linalg.vector_norm(x, axis=0, ord=1))
FUNCTIONS["contractions"] = lambda x: (
    np.tensordot(x, W, axes=([1], [1])),
    np.tensordot(x, W.T, axes=1),
    np.inner(x, W),
    np.tensordot(x, x),
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpys_functions(name: str, tmp_path: Any, rng: np.random.Generator) -> None:
    model = Function(lambda x: tuple(leaves(FUNCTIONS[name](x))))
    nn.export_onnx(model, tmp_path / "a.onnx", rng.normal(size=(2, 4)))
    agree(model, tmp_path / "a.onnx", rng.normal(size=(7, 4)))


# --- models ---------------------------------------------------------------------------------------


class Classifier(nn.Module):
    """A recurrent network over a table of tokens, whose head has the table's weight."""

    def __init__(self) -> None:
        self.table = nn.Embedding(6, 4, rng=0)
        self.memory = nn.LSTM(4, 4, num_layers=2, batch_first=True, dropout=0.5, rng=1)
        self.head = nn.Linear(4, 6, rng=2)
        self.head.weight = self.table.weight

    def forward(self, tokens: Any, hx: Any = None) -> Any:
        y, (h, _) = self.memory(self.table(tokens), hx)
        return self.head(y[:, -1]), h


class Transformer(nn.Module):
    """An encoder that leaves out what is padded, and a mean over what is not."""

    def __init__(self) -> None:
        self.table = nn.Embedding(6, 8, padding_idx=0, rng=0)
        self.places = nn.Parameter(np.random.default_rng(3).normal(size=(5, 8)))
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, rng=1)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
        self.register_buffer("causal", np.triu(np.ones((5, 5), bool), 1))

    def forward(self, tokens: Any) -> Any:
        padded = tokens == 0
        y = self.encoder(self.table(tokens) + self.places, mask=self.causal, src_key_padding_mask=padded)
        kept = np.expand_dims(~padded, -1)
        return np.sum(np.where(kept, y, 0), axis=1) / np.sum(kept, axis=1)


def convolutional() -> nn.Module:
    first = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, rng=0), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5, rng=0))
    model = nn.Sequential(first, nn.Conv2d(4, 3, 3, rng=1), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, rng=2))
    model(np.random.default_rng(0).normal(size=(8, 1, 8, 8)))  # moves the running statistics
    return model


IMAGES = np.random.default_rng(1).normal(size=(3, 1, 8, 8))
TOKENS = np.array([[3, 5, 1, 1, 2], [4, 0, 0, 0, 0], [2, 3, 0, 0, 0]])
MODELS: dict[str, tuple[Any, Any]] = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Dropout(0.5, rng=0), nn.Linear(8, 3, rng=1)), np.ones((1, 4))),
    "cnn": (convolutional, IMAGES),
    "lstm": (Classifier, TOKENS),
    "transformer": (Transformer, TOKENS),
}


@pytest.mark.parametrize("opset", [18, 21])
@pytest.mark.parametrize("name", MODELS)
def test_models_as_they_are_in_evaluation(name: str, opset: int, tmp_path: Any) -> None:
    make, x = MODELS[name]
    model = make()
    next(iter(model.children())).eval()  # a part is frozen, and stays so
    before = [module.training for module in model.modules()]
    nn.export_onnx(model, tmp_path / "a.onnx", x, opset=opset, check=True)
    assert [module.training for module in model.modules()] == before
    agree(model.eval(), tmp_path / "a.onnx", redrawn(x, 0, 4))
    proto = onnx.load(tmp_path / "a.onnx")
    assert proto.opset_import[0].version == opset
    state = model.state_dict()
    arrays = {a.name: onnx.numpy_helper.to_array(a) for a in proto.graph.initializer}
    for path, p in model.named_parameters():
        np.testing.assert_array_equal(arrays[path], state[path].astype(np.float32))
        assert p.dtype == np.float64  # the model itself is left alone
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_inputs_in_containers_have_names_and_axes_of_their_own(tmp_path: Any, rng: np.random.Generator) -> None:
    model = Classifier().eval()
    hx = (rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4)))
    nn.export_onnx(model, tmp_path / "a.onnx", TOKENS, hx, batch_axis=(0, 1, 1), check=True)
    graph = onnx.load(tmp_path / "a.onnx").graph
    assert [i.name for i in graph.input] == ["tokens", "hx.0", "hx.1"]
    assert [o.name for o in graph.output] == ["output.0", "output.1"]
    agree(model, tmp_path / "a.onnx", TOKENS[:1], tuple(h[:, :1] for h in hx))


def test_a_file_of_one_size_and_of_float64(tmp_path: Any, rng: np.random.Generator) -> None:
    model, x = nn.Linear(3, 2, rng=0), rng.normal(size=(4, 3))
    nn.export_onnx(model, tmp_path / "a.onnx", x, batch_axis=None, dtype=np.float64, check=True)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [4, 3]
    np.testing.assert_allclose(session.run(None, {"x": x})[0], model(x).numpy(), rtol=1e-14)


def test_operators_of_their_own_for_layers(tmp_path: Any) -> None:
    def kinds(model: nn.Module, x: Any, **how: Any) -> list[str]:
        nn.export_onnx(model, tmp_path / "a.onnx", x, **how)
        return [node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node]

    assert {"Conv", "MaxPool"} <= set(kinds(convolutional(), IMAGES))
    recurrent = kinds(nn.GRU(3, 2, bidirectional=True, rng=0), np.ones((4, 1, 3)), batch_axis=1)
    assert recurrent.count("GRU") == 2
    assert "MatMul" not in recurrent  # the product with the input is the operator's
    assert "LayerNormalization" in kinds(nn.LayerNorm(3), np.ones((1, 3)))


# --- what is refused ------------------------------------------------------------------------------

cube = ag.define(lambda x: x**3, partials=[lambda y, x: 3 * x**2], name="elu")  # a user's name is not ours


class Inner(nn.Module):
    def forward(self, x: Any) -> Any:
        return cube(x)


class Outer(nn.Module):
    def __init__(self) -> None:
        self.block = nn.Sequential(nn.Linear(3, 3, rng=0), Inner())

    def forward(self, x: Any) -> Any:
        return self.block(x)


def looped(x: Any) -> Any:
    return np.stack([row * 2 for row in x])


def lstm_cells(x: Any) -> Any:
    """Return the states of the cell at all steps, which ONNX keeps for itself."""
    h, _ = nn.functional.lstm(x, (np.zeros((x.shape[1], 2)),) * 2, np.ones((8, 2)), np.ones((8, 2)))
    return ag.operation(h).operands[0][..., 2:4] if isinstance(h, ag.Tensor) else h


def steps_of_two(x: Any) -> Any:
    y = x * 1
    y[:, ::2] = 0.0
    return y


def second_sample(x: Any) -> Any:
    y = x * 1
    y[1] = 0.0
    return y


ONES = np.ones((2, 3))
REFUSED: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any], str]] = {
    "operation": (Outer(), (ONES,), {}, r"cannot export .*elu in block\.1 at .*test_export_onnx\.py:\d+.*NumPy's functions"),
    "row": (Function(lambda x: np.linalg.inv(x.T @ x + np.eye(3))), (ONES,), {}, r"cannot export inv at"),
    "option": (
        Function(lambda x: np.sum(x, axis=0, where=W[:, 0] > 0)),
        (ONES,),
        {},
        r"sum at .*where=.* is not covered",
    ),
    "loop": (Function(looped), (ONES,), {}, "other operations for batches of 2, 3, 5, as in a loop over samples"),
    "beside": (Function(lambda x: x - ag.stop_gradient(x).mean(axis=0)), (ONES,), {}, r"subtract.*depends on the batch.*stop_gradient"),
    "signs": (Function(lambda x: x * ag.stop_gradient(np.sign(x))), (ONES[:1],), {}, "multiply.*stop_gradient"),
    "random": (Function(lambda x: x + np.random.default_rng().normal(size=3)), (ONES,), {}, "add.*random number"),
    "not-a-line": (Function(lambda x: x * len(x) ** 2), (ONES,), {}, "multiply.*has the values 4, 9, 25 for batches of 2, 3, 5"),
    "boolean": (Function(lambda x: x[True]), (ONES,), {}, "getitem.*booleans"),
    "invalid": (Function(lambda x: np.cumsum(x > 0, axis=1, dtype=np.int8)), (ONES,), {}, "the file would not be valid: .*CumSum"),
    "booleans": (Function(lambda x: x[:, np.array([True, False, True])]), (ONES,), {}, "getitem.*booleans.*np.where"),
    "batch-axis": (nn.Linear(3, 2, rng=0), (ONES,), {"batch_axis": 1}, "not 4 samples like it in the place of 3: .*batch_axis says"),
    "no-axis": (nn.Linear(3, 2, rng=0), (ONES,), {"batch_axis": 2}, r"batch_axis=2 of the example x, of shape \(2, 3\), is not there"),
    "axes": (nn.Linear(3, 2, rng=0), (ONES,), {"batch_axis": (0, 1)}, "2 axes for 1 arrays: x"),
    "batches": (Function(np.add), (ONES, np.ones((1, 3))), {}, r"different sizes along batch_axis \(xs0: 2, xs1: 1\)"),
    "empty": (nn.Linear(3, 2, rng=0), (np.ones((0, 3)),), {}, "empty batch; one sample is enough"),
    "no-example": (nn.Linear(3, 2, rng=0), (), {}, "0 examples; forward of Linear takes x"),
    "setting": (Function(lambda x, flag: x * 2), (ONES, True), {}, "example xs1 must be an array, got True"),
    "constant": (Function(lambda x: (x * 2, np.ones(2))), (ONES,), {}, "returns 2 arrays, of which 1 are computed from its inputs"),
    "complex": (Function(lambda x: np.abs(x * 1j)), (ONES,), {}, "multiply.*complex128 is not covered"),
    "cells": (Function(lstm_cells), (np.ones((3, 1, 2)),), {"batch_axis": 1}, "getitem.*of the result of lstm, ONNX returns"),
    "norm": (Function(lambda x: np.linalg.norm(x, ord=2)), (ONES,), {}, "norm at .*ord=2 is not covered"),
    "write": (Function(steps_of_two), (ONES,), {}, "setitem at .*slices in steps of 1"),
    "write-batch": (Function(second_sample), (ONES,), {}, "setitem at .*along the batch for all of it, or the first"),
    "opset": (nn.Linear(3, 2, rng=0), (ONES,), {"opset": 17}, "opset=17 is not covered; it must be from 18 to"),
    "dtype": (nn.Linear(3, 2, rng=0), (ONES,), {"dtype": np.int64}, "float32 and float64 are"),
    "no-model": (np.tanh, (ONES,), {}, "takes a Module, got ufunc"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said_is_refused_and_leaves_the_file(name: str, tmp_path: Any) -> None:
    model, example, options, message = REFUSED[name]
    (tmp_path / "a.onnx").write_bytes(b"before")
    with pytest.raises(nn.ExportError, match=message):
        nn.export_onnx(model, tmp_path / "a.onnx", *example, **options)
    assert (tmp_path / "a.onnx").read_bytes() == b"before"
    assert not isinstance(model, nn.Module) or model.training


def test_a_result_that_is_not_the_models_is_never_written(tmp_path: Any, monkeypatch: Any) -> None:
    from nn.interchange.operations import TABLE

    monkeypatch.setitem(TABLE, "tanh", TABLE["sinh"])
    with pytest.raises(nn.ExportError, match=r"ONNX Runtime's output differs by 0\.\d+"):
        nn.export_onnx(nn.Tanh(), tmp_path / "a.onnx", ONES, check=True)
    assert not list(tmp_path.iterdir())


def test_more_than_a_file_holds_is_refused(tmp_path: Any, monkeypatch: Any) -> None:
    import nn.interchange.export

    monkeypatch.setattr(nn.interchange.export, "LARGEST", 40)
    nn.export_onnx(nn.Linear(3, 2, rng=0), tmp_path / "a.onnx", ONES)
    with pytest.raises(nn.ExportError, match=r"48 bytes of Parameters and buffers"):
        nn.export_onnx(nn.Linear(3, 3, rng=0), tmp_path / "a.onnx", ONES)


def test_checking_without_onnxruntime_says_so(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    nn.export_onnx(nn.Tanh(), tmp_path / "a.onnx", ONES)
    with pytest.raises(nn.MissingExtraError, match=r"needs onnxruntime.*pip install onnxruntime"):
        nn.export_onnx(nn.Tanh(), tmp_path / "a.onnx", ONES, check=True)


def test_small_numbers_are_not_lost(tmp_path: Any) -> None:
    x = np.array([[1e-6, -1e-6, 1e-3, 0.4, -0.6, 80.0, -80.0, 0.0]])
    nn.export_onnx(Function(lambda x: (np.expm1(x), np.log1p(np.abs(x)), np.log1p(x / 100))), tmp_path / "a.onnx", x)
    for y, wanted in zip(run(tmp_path / "a.onnx", x), (np.expm1(x), np.log1p(np.abs(x)), np.log1p(x / 100)), strict=True):
        np.testing.assert_allclose(y, wanted, rtol=5e-6)


def test_functions_that_no_layer_uses(tmp_path: Any, rng: np.random.Generator) -> None:
    """The functional twins take arrays that were computed in the place of Parameters."""
    model = Function(
        lambda x: (
            nn.functional.prelu(x, np.abs(x[0, :1])),
            nn.functional.linear(x, x[:2] * 2),
            nn.functional.layer_norm(x, 4, x[0]),
            nn.functional.gelu(x, "tanh"),
        )
    )
    nn.export_onnx(model, tmp_path / "a.onnx", rng.normal(size=(2, 4)), check=True)
    agree(model, tmp_path / "a.onnx", rng.normal(size=(5, 4)))
