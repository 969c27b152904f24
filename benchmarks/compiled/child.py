"""One contender in a process of its own: ``python -m benchmarks.compiled.child NAME CASE SIZE SEED SECONDS`` prints its figures as JSON."""

from __future__ import annotations

from benchmarks.harness import one_thread

one_thread()  # before anything below imports NumPy

import json  # noqa: E402
import sys  # noqa: E402

from benchmarks.compiled.measure import CASES, in_this_process  # noqa: E402

if __name__ == "__main__":
    name, case, size, seed, least = sys.argv[1:]
    print(json.dumps(in_this_process(name, CASES[case], int(size), int(seed), float(least))))
