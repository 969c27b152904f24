"""The examples that train models of nn learn, in fewer epochs than when they are run by themselves, and say so in a few lines."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import an example as a script does, which finds its neighbours."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module


@pytest.fixture(autouse=True)
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    yield
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 12
    assert not any(re.search(r"\bnan\b", line) for line in lines)


def test_a_perceptron_reads_digits(example: Any) -> None:
    pytest.importorskip("sklearn")
    history, found = example("digits_mlp").main(epochs=15, progress=False)
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    assert found["accuracy"] >= 0.96
    assert np.sum(found["confusion_matrix"]) == 359
    assert np.trace(found["confusion_matrix"]) == round(359 * found["accuracy"])


def test_a_convolutional_network_reads_digits(example: Any) -> None:
    pytest.importorskip("sklearn")
    history, found = example("digits_cnn").main(epochs=2, progress=False)
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert found["accuracy"] >= 0.95


def test_an_autoencoder_loses_less_than_a_linear_map(example: Any) -> None:
    pytest.importorskip("sklearn")
    history, lost, lost_linearly = example("autoencoder").main(epochs=25, progress=False)
    assert history["loss"][-1] < 0.4 * history["loss"][0]
    assert lost < 0.8 * lost_linearly < 0.4


def test_intervals_hold_as_many_points_as_they_say(example: Any) -> None:
    history, (both, mean_alone), error = example("uncertainty").main(epochs=80, progress=False)
    assert history["loss"][-1] < history["loss"][0] - 0.3
    assert both == pytest.approx((0.9, 0.9), abs=0.03)
    assert error < 0.15
    assert mean_alone[0] > 0.95 > 0.85 > mean_alone[1]


@pytest.mark.parametrize("name", ["char_transformer", "char_gru"])
def test_a_network_learns_to_write(name: str, example: Any) -> None:
    losses, found = example(name).main(steps=60)
    assert losses[-1] < losses[0] - 1.2
    assert found < example("char_transformer").by_counting(0) - 0.1, "less surprised than by counting characters"


def test_no_place_looks_at_those_behind_it(example: Any) -> None:
    m = example("char_transformer")
    codes = m.CODES[None, :20]
    changed = codes.copy()
    changed[0, 12:] = (changed[0, 12:] + 1) % len(m.CHARS)
    for model in (m.Transformer(rng=0), example("char_gru").Recurrent(rng=0)):
        with ag.no_grad():
            before, after = (model(c).numpy() for c in (codes, changed))
        np.testing.assert_array_equal(before[0, :12], after[0, :12])
        assert (before[0, 12] != after[0, 12]).any()
