"""`import autograd_np` against `import numpy`, each in a fresh process, in paired rounds.

The child times its own import, so starting the interpreter, equal for both, does not blur the ratio. Both find
their bytecode compiled, as installed packages do, whatever the environment says about writing it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from benchmarks.harness import Settings, Timing, compare, interleave

__all__ = ["import_seconds", "run"]

_CHILD = "import sys, time; start = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - start)"


def import_seconds(module: str, bytecode: str) -> float:
    """Return how long a fresh interpreter takes to import `module`, with its bytecode cached in the directory `bytecode`.

    Raises
    ------
    RuntimeError
        If the module cannot be imported; with the child's message.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": bytecode}
    command = [sys.executable, "-c", _CHILD, module]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (a list of our own)
    if child.returncode != 0:
        raise RuntimeError(f"import {module} failed in a fresh process:\n{child.stderr}")
    return float(child.stdout)


def run(settings: Settings) -> list[Timing]:
    """Time both imports; the first of each, which compiles the modules to bytecode, is thrown away."""
    modules = ("numpy", "autograd_np")
    with tempfile.TemporaryDirectory() as bytecode:
        for module in modules:
            import_seconds(module, bytecode)
        tasks = {f"import {module}": (lambda module=module: import_seconds(module, bytecode)) for module in modules}
        return compare(interleave(tasks, settings.rounds, settings.seed))
