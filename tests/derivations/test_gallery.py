"""What `ag.derive` prints for the gallery is right, as short as by hand, in the user's names, and the same text everywhere."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from gallery import judging

import autograd_np as ag

ENTRIES = {e.name: e for e in judging.entries()}


@cache
def judged(name: str) -> judging.Judged:
    return judging.judge(ENTRIES[name], rounds=1)


def test_every_entry_has_its_chapter() -> None:
    assert sorted(n for names in judging.CHAPTERS.values() for n in names) == sorted(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_was_derived_by_hand_is_right(name: str) -> None:
    entry = ENTRIES[name]
    assert judging.checked(entry.f, entry.backward, entry) == ""
    ag.check_gradients(entry.f, *entry.arguments().values(), order=1, elements=6).raise_if_wrong()


@pytest.mark.parametrize("name", ENTRIES)
def test_a_printed_pass_is_right(name: str) -> None:
    found = judged(name)
    assert (found.error, found.wrong, found.elsewhere) == ("", "", "")


@pytest.mark.parametrize("name", ENTRIES)
def test_a_printed_pass_is_passed_by_check_backward(name: str) -> None:
    assert judged(name).unchecked == ""


@pytest.mark.parametrize("name", ENTRIES)
def test_a_printed_pass_is_as_short_as_by_hand(name: str) -> None:
    found = judged(name)
    assert found.printed <= judging.allowed(found.by_hand), found.source
    assert found.compact, found.source


@pytest.mark.parametrize("name", ENTRIES)
def test_a_printed_pass_uses_the_names_of_the_user(name: str) -> None:
    assert judged(name).strangers == []


def test_the_text_is_the_same_each_time_and_in_another_process() -> None:
    assert all(judged(name).same for name in ENTRIES)
    assert judging.elsewhere() == {name: judged(name).source for name in ENTRIES}


def test_the_notebooks_pass_is_the_notebooks() -> None:
    source = judged("notebook").source
    assert "    dZ2 = (A2 - Y) / m " in source
    assert judged("notebook").printed <= 10


# --- the judge itself

WRONG = """
import numpy as np

def forward(x):
    norm = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
    return x / norm, {"x": x, "norm": norm}

def backward(dout, x, norm):
    scale = dout / norm
    return {"dx": scale}

def value_and_grad(x, dout):
    out, cache = forward(x)
    return out, backward(dout, **cache)
"""


def test_the_judge_notices_what_is_wrong() -> None:
    entry = ENTRIES["l2_normalisation"]
    program = judging.executed(WRONG)
    assert judging.agree(entry, program, (5, 3)).startswith("dx at (5, 3): off by")
    assert "FAIL" in judging.checked(program["forward"], program["backward"], entry)
    assert judging.strangers(entry, WRONG) == ["scale"]
    assert judging.strangers(entry, WRONG.replace("scale", "dnorm")) == []
    baked = judged("softmax_labels").source.replace("num_train = X.shape[0]", "num_train = 5")
    assert baked != judged("softmax_labels").source
    assert judging.agree(ENTRIES["softmax_labels"], judging.executed(baked), (5, 3)) == ""
    with pytest.raises(IndexError):
        judging.agree(ENTRIES["softmax_labels"], judging.executed(baked), (8, 3))


def test_the_judge_counts() -> None:
    counted = (
        "def backward(g, i):\n    dW = np.zeros(3)\n    dW[i] += 1\n    np.add.at(dW, i, g)\n    np.sum(g)\n    return {'dW': dW * 2}\n"
    )
    assert judging.statements(counted) == 3
    assert judging.operations(counted) == 6
    assert [judging.allowed(n) for n in (1, 3, 4, 7, 10)] == [2, 4, 5, 9, 13]


@pytest.mark.parametrize("sizes", [(2, 2), (4, 4), (2, 5)])
@pytest.mark.parametrize("name", ["logistic_regression", "softmax_labels", "dropout_mlp", "layer_norm", "embeddings"])
def test_sizes_that_are_alike_in_the_example_are_told_apart(name: str, sizes: tuple[int, int]) -> None:
    entry = ENTRIES[name]
    source = ag.derive(entry.f, *entry.arguments(sizes).values(), wrt=entry.wrt).to_numpy()
    assert judging.agree(entry, judging.executed(source), (7, 3)) == ""


def test_a_mean_is_divided_by_the_sizes_of_its_own_axes() -> None:
    def pooled(x, w):
        return np.sum(np.tanh(x.mean(axis=(2, 3)) @ w))

    rng = np.random.default_rng(0)
    source = ag.derive(pooled, rng.normal(size=(5, 3, 3, 2)), rng.normal(size=(3, 4)), wrt=["x"]).to_numpy()
    x, w = rng.normal(size=(4, 2, 6, 5)), rng.normal(size=(2, 3))
    _, gradients = judging.executed(source)["value_and_grad"](x, w)
    np.testing.assert_allclose(gradients["dx"], ag.grad(pooled)(x, w), rtol=1e-12)
