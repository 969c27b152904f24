"""Data in batches: datasets, the loader, tables in files, standardisation.

Here lives what stands between files or arrays and the batches that a model is given. It is plain NumPy: Parameters, layers
and gradients may not be known here.

Examples
--------
>>> import numpy as np
>>> import nn
>>> x = np.linspace(-1.0, 1.0, 10)
>>> train, test = nn.data.random_split(nn.data.TensorDataset(x, x**2), [0.8, 0.2], rng=0)
>>> for a, b in nn.data.DataLoader(train, batch_size=3, shuffle=True, rng=0):
...     print(a.shape, b.shape)
(3,) (3,)
(3,) (3,)
(2,) (2,)
"""

from nn.data.dataset import ConcatDataset, Dataset, MappedDataset, Subset, TensorDataset, random_split
from nn.data.loader import DataLoader
from nn.data.shipped import digits
from nn.data.standardise import Standardise
from nn.data.tables import TableDataset, distinct_values

__all__ = [
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "MappedDataset",
    "Standardise",
    "Subset",
    "TableDataset",
    "TensorDataset",
    "digits",
    "distinct_values",
    "random_split",
]
