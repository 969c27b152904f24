"""Files that travel between PyTorch and this library: the same architecture computes the same, whoever wrote the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn

torch: Any = pytest.importorskip("torch")
import safetensors.torch as st  # noqa: E402


def rand(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape)


def mlp(lib: Any) -> Any:
    return lib.Sequential(
        lib.Linear(5, 7), lib.GELU(), lib.Dropout(0.5), lib.LayerNorm(7), lib.Linear(7, 3, bias=False), lib.Softmax(dim=-1)
    )


def cnn(lib: Any) -> Any:
    block = lib.Sequential(lib.Conv2d(2, 4, 3, padding=1, groups=2), lib.BatchNorm2d(4), lib.ReLU(), lib.MaxPool2d(2))
    return lib.Sequential(block, lib.ConvTranspose2d(4, 3, 2, stride=2), lib.PReLU(3), lib.GroupNorm(1, 3), lib.Flatten())


def lstm(lib: Any) -> Any:
    return lib.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)


def gru(lib: Any) -> Any:
    return lib.GRU(3, 4, bidirectional=True)


def transformer(lib: Any) -> Any:
    table = lib.Sequential(lib.Embedding(7, 8, padding_idx=0))
    return lib.Sequential(table, lib.TransformerEncoder(lib.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, lib.LayerNorm(8)))


TOKENS = np.random.default_rng(4).integers(7, size=(4, 5))
MODELS = {
    "mlp": (mlp, rand(6, 5)),
    "cnn": (cnn, rand(4, 2, 6, 6)),
    "lstm": (lstm, rand(4, 6, 3)),
    "gru": (gru, rand(6, 4, 3)),
    "transformer": (transformer, TOKENS),
}


def first(y: Any) -> Any:
    return first(y[0]) if isinstance(y, tuple) else y


def tensor(x: np.ndarray, model: Any) -> Any:
    return torch.tensor(x) if x.dtype.kind == "i" else torch.tensor(x, dtype=next(model.parameters()).dtype)


def outputs(ours: Any, theirs: Any, x: np.ndarray) -> tuple[Any, Any]:
    given = tensor(x, theirs)
    with torch.no_grad():
        return ag.stop_gradient(first(ours(given.numpy()))).numpy(), first(theirs(given)).numpy()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", MODELS)
def test_pytorchs_file_makes_the_same_model(name: str, dtype: str, tmp_path: Any) -> None:
    make, x = MODELS[name]
    theirs = make(torch.nn).to(getattr(torch, dtype))
    theirs(tensor(x, theirs))  # running statistics are not what they were at the start
    st.save_file(theirs.eval().state_dict(), tmp_path / "model.safetensors")
    ours = make(nn).eval()
    state = nn.load(tmp_path / "model.safetensors", into=ours)
    assert {name: a.dtype for name, a in state.items()} == {name: a.numpy().dtype for name, a in theirs.state_dict().items()}
    assert all(name.endswith("tracked") == (a.dtype == np.int64) for name, a in ours.state_dict().items())
    got, expected = outputs(ours, theirs, x)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_our_file_makes_the_same_model_in_pytorch(name: str, tmp_path: Any) -> None:
    make, x = MODELS[name]
    ours = make(nn)
    ours(x)  # running statistics, too
    nn.save(ours.eval(), tmp_path / "model.safetensors")
    theirs = make(torch.nn).double().eval()
    state = st.load_file(tmp_path / "model.safetensors")
    assert {k: v.dtype for k, v in state.items()} == {k: v.dtype for k, v in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    got, expected = outputs(ours, theirs, x)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_widened_exactly(dtype: str, tmp_path: Any) -> None:
    values = torch.tensor([1.0, -2.5, 3.1415927, float("inf"), 6e-5, float("nan")]).to(getattr(torch, dtype))
    st.save_file({"a": values, "zero": values[0].clone(), "none": values[:0].clone().reshape(0, 2)}, tmp_path / "a.safetensors")
    state = nn.load(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(state["a"], values.float().numpy())
    assert state["a"].dtype == ("float16" if dtype == "float16" else "float32")
    assert (state["zero"].shape, state["none"].shape) == ((), (0, 2))


def test_a_dtype_without_a_place_in_numpy_is_refused_by_name(tmp_path: Any) -> None:
    st.save_file({"w": torch.ones(2).to(torch.float8_e4m3fn)}, tmp_path / "a.safetensors")
    with pytest.raises(nn.StateDictError, match=r"w: F8_E4M3\); convert them where they come from"):
        nn.load(tmp_path / "a.safetensors")


class Tied:
    """A model whose last layer has the weight of the first."""

    def __init__(self) -> None:
        super().__init__()
        lib = torch.nn if isinstance(self, torch.nn.Module) else nn
        self.first, self.last = lib.Linear(3, 3), lib.Linear(3, 3)
        self.last.weight = self.first.weight


class TiedThere(Tied, torch.nn.Module):
    pass


class TiedHere(Tied, nn.Module):
    pass


def test_what_pytorch_leaves_out_because_it_is_tied_is_put_back(tmp_path: Any) -> None:
    theirs = TiedThere()
    st.save_model(theirs, tmp_path / "a.safetensors")
    assert len(st.load_file(tmp_path / "a.safetensors")) == 3
    apart = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    apart.first, apart.last = apart[0], apart[1]
    del apart.__dict__["0"], apart.__dict__["1"]
    for ours in (TiedHere(), apart):
        nn.load(tmp_path / "a.safetensors", into=ours)
        np.testing.assert_array_equal(ours.last.weight.data, theirs.first.weight.detach().numpy())
        np.testing.assert_array_equal(ours.first.weight.data, theirs.first.weight.detach().numpy())


def test_of_tied_names_one_is_enough_and_two_must_agree(tmp_path: Any) -> None:
    state = TiedThere().state_dict()
    kept = {k: v for k, v in state.items() if k != "first.weight"}
    st.save_file(kept, tmp_path / "a.safetensors")
    ours = TiedHere()
    nn.load(tmp_path / "a.safetensors", into=ours)
    np.testing.assert_array_equal(ours.first.weight.data, kept["last.weight"].numpy())
    before = ours.state_dict()
    st.save_file({**kept, "first.weight": kept["last.weight"] + 1}, tmp_path / "a.safetensors")
    with pytest.raises(nn.StateDictError, match=r"first\.weight and last\.weight are tied, but have different values"):
        nn.load(tmp_path / "a.safetensors", into=ours)
    np.testing.assert_array_equal(ours.first.weight.data, before["first.weight"])


def test_names_of_a_wrapped_model_are_told_and_taken_off(tmp_path: Any) -> None:
    inner = torch.nn.Sequential(torch.nn.Linear(3, 2))
    st.save_file(torch.nn.DataParallel(inner).state_dict(), tmp_path / "a.safetensors")
    ours = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(nn.StateDictError, match=r"begin with 'module\.', as torch\.nn\.DataParallel .*prefix='module\.'\)"):
        nn.load(tmp_path / "a.safetensors", into=ours)
    assert sorted(nn.load(tmp_path / "a.safetensors", into=ours, prefix="module.")) == ["0.bias", "0.weight"]
    np.testing.assert_array_equal(ours[0].weight.data, inner[0].weight.detach().numpy())
    nn.load(tmp_path / "a.safetensors", into=ours[0], prefix="module.0.")  # a part of the model
    with pytest.raises(nn.StateDictError, match=r"no name that begins with 'encoder\.'; it has module\.0"):
        nn.load(tmp_path / "a.safetensors", prefix="encoder.")


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_pickle_is_never_read(new: bool, tmp_path: Any) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "a.pt", _use_new_zipfile_serialization=new)
    with pytest.raises(nn.StateDictError, match=r"pickle.*safetensors\.torch\.save_model"):
        nn.load(tmp_path / "a.pt")
