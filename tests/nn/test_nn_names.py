"""Names of Parameters: the path from the outermost Module whenever it is shown, at no cost while a model is built."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import autograd_np as ag
import nn
import nn.names


def module(**attributes):
    made = nn.Module()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def test_a_path_grows_with_what_is_put_around_it_and_is_never_written_down():
    p = nn.Parameter(1.0)
    assert p.name is None
    inner = module(w=p)
    assert p.name == "w"
    outer = module(blocks=[{"a": inner}])
    assert p.name == "blocks.0.a.w"
    around = module(model=outer)
    assert p.name == "model.blocks.0.a.w"
    assert repr(p) == "Parameter(1., requires_grad=True, name='model.blocks.0.a.w')"
    del around


def test_what_is_appended_to_a_model_in_use_has_its_whole_path_at_once():
    inner = module()
    outer = module(body=inner)
    inner.late = nn.Linear(2, 1, rng=0)
    graph = ag.graph(inner.late(np.ones((1, 2))))
    assert {leaf.name for leaf in graph.leaves} == {"body.late.weight", "body.late.bias"}
    assert outer.body is inner


def test_errors_show_the_path_of_now():
    model = module(head=module(scale=nn.Parameter(2.0)))
    with pytest.raises(ag.InPlaceError, match=r"head\.scale"):
        model.head.scale[...] = 3.0


def test_a_graph_keeps_the_names_of_a_model_that_is_gone():
    loss = np.sum(nn.Sequential(nn.Linear(2, 1, rng=0))(np.ones((1, 2))))
    gc.collect()
    assert {leaf.name for leaf in ag.graph(loss).leaves} == {"0.weight", "0.bias"}


def test_a_shared_layer_keeps_its_first_path_while_it_is_there():
    layer = nn.Linear(2, 1, rng=0)
    first = module(a=layer)
    second = module(b=layer)
    assert layer.weight.name == "a.weight"
    del first.a
    assert [path for path, _ in second.named_parameters()] == ["b.weight", "b.bias"]
    assert layer.weight.name == "b.weight"


def test_a_path_through_a_module_that_is_gone_gives_way():
    layer = nn.Linear(2, 1, rng=0)
    nn.Sequential(layer)
    second = module(b=layer)
    assert layer.weight.name == "b.weight"
    assert second.b is layer


def test_modules_that_contain_one_another_have_finite_paths():
    a, b = module(w=nn.Parameter(1.0)), module(w=nn.Parameter(2.0))
    a.b, b.a = b, a
    a.me = a
    assert (a.w.name, b.w.name) == ("w", "b.w")


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_have_the_paths_of_the_models_they_are_in(travel):
    model = module(encoder=nn.Sequential(nn.Linear(2, 1, rng=0)), gain=nn.Parameter(1.0, name="chosen"))
    part = travel(model.encoder)
    assert part[0].weight.name == "0.weight"
    other = module(decoder=part)
    assert part[0].weight.name == "decoder.0.weight"
    assert travel(model).gain.name == "chosen"
    alone = travel(model.encoder[0].weight)
    assert alone.name == "encoder.0.weight"
    other.w = alone
    assert alone.name == "w"
    assert model.encoder[0].weight.name == "encoder.0.weight"


def test_a_shallow_copy_leaves_the_names_alone():
    model = module(layer=nn.Linear(2, 1, rng=0))
    around = module(deep=copy.copy(model))
    assert model.layer.weight.name == "layer.weight"
    assert around.deep.layer is model.layer


def test_a_frozen_parameter_is_called_by_its_path_too():
    model = module(w=nn.Parameter([1.0], requires_grad=False))
    assert model.w.name == "w"
    model.w.requires_grad = True
    around = module(inner=model)
    assert around.inner.w.name == "inner.w"
    model.w.requires_grad = False
    assert model.w.name == "inner.w"


def test_building_walks_over_nothing_twice(monkeypatch):
    """Each assignment looks at what is assigned, and not at what is inside it: linear in layers, whatever their number."""
    placed = []
    place = nn.names.Label.place
    monkeypatch.setattr(nn.names.Label, "place", lambda label, *args: (placed.append(label), place(label, *args)))
    layers = [nn.Linear(1, 1, rng=0) for _ in range(50)]
    assert len(placed) == 100
    placed.clear()
    model = nn.Sequential(*layers)
    for _ in range(20):
        model = nn.Sequential(model)
    assert len(placed) == 70
    assert layers[3].weight.name == "0." * 20 + "3.weight"


def test_a_model_is_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sequential(nn.Linear(1, 1, rng=0)))
        list(model.parameters())
        weak = weakref.ref(model[1][0].weight)
        del model
        assert weak() is None
    finally:
        gc.enable()
