"""Every example in a docstring is executed, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.op import Primitive

NEEDS = {
    "autograd_np.compiling.fast_math": "numba",
    "nn.data.shipped": "sklearn",
    "nn.data.tables": "pyarrow",
    "nn.training.metrics": "sklearn",
}  # what an example needs and a fresh machine has not

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _modules() -> list[str]:
    names = []
    for package in ("autograd_np", "nn"):
        try:
            root = importlib.import_module(package)
        except ModuleNotFoundError as missing:
            if missing.name != package:
                raise
            continue
        names += [package, *(m.name for m in pkgutil.walk_packages(root.__path__, f"{package}.") if not m.name.endswith("__main__"))]
    return names


def _examples(module: ModuleType) -> list[doctest.DocTest]:
    """Collect examples, also of the primitives: callable objects, which doctest's own finder passes over."""
    found = [t for t in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={}) if t.examples]
    if module.__name__.startswith("autograd_np.scipy"):  # what stands for a function of SciPy's has SciPy's docstring
        found = [t for t in found if not hasattr(vars(module).get(t.name.rpartition(".")[2]), "__wrapped__")]
    seen = {t.name for t in found}
    parser = doctest.DocTestParser()
    for name, value in vars(module).items():
        if isinstance(value, Primitive) and value.implementation.__module__ == module.__name__ and value.__doc__:
            full = f"{module.__name__}.{name}"
            if full not in seen:
                found.append(parser.get_doctest(value.__doc__, dict(vars(module)), full, module.__file__, 0))
    if module.__name__ == "autograd_np.numpy":  # whose functions have NumPy's docstrings
        found = [t for t in found if t.name == module.__name__]
    return [t for t in found if t.examples]


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module(name: str) -> None:
    if "scipy" in name:
        pytest.importorskip("scipy")
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    report: list[str] = []
    with np.printoptions():
        for test in _examples(importlib.import_module(name)):
            runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


@pytest.mark.parametrize("name", [n for n in ag.__all__ if not (inspect.isclass(getattr(ag, n)) and issubclass(getattr(ag, n), Exception))])
def test_every_public_name_has_an_example(name: str) -> None:
    value: Any = getattr(ag, name)
    assert value.__doc__, f"ag.{name} has no docstring"
    assert ">>>" in value.__doc__, f"the docstring of ag.{name} has no example"


def test_every_error_says_what_it_means() -> None:
    for name in ag.__all__:
        value = getattr(ag, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            assert len(value.__doc__ or "") > 30


def test_a_wrong_example_would_be_caught() -> None:
    module = ModuleType("wrong")
    module.__doc__ = ">>> 1 + 1\n3\n"
    module.__file__ = __file__
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    for test in _examples(module):
        runner.run(test, out=lambda text: None)
    assert runner.failures == 1
