"""Callbacks are told in order; those that come with nn stop, keep, write and draw what they say."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd_np as ag
import nn

X = np.linspace(-1, 1, 20)[:, None]


class Values(nn.Callback):
    """Gives each epoch the value that a test wants."""

    def __init__(self, values, name="val_loss"):
        self.values, self.name = values, name

    def on_epoch_end(self, training):
        training.logs[self.name] = self.values[training.epoch - 1]
        with ag.no_grad():
            training.model.weight[...] = training.epoch / 100


def trained(callbacks, epochs=6, **settings):
    model = nn.Linear(1, 1, rng=0)
    history = nn.fit(
        model, (X, X), nn.MSELoss(), nn.SGD(model.parameters(), lr=0.0), epochs, callbacks=callbacks, progress=False, **settings
    )
    return model, history


def test_what_is_told_when():
    said = []

    class Saying(nn.Callback):
        pass

    for moment in nn.training.Training.MOMENTS:
        setattr(Saying, moment, lambda self, training, moment=moment: said.append((moment, training.epoch, training.step)))
    trained([Saying()], epochs=2, batch_size=10)
    batch = ["on_batch_start", "on_backward_end", "on_batch_end"]
    epoch = ["on_epoch_start", *batch, *batch, "on_epoch_end"]
    assert [moment for moment, *_ in said] == ["on_fit_start", *epoch, *epoch, "on_fit_end"]
    assert said[1:9] == [(m, e, s) for m, e, s in zip(epoch, [0] * 7 + [1], [0, 0, 0, 1, 1, 1, 2, 2], strict=True)]


def test_a_callback_stops_after_its_batch():
    class Stops(nn.Callback):
        def on_batch_end(self, training):
            training.stopped = f"at {training.step}"

    assert trained([Stops()], batch_size=5)[1].stopped == "at 1"


@pytest.mark.parametrize(
    ("values", "settings", "epochs", "best"),
    [
        ([3, 2, 4, 4, 1, 1], {"patience": 2}, 4, 2),
        ([3, 2, 4, 1, 4, 4], {"patience": 2}, 6, 4),
        ([3, 2.9, 2.8, 2.7, 1, 1], {"patience": 3, "min_delta": 0.5}, 4, 1),
        ([3, np.nan, np.nan, 1, 1, 1], {"patience": 2}, 3, 1),
        ([1, 2, 3, 2, 2, 2], {"patience": 2, "mode": "max"}, 5, 3),
        ([6, 5, 4, 3, 2, 1], {"patience": 1}, 6, 6),
    ],
)
def test_early_stopping(values, settings, epochs, best):
    model, history = trained([Values(values), nn.EarlyStopping(**settings)])
    assert len(history) == epochs
    assert bool(history.stopped) == (epochs < 6)
    assert model.weight.item() == best / 100
    kept, _ = trained([Values(values), nn.EarlyStopping(**settings, restore_best=False)])
    assert kept.weight.item() == epochs / 100


def test_early_stopping_can_be_used_again_and_watches_metrics():
    stop = nn.EarlyStopping("val_r2", patience=1)
    for _ in range(2):
        assert len(trained([Values([1, 2, 1, 5, 5, 5], "val_r2"), stop])[1]) == 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.EarlyStopping(patience=0), ValueError, "patience=0"),
        (lambda: nn.EarlyStopping(mode="up"), ValueError, "mode='up'"),
        (lambda: nn.EarlyStopping(min_delta=-1), ValueError, "min_delta=-1"),
        (lambda: nn.LearningCurves("a.png", every=0), ValueError, "every=0"),
        (lambda: trained([nn.EarlyStopping()]), KeyError, "watches 'val_loss', and the epoch has loss; pass validation="),
    ],
)
def test_wrong_settings_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_best_epoch_is_in_the_file(tmp_path):
    path = tmp_path / "best.safetensors"
    trained([Values([3, 1, 2, 4, 4, 4]), nn.BestCheckpoint(path)])
    assert nn.load(path)["weight"].item() == 0.02


def test_a_log_is_whole_after_each_epoch(tmp_path):
    lengths = []

    class Reads(nn.Callback):
        def on_epoch_end(self, training):
            with (tmp_path / "log.csv").open() as file:
                lengths.append(len(list(csv.DictReader(file))))

    def matrix(prediction, target):
        return np.zeros((2, 2))

    _, history = trained([nn.CSVLog(tmp_path / "log.csv"), Reads()], epochs=3, metrics=[nn.metrics.r2, matrix])
    assert lengths == [1, 2, 3]
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert list(rows[0]) == ["epoch", "loss", "r2"]  # a matrix is no number
    assert history["matrix"][0] == [[0.0, 0.0], [0.0, 0.0]]


def test_a_history():
    history = nn.History([{"loss": 3.0}, {"loss": 1.0, "accuracy": 0.5}, {"loss": 2.0, "accuracy": 0.25}])
    assert history["accuracy"] == [None, 0.5, 0.25]
    assert (history.best(), history.best("accuracy"), history.best("accuracy", "min")) == (1, 1, 2)
    assert repr(history) == "History(3 epochs: loss 2, accuracy 0.25)"
    assert repr(nn.History()) == "History(0 epochs)"
    with pytest.raises(KeyError, match="no 'val_loss'; it has loss, accuracy"):
        history["val_loss"]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_learning_curves_are_drawn(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curves.{suffix}"
    trained([nn.LearningCurves(path, every=2)], epochs=3, validation=(X, X), metrics=[nn.metrics.r2])
    content = path.read_bytes()
    if suffix == "png":
        assert content.startswith(b"\x89PNG")
    else:
        assert ET.fromstring(content).tag.endswith("svg")
        assert all(f"<!-- {name} -->".encode() in content for name in ("loss", "val_loss", "val_r2", "epoch"))


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(nn.MissingExtraError, match=r"autograd-np\[plot\]"):
        nn.History([{"loss": 1.0}]).plot("a.png")
