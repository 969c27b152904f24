"""fit computes what the loop written out computes, repeats bit for bit, and tells of what cannot go on."""

from __future__ import annotations

import io
import os
import signal
import threading
import time

import numpy as np
import pytest
from rich.console import Console
from training_runs import Noise

import autograd_np as ag
import nn
from nn.data import DataLoader
from nn.optim.lr_scheduler import StepLR

X = np.linspace(-1, 1, 20)[:, None]
Y = X**2


def model_of(seed=0):
    return nn.Sequential(nn.Linear(1, 4, rng=seed), nn.Tanh(), nn.Linear(4, 1, rng=seed + 1))


def trained(model, epochs=3, *, data=(X, Y), lr=0.1, loss=None, optimiser=nn.SGD, **settings):
    settings = {"progress": False, "seed": 0} | settings
    history = nn.fit(model, data, loss or nn.MSELoss(), optimiser(model.parameters(), lr=lr), epochs, **settings)
    return history


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return all(np.array_equal(a[k], b[k]) for k in a)


# --- the loop -------------------------------------------------------------------------------------


def test_it_is_the_loop_written_out():
    a, b = model_of(), model_of()
    loader = DataLoader((X, Y), 8, shuffle=True, rng=3)
    history = trained(a, data=loader)
    loader = DataLoader((X, Y), 8, shuffle=True, rng=3)
    optimiser, loss_of, means = nn.SGD(b.parameters(), lr=0.1), nn.MSELoss(), []
    for _ in range(3):
        total = 0.0
        for x, y in loader:
            optimiser.zero_grad()
            loss = loss_of(b(x), y)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(y)
        means.append(total / 20)
    assert same(a, b)
    assert history["loss"] == means


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_repeats_bit_for_bit(seed):
    def run():
        model = nn.Sequential(nn.Linear(1, 4, rng=0), Noise(None), nn.Linear(4, 1, rng=1))
        return trained(model, seed=seed, validation=(X, Y)).epochs, model

    (first, a), (second, b) = run(), run()
    assert first == second
    assert same(a, b)
    assert trained(model_of(), seed=seed + 1).epochs != trained(model_of(), seed=seed).epochs


def test_layers_with_one_generator_share_it_and_others_have_streams_of_their_own():
    shared, a, b = Noise(1), Noise(1), Noise(1)
    b.generator = np.random.Generator(np.random.MT19937(1))
    model = nn.Sequential(nn.Linear(1, 1, rng=0), shared, a, b)
    also = Noise(1)
    also.generator = shared.generator
    setattr(model, "4", also)
    nn.training.generators.seed(model, 5)
    assert also.generator is shared.generator
    draws = [layer.generator.random() for layer in (shared, a, b)]
    assert len(set(draws)) == 3
    nn.training.generators.seed(model, 5)
    assert [layer.generator.random() for layer in (shared, a, b)] == draws


def test_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(0.0)

        def forward(self, a, b):
            return self.w * (a + b)

    model = Sum()
    trained(model, 50, data=(X, X, 6 * X))
    assert abs(model.w.item() - 3) < 1e-3


def test_a_loader_keeps_its_own_seed_and_gets_one_otherwise():
    own, none = DataLoader((X, Y), 8, shuffle=True, rng=3), DataLoader((X, Y), 8, shuffle=True)
    trained(model_of(), data=own, seed=9)
    trained(model_of(), data=none, seed=9)
    assert (own.seed, none.seed) == (3, 9)


def test_clipping_is_by_the_norm_over_all_parameters():
    a, b = model_of(), model_of()
    trained(a, 1, batch_size=20, clip_grad_norm=1e-3, lr=1.0)
    moved = np.sqrt(sum(np.sum((p.data - q.data) ** 2) for p, q in zip(a.parameters(), b.parameters(), strict=True)))
    assert moved == pytest.approx(1e-3, rel=1e-4)
    c, d = model_of(), model_of()
    trained(c, clip_grad_norm=1e9)
    trained(d)
    assert same(c, d)


class Counting:
    def __init__(self):
        self.got = []

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class ByEpoch(Counting):
    def step(self):
        self.got.append(None)


class ByLoss(Counting):
    def step(self, metrics):
        self.got.append(metrics)


