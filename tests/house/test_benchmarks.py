"""The benchmarks' statistics are right on fake contenders, and the contenders compute the same numbers. Nothing is timed."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import graph_cost, harness, nn_step, notebook_step, report, scalar_chain, train_table
from benchmarks.compiled import contenders, measure, page

ROOT = Path(__file__).parents[2]


class FakeClock:
    """A clock that only moves when work is done."""

    def __init__(self):
        self.now = 0.0
        self.calls = 0

    def __call__(self):
        return self.now

    def work(self, seconds):
        def run():
            self.now += seconds
            self.calls += 1

        return run


def test_interleave_runs_every_task_once_a_round_in_shuffled_order():
    log = []
    tasks = {name: lambda name=name: log.append(name) or len(log) for name in "abcd"}
    results = harness.interleave(tasks, rounds=20, seed=1)
    rounds = [tuple(log[i : i + 4]) for i in range(0, 80, 4)]
    assert all(sorted(r) == list("abcd") for r in rounds)
    assert len(set(rounds)) > 5
    assert list(results) == list("abcd")
    for name in "abcd":
        assert results[name] == [i + 1 for i, who in enumerate(log) if who == name]
    assert gc.get_freeze_count() == 0


def test_the_ratio_is_the_median_of_the_rounds_ratios():
    base, other = harness.compare({"base": [1.0, 2.0, 9.0], "other": [9.0, 2.0, 3.0]}, size=7)
    assert base == harness.Timing("base", 7, 2.0, 1.0, 1.0, 1.0, 3)
    # The rounds' ratios are 9, 1 and 1/3; the ratio of the medians would be 1.5.
    assert (other.seconds, other.ratio, other.rounds) == (3.0, 1.0, 3)
    assert (other.low, other.high) == pytest.approx((2 / 3, 5.0))


def test_drift_cancels_within_rounds():
    drift = [1.0, 3.0, 0.5, 8.0, 2.0]
    slow = harness.compare({"base": drift, "slow": [2.5 * d for d in drift]})[1]
    assert (slow.ratio, slow.low, slow.high) == pytest.approx((2.5, 2.5, 2.5))


@pytest.mark.parametrize("samples", [{"a": [1.0, 2.0], "b": [1.0]}, {"a": [1.0], "b": [1.0]}])
def test_compare_refuses_what_it_cannot_pair(samples):
    with pytest.raises(ValueError, match="two or more rounds"):
        harness.compare(samples)


def test_timed_averages_over_the_calls():
    clock = FakeClock()
    assert harness.timed(clock.work(0.25), 8, clock) == pytest.approx(0.25)
    assert clock.calls == 8


@pytest.mark.parametrize(("seconds", "calls"), [(0.001, 10), (0.003, 4), (2.0, 1)])
def test_repeated_fills_the_minimum_time(seconds, calls):
    clock = FakeClock()
    task = harness.repeated(clock.work(seconds), 0.00999, clock)
    clock.calls = 0
    assert task() == pytest.approx(seconds)
    assert clock.calls == calls


def test_peers_that_are_not_installed_are_named():
    assert harness.without({"NumPy": "numpy", "Nobody": "no_such_package_here"}) == ["Nobody"]


def test_one_thread_comes_before_numpy():
    with pytest.raises(RuntimeError, match="before numpy"):
        harness.one_thread()


# --- the contenders -------------------------------------------------------------------------------


def needs(name, peers):
    if harness.without({name: peers.get(name, "numpy")}):
        pytest.skip(f"{peers[name]} is not installed")


@pytest.mark.parametrize("m", [1, 4, 33])
@pytest.mark.parametrize("name", [name for name in notebook_step.CONTENDERS if name != notebook_step.BASELINE])
def test_the_contenders_of_the_notebook_step_agree(name, m):
    needs(name, notebook_step.PEERS)
    problem = notebook_step.problem(m, seed=m)
    pair = {who: notebook_step.CONTENDERS[who](*problem) for who in (notebook_step.BASELINE, name)}
    for _ in range(3):
        notebook_step.check(pair)
    for got, expected in zip(pair[name].parameters(), pair[notebook_step.BASELINE].parameters(), strict=True):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_hand_written_gradient_is_right():
    X, Y, initial = notebook_step.problem(6, seed=2)
    step, parameters = notebook_step.by_hand(X, Y, initial)
    step()
    for i, (before, after) in enumerate(zip(initial, parameters(), strict=True)):
        for index in np.ndindex(before.shape):
            shifted = [p.astype(complex) for p in initial]
            shifted[i][index] += 1e-20j
            slope = notebook_step.cost(np, X, Y, *shifted).imag / 1e-20
            assert (before - after)[index] / notebook_step.RATE == pytest.approx(slope, rel=1e-9, abs=1e-12)


def test_a_contender_that_is_wrong_is_not_timed():
    X, Y, initial = notebook_step.problem(5)
    honest = notebook_step.by_hand(X, Y, initial)
    wrong = notebook_step.by_hand(X, Y, (initial[0] + 1e-6, *initial[1:]))
    with pytest.raises(AssertionError, match="wrong one disagrees"):
        notebook_step.check({notebook_step.BASELINE: honest, "wrong one": wrong})


@pytest.mark.parametrize("problem", nn_step.PROBLEMS)
def test_the_models_of_nn_and_of_pytorch_agree(problem):
    needs(nn_step.BASELINE, nn_step.PEERS)
    needs("digits" if "digits" in nn_step.PROBLEMS[problem].title else "nn", nn_step.PEERS)
    field = {name: nn_step.contender(problem, name, seed=3) for name in nn_step.CONTENDERS}
    nn_step.check(field)
    losses = [[float(c.train()) for _ in range(2)] for c in field.values()]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)
    assert losses[0][1] < losses[0][0]
    with pytest.raises(AssertionError, match="wrong one disagrees"):
        nn_step.check({nn_step.BASELINE: field[nn_step.BASELINE], "wrong one": nn_step.contender(problem, "nn", seed=4)})


OURS = ("NumPy by hand", "NumPy, tuned by hand", "autograd_np, eager", "ag.compile, NumPy")
"""The others take seconds to import or to compile, and are compared with these before they are timed."""


@pytest.mark.parametrize("key", measure.CASES)
def test_the_contenders_of_a_case_agree(key):
    case = measure.CASES[key]
    names = [name for name in contenders.field(case) if name in OURS]
    assert names[0] == contenders.BASELINE
    runs = {name: contenders.start(name, case, case.small, 3) for name in names}
    before = case.problem(case.small, np.random.default_rng(3)).parameters
    assert measure.check(case, runs, before) == {}
    for _ in range(2):
        losses = [float(running.call()) for running in runs.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=max(case.tolerance, 1e-7))
    wrong = contenders.start(contenders.BASELINE, case, case.small, 4)
    with pytest.raises(AssertionError, match="wrong one disagrees"):
        measure.check(case, {contenders.BASELINE: runs[contenders.BASELINE], "wrong one": wrong}, before)


def test_only_torch_compile_may_fail():
    case = measure.CASES["elements"]
    right = contenders.start(contenders.BASELINE, case, case.small, 0)

    def fail():
        raise OSError("no compiler\nof C++")

    broken = right._replace(call=fail)
    assert measure.check(case, {contenders.BASELINE: right, "torch.compile": broken}, ()) == {"torch.compile": "OSError: no compiler"}
    with pytest.raises(OSError, match="no compiler"):
        measure.check(case, {contenders.BASELINE: right, "jax.jit": broken}, ())


def test_whoever_takes_part_in_the_first_rounds_only_is_compared_with_these():
    found = harness.compare({"hand": [1.0, 2.0, 4.0], "engine": [2.0, 4.0, 4.0], "slow": [10.0]}, 4, fewer=True)
    assert [(t.ratio, t.rounds) for t in found] == [(1.0, 3), (2.0, 3), (10.0, 1)]
    table = report.ratios("Step", found, "m")
    assert table.rows[-1] == ["slow", "10.0"]
    assert "over 1 to 3 interleaved rounds" in table.note


def test_processes_are_run_again_as_long_as_there_is_time(monkeypatch):
    clock, calls = [0.0], []
    cost = {contenders.BASELINE: 1.0, "quick": 2.0, "slow": 30.0}

    def alone(name, *_):
        calls.append(name)
        clock[0] += cost[name]
        return {"seconds": 1.0, "first": 1.0, "peak": 0.0}

    monkeypatch.setattr(measure, "alone", alone)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    told = measure._processes(list(cost), "notebook", 4, harness.Settings(rounds=100, budget=80.0))
    assert {name: len(found) for name, found in told.items()} == {contenders.BASELINE: 3, "quick": 3, "slow": 1}


def test_a_case_is_measured_in_a_process_that_loads_no_engine():
    code = (
        "import sys; from benchmarks.compiled.measure import CASES, in_this_process; "
        f"found = in_this_process({contenders.BASELINE!r}, CASES['elements'], 1000, 0, 1e-4); "
        "print(sorted(found), found['seconds'] > 0, 'autograd_np' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["['arrays',", "'first',", "'first_peak',", "'peak',", "'seconds']", "True", "False"]


def test_the_page_has_a_section_a_case_and_a_plot_where_there_are_sizes(tmp_path):
    pytest.importorskip("matplotlib")

    def figures(key, size):
        together, apart = (
            (harness.Timing(name, size, 1e-3, 0.5, 0.4, 0.6, 5) for name in (contenders.BASELINE, "ag.compile, NumPy")),
            2 * size,
        )
        return [measure.Figures(key, t, t, 0.25, 1e6 * apart, 3e6 * apart, 5e5 * apart) for t in together]

    found = {"notebook": [f for m in (4, 100) for f in figures("notebook", m)], "hessian": figures("hessian", 50)}
    page.write(tmp_path / "page.md", "A machine.", found, {"torch.compile": "no compiler"})
    text = (tmp_path / "page.md").read_text("utf-8")
    assert text.count("## Training step of the notebook's") == 1
    assert "| ag.compile, NumPy | 0.50 ± 0.10 | 0.50 ± 0.10 |" in text
    assert "| Training step of the notebook's 2-3-1 network, m = 4 | 1.00 ms | – |" in text
    assert "| ag.compile, NumPy | 250 ms | 250 ms |" in text
    assert "| ag.compile, NumPy | 8.0 MB | 200 MB |" in text
    assert "| ag.compile, NumPy | 24.0 MB | 600 MB |" in text
    assert "| ag.compile, NumPy | 4.0 MB | 100 MB |" in text
    assert "Left out, torch.compile: no compiler" in text
    assert [p.name for p in (tmp_path / "images").iterdir()] == ["benchmark-notebook.svg"]
    assert "benchmark-hessian" not in text


def test_training_needs_memory():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the system does not say how much memory a process has had")
    assert 1e6 < nn_step.memory("lstm", "nn") < 1e9


@pytest.mark.parametrize("name", scalar_chain.CONTENDERS)
def test_the_contenders_of_the_scalar_chain_agree(name):
    needs(name, scalar_chain.PEERS)
    slope = scalar_chain.chain(complex(scalar_chain.START, 1e-20), 40, np.sin).imag / 1e-20
    assert scalar_chain.CONTENDERS[name](40) == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("collector", [True, False])
def test_graph_cost_sees_the_graph_and_its_release(collector):
    found = graph_cost.memory(500, collector)
    assert 40 < found.graph <= found.peak
    assert found.kept < 8
    assert all(seconds > 0 for seconds in graph_cost.phases(500, collector))
    assert gc.isenabled()


# --- the report -----------------------------------------------------------------------------------


def test_the_table_of_ratios():
    timings = harness.compare({"hand": [2e-6, 2e-6], "engine": [6e-6, 7e-6]}, 4) + harness.compare(
        {"hand": [1.0, 1.0], "engine": [2.0, 2.0]}, 100
    )
    table = report.ratios("Step", timings, "m")
    assert table.header == ["", "m = 4", "m = 100"]
    assert table.rows == [["hand", "2.00 µs", "1.00 s"], ["engine", "3.25 ± 0.12", "2.00 ± 0.00"]]
    assert "| engine | 3.25 ± 0.12 | 2.00 ± 0.00 |" in table.markdown()


def test_the_table_of_models():
    figures = nn_step.Figures("LSTM, step", 0.01, 1.5, 1.4, 1.6, 1.25, {nn_step.BASELINE: 3e6, "nn": 2e6}, 5)
    table = report.models("Models", [figures])
    assert table.rows == [["LSTM, step", "10.0 ms", "1.50 ± 0.10", "1.25", "3.0 MB", "2.0 MB"]]
    assert "over 5 interleaved rounds" in table.note
    assert "nothing was timed" in report.models("Models", []).note


def test_the_command_writes_tables_and_figures(tmp_path):
    target = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--rounds", "2", "--only", "import_time", "--markdown", "--json", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert [row["name"] for row in figures["results"]["import_time"]] == ["import numpy", "import autograd_np"]
    assert all(row["rounds"] == 2 for row in figures["results"]["import_time"])
    assert figures["environment"]["packages"]["numpy"] == np.__version__
    assert "| import autograd_np | " in done.stdout
    for name in figures["left out"]:
        assert name in done.stdout


def test_the_check_of_hand_written_passes_writes_its_figures(tmp_path):
    target = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.check_backward", "--only", "ridge", "--every", "4", "--seeds", "1", "--json", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr  # 1: something wanted is not reached
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert {"detected", "localised", "explained", "confidently wrong", "doubles", "helper", "fix"} <= figures["shares"].keys()
    assert figures["shares"]["detected"] == 1
    assert all(name in done.stdout for name in figures["shares"])
    assert figures["false alarms"] == []
    mutant = figures["mutants"][0]
    assert mutant["mutant"].startswith("ridge:")
    assert {"line", "variable", "kind", "message", "fix", "rivals"} == mutant["said"]["findings"][0].keys()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor times are read from /proc")
def test_the_table_to_train_on_is_written_by_a_seed_and_trained_on(tmp_path):
    for name in ("a.csv", "b.csv"):
        train_table.write_table(tmp_path / name, 300, 3)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert header == "c0,c1,c2,kind"
    assert len(rows) == 300
    for row in rows:
        a, b, c, kind = row.split(",")
        assert kind == ("yes" if float(a) * float(b) + float(c) > 0 else "no")
    found = train_table.run(tmp_path / "a.csv", "--epochs", "1")
    assert 0 < found.first_seconds < found.seconds
    assert 0 < found.first_cpu < found.cpu
    assert found.peak > 30
    assert (tmp_path / "autograd-np-train" / "model.safetensors").exists()
