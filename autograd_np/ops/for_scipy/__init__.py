"""The rows of SciPy's functions, a file a family, named after the module of SciPy's that it is for.

Here live rows, as in `ops`, and what may not be done there may not be done here. Nothing is imported before SciPy is:
`ops.row_of_scipys` imports `special` when a ufunc first meets a Tensor without a row, and the modules of `autograd_np.scipy` import
what they need. A file may import no other part of SciPy than its own, so that who uses `scipy.special` does not wait for `scipy.signal`.
"""
