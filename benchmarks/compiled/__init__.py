"""Compiled code beside NumPy written by hand and beside other engines: ``python -m benchmarks.compiled``.

Here live a table of cases, a table of contenders, and what times each case in the hands of each contender, in one process and in a
process of its own, and writes docs/benchmarks.md. No file of a case may import more than NumPy when it is imported, so that a process
that measures what is written by hand has loaded no engine.
"""
