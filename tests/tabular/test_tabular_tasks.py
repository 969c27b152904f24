"""What is to be learned is chosen by the target's values, and the parts keep the classes' shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_np import DataError
from autograd_np.tabular import reading, tasks


def table_of(folder: Path, words: list[Any]) -> reading.Table:
    file = folder / "t.csv"
    file.write_text("a,t\n" + "".join(f'{i},"{word}"\n' for i, word in enumerate(words)), "utf-8")
    return reading.read_table([file], "t", folder=folder)


@pytest.mark.parametrize(
    ("words", "kind", "classes", "others"),
    [
        (["no", "yes"] * 5, "binary", ("no", "yes"), ("multiclass",)),
        (["1.0", "10", "1"] * 5, "binary", ("1", "10"), ("multiclass", "regression")),
        (["b", "a", "c"] * 2, "multiclass", ("a", "b", "c"), ()),
        ([3, 1, 2, 10] * 5, "multiclass", ("1", "2", "3", "10"), ("regression",)),
        ([1, 2, "x"] * 5, "multiclass", ("1", "2", "x"), ()),
        ([1, 2, 3], "regression", (), ("multiclass",)),  # too few rows to be classes
        (list(range(30)) * 10, "regression", (), ("multiclass",)),
        ([0.5, 1.5, 2] * 9, "regression", (), ("multiclass",)),
    ],
)
def test_the_task_by_itself(tmp_path: Path, words: list[Any], kind: str, classes: tuple[str, ...], others: tuple[str, ...]) -> None:
    table = table_of(tmp_path, words)
    task = tasks.choose(table)
    assert (task.kind, task.classes, task.others) == (kind, classes, others)
    rows = table.rows.batch(np.arange(len(words)))[0]
    wanted = task.wanted(rows)
    if kind == "regression":
        assert wanted.ravel().tolist() == [float(word) for word in words]
    else:
        names = [str(word) for word in words] if kind == "multiclass" else [str(word).removesuffix(".0") for word in words]
        assert [classes[int(c)] for c in wanted.ravel()] == names
    for other in others:
        assert tasks.choose(table, other).kind == other


@pytest.mark.parametrize(
    ("words", "asked", "message"),
    [
        (["x"] * 3, "auto", "must have two different values or more, this one has 1: x"),
        (["x", "y", "z"] * 3, "binary", "exactly two different values for a binary task, this one has 3: x, y, z"),
        (["1", "2", "many"] * 3, "regression", "t.csv, line 4, column 't': 'many' is no finite number, as a regression needs it"),
        (
            [f"w{i}" for i in range(1100)],
            "auto",
            "more than 1000 different values, too many for classes, and not all are numbers: .*line 2.*'w0'",
        ),
        ([i + 0.5 for i in range(1100)], "multiclass", "more than 1000 different values, too many for classes"),
    ],
)
def test_a_target_that_does_not_allow_the_task(tmp_path: Path, words: list[Any], asked: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tasks.choose(table_of(tmp_path, words), asked)


class Rows:
    """A table of which only the classes are known."""

    title = "t"
    target = reading.Target("t")

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)


@given(
    st.lists(st.integers(2, 60), min_size=2, max_size=5),
    st.sampled_from([(0.1, 0.2), (0.0, 0.2), (0.1, 0.0), (0.0, 0.0), (0.4, 0.5)]),
    st.integers(0, 99),
)
def test_parts_are_disjoint_complete_and_keep_the_shares(counts: list[int], shares: tuple[float, float], seed: int) -> None:
    codes = np.repeat(np.arange(len(counts)), counts)
    task = tasks.Task("multiclass", "", (), tuple(map(str, range(len(counts)))), np.arange(len(counts)))
    table: Any = Rows(codes)
    try:
        parts = tasks.split(table, task, seed, shares)
    except DataError:  # classes of two rows are trained and tested on
        assert max(counts) < 3
        return
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(codes)))
    of_class = np.stack([np.bincount(codes[part], minlength=len(counts)) for part in parts])
    assert (of_class[0] >= 1).all()
    for share, part in zip(shares, of_class[1:], strict=True):
        if share == 0:
            assert part.sum() == 0
        else:
            assert (abs(part - share * np.array(counts)) <= 1.5).all()
    again = tasks.split(table, task, seed, shares)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_parts_that_cannot_be(tmp_path: Path) -> None:
    table = table_of(tmp_path, ["x", "x", "x", "y"])
    with pytest.raises(DataError, match="only one row has t = y; at least two of each class are needed"):
        tasks.split(table, tasks.choose(table), 0, (0.1, 0.2))
    table = table_of(tmp_path, [0.5, 1.5])
    with pytest.raises(DataError, match="2 rows are too few to train on some and to validate on others"):
        tasks.split(table, tasks.choose(table, "regression"), 0, (0.1, 0.2))
