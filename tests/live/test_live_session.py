"""A session: a function is run again with other numbers, and what the page shows is what Python computes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np.live.numbers import number_of
from autograd_np.live.session import Program, Session, program_of
from autograd_np.tensor import value_of


def network(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    A1 = ag.sigmoid(np.dot(W1, X) + b1)
    A2 = ag.sigmoid(np.dot(W2, A1) + b2)
    cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
    return cost


def arrays() -> list[Any]:
    rng = np.random.default_rng(0)
    return [*(rng.normal(size=shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1), (2, 4))), np.array([[1.0, 0.0, 1.0, 0.0]])]


def session_of(graph: ag.Graph, **options: Any) -> Session:
    return Session(lambda: program_of(graph, **options))


def shown(session: Session, name: str, what: str = "value") -> Any:
    node = next(n for n in session.data["nodes"] if n["key"] == name)
    return np.array([[float(text.replace("−", "-")) for text in row] for row in node[what]["rows"]])


def assert_shows(session: Session, graph: ag.Graph) -> None:
    """The page shows the values and the gradients of a graph, to the digits it writes."""
    true = graph.gradients()
    for node in graph:
        name = graph.label_of(node)
        np.testing.assert_allclose(shown(session, name), np.reshape(value_of(node.out), shown(session, name).shape), rtol=1e-4, atol=1e-9)
        if node in true:
            np.testing.assert_allclose(
                shown(session, name, "gradient"), np.reshape(value_of(true[node]), shown(session, name).shape), rtol=1e-4, atol=1e-9
            )


# --- edits ----------------------------------------------------------------------------------------


def test_an_edited_weight_changes_the_loss_and_all_gradients_to_those_of_python() -> None:
    given = arrays()
    session = session_of(ag.trace(network, *given))
    session.edit([("W1", 3, "-1.75"), ("b2", 0, "0.5"), ("X", 7, "2e-1")])
    assert session.problem is None
    other = arrays()
    other[0][1, 1], other[3][0, 0], other[4][1, 3] = -1.75, 0.5, 0.2
    assert_shows(session, ag.trace(network, *other))
    for mine, before in zip(given, arrays(), strict=True):
        np.testing.assert_array_equal(mine, before)
    assert without_marks(session.data) == without_marks(session_of(ag.trace(network, *other)).data)
    session.reset()
    assert_shows(session, ag.trace(network, *given))


def without_marks(data: Any) -> Any:
    """The page without the marks of changed numbers: with equations, sentences and all."""
    return {**data, "nodes": [{k: v for k, v in node.items() if k != "changed"} for node in data["nodes"]]}


def test_a_number_put_back_is_no_change() -> None:
    session = session_of(ag.trace(network, *arrays()))
    original = str(arrays()[0][0, 0])
    session.edit([("W1", 0, "9")])
    assert len(session.changes) == 1
    assert next(n for n in session.data["nodes"] if n["key"] == "W1")["changed"] == [0]
    session.edit([("W1", 0, original)])
    assert not session.changes


def test_numbers_in_containers_and_single_numbers_are_inputs() -> None:
    def f(p: dict[str, Any], rate: Any, n: Any) -> Any:
        return np.sum(p["W"] * rate) * n + p["layers"][1]

    session = session_of(ag.trace(f, {"W": np.ones(3), "layers": [1.0, 2.0]}, 0.5, 3))
    session.edit([("W", 2, "5"), ("rate", 0, "2"), ("n", 0, "4")])
    assert session.problem is None
    assert shown(session, "W").tolist() == [[1.0, 1.0, 5.0]]
    result = next(n for n in session.data["nodes"] if n.get("output"))
    assert result["value"]["rows"] == [["58"]]
    session.edit([("layers[1]", 0, "3")])
    assert next(n for n in session.data["nodes"] if n.get("output"))["value"]["rows"] == [["59"]]


def test_captured_arrays_tensors_and_attributes_can_be_changed() -> None:
    Y = np.array([1.0, 2.0])
    t = ag.Tensor(np.array([3.0, 4.0]), requires_grad=True, name="t")

    class Model:
        def __init__(self) -> None:
            self.W = np.array([5.0, 6.0])

        def loss(self, x: Any) -> Any:
            W = self.W
            return np.sum(W * x * Y * t)

    model = Model()
    session = session_of(ag.trace(model.loss, np.array([7.0, 8.0])))
    session.edit([("Y", 0, "0"), ("t", 1, "1"), ("W", 1, "1")])
    assert session.problem is None
    assert next(n for n in session.data["nodes"] if n.get("output"))["value"]["rows"] == [["16"]]
    assert (Y.tolist(), t.data.tolist(), model.W.tolist()) == ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0])


def test_a_module_keeps_its_frames_and_its_parameters_can_be_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x = np.ones((1, 2))
    session = session_of(model.graph(x))
    before = session.data["modules"]
    session.edit([("0.weight", 0, "0.25")])
    assert session.problem is None
    assert session.data["modules"] == before
    assert before
    changed = model[0].weight.data.copy()
    changed[0, 0] = 0.25
    other = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    other[0].weight.data[...] = changed
    assert_shows(session, other.graph(x))


def test_what_the_function_makes_anew_cannot_be_changed() -> None:
    def f(x: Any) -> Any:
        c = np.array([1.0, 2.0])
        w = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True, name="w")
        return np.sum(x * c * w)

    session = session_of(ag.trace(f, np.ones(2)))
    editable = {n["key"] for n in session.data["nodes"] if n.get("edit")}
    assert "c" not in editable
    before = session.data
    session.edit([("w", 0, "3")])
    assert "makes it anew" in session.problem["what"]
    assert session.data is before
    session.reset()
    assert session.problem is None


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("nobody", 0, "1"), "no array that can be changed"),
        (("W1", 6, "1"), "no element 6"),
        (("W1", -1, "1"), "no element -1"),
        (("W1", 0, "one"), "'one' is not a number"),
        (("W1", 0, "__import__('os')"), "is not a number"),
        (("cost", 0, "1"), "no array that can be changed"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_nothing_changes(edit: tuple[str, int, str], said: str) -> None:
    session = session_of(ag.trace(network, *arrays()))
    before = session.data
    with pytest.raises(ag.RenderError, match=said.replace("(", "\\(")):
        session.edit([("W1", 1, "2"), edit])
    assert session.data is before
    assert not session.changes


@pytest.mark.parametrize(
    ("text", "dtype", "value"),
    [(" −1.5e-3 ", "f8", -0.0015), ("nan", "f8", np.nan), ("3", "i4", 3), ("3.0", "i4", 3), ("True", "?", True), ("1+2j", "c16", 1 + 2j)],
)
def test_numbers_are_read_as_people_write_them(text: str, dtype: str, value: Any) -> None:
    found = number_of(text, np.dtype(dtype))
    np.testing.assert_equal(found, value)
    assert found.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("text", "dtype"), [("1e300", "f4"), ("300", "i1"), ("1.5", "i8"), ("-1", "u1"), ("2", "?"), ("", "f8"), ("1,5", "f8"), ("inf", "i8")]
)
def test_what_is_no_number_or_does_not_fit_is_refused(text: str, dtype: str) -> None:
    with pytest.raises(ag.RenderError, match="is not"):
        number_of(text, np.dtype(dtype))


def test_a_run_draws_the_same_random_numbers_and_leaves_the_generators_alone() -> None:
    own = np.random.default_rng(0)

    def f(x: Any) -> Any:
        return np.sum(x * own.normal(size=2) * np.random.normal() * random.random())  # noqa: NPY002

    graph = ag.trace(f, np.ones(2))
    session = session_of(graph)
    result = next(n for n in session.data["nodes"] if n.get("output"))["value"]["rows"]
    states = own.bit_generator.state, np.random.get_state()[2], random.getstate()  # noqa: NPY002
    session.edit([("x", 0, "2")])
    session.edit([("x", 0, "1")])
    assert next(n for n in session.data["nodes"] if n.get("output"))["value"]["rows"] == result
    assert (own.bit_generator.state, np.random.get_state()[2], random.getstate()) == states  # noqa: NPY002


def test_a_recorded_graph_has_no_function_to_run_again() -> None:
    x = ag.Tensor(2.0, requires_grad=True, name="x")
    with pytest.raises(ag.RenderError, match=r"ag\.trace\(f, \*inputs\)\.explore\(live=True\)"):
        program_of(ag.graph(x * x))


# --- trouble --------------------------------------------------------------------------------------


def test_an_error_keeps_the_last_page_and_tells_the_line() -> None:
    def f(x: Any, n: Any) -> Any:
        return np.sum(x[: int(n)] ** 2) if not isinstance(n, ag.Tensor) else np.sum(x.reshape(2, 3) * n)

    def careful(x: Any, n: Any) -> Any:
        y = x * n
        if float(ag.stop_gradient(y).data[0]) > 10:
            raise ValueError("too large")
        return np.sum(y)

    session = session_of(ag.trace(careful, np.ones(3), 2.0))
    before = session.data
    session.edit([("x", 0, "100")])
    assert session.problem is not None
    assert session.problem["what"] == "ValueError: too large"
    assert session.problem["function"] == "careful"
    assert session.problem["code"] == 'raise ValueError("too large")'
    assert session.problem["file"] == Path(__file__).name
    assert session.data is before
    session.edit([("x", 0, "1.5")])
    assert session.problem is None
    assert shown(session, "x").tolist() == [[1.5, 1.0, 1.0]]


class Interrupted(BaseException):
    """As ctrl-c is none of the errors that user's code may handle."""


