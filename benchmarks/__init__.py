"""Benchmarks of autograd_np beside NumPy written by hand and beside other engines: ``python -m benchmarks``.

Here live a file for each comparison, and the rounds, statistics and tables that they share. A contender may not be timed
before it has been seen to compute what the others do, and nothing of the package may import what lives here.
"""
