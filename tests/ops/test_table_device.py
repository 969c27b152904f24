"""Every row of the table on arrays of a device: it works there, in both modes, or is refused by name when it is recorded."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from device import DeviceArray, host
from table import DIFFERENTIABLE, SCIPYS, Sample, rows, samples, seed_of

import autograd_np as ag
from autograd_np.op import Op
from autograd_np.tensor import value_of

HOST = {"bessel_i", "i0", "polygamma", "comb", "lambertw", "solved"}  # what is computed with NumPy's own arrays in the middle


def _calls_scipy(op: Op) -> bool:
    """Whether a row is computed by functions of SciPy's, in compiled code: those of `scipy.special` are ufuncs."""
    families = tuple(f"autograd_np.ops.for_scipy.{family}" for family in ("linalg", "signal", "sparse"))
    return str(getattr(op.fn, "__module__", "")) in families and op.name != "completed"


def there(x: Any) -> Any:
    return DeviceArray(x) if isinstance(x, (np.ndarray, np.generic)) else x


def moved_there(s: Sample) -> Sample:
    """Return the call with all its operands on the device, masks too; indices may stay."""
    attrs = {k: there(v) if k in ("where", "condition") else v for k, v in s.attrs.items()}
    return replace(s, arrays=tuple(map(there, s.arrays)), attrs=attrs)


def same(found: Any, expected: Any, what: str) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert isinstance(a, DeviceArray), (what, type(a))
        assert a.dtype == b.dtype, what
        np.testing.assert_allclose(host(a), b, rtol=1e-9, atol=1e-11, err_msg=what)


@rows(DIFFERENTIABLE)
def test_a_row_works_on_a_device_or_is_refused_by_name(op: Op) -> None:
    for s in itertools.islice(samples(op), 6):
        on_device = moved_there(s)
        if _calls_scipy(op) or (op.name in HOST and not (op.name == "i0" and op in SCIPYS)):
            with pytest.raises(ag.NoRowError, match=op.name):
                ag.vjp(on_device.call, *on_device.floats)
            continue
        expected, pullback = ag.vjp(s.call, *s.floats)
        found, pull = ag.vjp(on_device.call, *on_device.floats)
        w = seed_of(s, expected)
        assert isinstance(value_of(found), DeviceArray), s
        tangents = [np.ones_like(x) for x in s.floats]
        moved = ag.jvp(on_device.call, on_device.floats, [there(t) for t in tangents])[1]
        same([found, *pull(there(w)), moved], [expected, *pullback(w), ag.jvp(s.call, s.floats, tangents)[1]], f"{s}")