def test_an_interrupted_run_gives_the_numbers_back_before_the_next_one() -> None:
    W = np.ones(2)
    act: list[Callable[[], None]] = []

    def f(x: Any) -> Any:
        for do in act:
            do()
        return np.sum(x * W)

    session = session_of(ag.trace(f, np.ones(2)))

    def interrupt() -> None:
        raise Interrupted

    act.append(interrupt)
    with pytest.raises(Interrupted):
        session.edit([("W", 0, "7")])
    assert W.tolist() == [1.0, 1.0]
    act.clear()
    session._loans._owed.append((W, (1,), np.float64(1.0)))  # interrupted while giving back
    W[1] = 5.0
    session.reset()
    assert W.tolist() == [1.0, 1.0]
    assert shown(session, "W").tolist() == [[1.0, 1.0]]


# --- programs that change -------------------------------------------------------------------------


def test_a_program_is_read_anew_and_changed_numbers_stay_where_their_number_is_the_same() -> None:
    inputs = {"W": np.array([1.0, 2.0]), "x": np.array([3.0, 4.0])}
    square = False

    def load() -> Program:
        def f(W: Any, x: Any) -> Any:
            return np.sum(W * x * x) if square else np.sum(W * x)

        return program_of(ag.trace(f, *inputs.values()))

    session = Session(load)
    session.edit([("W", 0, "10"), ("x", 1, "20")])
    inputs["x"] = np.array([3.0, 5.0])
    square = True
    session.reload()
    assert set(session.changes) == {("W", 0)}
    assert next(n for n in session.data["nodes"] if n.get("output"))["value"]["rows"] == [["140"]]


