"""The tables: what spreadsheets write is read, splits lose nothing, and the shipped data say where they are from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograd_np.demo import data


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write(tmp_path: Path, separator: str) -> None:
    rows = ["a b,t,c", '1.5,2,"3"', "", " 2e3 ,7,-.5", "0,2,1", "1,7,1"]
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).replace(",", separator).encode())
    table = data.read_table(file, "t")
    assert table.features == ("a b", "c")
    assert table.x.tolist() == [[1.5, 3.0], [2000.0, -0.5], [0.0, 1.0], [1.0, 1.0]]
    assert table.y.tolist() == [[0.0], [1.0], [0.0], [1.0]]
    assert table.labels == ("2", "7")


def test_the_split_keeps_classes_standardises_by_the_training_part_and_loses_nothing() -> None:
    table = data.breast_cancer()
    part = data.split(table, seed=0)
    assert (len(part.y_train), len(part.y_test)) == (456, 113)
    assert abs(part.y_test.mean() - table.y.mean()) < 0.01
    np.testing.assert_allclose(part.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(part.x_train.std(axis=0), 1)
    raw = np.concatenate([part.x_train, part.x_test]) * part.scale + part.mean
    np.testing.assert_allclose(np.sort(raw, axis=0), np.sort(table.x, axis=0))
    assert not np.array_equal(part.x_test, data.split(table, seed=1).x_test)


def test_the_shipped_data_state_their_source_and_licence() -> None:
    table = data.breast_cancer()
    assert table.x.shape == (569, 2)
    assert (int(table.y.sum()), table.labels) == (212, ("0", "1"))
    assert table.x[table.y[:, 0] == 1].mean() > table.x[table.y[:, 0] == 0].mean()
    readme = (Path(data.__file__).parent / "README.md").read_text("utf-8")
    assert "10.24432/C5DW2B" in readme
    assert "CC BY 4.0" in readme
