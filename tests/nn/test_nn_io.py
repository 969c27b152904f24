"""Files: round trips, and what a damaged file or a crash may not do."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

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


def test_an_open_file_is_no_path(model, tmp_path):
    with (tmp_path / "m").open("wb") as file:
        for call in (lambda: nn.save(model, file), lambda: nn.load(file)):
            with pytest.raises(TypeError, match="path must be a string or a path, got BufferedWriter"):
                call()


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
        ({"a": np.zeros(1), "__metadata__": np.zeros(2)}, "__metadata__ is reserved"),
        ({"\ud800": np.zeros(2)}, r"\\ud800"),
    ],
)
def test_what_safetensors_cannot_hold_is_refused(state, message, tmp_path):
    with pytest.raises(nn.StateDictError, match=message):
        nn.save(state, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_texts_beside_the_arrays(model, tmp_path):
    file = tmp_path / "m.safetensors"
    texts = {"unit": "m²", "about": '{"a": [1, 2]}'}
    nn.save(model, file, metadata=texts)
    assert nn.io.read_metadata(file) == texts
    assert set(nn.load(file)) == set(model.state_dict())
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"unit":"m', b'"unit":"k'))
    for read in (nn.io.read_metadata, nn.load):
        with pytest.raises(nn.StateDictError, match="is damaged"):
            read(file)
    nn.save(model, file)
    assert nn.io.read_metadata(file) == {}


def test_the_checksum_is_ordinary_metadata(model, tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save(model, path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert len(header["__metadata__"]["sha256"]) == 64


def test_a_name_that_is_refused_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    nn.save({"a": np.ones(2)}, path)
    with pytest.raises(nn.StateDictError, match="reserved"):
        nn.save({"__metadata__": np.ones(2)}, path)
    assert list(nn.load(path)) == ["a"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual_one(mode, model, tmp_path):
    path = tmp_path / "a.safetensors"
    nn.save(model, path)
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    path.chmod(mode)
    nn.save(model, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_may_not_be_written_is_left_alone(model, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    nn.save({"old": np.ones(1)}, path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs the tests may be root
    with pytest.raises(PermissionError, match=r"may not be written.*a\.safetensors"):
        nn.save(model, path)
    assert list(nn.load(path)) == ["old"]


def test_pipes_are_written_to_and_stay(model, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="start its reader first") as caught:
        nn.save(model, path)
    assert caught.value.errno == errno.ENXIO
    big = {"a": np.arange(100_000.0)}  # more than a pipe holds
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    for _ in range(1000):
        try:
            nn.save(big, path)
            break
        except OSError:
            time.sleep(0.01)
    reader.join()
    assert path.is_fifo()
    (tmp_path / "copy").write_bytes(got[0])
    assert same(nn.load(tmp_path / "copy"), big)
    assert {f.name for f in tmp_path.iterdir()} == {"pipe", "copy"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_devices_are_written_to_and_stay(model, tmp_path):
    for link in (Path("/dev/full"), tmp_path / "link"):
        if link.parent == tmp_path:
            link.symlink_to("/dev/full")
        for state in (model, {"a": np.zeros(100_000)}):
            with pytest.raises(OSError, match="No space left"):
                nn.save(state, link)
        assert link.is_char_device()
    nn.save(model, "/dev/null")
    assert Path("/dev/null").is_char_device()
    code = "import nn, sys; nn.save(nn.Linear(2, 1, rng=0), '/dev/stdout')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    (tmp_path / "a").write_bytes(done.stdout)
    assert sorted(nn.load(tmp_path / "a")) == ["bias", "weight"]


def test_folders_and_links_in_circles_are_refused(model, tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "c"):
        with pytest.raises(OSError, match=path.name):
            nn.save(model, path)
    (tmp_path / "new").symlink_to(tmp_path / "target")
    nn.save(model, tmp_path / "new")
    assert same(nn.load(tmp_path / "target"), model.state_dict())
    assert (tmp_path / "new").is_symlink()


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "a\nb", ".tmp", "*[?]"])
def test_every_name_of_a_file(name, model, tmp_path):
    for _ in range(2):
        nn.save(model, tmp_path / name)
    assert same(nn.load(tmp_path / name), model.state_dict())
    assert [f.name for f in tmp_path.iterdir()] == [name]


KILLED = """
import os, signal, sys
import numpy as np
import nn
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
{how}
nn.save({{"a": np.zeros(1000)}}, sys.argv[1])
"""


@pytest.mark.parametrize("how", ["os.fsync = kill", "os.fchmod = kill", "import pathlib; pathlib.Path.replace = kill"])
def test_what_a_killed_save_left_goes_with_the_next(how, model, tmp_path):
    path = tmp_path / "a.safetensors"
    nn.save(model, path)
    (tmp_path / "bystander.tmp").touch()
    for _ in range(2 if "fsync" in how else 1):
        done = subprocess.run([sys.executable, "-c", KILLED.format(how=how), str(path)], check=False)
        assert done.returncode == -signal.SIGKILL
        assert same(nn.load(path), model.state_dict())
        assert len(list(tmp_path.iterdir())) == 3  # of two that were killed, the second took away what the first left
    nn.save(model, path)
    assert {f.name for f in tmp_path.iterdir()} == {"a.safetensors", "bystander.tmp"}


def test_saves_at_the_same_time_do_not_take_each_other_for_left_behind(tmp_path):
    path = tmp_path / "a.safetensors"
    code = "import sys, numpy as np, nn\nfor _ in range(25): nn.save({'a': np.full(1000, float(sys.argv[2]))}, sys.argv[1])"
    saving = [subprocess.Popen([sys.executable, "-c", code, str(path), str(k)]) for k in range(3)]
    threads = [threading.Thread(target=lambda: [nn.save({"a": np.full(1000, 9.0)}, path) for _ in range(25)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [p.wait() for p in saving] == [0, 0, 0]
    assert len(set(nn.load(path)["a"].tolist())) == 1
    assert [f.name for f in tmp_path.iterdir()] == ["a.safetensors"]


def crafted(header):
    text = header.encode()
    return len(text).to_bytes(8, "little") + text + np.arange(4.0).tobytes()


@pytest.mark.parametrize(
    "header",
    [
        '{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"a":{"dtype":"F64","shape":[2],"data_offsets":[16,32]}}',
        '{"a":{"dtype":"F64","shape":[4],"shape":[2,2],"data_offsets":[0,32]}}',
        '{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F64","shape":[4],"data_offsets":[0,32]}}',
        r'{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"\u0061":{"dtype":"F64","shape":[2],"data_offsets":[16,32]}}',
    ],
)
def test_a_name_that_occurs_twice_is_refused(header, tmp_path):
    path = tmp_path / "twice.safetensors"
    path.write_bytes(crafted(header))
    with pytest.raises(nn.StateDictError, match=r"twice\.safetensors"):
        nn.load(path)


def test_names_that_would_command_a_terminal_are_shown(tmp_path):
    path = tmp_path / "a\x1b[2J.safetensors"
    nn.save({"\x1b]0;gone\x07": np.ones(2)}, path)
    for act in (
        lambda: nn.load(path, into=nn.Linear(1, 1, rng=0)),
        lambda: nn.save({"\x1b]0;gone": np.array(["text"])}, path),
        lambda: nn.functional_call(nn.Linear(1, 1, rng=0), {"\x1b[2J": np.ones(1)}, np.ones((1, 1))),
    ):
        with pytest.raises(nn.StateDictError, match=r"\\x1b") as caught:
            act()
        assert "\x1b" not in str(caught.value)


def written(path, arrays, metadata=None):
    """Write a safetensors file of (dtype, shape, bytes), as another program would."""
    header, content = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, (dtype, shape, data) in arrays.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def test_bfloat16_is_widened_to_what_it_is_the_upper_half_of(tmp_path):
    bits = np.array([0x3F80, 0xC020, 0x7F80, 0x0001, 0x8000, 0x7FC0], "<u2")
    written(tmp_path / "a", {"a": ("BF16", [2, 3], bits.tobytes()), "b": ("BF16", [], bits[1:2].tobytes()), "c": ("BF16", [0], b"")})
    state = nn.load(tmp_path / "a")
    expected = np.array([[1.0, -2.5, np.inf], [2.0**-133, -0.0, np.nan]], np.float32)
    np.testing.assert_array_equal(state["a"].view(np.uint32), expected.view(np.uint32))
    assert (state["b"].item(), state["b"].shape, state["c"].shape, state["c"].dtype) == (-2.5, (), (0,), np.float32)


def test_a_dtype_that_numpy_lacks_is_refused_by_name(tmp_path):
    written(tmp_path / "a", {"a": ("F8_E4M3", [2], b"\0\0"), "b": ("F32", [1], b"\0" * 4)})
    with pytest.raises(nn.StateDictError, match=r"dtypes that NumPy lacks \(a: F8_E4M3\); convert them"):
        nn.load(tmp_path / "a")


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"\0" * 30, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."])
def test_a_pickle_is_told_from_a_damaged_file(content, tmp_path):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(nn.StateDictError, match=r"model\.pt is not a safetensors file but a pickle.*safetensors\.torch\.save_model"):
        nn.load(tmp_path / "model.pt")


@pytest.mark.parametrize(("prefix", "why"), [("module.", ", as torch.nn.DataParallel writes them"), ("net.encoder.", "")])
def test_a_prefix_is_told_and_taken_off(prefix, why, model, tmp_path):
    before = model.state_dict()
    nn.save({**{f"{prefix}{name}": a + 1 for name, a in before.items()}, "other": np.ones(1)}, tmp_path / "a")
    with pytest.raises(nn.StateDictError, match=re.escape(f"begin with {prefix!r}{why}: nn.load(path, into=model, prefix={prefix!r})")):
        nn.load(tmp_path / "a", into=model)
    assert same(model.state_dict(), before)
    state = nn.load(tmp_path / "a", into=model, prefix=prefix)
    assert same(state, {name: a + 1 for name, a in before.items()})
    assert same(model.state_dict(), state)
    with pytest.raises(nn.StateDictError, match=r"no name that begins with 'decoder\.'; it has"):
        nn.load(tmp_path / "a", prefix="decoder.")


@pytest.fixture
def tied():
    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1), nn.BatchNorm1d(3))
    model[1].weight = model[0].weight
    model.norm = model[2]
    return model


def test_of_what_is_tied_one_name_is_enough_and_two_must_agree(tied, tmp_path):
    state = {name: a + 1 for name, a in tied.state_dict().items()}
    kept = {name: a for name, a in state.items() if name != "0.weight" and not name.startswith("norm.")}
    nn.save(kept, tmp_path / "a")
    nn.load(tmp_path / "a", into=tied)
    assert same(tied.state_dict(), state)
    for other in ("0.weight", "norm.running_mean"):
        nn.save({**kept, other: state[other] + 1}, tmp_path / "a")
        with pytest.raises(nn.StateDictError, match=f"{other}.* are tied, but have different values"):
            nn.load(tmp_path / "a", into=tied)
    assert same(tied.state_dict(), state)


def test_what_a_writer_left_out_as_tied_is_put_back(tmp_path):
    written(tmp_path / "a", {"a": ("F32", [1], b"\0\0\x80\x3f")}, {"format": "pt", "b": "a", "c": "nowhere"})
    state = nn.load(tmp_path / "a")
    assert same(state, {"a": np.ones(1, np.float32), "b": np.ones(1, np.float32)})
    state["b"][0] = 2.0
    assert state["a"] == 1.0