def test_a_program_that_cannot_be_read_leaves_the_page_and_goes_on_when_it_can() -> None:
    broken: list[Exception] = [SyntaxError("invalid syntax", ("net.py", 3, 1, "x = = 2\n"))]

    def load() -> Program:
        if broken:
            raise broken[0]
        return program_of(ag.trace(network, *arrays()))

    session = Session(load)
    assert session.data is None
    assert session.problem == {"what": "SyntaxError: invalid syntax", "file": "net.py", "line": 3, "code": "x = = 2", "function": ""}
    with pytest.raises(ag.RenderError, match="nothing to change"):
        session.edit([("W1", 0, "1")])
    broken.clear()
    session.reload()
    assert session.problem is None
    before = session.data
    broken.append(ValueError("mended too well"))
    session.reload()
    assert session.problem == {"what": "ValueError: mended too well"} or session.problem["what"] == "ValueError: mended too well"
    assert session.data is before
    session.edit([("W1", 0, "1")])  # of the program that could be read last
    assert session.problem is None


def test_the_backward_pass_is_checked_with_the_numbers_as_they_are() -> None:
    def forward(W: Any, x: Any) -> Any:
        return np.sum(np.maximum(W * x, 0))

    def backward(W: Any, x: Any) -> Any:
        dW = x
        return dW

    seen: list[Any] = []

    def check(W: Any, x: Any) -> Any:
        seen.append(np.array(W))
        return ag.check_backward(forward, backward, {"W": W, "x": x}, draws=0, seconds=0.2)

    around = []

    @contextmanager
    def running() -> Iterator[None]:
        around.append(1)
        yield

    inputs = (np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    session = Session(lambda: Program(lambda *x: ag.trace(forward, *x), inputs, forward, check, running=running))
    assert session.can_check
    session.check()
    assert session.report.ok
    assert not session.can_check
    assert session.can_walk
    session.walk()
    assert not session.can_walk
    assert session.state()["checked"]["check"]["verdict"] == "pass"
    session.edit([("W", 0, "-1")])
    assert session.state()["checked"] is None
    assert session.can_check
    session.check()
    assert not session.report.ok
    assert seen[-1].tolist() == [-1.0, 2.0]
    assert len(around) == 4


def test_what_backward_gives_gradients_for_are_parameters_once_it_was_checked() -> None:
    def forward(W: Any, x: Any) -> Any:
        return np.sum(np.maximum(W * x, 0))

    def backward(W: Any, x: Any) -> Any:
        dW = x
        return dW

    def kinds() -> dict[str, str]:
        return {n["key"]: n["kind"] for n in session.data["nodes"] if n["kind"] != "operation"}

    def check(W: Any, x: Any) -> Any:
        return ag.check_backward(forward, backward, {"W": W, "x": x}, draws=0, seconds=0.2)

    options: dict[str, Any] = {}
    inputs = (np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    session = Session(lambda: Program(lambda *x: ag.trace(forward, *x), inputs, forward, check, options=options))
    assert kinds() == {"W": "input", "x": "input"}
    session.check()
    assert kinds() == {"W": "parameter", "x": "input"}
    session.edit([("W", 0, "3")])
    before = session.data
    assert kinds() == {"W": "parameter", "x": "input"}
    session.check()
    assert session.data is before  # which the page has
    options["parameters"] = ("x",)
    session.reload()
    session.check()
    assert kinds() == {"W": "input", "x": "parameter"}
