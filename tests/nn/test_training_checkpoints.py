"""A training that stops anywhere goes on as if it had not; a checkpoint that does not fit changes nothing."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from training_runs import Centre, Noise, parts

import nn
from nn import replace


class StopsAt(nn.Callback):
    """Raises in the middle of things, as a crash would."""

    def __init__(self, step):
        self.step = step

    def on_batch_end(self, training):
        if training.step == self.step:
            raise RuntimeError("crash")


def whole_run():
    arguments, settings = parts()
    history = nn.fit(*arguments, **settings)
    return history, arguments[0].state_dict()


def crash(path, step, **more):
    arguments, settings = parts()
    settings["callbacks"].append(StopsAt(step))
    with pytest.raises(RuntimeError, match="crash"):
        nn.fit(*arguments, **settings, checkpoint=path, **more)


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("step", [1, 7, 8, 9, 20, 31])  # there are eight batches in an epoch
@pytest.mark.parametrize("every", [1, 3, None])
def test_a_resumed_training_is_the_whole_one(tmp_path, step, every):
    history, state = whole_run()
    path = tmp_path / "run.safetensors"
    crash(path, step, checkpoint_every=every)
    arguments, settings = parts()
    model = arguments[0]
    if path.exists():  # what was before does not matter
        model[3].generator.random(17)
        arguments[3].lr = 7.0
    resumed = nn.fit(*arguments, **settings, checkpoint=path, resume=True)
    assert resumed.epochs == history.epochs
    assert same(model.state_dict(), state)
    assert int(model[1].calls) == 8 * len(history)  # a buffer that is not in the state


SCHEDULERS = {
    "StepLR": {"step_size": 2},
    "OneCycleLR": {"max_lr": 0.02, "total_steps": 20},
    "ReduceLROnPlateau": {"patience": 0, "threshold": 0.2},
    "CosineAnnealingLR": {"T_max": 4},
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimiser", ["SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad"])
def test_every_optimiser_and_scheduler_is_resumed(tmp_path, optimiser, scheduler):
    x = np.linspace(-1, 1, 40)[:, None]

    def run(**more):
        model = nn.Sequential(nn.Linear(1, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
        momentum = {"momentum": 0.9} if optimiser in ("SGD", "RMSprop") else {}
        groups = [{"params": model[0].parameters(), "lr": 0.05}, {"params": model[2].parameters()}]
        moved = getattr(nn, optimiser)(groups, lr=0.01, **momentum)
        settings = dict(SCHEDULERS[scheduler])
        if scheduler == "OneCycleLR":
            settings["cycle_momentum"] = optimiser not in ("Adagrad",)
        schedule = getattr(nn.optim.lr_scheduler, scheduler)(moved, **settings)
        loader = nn.data.DataLoader((x, np.sin(3 * x)), 10, shuffle=True, rng=0)
        history = nn.fit(model, loader, nn.MSELoss(), moved, 5, scheduler=schedule, progress=False, **more)
        return history.epochs, model.state_dict(), [group["lr"] for group in moved.param_groups]

    path = tmp_path / "run.safetensors"
    with pytest.raises(RuntimeError, match="crash"):
        run(callbacks=[StopsAt(11)], checkpoint=path, checkpoint_every=2)
    epochs, state, rates = run(resume=path)
    expected = run()
    assert (epochs, rates) == (expected[0], expected[2])
    assert same(state, expected[1])


def test_an_early_stop_stays_one(tmp_path):
    path = tmp_path / "run.safetensors"

    def run(**more):
        arguments, settings = parts(epochs=50)
        settings["callbacks"] = [nn.EarlyStopping(patience=1, min_delta=0.01)]
        history = nn.fit(*arguments, **settings, checkpoint=path, **more)
        return history, arguments[0].state_dict()

    history, state = run()
    assert history.stopped
    again, state_again = run(resume=True)
    assert (again.stopped, again.epochs) == (history.stopped, history.epochs)
    assert same(state, state_again)  # those of the best epoch


def test_more_epochs_are_a_continuation(tmp_path):
    path = tmp_path / "run.safetensors"
    arguments, settings = parts(epochs=2)
    nn.fit(*arguments, **settings, checkpoint=path)
    arguments, settings = parts()
    history = nn.fit(*arguments, **settings, resume=path)
    assert history.epochs == whole_run()[0].epochs


def test_resume_starts_where_there_is_no_file_yet(tmp_path):
    arguments, settings = parts()
    history = nn.fit(*arguments, **settings, checkpoint=tmp_path / "run.safetensors", resume=True)
    assert history.epochs == whole_run()[0].epochs


def test_the_file_is_safetensors_with_the_models_own_names(tmp_path):
    path = tmp_path / "run.safetensors"
    arguments, settings = parts(epochs=1)
    nn.fit(*arguments, **settings, checkpoint=path)
    arrays = nn.load(path)
    new = parts()[0][0]
    new.load_state_dict({name.removeprefix("model."): a for name, a in arrays.items() if name.startswith("model.")})
    assert same(new.state_dict(), arguments[0].state_dict())
    assert {name.partition(".")[0] for name in arrays} == {"model", "buffers", "optimiser", "Scheduling", "EarlyStopping", "run"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a, s: a.__setitem__(0, nn.Sequential(nn.Linear(3, 8, rng=0), Centre(8), nn.Tanh(), Noise(0), nn.Linear(8, 2, rng=0))),
            "4.weight: got",
        ),
        (lambda a, s: a.__setitem__(3, nn.SGD(a[0].parameters())), "the state for SGD"),
        (lambda a, s: a[1].__setattr__("batch_size", 9), "batch_size = 8"),
        (lambda a, s: s.pop("scheduler"), "the states of model, .*Scheduling.*; this training has"),
        (lambda a, s: s.__setitem__("callbacks", []), "EarlyStopping"),
        (lambda a, s: s.__setitem__("callbacks", [nn.EarlyStopping("loss")]), "watches 'loss', and the state is of 'val_loss'"),
        (lambda a, s: a[0].__setattr__("extra", Noise(0)), "generators 3.generator; the model has 3.generator, extra.generator"),
        (lambda a, s: a[0][3].__setattr__("generator", np.random.Generator(np.random.SFC64(0))), "SFC64"),
    ],
)
def test_what_does_not_fit_changes_nothing(tmp_path, change, message):
    path = tmp_path / "run.safetensors"
    crash(path, 11, checkpoint_every=1)
    arguments, settings = parts()
    arguments = list(arguments)
    change(arguments, settings)
    model, loader, _, optimiser, _ = arguments
    before = model.state_dict(), optimiser.state_dict(), loader.state_dict(), nn.training.generators.states(model)
    with pytest.raises(nn.StateDictError, match=message) as error:
        nn.fit(*arguments, **settings, resume=path)
    assert str(path) in str(error.value)
    after = model.state_dict(), optimiser.state_dict(), loader.state_dict(), nn.training.generators.states(model)
    assert same(before[0], after[0])
    assert same(before[1], after[1])
    assert before[2:] == after[2:]


def test_another_file_is_no_checkpoint(tmp_path):
    path = tmp_path / "model.safetensors"
    arguments, settings = parts()
    nn.save(arguments[0], path)
    with pytest.raises(nn.StateDictError, match="is no checkpoint"):
        nn.fit(*arguments, **settings, resume=path)
    for content in (b"[]", b"{}", b"no JSON"):
        nn.save({"run": np.frombuffer(content, np.uint8)}, path)
        with pytest.raises(nn.StateDictError, match=r"model\.safetensors"):
            nn.fit(*arguments, **settings, resume=path)


def test_logs_hold_numbers_of_numpy_and_nothing_else(tmp_path):
    path = tmp_path / "run.safetensors"

    class Logs(nn.Callback):
        def __init__(self, **values):
            self.values = values

        def on_epoch_end(self, training):
            training.logs.update(self.values)

    arguments, settings = parts(epochs=2)
    settings["callbacks"] = [Logs(value=np.float32(0.5), matrix=np.eye(2)), nn.EarlyStopping("value")]
    history = nn.fit(*arguments, **settings, checkpoint=path)
    assert "value 0.5" in repr(history)
    arguments, settings = parts(epochs=3)
    settings["callbacks"] = [Logs(value=0.25), nn.EarlyStopping("value")]
    history = nn.fit(*arguments, **settings, resume=path)
    assert history["value"] == [0.5, 0.5, 0.25]
    assert history["matrix"] == [[[1.0, 0.0], [0.0, 1.0]]] * 2 + [None]
    settings["callbacks"] = [Logs(value={1, 2})]
    with pytest.raises(TypeError, match="got a set"):
        nn.fit(*parts()[0], **settings, checkpoint=path)


def test_a_save_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    crash(path, 5, checkpoint_every=1)
    kept = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, "the disk is full")

    arguments, settings = parts()
    monkeypatch.setattr(replace.os, "fsync", full)
    with pytest.raises(OSError, match="disk is full"):
        nn.fit(*arguments, **settings, checkpoint=path, checkpoint_every=1, resume=True)
    assert path.read_bytes() == kept
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_of_every_kind_are_kept(tmp_path, kind):
    def model():
        layer = Noise(0)
        layer.generator = np.random.Generator(getattr(np.random, kind)(3))
        return nn.Sequential(nn.Linear(3, 1, rng=0), layer)

    first, second = model(), model()
    first[1].generator.integers(0, 9, 3, dtype=np.uint32)
    x, y = np.ones((4, 3)), np.ones((4, 1))
    path = tmp_path / "run.safetensors"
    nn.fit(first, (x, y), nn.MSELoss(), nn.SGD(first.parameters()), 1, progress=False, checkpoint=path)
    nn.fit(second, (x, y), nn.MSELoss(), nn.SGD(second.parameters()), 1, progress=False, resume=path)
    assert np.array_equal(first[1].generator.random(9), second[1].generator.random(9))
