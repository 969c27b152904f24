"""Datasets give the samples they are asked for, in the order they are asked for, and split without loss or overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
import nn
from nn.data import ConcatDataset, DataLoader, Dataset, Standardise, Subset, TensorDataset, random_split


class Squares(Dataset):
    """A dataset as a person writes one: a sample at a time."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return {"x": np.array([i, -i]), "y": float(i**2)}


def test_a_batch_is_one_index_of_each_array():
    taken = []

    class Counting(np.ndarray):
        def __getitem__(self, key):
            taken.append(key)
            return super().__getitem__(key)

    x = np.arange(20.0).reshape(10, 2)
    data = TensorDataset(x)
    data.arrays = (x.view(Counting),)
    for _ in DataLoader(data, batch_size=5, shuffle=True, rng=0):
        pass
    assert [len(key) for key in taken] == [5, 5]


def test_a_row_by_row_dataset_is_collated():
    (first, second) = DataLoader(Squares(3), batch_size=2)
    assert first["x"].tolist() == [[0, 0], [1, -1]]
    assert second["y"].tolist() == [4.0]


def test_a_collate_fn_gets_the_samples():
    ragged = [np.arange(n) for n in (1, 3, 2)]

    class Ragged(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return ragged[i]

    def padded(samples):
        width = max(map(len, samples))
        return np.stack([np.pad(s, (0, width - len(s))) for s in samples])

    batches = [b.tolist() for b in DataLoader(Ragged(), 2, collate_fn=padded)]
    assert batches == [[[0, 0, 0], [0, 1, 2]], [[0, 1]]]
    with pytest.raises(nn.ShapeMismatchError, match="collate_fn"):
        next(iter(DataLoader(Ragged(), 2)))


def test_tensors_are_data_too():
    x = ag.Tensor([[1.0], [2.0]], requires_grad=True)
    (batch,) = DataLoader(TensorDataset(x, [3, 4]), 2)
    assert type(batch[0]) is np.ndarray
    assert batch[1].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ((), TypeError, "got none"),
        ((np.zeros(3), np.zeros(4)), nn.ShapeMismatchError, r"\(3,\), \(4,\)"),
        ((np.zeros(()),), nn.ShapeMismatchError, r"argument 0 has shape \(\)"),
        ((np.array([[1], [2, 3]], dtype=object),), TypeError, "rows of one length"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(arrays, error, message):
    with pytest.raises(error, match=message):
        TensorDataset(*arrays)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_datasets_one_after_another_are_one(sizes, random):
    x = np.arange(sum(sizes))
    parts = [TensorDataset(part, -part) for part in np.split(x, np.cumsum(sizes)[:-1])]
    both = ConcatDataset(parts)
    indices = np.array([random.randrange(len(x)) for _ in range(7)])
    a, b = both.batch(indices)
    assert a.tolist() == indices.tolist()
    assert b.tolist() == (-indices).tolist()
    assert all(both[i] == (x[i], -x[i]) for i in range(-len(x), len(x)))


def test_wrong_numbers_are_refused():
    data = TensorDataset(np.zeros(3))
    with pytest.raises(IndexError, match="no sample 3; the dataset has 3"):
        Subset(data, [0, 3])
    with pytest.raises(TypeError, match="integers"):
        Subset(data, [0.5])
    with pytest.raises(IndexError, match="no sample -4"):
        ConcatDataset([data])[-4]
    with pytest.raises(ValueError, match="got none"):
        ConcatDataset([])


@given(st.integers(1, 40), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5))
def test_a_split_loses_nothing_and_repeats(n, weights, seed):
    data = TensorDataset(np.arange(n))
    shares = [w / sum(weights) for w in weights]
    parts = random_split(data, shares, rng=seed)
    again = random_split(data, shares, rng=seed)
    assert sorted(np.concatenate([p.indices for p in parts]).tolist()) == list(range(n))
    assert all(np.array_equal(a.indices, b.indices) for a, b in zip(parts, again, strict=True))
    assert all(abs(len(p) - n * share) <= len(parts) for p, share in zip(parts, shares, strict=True))


def test_a_split_by_counts():
    parts = random_split(TensorDataset(np.arange(5)), [2, 3], rng=0)
    assert list(map(len, parts)) == [2, 3]
    for lengths in ([2, 2], [0.5, 0.6], [-1, 6]):
        with pytest.raises(ValueError, match="lengths"):
            random_split(TensorDataset(np.arange(5)), lengths, rng=0)


def test_a_mapped_dataset_is_computed_batch_by_batch():
    sizes = []

    def halved(x, y):
        sizes.append(len(x))
        return x / 2, y

    data = TensorDataset(np.arange(5.0), np.arange(5)).map(halved)
    assert [x.tolist() for x, _ in DataLoader(data, 4)] == [[0.0, 0.5, 1.0, 1.5], [2.0]]
    assert sizes == [4, 1]
    assert data[-1] == (2.0, 4)
    with pytest.raises(nn.ShapeMismatchError, match="got 2 samples"):
        TensorDataset(np.arange(5.0)).map(lambda x: x.sum(keepdims=True)).batch(np.array([0, 1]))


# --- standardisation ------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(1, 7))
def test_moments_of_blocks_are_those_of_all(n, cut):
    x = np.random.default_rng(n).normal(3, 2, (n, 2)) * [1e-3, 1e5]

    class Blocks(TensorDataset):
        def blocks(self):
            return [range(i, min(i + cut, n)) for i in range(0, n, cut)]

    fitted = Standardise().fit(Blocks(x))
    np.testing.assert_allclose(fitted.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fitted.scale, np.where(x.std(axis=0) > 0, x.std(axis=0), 1), rtol=1e-9)
    np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, rtol=1e-9)


