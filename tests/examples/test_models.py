"""The models of examples/: each learns, has the gradient of central differences, and is a NumPy program but for its import lines."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from oracles import directional

import autograd_np as ag

EXAMPLES = Path(__file__).parents[2] / "examples"


def _has(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _source(name: str) -> str:
    return (EXAMPLES / f"{name}.py").read_text("utf-8")


def _run(name: str, source: str) -> Any:
    module = types.ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


# --- a loss of each model, at a point -------------------------------------------------------------


class Model(NamedTuple):
    """What the tests need of an example: the loss of its parameters at a point, and what has to be true after `main`."""

    problem: Callable[[Any], tuple[Callable[[Any], Any], Any]]
    learned: Callable[[Any], None]
    needs: tuple[str, ...] = ()


def _logistic(m: Any) -> Any:
    x, y = m.load()
    return (lambda w: m.loss(w, x, y)), np.array([0.3, -0.2, 0.1])


def _mlp(m: Any) -> Any:
    rng = np.random.default_rng(1)
    x, label = m.spirals(20, rng)
    return (lambda p: m.loss(p, x, label)), m.initialize([2, 5, 4, 2], rng)


def _cnn(m: Any) -> Any:
    rng = np.random.default_rng(2)
    x, label = m.images(6, rng)
    return (lambda p: m.loss(p, x, label)), m.initialize(rng)


def _rnn(m: Any) -> Any:
    return (lambda p: m.loss(p, m.TEXT[:25])), m.initialize(6, np.random.default_rng(3))


def _gp(m: Any) -> Any:
    x, y = m.data(15, np.random.default_rng(4))
    return (lambda theta: m.negative_log_likelihood(theta, x, y)), np.array([0.2, -0.1, -1.0])


def _ode(m: Any) -> Any:
    observed = m.simulate(np.array([9.0, 0.4]))[:, 0]
    return (lambda p: m.loss(p, observed)), np.array([7.0, 0.2])


def _bayes(m: Any) -> Any:
    x, y, _ = m.data(20, np.random.default_rng(5))
    return (lambda theta: m.log_posterior(theta, x, y)), np.array([0.5, -1.0, -0.3])


def _fitted(result: Any) -> None:
    found, accuracy = result
    assert found.success
    assert found.fun < 0.2
    assert accuracy > 0.92


def _trained(result: Any, floor: float) -> None:
    losses, accuracy = result
    assert losses[-1] < 0.1 * losses[0]
    assert accuracy > floor


def _wrote(result: Any) -> None:
    losses, text = result
    assert losses[-1] < 0.1 < 2 < losses[0]
    assert text.startswith("peter piper picked a peck of pickled peppers; a peck")


def _regressed(result: Any) -> None:
    found, noise, error, inside = result
    assert found.success
    assert abs(noise - 0.2) < 0.06
    assert error < 0.2
    assert inside > 0.8


def _swung(result: Any) -> None:
    found, truth = result
    assert found.fun < 0.0005
    np.testing.assert_allclose(found.x, truth, rtol=0.06)


def _sampled(result: Any) -> None:
    mean, deviation, truth, accepted = result
    assert np.all(abs(mean - truth) < 3 * deviation)
    assert np.all(deviation < 0.2)
    assert accepted > 0.4


MODELS = {
    "logistic_regression": Model(_logistic, _fitted, ("scipy",)),
    "mlp": Model(_mlp, lambda r: _trained(r, 0.97)),
    "cnn": Model(_cnn, lambda r: _trained(r, 0.95)),
    "char_rnn": Model(_rnn, _wrote),
    "gaussian_process": Model(_gp, _regressed, ("scipy",)),
    "ode": Model(_ode, _swung, ("scipy",)),
    "bayesian_regression": Model(_bayes, _sampled, ("scipy", "autograd_np.scipy.stats")),
}


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    for needed in MODELS[request.param].needs:
        if not _has(needed):
            pytest.skip(f"{needed} is not there")
    return str(request.param)


def test_it_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    MODELS[name].learned(_run(name, _source(name)).main())
    said = capsys.readouterr().out.splitlines()
    assert 2 <= len(said) <= 10, "a few lines that mean something"
    assert not any("nan" in line for line in said)


def test_its_gradient_is_that_of_central_differences(name: str) -> None:
    loss, point = MODELS[name].problem(_run(name, _source(name)))
    g, _ = ag.ravel(ag.grad(loss)(point))
    vector, unravel = ag.ravel(point)
    rng = np.random.default_rng(0)
    ways = np.eye(vector.size) if vector.size <= 3 else rng.normal(size=(8, vector.size)) / np.sqrt(vector.size)
    for d in ways:
        numeric, error = directional(lambda t, d=d: float(loss(unravel(vector + t * d))), step=1e-3)
        assert abs(g @ d - numeric) <= 1e-7 * abs(numeric) + 10 * error + 1e-9


OURS = {
    "import autograd_np.numpy as np": "import numpy as np",
    "from autograd_np.scipy.stats import gamma, norm": "from scipy.stats import gamma, norm",
    "import autograd_np as ag": "",
}


def test_nothing_but_import_lines_makes_it_differentiable(name: str) -> None:
    """Without them, and without the calls for a gradient in `main`, it is a NumPy program that computes the same."""
    plain = source = _source(name)
    for ours, numpys in OURS.items():
        plain = plain.replace(ours, numpys)
    assert not re.search(r"^(import|from) autograd_np", plain, re.MULTILINE)
    assert plain.count("ag.value_and_grad(") == 1
    values = []
    for text in (plain, source):
        with ag.no_grad():  # whatever other tests have left alive, what is computed here are arrays
            loss, point = MODELS[name].problem(_run(name, text))  # the plain one would raise where it needs `ag`
            values.append(loss(point))
    assert all(isinstance(v, float) for v in values)
    assert values[0] == pytest.approx(values[1], rel=1e-13)


def test_the_page_lists_every_example() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    files = {p.name for p in EXAMPLES.glob("*.py")}
    assert set(re.findall(r"\]\((\w+\.py)\)", page)) == files
    assert {f"{name}.py" for name in MODELS} < files


def test_an_example_runs_as_a_script() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "mlp.py"], cwd=EXAMPLES, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "accuracy on other points" in done.stdout