def test_schedulers_are_stepped_when_and_with_what_they_want():
    each, batch, loss, train_loss = ByEpoch(), ByEpoch(), ByLoss(), ByLoss()
    trained(model_of(), scheduler=each)
    trained(model_of(), scheduler=batch, scheduler_every="batch", batch_size=8)
    history = trained(model_of(), scheduler=loss, validation=(X, Y))
    assert trained(model_of(), scheduler=train_loss)["loss"] == train_loss.got
    assert (len(each.got), len(batch.got), loss.got) == (3, 9, history["val_loss"])
    with pytest.raises(ValueError, match="known once an epoch"):
        trained(model_of(), scheduler=loss, scheduler_every="batch")


def test_one_cycle_is_stepped_by_batches_without_being_told():
    model = model_of()
    optimiser = nn.SGD(model.parameters(), lr=0.1)
    cycle = nn.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.5, total_steps=9, cycle_momentum=False)
    nn.fit(model, (X, Y), nn.MSELoss(), optimiser, 3, batch_size=8, scheduler=cycle, progress=False)
    assert cycle.last_epoch == 9


def test_validation_is_in_eval_mode_and_records_nothing():
    modes = []

    class Watching(nn.Module):
        def forward(self, x):
            modes.append((self.training, np.exp(ag.Tensor([0.0], requires_grad=True)).requires_grad))
            return x

    trained(nn.Sequential(nn.Linear(1, 1, rng=0), Watching()), 1, batch_size=20, validation=(X, Y))
    assert modes == [(True, True), (False, False)]


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"epochs": 2.5}, ValueError, "epochs=2.5 must be an integer"),
        ({"loss": nn.MSELoss}, TypeError, r"such as nn\.MSELoss\(\) with its parentheses"),
        ({"callbacks": nn.EarlyStopping("loss")}, TypeError, "must be a list"),
        ({"callbacks": [nn.EarlyStopping]}, TypeError, "must be a list"),
        ({"scheduler": StepLR(nn.SGD([nn.Parameter(1.0)]), 1)}, ValueError, "StepLR was made of another optimiser"),
        ({"data": (np.zeros((0, 1)), np.zeros((0, 1)))}, ValueError, "no batch: 0 samples"),
        ({"data": DataLoader((X, Y), 50, drop_last=True)}, ValueError, "no batch: 20 samples, batch_size=50, drop_last=True"),
        ({"clip_grad_norm": 0.0}, ValueError, "clip_grad_norm=0.0"),
        ({"scheduler": ByEpoch(), "scheduler_every": "week"}, ValueError, "scheduler_every='week'"),
        ({"checkpoint": "no/such/folder/run"}, FileNotFoundError, "directory does not exist"),
        ({"resume": True}, ValueError, "resume=True goes on from checkpoint="),
        ({"resume": "no_such_file"}, FileNotFoundError, "no_such_file"),
        ({"data": nn.data.TensorDataset(X, Y).map(lambda x, y: x)}, TypeError, r"a tuple of inputs and a target, got a ndarray"),
        ({"data": (X,)}, TypeError, r"got a tuple of 1; .* give it twice: \(x, x\)"),
        ({"metrics": [3]}, TypeError, "metrics must be functions"),
        ({"optimiser": lambda parameters, lr: object()}, TypeError, r"nn\.Optimizer"),
        ({"optimiser": nn.LBFGS}, TypeError, "write the loop down"),
    ],
)
def test_wrong_arguments_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        trained(model_of(), **settings)


def test_a_function_is_no_model():
    with pytest.raises(TypeError, match=r"model must be an nn\.Module"):
        nn.fit(np.sin, (X, Y), nn.MSELoss(), nn.SGD(model_of().parameters()), 1)


# --- not finite -----------------------------------------------------------------------------------


class Log(nn.Module):
    def forward(self, x):
        return np.log(x)


class Exp(nn.Module):
    def forward(self, x):
        return np.exp(x)


class Root(nn.Module):
    def __init__(self):
        self.weights = [nn.Parameter(np.zeros(1))]

    def forward(self, x):
        return x * np.sqrt(self.weights[0])


class Between(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(1, 3, rng=0), nn.Linear(3, 1, rng=1)]

    def forward(self, x):
        return self.layers[1](np.log(self.layers[0](x)))


class Drawn(nn.Module):
    """NaN in one draw of many, and infinite in none."""

    def __init__(self):
        self.generator = np.random.default_rng(3)

    def forward(self, x):
        return x if self.generator.random() < 0.9 else x + np.log(x * 0.0 - 1.0)