def test_only_the_training_part_is_looked_at():
    data = TensorDataset(np.array([[0.0], [2.0], [1e9]]), np.array([1.0, 3.0, 1e9]))
    train = Subset(data, [0, 1])
    of_x, of_y = Standardise().fit(train), Standardise().fit(train, part=1)
    assert (of_x.mean.tolist(), of_x.scale.tolist(), of_y.mean.tolist(), of_y.scale.tolist()) == ([1.0], [1.0], 2.0, 1.0)


def test_a_state_is_kept_in_a_file(tmp_path):
    fitted = Standardise().fit(np.arange(6.0).reshape(3, 2))
    nn.save(fitted, tmp_path / "moments.safetensors")
    new = Standardise()
    nn.load(tmp_path / "moments.safetensors", into=new)
    assert np.array_equal(new.transform(np.ones((1, 2))), fitted.transform(np.ones((1, 2))))
    with pytest.raises(nn.StateDictError, match="expected mean and scale"):
        new.load_state_dict({"mean": np.zeros(2)})


def test_images_tensors_and_single_precision_are_transformed():
    fitted = Standardise().fit(np.arange(8.0).reshape(2, 2, 2))
    assert fitted.transform(np.zeros((5, 2, 2), np.float32)).dtype == np.float32
    assert isinstance(fitted.transform(ag.Tensor(np.zeros((1, 2, 2)))), ag.Tensor)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[1.0, np.nan], [1.0, 2.0]], ag.DataError, "feature 1 has a number that is not finite"),
        ([[1e200], [-1e200]], ag.DataError, "too large to square"),
        (np.zeros((0, 2)), ag.DataError, "no samples"),
        (1.0, nn.ShapeMismatchError, r"shape \(\)"),
    ],
)
def test_what_cannot_be_standardised_is_refused(x, error, message):
    with pytest.raises(error, match=message):
        Standardise().fit(x)


def test_a_tuple_of_arrays_is_a_dataset_wherever_one_is_wanted():
    x, y = np.arange(10.0)[:, None], np.arange(10)
    first, second = random_split((x, y), [0.7, 0.3], rng=0)
    assert sorted([*first.batch(np.arange(7))[1], *second.batch(np.arange(3))[1]]) == list(range(10))
    assert Subset((x, y), [3])[0][1] == 3
    assert ConcatDataset(iter([(x, y), (x, y)]))[13][1] == 3
    assert Standardise().fit((x, y)).mean == 4.5
    assert Standardise().fit((x, 2 * y), part=-1).mean == 9.0
    with pytest.raises(TypeError, match=r"got list; write arrays as a tuple, and derive .* from nn\.data\.Dataset"):
        random_split([x, y], [0.5, 0.5])


def test_misuse_is_told():
    with pytest.raises(ValueError, match="has not been fitted"):
        Standardise().transform(np.zeros(2))
    with pytest.raises(nn.ShapeMismatchError, match=r"samples of shape \(2,\), got an array of shape \(4, 3\)"):
        Standardise().fit(np.zeros((3, 2))).transform(np.zeros((4, 3)))


# --- digits ---------------------------------------------------------------------------------------


def test_digits_come_with_scikit_learn():
    pytest.importorskip("sklearn")
    x, y = nn.data.digits(images=True, dtype=np.float32)
    assert (x.shape, x.dtype, x.min(), x.max()) == ((1797, 1, 8, 8), np.float32, 0, 1)
    assert np.bincount(y).min() > 170
    assert np.array_equal(nn.data.digits()[0], x.reshape(-1, 64))


def test_without_it_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(nn.MissingExtraError, match=r"autograd-np\[sklearn\]"):
        nn.data.digits()
