"""Benchmarks of autograd_np beside NumPy written by hand and beside other engines: ``python -m benchmarks``."""
