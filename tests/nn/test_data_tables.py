"""Tables in files are read block by block: every row once, within the buffer, and what is wrong is told with its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn
from nn.data import ConcatDataset, DataLoader, Standardise, Subset, TableDataset, distinct_values, files, random_split

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(files, "BLOCK", 200)


def write(path, x, y, group=7):
    """Write columns a, b and y, as CSV or as Parquet in groups of rows."""
    if path.suffix == ".csv":
        path.write_text("a,b,y\n" + "".join(f"{a!r},{b!r},{c}\n" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)))
    else:
        parquet.write_table(pa.table({"a": x[:, 0], "b": x[:, 1], "y": y}), path, row_group_size=group)
    return path


@pytest.fixture
def xy(rng):
    return np.stack([np.arange(50.0), rng.normal(size=50)], axis=1), rng.integers(0, 3, 50)


@pytest.fixture(params=["t.csv", "t.parquet"])
def path(request, tmp_path, xy):
    return write(tmp_path / request.param, *xy)


def read(loader):
    batches = list(loader)
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


def test_the_numbers_are_those_in_the_file(path, xy):
    table = TableDataset(path, "y")
    assert len(table) == 50
    assert len(table.blocks()) > 5
    x, y = read(DataLoader(table, 8))
    assert np.array_equal(x, xy[0])
    assert np.array_equal(y, xy[1])
    assert y.dtype == np.float64
    assert table[-1][0].tolist() == xy[0][-1].tolist()


@given(seed=st.integers(0, 99), batch=st.integers(1, 9), buffer=st.integers(1, 60), prefetch=st.integers(0, 2))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shuffled_every_row_comes_once_in_an_order_of_seed_and_epoch(path, xy, seed, batch, buffer, prefetch):
    a, b = (DataLoader(TableDataset(path, "y", buffer=buffer), batch, shuffle=True, rng=seed, prefetch=prefetch) for _ in range(2))
    x, _ = read(a)
    assert sorted(x[:, 0].tolist()) == list(range(50))
    assert np.array_equal(read(b)[0], x)
    assert not np.array_equal(read(a)[0], x)


def test_no_more_than_the_buffer_is_in_memory_and_each_block_is_read_once(path, monkeypatch):
    table = TableDataset(path, "y", buffer=14)
    largest = max(map(len, table.blocks()))
    numbers, reading = [], table._read

    def watched(number):
        numbers.append(number)
        return reading(number)

    monkeypatch.setattr(table, "_read", watched)
    for _ in DataLoader(table, 4, shuffle=True, rng=0):
        assert sum(len(x) for x, _ in table._kept.values()) <= 14 + largest
    assert sorted(numbers) == list(range(len(table.blocks())))


def test_rows_are_mixed_within_the_buffer(path):
    blocks = TableDataset(path, "y").blocks()
    for buffer, mixed in ((1, 1), (50, len(blocks))):
        x, _ = read(DataLoader(TableDataset(path, "y", buffer=buffer), 5, shuffle=True, rng=0))
        block_of = [next(i for i, b in enumerate(blocks) if row in b) for row in x[:, 0].astype(int)]
        first = block_of[: len(blocks[block_of[0]])]
        assert (len(set(first)) > 1) == (mixed > 1)


def test_a_place_in_the_middle_is_found_without_reading_what_was_before(path, monkeypatch):
    whole = list(DataLoader(TableDataset(path, "y", buffer=1), 5, shuffle=True, rng=0))
    table = TableDataset(path, "y", buffer=1)
    loader = DataLoader(table, 5, shuffle=True, rng=0)
    loader.load_state_dict(loader.state_dict() | {"position": 8})
    numbers, reading = [], table._read
    monkeypatch.setattr(table, "_read", lambda number: numbers.append(number) or reading(number))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(loader, whole[8:], strict=True))
    assert len(numbers) < len(table.blocks()) / 2


def test_parts_and_unions_of_tables(path, xy):
    table = TableDataset(path, "y", buffer=14)
    train, test = random_split(table, [0.7, 0.3], rng=0)
    rows = [read(DataLoader(part, 4, shuffle=True, rng=1))[0][:, 0] for part in (train, test)]
    assert list(map(len, rows)) == [35, 15]
    assert sorted(np.concatenate(rows).tolist()) == list(range(50))
    both = ConcatDataset([table, Subset(table, np.arange(3))])
    assert sorted(read(DataLoader(both, 4, shuffle=True, rng=1))[0][:, 0].tolist()) == sorted([*range(50), 0, 1, 2])
    fitted = Standardise().fit(train)
    np.testing.assert_allclose(fitted.mean, xy[0][train.indices].mean(axis=0))
    x, _ = read(DataLoader(train.map(lambda x, y: (fitted.transform(x), y)), 4))
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)


def test_several_files_globs_and_kinds(tmp_path, xy):
    x, y = xy
    write(tmp_path / "b.parquet", x[20:], y[20:])
    write(tmp_path / "a1.csv", x[:10], y[:10])
    (tmp_path / "a2.csv").write_text(
        "y;extra;b;a\r\n" + "".join(f"{c};?;{b!r};{a!r}\r\n" for (a, b), c in zip(x[10:20].tolist(), y[10:20], strict=True))
    )
    table = TableDataset([f"{tmp_path}/a*.csv", tmp_path / "b.parquet"], "y", classes=[2, 1, 0])
    a, b = read(DataLoader(table, 11))
    assert np.array_equal(a, x)
    assert np.array_equal(b, 2 - y)
    assert b.dtype == np.int64
    assert distinct_values(f"{tmp_path}/*.parquet", "y") == [0, 1, 2]


def test_words_are_classes(tmp_path):
    for name in ("w.csv", "w.parquet"):
        path, words = tmp_path / name, ["no", "yes", "no"]
        if path.suffix == ".csv":
            path.write_text("\ufeffx\ty\n\n" + "".join(f"{i}\t{w}\n\n" for i, w in enumerate(words)), "utf-8")
        else:
            parquet.write_table(pa.table({"x": [True, False, True], "y": pa.array(words).dictionary_encode()}), path)
        classes = distinct_values(path, "y")
        assert classes == ["no", "yes"]
        x, y = read(DataLoader(TableDataset(path, "y", classes=classes, dtype=np.float32), 2))
        assert y.tolist() == [0, 1, 0]
        assert x.dtype == np.float32
        assert x.shape == (3, 1)


def test_targets_none_one_and_many(path, xy):
    x, y = xy
    assert [a.shape for a in TableDataset(path).batch(np.arange(2))] == [(2, 3)]
    a, b = TableDataset(path, ["y", "a"], ["b"]).batch(np.array([3, 1]))
    assert np.array_equal(a, x[[3, 1], 1:])
    assert np.array_equal(b, np.stack([y[[3, 1]], x[[3, 1], 0]], axis=1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line is empty"),
        ("1,2\n3,4\n", "first line holds numbers"),
        ("a,a\n1,2\n", "several columns are called 'a'"),
        ("a,,y\n1,2,3\n", "a column has no name"),
        ("a,y\n", "no rows of data"),
        ("y\n1\n", "no column but the target"),
        ("a,b\n1,2\n", "no column 'y'; the columns are 'a', 'b'"),
        ("a,y\n1,2\nx,3\n", "invalid value 'x'"),
        ("a,y\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("a,y\n1,2\n3,\n", "row 2, column 'y': the cell is missing"),
        ("a,y\n1,2\n\n3,4\n5,nan\n", "row 3, column 'y': the cell is missing"),
        ("a,y\n1,2\ninf,3\n", "row 2, column 'a': inf is not a finite number"),
        ("a,y\n1,2\n1e300,3\n", "row 2, column 'a': 1e.300 is not a finite number in float32"),
        ('a,y\n"1\n2",2\n', "invalid value '1 2'"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(tmp_path, text, message):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(ag.DataError, match=message) as error:
        read(DataLoader(TableDataset(path, "y", dtype=np.float32), 2))
    assert "wrong.csv" in str(error.value)


def test_other_wrong_files(tmp_path, xy):
    with pytest.raises(ag.DataError, match="no such file"):
        TableDataset(tmp_path / "none.csv")
    with pytest.raises(ag.DataError, match="no file matches"):
        TableDataset(f"{tmp_path}/*.parquet")
    with pytest.raises(ag.DataError, match="directory"):
        TableDataset(tmp_path)
    with pytest.raises(ag.DataError, match="got none"):
        TableDataset([])
    (tmp_path / "latin.csv").write_bytes("größe,y\n1,2\n".encode("latin-1"))
    with pytest.raises(ag.DataError, match="not UTF-8"):
        TableDataset(tmp_path / "latin.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(ag.DataError, match=r"broken\.parquet: not readable as Parquet"):
        TableDataset(tmp_path / "broken.parquet")
    parquet.write_table(pa.table({"when": pa.array([0], pa.timestamp("s")), "y": [1.0]}), tmp_path / "time.parquet")
    with pytest.raises(ag.DataError, match=r"column 'when': timestamp\[.s\] is no type of number"):
        TableDataset(tmp_path / "time.parquet", "y")
    parquet.write_table(pa.table({"x": pa.array([1.0, None]), "y": [1.0, 2.0]}), tmp_path / "null.parquet")
    with pytest.raises(ag.DataError, match="row 2, column 'x': the cell is missing"):
        TableDataset(tmp_path / "null.parquet", "y").batch(np.arange(2))


def test_wrong_classes(path):
    with pytest.raises(ag.DataError, match=r"column 'y': \d.0 is none of the classes 7, 8"):
        TableDataset(path, "y", classes=[7, 8]).batch(np.arange(3))
    with pytest.raises(ValueError, match="one target column"):
        TableDataset(path, ["y", "a"], classes=[0, 1])
    with pytest.raises(ValueError, match="buffer=0"):
        TableDataset(path, "y", buffer=0)
    with pytest.raises(ag.DataError, match="more than 2 different values"):
        distinct_values(path, "y", at_most=2)


def test_a_file_that_changes_is_noticed(tmp_path, xy):
    path = write(tmp_path / "t.csv", *xy)
    table = TableDataset(path, "y")
    path.write_text("a,b,y\n" + "1,2,3\n" * 100)
    with pytest.raises(ag.DataError, match=r"nor may the file change|Expected 3 columns"):
        read(DataLoader(table, 8))


def test_without_pyarrow_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(nn.MissingExtraError, match=r"autograd-np\[data\]"):
        TableDataset(path, "y")