def diverged(model, **settings):
    before = model.state_dict()
    with pytest.raises(nn.DivergenceError) as error:
        trained(model, **({"batch_size": 20} | settings))
    assert all(np.isfinite(value).all() or not np.isfinite(before[name]).all() for name, value in model.state_dict().items())
    return error.value.module, str(error.value)


def test_the_layer_that_made_a_nan_is_named():
    inner = nn.Sequential(nn.Linear(1, 4, rng=0), Log())
    module, text = diverged(nn.Sequential(inner, nn.Linear(4, 1, rng=1)))
    assert module == "0.1"
    assert "the loss is nan in batch 1 of epoch 1: nan came up first in the output of layer 0.1 (Log)" in text
    assert "log on operands of shape (20, 4) produced a NaN" in text
    assert "test_training_fit.py" in text
    assert "lower learning rate (it is 0.1), or clip the gradients" in text


def test_code_between_layers_is_named_by_the_module_it_is_in():
    module, text = diverged(nn.Sequential(Between(), nn.Tanh()))
    assert module == "0"
    assert "in the code of layer 0 (Between), which handed it to layer 0.layers.1 (Linear)" in text


def test_an_overflow_is_named():
    module, text = diverged(nn.Sequential(nn.Linear(1, 4, rng=0), Exp(), nn.Linear(4, 1, rng=1)), lr=1e3)
    assert module == "1"
    assert "the loss is inf in batch 1 of epoch 2: inf came up first in the output of layer 1 (Exp). Take" in text


def test_a_loss_that_grows_is_told_before_it_overflows():
    with pytest.warns(
        nn.DivergenceWarning, match=r"the loss of epoch \d+ is .* the training diverges.* lower learning rate \(it is 3\)"
    ) as told:
        module, text = diverged(nn.Sequential(nn.Linear(1, 1, rng=0)), lr=3.0, epochs=1000)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert module is None
    assert "MSELoss made it of the last one" in text


def test_a_gradient_is_looked_at_before_the_step():
    module, text = diverged(nn.Sequential(nn.Linear(1, 1, rng=0), Root(), nn.Tanh()))
    assert module == "1"
    assert "a gradient is not finite" in text
    assert "in the gradient of weights.0 of layer 1 (Root)" in text


def test_a_layer_that_draws_draws_the_same_again():
    module, text = diverged(nn.Sequential(nn.Linear(1, 1, rng=0), Drawn()), epochs=100, seed=None)
    assert module == "1"
    assert "nan came up first in the output of layer 1 (Drawn)" in text


def test_data_parameters_and_losses_are_told_apart_from_layers():
    x = X.copy()
    x[3] = np.nan
    assert diverged(model_of(), data=(x, Y)) == (None, diverged(model_of(), data=(x, Y))[1])
    assert "the data hold nan in input 0" in diverged(model_of(), data=(x, Y))[1]
    assert "the data hold nan in the target" in diverged(model_of(), data=(X, x))[1]
    model = model_of()
    with ag.no_grad():
        model[2].weight[0, 0] = np.inf
    module, text = diverged(model)
    assert module == "2"
    assert "the parameter 2.weight holds inf" in text

    def log_loss(output, target):
        return np.log(np.mean(output * 0.0) - 1.0) + np.mean(target)

    module, text = diverged(model_of(), loss=log_loss)
    assert module is None
    assert "the outputs of all layers are finite, and log_loss made it of the last one" in text


def test_large_gradients_are_no_infinite_ones():
    model = nn.Linear(1, 1, rng=0, dtype=np.float32)
    trained(model, 1, data=(X.astype(np.float32), Y.astype(np.float32)), loss=lambda a, b: 1e25 * np.mean(a - b), lr=1e-30)


# --- Ctrl-C ---------------------------------------------------------------------------------------


class PressesCtrlC(nn.Callback):
    def __init__(self, step, times=1):
        self.step, self.times, self.ended = step, times, []

    def on_backward_end(self, training):
        if training.step == self.step:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)

    def on_batch_end(self, training):
        self.ended.append(training.step)

    def on_fit_end(self, training):
        raise AssertionError("it was interrupted")


def test_ctrl_c_finishes_the_batch_and_says_where_the_state_is(tmp_path):
    path = tmp_path / "run.safetensors"
    model, whole = model_of(), model_of()
    pressing = PressesCtrlC(4)
    with pytest.raises(nn.TrainingInterrupted, match=rf"stopped after batch 2 of epoch 2; saved in {path}.*resume=True") as stopped:
        trained(model, batch_size=8, callbacks=[pressing], checkpoint=path)
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert pressing.ended == [1, 2, 3, 4, 5]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = model_of(5)
    history = trained(again, batch_size=8, checkpoint=path, resume=True)
    assert history.epochs == trained(whole, batch_size=8).epochs
    assert same(again, whole)


