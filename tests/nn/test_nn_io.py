"""Files: round trips, and what a damaged file or a crash may not do."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import safetensors.numpy

import autograd_np as ag
import nn


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1, dtype=np.float32))


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) and a[k].dtype == b[k].dtype and a[k].shape == b[k].shape for k in a)


def test_round_trip(model, tmp_path):
    path = tmp_path / "model.safetensors"
    before = model.state_dict()
    nn.save(model, path)
    assert same(nn.load(path), before)
    with ag.no_grad():
        for p in model.parameters():
            p -= 1.0
    assert same(nn.load(str(path), into=model), before)
    assert same(model.state_dict(), before)
    assert [f.name for f in tmp_path.iterdir()] == ["model.safetensors"]


def test_other_readers_and_writers_of_safetensors(model, tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    assert same(safetensors.numpy.load_file(path), model.state_dict())
    safetensors.numpy.save_file({"0.weight": np.eye(2)}, path)
    assert same(nn.load(path), {"0.weight": np.eye(2)})


def test_arrays_of_every_layout(tmp_path):
    path = tmp_path / "a.safetensors"
    grid = np.arange(12.0).reshape(3, 4)
    state = {
        "fortran": np.asfortranarray(grid),
        "transposed": grid.T,
        "strided": grid[::2, ::-1],
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3)),
        "big endian": grid.astype(">f8"),
        "int": np.arange(3),
        "bool": np.array([True, False]),
        "half": grid.astype(np.float16),
    }
    nn.save({**state, "tensor": ag.Tensor(grid), "number": 3.0}, path)
    found = nn.load(path)
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].shape == value.shape
    np.testing.assert_array_equal(found["tensor"], grid)
    found["number"][...] = 4.0  # what was read can be written to


def test_every_truncation_and_every_flipped_byte_is_an_error_and_leaves_the_model(model, tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    content = path.read_bytes()
    before = model.state_dict()
    with ag.no_grad():
        for p in model.parameters():
            p += 1.0
    after = model.state_dict()
    damaged = [content[:n] for n in range(len(content))] + [content + b"\0"]
    start = 8 + int.from_bytes(content[:8], "little")
    damaged += [content[:i] + bytes([content[i] ^ 0x10]) + content[i + 1 :] for i in range(start, len(content))]
    for broken in damaged:
        path.write_bytes(broken)
        with pytest.raises(nn.StateDictError, match=r"model\.safetensors"):
            nn.load(path, into=model)
    assert same(model.state_dict(), after)
    path.write_bytes(content)
    nn.load(path, into=model)
    assert same(model.state_dict(), before)


def test_a_damaged_header_is_never_taken_for_the_model(model, tmp_path):
    """A flipped bit in the header either fails or, where it only touches what readers ignore, reads the same arrays."""
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    content = path.read_bytes()
    before = model.state_dict()
    refused = 0
    for i in range(8 + int.from_bytes(content[:8], "little")):
        path.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        try:
            assert same(nn.load(path), before), i
        except nn.StateDictError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "content", [b"", b"not a safetensors file", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"[]", b"\x04" + b"\0" * 7 + b"null"]
)
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(nn.StateDictError, match="not a whole safetensors file"):
        nn.load(path)


def test_a_file_of_another_model_is_refused_whole(model, tmp_path):
    path = tmp_path / "other.safetensors"
    nn.save(nn.Sequential(nn.Linear(2, 3, rng=5), nn.Tanh(), nn.Linear(3, 2, rng=6)), path)
    before = model.state_dict()
    with pytest.raises(nn.StateDictError, match=r"other\.safetensors.*2\.weight: got shape \(2, 3\), expected \(1, 3\)"):
        nn.load(path, into=model)
    assert same(model.state_dict(), before)


def test_a_missing_file_or_directory_is_named(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load(tmp_path / "nowhere.safetensors")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.save(model, tmp_path / "nowhere" / "model.safetensors")


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(model, tmp_path, monkeypatch, fails):
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, fails, fail)
    monkeypatch.setattr(type(path), fails, fail, raising=False)
    with pytest.raises(OSError, match="no space"):
        nn.save({"other": np.zeros(1000)}, path)
    monkeypatch.undo()
    assert path.read_bytes() == old
    assert [f.name for f in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_link_is_followed_and_permissions_are_the_usual_ones(model, tmp_path):
    target, link = tmp_path / "v1.safetensors", tmp_path / "latest.safetensors"
    target.touch()
    usual = target.stat().st_mode
    link.symlink_to(target)
    nn.save(model, link)
    assert link.is_symlink()
    assert same(nn.load(target), model.state_dict())
    assert target.stat().st_mode == usual


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": np.array(["text"])}, "a: <U4"),
        ({"a": np.array([None])}, "a: object"),
        ({"a": np.zeros(2, np.longdouble)}, "a: "),
        ({1: np.zeros(2)}, "must be strings"),
    ],
)
def test_what_safetensors_cannot_hold_is_refused(state, message, tmp_path):
    with pytest.raises(nn.StateDictError, match=message):
        nn.save(state, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_checksum_is_ordinary_metadata(model, tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert len(header["__metadata__"]["sha256"]) == 64
