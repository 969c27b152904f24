"""The memory of a dead graph stays with the process: the next step finds it without page faults."""

import os
import subprocess
import sys

import pytest

STEPS = """
import resource
import numpy as np
import autograd_np as ag

x = np.linspace(0, 1, 10_000)
f = ag.value_and_grad(lambda x: np.sum(np.log(1 / (1 + np.exp(-np.sin(x) * x))) ** 2))
for _ in range(5):
    f(x)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    f(x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20)
"""


def in_a_fresh_process(code, **environment):
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "AUTOGRAD_NP_"))} | environment
    return subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="counts page faults of glibc's allocator")
def test_a_step_costs_no_page_faults_unless_switched_off():
    kept = float(in_a_fresh_process(STEPS).stdout)
    given_back = float(in_a_fresh_process(STEPS, AUTOGRAD_NP_KEEP_MEMORY="0").stdout)
    if given_back < 10:
        pytest.skip("this allocator keeps freed memory by itself")
    assert kept < 0.1 * given_back


def test_the_switch_is_0_or_1():
    run = in_a_fresh_process("import autograd_np", AUTOGRAD_NP_KEEP_MEMORY="no\x1b[31m")
    assert run.returncode == 1
    assert "AUTOGRAD_NP_KEEP_MEMORY must be 0 or 1 in the environment, got no\\x1b[31m" in run.stderr