def test_without_a_checkpoint_it_says_so():
    with pytest.raises(nn.TrainingInterrupted, match=r"after batch 1 of epoch 1; nothing was saved"):
        trained(model_of(), callbacks=[PressesCtrlC(0)])


def test_a_second_ctrl_c_does_not_wait():
    pressing = PressesCtrlC(0, times=2)
    with pytest.raises(KeyboardInterrupt) as stopped:
        trained(model_of(), callbacks=[pressing])
    assert type(stopped.value) is KeyboardInterrupt
    assert pressing.ended == []


def test_in_another_thread_signals_are_left_alone():
    found = []
    thread = threading.Thread(target=lambda: found.append(trained(model_of())))
    thread.start()
    thread.join()
    assert len(found[0]) == 3


# --- progress -------------------------------------------------------------------------------------


def told(*, terminal, **settings):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120, legacy_windows=False)
    trained(model_of(), progress=console, validation=(X, Y), metrics=[nn.metrics.r2], **settings)
    return console.file.getvalue()


def test_a_terminal_shows_a_bar_with_loss_metrics_and_rate():
    class Slow(nn.Callback):
        def on_batch_start(self, training):
            time.sleep(0.2)  # in which the bar is drawn

    text = told(terminal=True, callbacks=[Slow()], batch_size=10)
    assert "epoch 3/3" in text
    assert "━" in text
    for word in ("loss", "val_loss", "val_r2", "batches/s", "left"):
        assert word in text, word


def test_elsewhere_there_is_a_line_an_epoch():
    lines = told(terminal=False).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all("loss 0." in line and "val_r2" in line and line.endswith(" s") for line in lines)
    assert told(terminal=False, callbacks=[nn.EarlyStopping(patience=1, min_delta=9)]).splitlines()[-1].startswith("stopped: val_loss")


def test_silence(capsys):
    trained(model_of(), progress=False)
    assert capsys.readouterr() == ("", "")
    trained(model_of(), progress=True)
    assert capsys.readouterr().err.startswith("epoch 1/3  loss 0.")


def other_model(model):
    return nn.SGD(nn.Linear(1, 1, rng=0).parameters())


def frozen(model):
    return nn.SGD(model.requires_grad_(False).parameters())


def layer_replaced(model):
    optimiser = nn.SGD(model.parameters())
    model.head = nn.Linear(2, 1, rng=0)
    return optimiser


@pytest.mark.parametrize(
    ("optimiser_of", "words"),
    [(other_model, "none of the optimiser's 2"), (frozen, "are frozen"), (layer_replaced, r"model's head\.weight, head\.bias")],
)
def test_an_optimiser_that_would_not_train_the_model_is_refused(optimiser_of, words):
    class Model(nn.Module):
        def __init__(self):
            self.body, self.head = nn.Linear(1, 2, rng=0), nn.Linear(2, 1, rng=1)

        def forward(self, x):
            return self.head(self.body(x))

    model, x = Model(), np.ones((4, 1))
    with pytest.raises(ValueError, match=words):
        nn.fit(model, (x, x), nn.MSELoss(), optimiser_of(model), 1, progress=False)


def test_the_optimiser_may_train_a_part_of_the_model_and_parameters_of_the_loss():
    class Scaled(nn.Module):
        def __init__(self):
            self.log_variance = nn.Parameter(0.0)

        def forward(self, prediction, target):
            return np.mean((prediction - target) ** 2) * np.exp(-self.log_variance) + self.log_variance

    model, loss, x = nn.Sequential(nn.Linear(1, 2, rng=0), nn.Linear(2, 1, rng=1)), Scaled(), np.ones((4, 1))
    before = model.state_dict()
    nn.fit(model, (x, 3 * x), loss, nn.SGD([*model[1].parameters(), *loss.parameters()], lr=0.1), 1, progress=False)
    after = model.state_dict()
    assert [name for name in before if not np.array_equal(before[name], after[name])] == ["1.weight", "1.bias"]
    assert loss.log_variance.item() != 0.0
    nn.fit(model.requires_grad_(False), (x, 3 * x), loss, nn.SGD(loss.parameters(), lr=0.1), 1, progress=False)
