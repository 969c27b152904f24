"""The loader's order depends on the seed and the epoch alone, its place can be kept, and its thread ends with the loop."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
import nn
from nn.data import DataLoader, Dataset, TensorDataset


def epoch_of(loader):
    return [batch[0].tolist() for batch in loader]


def loader_of(n, size=3, **settings):
    return DataLoader(np.arange(n), size, **({"shuffle": True, "rng": 5} | settings))


def threads():
    return [t for t in threading.enumerate() if t.name == "nn.data prefetch"]


@given(st.integers(1, 20), st.integers(1, 7), st.booleans(), st.booleans(), st.integers(0, 2))
def test_every_sample_once_in_batches_of_the_size(n, size, shuffle, drop_last, prefetch):
    loader = loader_of(n, size, shuffle=shuffle, drop_last=drop_last, prefetch=prefetch)
    for _ in range(2):
        batches = epoch_of(loader)
        assert len(batches) == len(loader)
        assert [len(b) for b in batches[:-1]] == [size] * (len(batches) - 1)
        seen = [sample for batch in batches for sample in batch]
        assert len(seen) == n - (n % size if drop_last else 0)
        assert len(set(seen)) == len(seen)
        assert shuffle or seen == list(range(len(seen)))


def test_the_order_is_a_function_of_seed_and_epoch():
    a, b = loader_of(50), loader_of(50)
    epochs = [epoch_of(a) for _ in range(3)]
    assert len({str(e) for e in epochs}) == 3
    np.random.default_rng(1).normal()
    b.epoch = 2
    assert epoch_of(b) == epochs[2]
    assert epoch_of(loader_of(50, rng=6)) != epochs[0]
    assert epoch_of(loader_of(50, rng=np.random.default_rng(7))) == epoch_of(loader_of(50, rng=np.random.default_rng(7)))


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 3), st.data())
def test_a_kept_place_is_continued(n, size, prefetch, data):
    whole = loader_of(n, size, prefetch=prefetch)
    first, second = epoch_of(whole), epoch_of(whole)
    stop = data.draw(st.integers(0, len(first)))
    left = loader_of(n, size, prefetch=prefetch)
    batches = iter(left)
    for _ in range(stop):
        next(batches)
    new = loader_of(n, size, rng=99)
    new.load_state_dict(left.state_dict())
    assert epoch_of(new) == first[stop:]
    assert epoch_of(new) == second


def test_a_loop_that_was_left_early_is_not_continued():
    loader = loader_of(9)
    for _ in loader:
        break
    assert (loader.epoch, loader.position) == (0, 1)
    reference = loader_of(9)
    reference.epoch = 1
    assert epoch_of(loader) == epoch_of(reference)


def test_a_state_of_other_batches_is_refused():
    state = loader_of(9).state_dict()
    for other, name in ((loader_of(8), "samples"), (loader_of(9, 4), "batch_size"), (loader_of(9, shuffle=False), "shuffle")):
        with pytest.raises(nn.StateDictError, match=name):
            other.load_state_dict(state)
    with pytest.raises(nn.StateDictError, match="expected seed, epoch"):
        loader_of(9).load_state_dict({"epoch": 0})


def test_samplers():
    assert epoch_of(loader_of(9, shuffle=False, sampler=[8, 1, 1, -9])) == [[8, 1, 1], [0]]
    assert len(loader_of(9, shuffle=False, sampler=[8, 1, 1, -9])) == 2
    drawn = loader_of(9, shuffle=False, sampler=lambda rng: rng.choice(9, 5))
    epochs = [epoch_of(drawn) for _ in range(2)]
    assert epochs[0] != epochs[1]
    again = loader_of(9, shuffle=False, sampler=lambda rng: rng.choice(9, 5))
    assert [epoch_of(again) for _ in range(2)] == epochs


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 0}, ValueError, "batch_size=0"),
        ({"size": 2.0}, ValueError, "batch_size=2.0"),
        ({"prefetch": -1}, ValueError, "prefetch=-1"),
        ({"sampler": [1]}, ValueError, "shuffle=True cannot be given with it"),
        ({"rng": -1}, ValueError, "rng=-1"),
    ],
)
def test_wrong_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        loader_of(9, **settings)


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError, match=r"Dataset, an array or a tuple of arrays \(X, y\), got list"):
        DataLoader([1, 2])


# --- the thread -----------------------------------------------------------------------------------


class Failing(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        if i == 3:
            raise KeyError("row 3 is broken")
        return float(i)


def test_an_error_in_the_thread_reaches_the_loop_in_its_turn():
    seen = []

    def loop():
        for batch in DataLoader(Failing(), prefetch=4):
            seen.append(batch.tolist())

    with pytest.raises(KeyError, match="row 3 is broken"):
        loop()
    assert seen == [[0.0], [1.0], [2.0]]
    assert threads() == []


@pytest.mark.parametrize("ahead", [1, 3, 100])
@pytest.mark.parametrize("taken", [0, 1, 5])
def test_leaving_the_loop_ends_the_thread(ahead, taken):
    batches = iter(loader_of(50, 1, prefetch=ahead))
    for _ in range(taken):
        next(batches)
    assert ahead == 100 or len(threads()) == (1 if taken else 0)  # it may have made a hundred by now
    del batches
    assert threads() == []


def test_an_error_in_the_loop_ends_the_thread():
    def loop():
        for _ in loader_of(50, 1, prefetch=2):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        loop()
    assert threads() == []


def test_batches_are_made_ahead_and_no_more_than_that():
    made, enough = [], threading.Event()

    class Noting(TensorDataset):
        def batch(self, indices):
            made.extend(indices.tolist())
            if len(made) == 4:  # the one in use, two that wait, and one that waits for room
                enough.set()
            return super().batch(indices)

    batches = iter(DataLoader(Noting(np.arange(20)), prefetch=2))
    next(batches)
    assert enough.wait(10)
    assert len(made) == 4
    batches.close()


def test_the_thread_runs_under_the_settings_of_the_loop():
    def collate(samples):
        return np.array(samples), np.geterr()["over"], np.exp(ag.Tensor([1.0], requires_grad=True)).requires_grad

    with np.errstate(over="raise"), ag.no_grad():
        ((_, over, recorded),) = DataLoader(np.arange(2), 2, collate_fn=collate, prefetch=1)
    assert (over, recorded) == ("raise", False)


# --- memory-mapped arrays -------------------------------------------------------------------------


def test_a_shuffled_batch_reads_only_its_rows(tmp_path):
    """The file is 64 GB long, without content: reading all of it would take minutes, and fill the memory."""
    rows, width = 2**16, 2**17
    with (tmp_path / "x.bin").open("wb") as file:
        file.truncate(rows * width * 8)
    x = np.memmap(tmp_path / "x.bin", np.float64, "r", shape=(rows, width))
    loader = DataLoader((x, np.arange(rows)), batch_size=2, shuffle=True, rng=0)
    for (a, b), _ in zip(loader, range(3), strict=False):
        assert type(a) is np.ndarray
        assert a.shape == (2, width)
        assert len(set(b)) == 2
