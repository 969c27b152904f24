"""Many examples at once: arrays with a leading axis of examples that act like one of them.

Here lives what `vmap` needs below it: the array, and how each row of the table runs on it. A row that is not named here runs in a
loop over the examples; no derivative may live here, since a Tensor holds such an array as it holds any other, and it holds Tensors.
"""

from __future__ import annotations

from autograd_np.batching import methods
from autograd_np.batching.batch import Batch, Examples, Unbatchable, stacked
from autograd_np.batching.call import read_only

__all__ = ["Batch", "Examples", "Unbatchable", "methods", "read_only", "stacked"]
