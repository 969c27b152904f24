"""Models in files, their predictions, and the figures that are told of them."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd_np import DataError
from autograd_np.tabular import figures, network, predicting


def model_of(kind: Any = "multiclass", classes: tuple[str, ...] = ("a", "b", "c"), **other: Any) -> network.Model:
    features = ("x", "y")
    settings: dict[str, Any] = {"mean": (1.0, 0.1), "scale": (2.0, 1 / 3), "target_mean": 0.0, "target_scale": 1.0} | other
    net = network.network(2, (4, 3), len(classes) if kind == "multiclass" else 1, "tanh", 0)
    return network.Model(
        features=features, target="t", kind=kind, classes=classes, hidden=(4, 3), activation="tanh", network=net, **settings
    )


@pytest.mark.parametrize(("kind", "classes"), [("binary", ("no", "yes")), ("multiclass", ("a", "b", "c")), ("regression", ())])
def test_a_file_gives_the_same_predictions_bit_for_bit(
    tmp_path: Path, rng: np.random.Generator, kind: Any, classes: tuple[str, ...]
) -> None:
    model = model_of(kind, classes, target_mean=5.0 if kind == "regression" else 0.0, target_scale=1 / 7 if kind == "regression" else 1.0)
    network.save(model, tmp_path / network.MODEL)
    x = rng.normal(size=(9, 2))
    for path in (tmp_path, tmp_path / network.MODEL):
        again = network.load(path)
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
        assert {k: v for k, v in vars(again).items() if k != "network"} == {k: v for k, v in vars(model).items() if k != "network"}
    if kind != "regression":
        np.testing.assert_allclose(model.predict(x).sum(axis=1), 1)
    logits = model.network((x - model.mean) / model.scale).data
    expected = {
        "binary": lambda: 1 / (1 + np.exp(-logits)),
        "multiclass": lambda: np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
        "regression": lambda: logits / 7 + 5,
    }[kind]()
    np.testing.assert_allclose(model.predict(x)[:, -expected.shape[1] :], expected, rtol=1e-12)


def test_the_arrays_are_those_of_a_sequential(tmp_path: Path) -> None:
    network.save(model_of(), tmp_path / "m.safetensors")
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3))
    nn.load(tmp_path / "m.safetensors", into=net)


def test_files_that_are_no_model(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    network.save(model_of(), file)
    whole, about = nn.load(file), json.loads(nn.io.read_metadata(file)[network.TEXT])
    with pytest.raises(DataError, match=r"nowhere: no such file; expected the folder, or the model\.safetensors"):
        network.load(tmp_path / "nowhere")
    for changes, message in (
        ({"version": 2}, "its version is 2, expected 1"),
        ({"kind": "magic"}, "kind 'magic'"),
        ({"activation": "__class__"}, "activation '__class__'"),
        ({"hidden": [4, 10**9]}, "its arrays are not those of a network 2-4-1000000000-3"),
        ({"mean": [0.0]}, "features, mean and scale are not of one length"),
        ({"features": None}, "this is no model that autograd-np train wrote"),
    ):
        nn.save(whole, file, metadata={network.TEXT: json.dumps(about | changes)})
        with pytest.raises(DataError, match=message):
            network.load(file)
    nn.save(whole, file)
    with pytest.raises(DataError, match="this is no model that autograd-np train wrote"):
        network.load(file)
    network.save(model_of(), file)
    content = bytearray(file.read_bytes())
    content[content.index(b"multiclass")] = ord("M")
    file.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        network.load(file)
    file.write_bytes(b"\x80\x04N.")  # a pickle
    with pytest.raises(DataError, match="is not a whole safetensors file"):
        network.load(file)


# --- figures --------------------------------------------------------------------------------------


def test_the_figures_of_classes(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "BATCH", 7)
    model, x, y = model_of(), rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    found = figures.evaluate(model, nn.data.TensorDataset(x, y))
    assert isinstance(found, figures.ClassFigures)
    predicted = model.network(x).data.argmax(axis=1)
    expected = [[int(np.sum((y == i) & (predicted == j))) for j in range(3)] for i in range(3)]
    assert found.confusion.tolist() == expected
    assert (found.samples, found.right, found.accuracy) == (60, int(np.sum(y == predicted)), np.mean(y == predicted))
    assert found.most(np.array([1, 5, 2])) == (1, np.mean(y == 1))
    metrics = pytest.importorskip("sklearn.metrics")
    scores = metrics.precision_recall_fscore_support(y, predicted, labels=range(3), zero_division=0.0)
    np.testing.assert_allclose(found.scores(), np.stack(scores[:3], axis=1))


def test_scores_by_their_formulas() -> None:
    found = figures.ClassFigures(np.array([[3, 1, 0], [2, 4, 0], [1, 0, 0]]))
    np.testing.assert_allclose(found.scores(), [[3 / 6, 3 / 4, 6 / 10], [4 / 5, 4 / 6, 8 / 11], [0, 0, 0]])


def test_the_figures_of_numbers(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "BATCH", 7)
    monkeypatch.setattr(figures, "POINTS", 20)
    model = model_of("regression", (), target_mean=100.0, target_scale=3.0)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(60, 1)) + 0.2
    found = figures.evaluate(model, nn.data.TensorDataset(x, y))
    assert isinstance(found, figures.NumberFigures)
    p, true = 100 + 3 * model.network(x).data, 100 + 3 * y
    assert found.samples == 60
    np.testing.assert_allclose(found.rmse, np.sqrt(np.mean((p - true) ** 2)))
    np.testing.assert_allclose(found.mae, np.mean(abs(p - true)))
    np.testing.assert_allclose(found.r2, nn.metrics.r2(p, true))
    np.testing.assert_allclose(found.rmse_of_mean, np.sqrt(np.mean((true - 100) ** 2)))
    np.testing.assert_allclose(found.points, np.hstack([true, p])[::3])


# --- predictions ----------------------------------------------------------------------------------


def test_predictions_find_columns_by_name_and_keep_the_rows(tmp_path: Path) -> None:
    model = model_of()
    file = tmp_path / "a.csv"
    file.write_text("z,y,x\n1,0.5,2\n1,,2\n1,-1,0\n")
    out = io.StringIO()
    done = predicting.predict(model, [file], out, skip_missing=True)
    assert (done.rows, done.skipped, done.unused) == (3, 1, ("z",))
    lines = out.getvalue().splitlines()
    assert lines[0] == "t,p(a),p(b),p(c)"
    assert lines[2] == ",,,"
    wanted = model.predict(np.array([[2, 0.5], [0, -1]]))
    for line, row in zip((lines[1], lines[3]), wanted, strict=True):
        label, *probabilities = line.split(",")
        assert label == "abc"[row.argmax()]
        assert [float(p) for p in probabilities] == row.tolist()  # every digit
    with pytest.raises(DataError, match="line 3, column 'y': the cell is empty"):
        predicting.predict(model, [file], io.StringIO())
    file.write_text("X,y,q\n1,2,3\n")
    with pytest.raises(DataError, match=r"there is no column 'x', which the model takes; the columns are 'X', 'y', 'q'"):
        predicting.predict(model, [file], io.StringIO())


def test_a_file_of_predictions_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    with contextlib.suppress(RuntimeError), predicting.replacing(path) as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with predicting.replacing(path) as file:
        file.write("new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
