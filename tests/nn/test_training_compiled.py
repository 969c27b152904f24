"""`nn.fit(compile=True)`: the same training to rounding, the same numbers bit for bit in each run, resumed or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn
from nn.training import AFTER


def _trained(epochs: int, **options: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 3))
    y = (x @ np.ones((3, 1)) > 0) * 1.0
    layers = nn.Linear(3, 8, rng=0), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1, rng=1), nn.Linear(8, 1, rng=2)
    model = nn.Sequential(*layers)
    optimiser = nn.AdamW(model.parameters(), lr=0.01)
    scheduler = nn.optim.lr_scheduler.ExponentialLR(optimiser, 0.98)
    settings = {"batch_size": 16, "seed": 3, "scheduler": scheduler, "clip_grad_norm": 0.5, "progress": False, **options}
    return nn.fit(model, (x, y), nn.BCEWithLogitsLoss(), optimiser, epochs, **settings), model


EPOCHS = AFTER // 5 + 8  # of five batches, the last of them smaller


def test_a_compiled_training_is_the_same_to_rounding() -> None:
    (history, model), (expected, other) = _trained(EPOCHS, compile=True), _trained(EPOCHS)
    np.testing.assert_allclose(history["loss"], expected["loss"], 1e-9)
    for name, value in other.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], value, 1e-8, 1e-10, err_msg=name)


def test_a_training_that_is_over_before_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.compiling.CompiledStep, "gradients", None)
    _trained(AFTER // 5, compile=True)
    with pytest.raises(TypeError):
        _trained(AFTER // 5 + 1, compile=True)


@pytest.mark.parametrize("stop", [AFTER // 5 - 1, AFTER // 5 + 3])
def test_a_compiled_training_is_resumed_bit_for_bit(stop: int, tmp_path: Any) -> None:
    _, whole = _trained(EPOCHS, compile=True)
    _trained(stop, compile=True, checkpoint=tmp_path / "c.safetensors")
    _, model = _trained(EPOCHS, compile=True, checkpoint=tmp_path / "c.safetensors", resume=True)
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(model.state_dict()[name], value, err_msg=name)


def test_a_checkpoint_of_compiled_code_is_resumed_without_it_and_the_other_way_round(tmp_path: Any) -> None:
    _, whole = _trained(EPOCHS)
    for first in (True, False):
        file = tmp_path / f"{first}.safetensors"
        _trained(EPOCHS - 3, compile=first, checkpoint=file)
        _, model = _trained(EPOCHS, compile=not first, checkpoint=file, resume=True)
        for name, value in whole.state_dict().items():
            np.testing.assert_allclose(model.state_dict()[name], value, 1e-8, 1e-10, err_msg=name)


def test_a_model_that_cannot_be_compiled_is_trained_all_the_same() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            self.out = nn.Linear(1, 1, rng=0)

        def forward(self, x: Any) -> Any:
            y = self.out(x)
            return y if np.sum(y) > 0 else -y

    x = np.linspace(-1, 1, 8)[:, None]
    histories = []
    for compiled in (True, False):
        model = Branching()
        data, optimiser = nn.data.DataLoader((x, x), 8), nn.SGD(model.parameters(), lr=0.01)
        if compiled:
            with pytest.warns(ag.CompileWarning, match="Branching is trained without compiled code"):
                histories.append(nn.fit(model, data, nn.MSELoss(), optimiser, AFTER + 5, progress=False, compile=True))
        else:
            histories.append(nn.fit(model, data, nn.MSELoss(), optimiser, AFTER + 5, progress=False))
    assert histories[0]["loss"] == histories[1]["loss"]
