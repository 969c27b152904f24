"""Dataclasses and registered classes as containers: which fields are variables, which are kept, and what is refused."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

V = np.array([0.4, -1.2, 0.9])


class Kind(enum.Enum):
    SMOOTH = 1


@dataclasses.dataclass
class Layer:
    w: Any
    b: Any
    activation: Callable[..., Any] = np.tanh
    name: str = "layer"
    size: int = 3
    kind: Kind = Kind.SMOOTH
    extra: Any = None
    rng: Any = dataclasses.field(default_factory=lambda: np.random.default_rng(0))

    def __call__(self, x: Any) -> Any:
        return self.activation(self.w @ x + self.b)


@dataclasses.dataclass(frozen=True)
class Net:
    layers: list[Layer]
    scale: float
    rate: float = dataclasses.field(default=0.1, metadata={"static": True})

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x * self.scale


def net() -> Net:
    rng = np.random.default_rng(0)
    return Net([Layer(rng.normal(size=(3, 3)), rng.normal(size=3)), Layer(rng.normal(size=(1, 3)), 0.5, name="last")], 2.0)


def loss(model: Any, x: Any) -> Any:
    return np.sum(model(x) ** 2)


def as_dict(model: Net) -> dict[str, Any]:
    return {"layers": [{"w": n.w, "b": n.b} for n in model.layers], "scale": model.scale}


def loss_of_dict(p: Any, x: Any) -> Any:
    for layer in p["layers"]:
        x = np.tanh(layer["w"] @ x + layer["b"])
    return np.sum((x * p["scale"]) ** 2)


def test_the_gradient_of_a_dataclass_is_one() -> None:
    model = net()
    value, g = ag.value_and_grad(loss)(model, V)
    expected_value, expected = ag.value_and_grad(loss_of_dict)(as_dict(model), V)
    assert value == expected_value
    assert type(g) is Net
    assert type(g.layers[0]) is Layer
    for mine, other in zip(g.layers, expected["layers"], strict=True):
        np.testing.assert_array_equal(mine.w, other["w"])
        np.testing.assert_array_equal(mine.b, other["b"])
    assert g.scale == expected["scale"]
    assert g.layers[1].b.shape == ()
    assert not isinstance(model.layers[0].w, ag.Tensor)


def test_what_is_no_array_is_kept_as_it_is() -> None:
    g = ag.grad(loss)(net(), V)
    last = g.layers[1]
    assert (last.activation, last.name, last.size, last.kind, last.extra) == (np.tanh, "last", 3, Kind.SMOOTH, None)
    assert isinstance(last.rng, np.random.Generator)
    assert g.rate == 0.1


def test_every_transform_takes_dataclasses() -> None:
    model, rng = net(), np.random.default_rng(1)
    vector, unravel = ag.ravel(model)
    assert vector.shape == (3 * 3 + 3 + 3 + 1 + 1,)
    direction = unravel(rng.normal(size=vector.size))
    assert type(direction) is Net
    flat = ag.grad(lambda v: loss(unravel(v), V))(vector)
    np.testing.assert_allclose(ag.ravel(ag.grad(loss)(model, V))[0], flat, rtol=1e-13)
    out, pullback = ag.vjp(lambda m: m(V), model)
    (pulled,) = pullback(2 * out)
    np.testing.assert_allclose(ag.ravel(pulled)[0], flat, rtol=1e-13)
    slope = np.sum(flat * ag.ravel(direction)[0])
    np.testing.assert_allclose(ag.jvp(lambda m: loss(m, V), (model,), (direction,))[1], slope)
    np.testing.assert_allclose(ag.linearize(lambda m: loss(m, V), model)[1](direction), slope)
    h = ag.hessian(lambda v: loss(unravel(v), V))(vector)
    product = ag.hvp(lambda m: loss(m, V), (model,), (direction,))[0]
    np.testing.assert_allclose(ag.ravel(product)[0], h @ ag.ravel(direction)[0], rtol=1e-10)
    blocks = ag.hessian(loss)(model, V)
    np.testing.assert_allclose(blocks.layers[0].b.layers[0].b, h[9:12, 9:12], rtol=1e-10)
    j = ag.jacobian(lambda m: m(V))(model)
    assert j.layers[0].w.shape == (1, 3, 3)


def test_results_may_be_dataclasses() -> None:
    @dataclasses.dataclass
    class Pair:
        a: Any
        b: Any
        note: str = "n"

    out, pullback = ag.vjp(lambda x: Pair(x * 2, np.sum(x)), V)
    assert isinstance(out.a, np.ndarray)
    assert out.note == "n"
    np.testing.assert_array_equal(pullback(Pair(np.ones(3), 10.0))[0], 12)
    moved = ag.jvp(lambda x: Pair(x * 2, np.sum(x)), (V,), (V,))[1]
    np.testing.assert_array_equal(moved.a, 2 * V)
    (_, aux), _ = ag.value_and_grad(lambda x: (np.sum(x), Pair(x, x)), has_aux=True)(V)
    assert type(aux.a) is np.ndarray
    np.testing.assert_array_equal(ag.jacobian(lambda x: Pair(x * 2, np.sum(x)))(V).b, 1)


def test_dataclasses_are_made_without_their_init() -> None:
    @dataclasses.dataclass(slots=True)
    class Positive:
        x: Any
        double: Any = dataclasses.field(init=False, default=None)

        def __post_init__(self) -> None:
            if not np.all(np.asarray(self.x) > 0):
                raise ValueError("negative")

    g = ag.grad(lambda p: -np.sum(p.x))(Positive(np.ones(2)))
    np.testing.assert_array_equal(g.x, -1)


def test_a_dataclass_that_inherits() -> None:
    @dataclasses.dataclass
    class Wide(Layer):
        gain: Any = 1.0

    g = ag.grad(loss)(Wide(np.eye(3), V, gain=3.0), V)
    assert type(g) is Wide
    assert g.gain == 0
    assert np.any(g.w)


def test_integers_in_a_dataclass() -> None:
    model = dataclasses.replace(net().layers[0], extra=np.arange(3))
    with pytest.raises(ag.DifferentiationError, match="needs floats, got int"):
        ag.grad(loss)(model, V)


# --- registered classes ---------------------------------------------------------------------------


def test_a_registered_class() -> None:
    @ag.register_container
    class Line:
        def __init__(self, slope: Any, shift: Any) -> None:
            self.slope, self.shift, self.name = slope, shift, "line"

    g = ag.grad(lambda line, x: np.sum((line.slope * x + line.shift) ** 2))(Line(2.0, 1.0), V)
    assert type(g) is Line
    np.testing.assert_allclose(g.slope, np.sum(2 * (2 * V + 1) * V))
    np.testing.assert_allclose(g.shift, np.sum(2 * (2 * V + 1)))
    assert g.name == "line"
    other = object.__new__(Line)
    other.name, other.shift, other.slope = "line", 10.0, 1.0  # set in another order
    moved = ag.jvp(lambda line: (line.slope, line.shift), (Line(2.0, 1.0),), (other,))[1]
    assert moved == (1.0, 10.0)


def test_attributes_in_slots_are_fields() -> None:
    @ag.register_container
    class Ball:
        __slots__ = ("_Ball__name", "__weakref__", "radius", "unset")

        def __init__(self, radius: Any, name: str) -> None:
            self.radius, self.__name = radius, name

        @property
        def name(self) -> str:
            return self.__name

    @ag.register_container
    class Spinning(Ball):
        def __init__(self, radius: Any, name: str, speed: float) -> None:
            super().__init__(radius, name)
            self.speed = speed

    g = ag.grad(lambda b: 4 / 3 * np.pi * b.radius**3)(Ball(2.0, "red"))
    assert (type(g), g.name, hasattr(g, "unset")) == (Ball, "red", False)
    np.testing.assert_allclose(g.radius, 4 * np.pi * 4)
    g = ag.grad(lambda b: b.radius * b.speed**2)(Spinning(2.0, "red", 3.0))
    assert (type(g), g.name, g.radius, g.speed) == (Spinning, "red", 9.0, 12.0)


def test_functions_that_take_a_class_apart() -> None:
    class Ball:
        __slots__ = ("label", "radius")

        def __init__(self, radius: Any, label: str) -> None:
            self.radius, self.label = radius, label

    returned = ag.register_container(Ball, lambda b: ([b.radius], b.label), lambda label, parts: Ball(parts[0], label))
    assert returned is Ball
    g = ag.grad(lambda b: 4 / 3 * np.pi * b.radius**3)(Ball(2.0, "red"))
    assert g.label == "red"
    np.testing.assert_allclose(g.radius, 4 * np.pi * 4)


def test_what_optree_knows_is_a_container_too() -> None:
    import optree

    class Box:
        def __init__(self, x: Any) -> None:
            self.x = x

    optree.register_pytree_node(Box, lambda b: ([b.x], None), lambda _, parts: Box(*parts), namespace="autograd_np")
    assert ag.grad(lambda b: b.x**2)(Box(3.0)).x == 6
    with pytest.raises(ValueError, match="already registered"):
        ag.register_container(Box)


def test_registrations_that_cannot_be() -> None:
    with pytest.raises(TypeError, match="needs a class, got Net"):
        ag.register_container(net())  # type: ignore[type-var]
    with pytest.raises(TypeError, match="both flatten and unflatten"):
        ag.register_container(type("Half", (), {}), flatten=lambda x: ([], None))


# --- what is no container -------------------------------------------------------------------------


class Model:
    def __init__(self) -> None:
        self.w = np.ones(3)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ag.grad(lambda m: np.sum(m.w))(Model()),
        lambda: ag.vjp(lambda m: m.w, {"m": Model()}),
        lambda: ag.jvp(lambda m: m.w, (Model(),), (Model(),)),
        lambda: ag.jacobian(lambda m: m.w)([Model()]),
        lambda: ag.ravel(Model()),
        lambda: ag.vjp(lambda x: Model(), V),
        lambda: ag.linearize(lambda x: [x, Model()], V),
        lambda: ag.grad(lambda x: Model())(V),
    ],
)
def test_an_unknown_class_is_named_with_what_to_do(call: Any) -> None:
    with pytest.raises(ag.DifferentiationError, match=r"got Model.*if Model holds arrays, decorate it with @ag\.register_container"):
        call()


def test_text_in_a_dict_is_refused_without_that_advice() -> None:
    with pytest.raises(ag.DifferentiationError, match=r"got str \('tanh'\)$"):
        ag.grad(lambda p: np.sum(p["w"]))({"w": V, "activation": "tanh"})


@dataclasses.dataclass
class Affine:
    w: Any
    b: Any
    name: str = "net"


def test_axes_inside_dataclasses() -> None:
    def f(p: Any, x: Any) -> Any:
        return p["net"].w @ x + p["net"].b

    w = np.sin(np.arange(24.0)).reshape(2, 3, 4)
    params = {"net": Affine(w, 2.0)}
    for axes in ({"net": Affine(2, None)}, {"net": Affine(-1, None, "other")}):
        out = ag.vmap(f, in_axes=(axes, None))(params, V)
        np.testing.assert_allclose(out, np.einsum("ijn,j->ni", w, V) + 2)
    g = ag.vmap(ag.grad(lambda p, x: np.sum(f(p, x))), in_axes=({"net": Affine(2, None)}, None), out_axes={"net": Affine(2, 0)})(params, V)
    assert (g["net"].w.shape, g["net"].b.shape, g["net"].name) == ((2, 3, 4), (4,), "net")
    for wrong in (Affine(2, None), {"net": (2, None)}, {"other": 0}, {"net": Affine(2, (0, 0))}, {"net": Affine(2, "b")}):
        with pytest.raises(ValueError, match="in_axes"):
            ag.vmap(f, in_axes=(wrong, None))(params, V)
