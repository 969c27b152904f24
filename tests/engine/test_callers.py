"""Whose code a file is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autograd_np
import nn
from autograd_np.callers import is_users_file


@pytest.mark.parametrize(
    "file",
    [
        np.__file__,
        json.__file__,
        autograd_np.__file__,
        nn.__file__,
        "/elsewhere/lib/python3.11/site-packages/rich/text.py",
        "/usr/lib/python3/dist-packages/yaml/__init__.py",
    ],
)
def test_what_is_installed_is_nobodys_own(file: str) -> None:
    assert not is_users_file(file)


@pytest.mark.parametrize(
    "file", ["net.py", "/home/me/numpy/net.py", str(Path(autograd_np.__file__).parents[1] / "numpy" / "net.py"), "<stdin>"]
)
def test_a_persons_file_is_theirs_in_whatever_folder(file: str) -> None:
    assert is_users_file(file)
