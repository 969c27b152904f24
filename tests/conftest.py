"""What every test shares: reproducible randomness and hypothesis profiles."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

import chromium
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Return a generator seeded by the test's own name: a failure repeats, and tests do not depend on their order."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Chromium]:
    """Start one browser for the tests of a file."""
    pytest.importorskip("websocket")
    with chromium.Chromium() as found:
        yield found
