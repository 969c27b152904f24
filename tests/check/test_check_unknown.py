"""Mistakes in variables that are called after nothing of forward's: a value that is no gradient of anything tells where they are."""

from __future__ import annotations

import numpy as np
import pytest
from test_check_loops import assert_found, programs

import autograd_np as ag

rng = np.random.default_rng(23)


# --- a gated recurrent net whose cell has its own names

NET = """
def squash(x):
    return 1 / (1 + np.exp(-x))


def cell(x, state, memory, kernel, shift):
    joint = np.concatenate([state, x])
    parts = kernel @ joint + shift
    size = len(state)
    keep, take, show = squash(parts[:size]), squash(parts[size : 2 * size]), squash(parts[2 * size : 3 * size])
    fresh = np.tanh(parts[3 * size :])
    following = keep * memory + take * fresh
    return show * np.tanh(following), following, (joint, keep, take, show, fresh, memory, following)


def forward(xs, kernel, shift, state, memory):
    tapes = []
    total = 0.0
    for x in xs:
        state, memory, tape = cell(x, state, memory, kernel, shift)
        tapes.append(tape)
        total = total + np.sum(state**2)
    return total, tapes


def cell_backward(onto_state, onto_memory, tape, kernel):
    joint, keep, take, show, fresh, memory, following = tape
    size = len(memory)
    bent = np.tanh(following)
    p = onto_state * show * (1 - bent**2) + onto_memory
    q = onto_state * bent * show * (1 - show)
    r = p * fresh * take * (1 - take)
    s = p * memory * keep * (1 - keep)
    u = p * take * (1 - fresh**2)
    stacked = np.concatenate([s, r, q, u])
    back = kernel.T @ stacked
    return back[:size], back[size:], p * keep, np.outer(stacked, joint), stacked


def backward(xs, kernel, tapes):
    size = len(tapes[0][5])
    onto_state, onto_memory = np.zeros(size), np.zeros(size)
    dkernel, dshift = np.zeros_like(kernel), np.zeros(len(kernel))
    dxs = [None] * len(xs)
    for t in reversed(range(len(xs))):
        joint, keep, take, show, fresh, memory, following = tapes[t]
        seen = show * np.tanh(following)
        onto_state, dxs[t], onto_memory, k, b = cell_backward(onto_state + 2 * seen, onto_memory, tapes[t], kernel)
        dkernel += k
        dshift += b
    return {"dkernel": dkernel, "dshift": dshift, "dstate": onto_state, "dmemory": onto_memory, "dxs": dxs}
"""

GIVEN = {
    "xs": [rng.normal(size=2) for _ in range(4)],
    "kernel": rng.normal(size=(12, 5)) / 2,
    "shift": rng.normal(size=12) / 2,
    "state": rng.normal(size=3),
    "memory": rng.normal(size=3),
}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("q = onto_state * bent * show", "q = onto_state * following * show"),
        ("r = p * fresh * take", "r = p * memory * take"),
        ("s = p * memory * keep * (1 - keep)", "s = p * memory * keep * (1 - take)"),
        ("u = p * take * (1 - fresh**2)", "u = p * take * (1 - fresh)"),
        ("stacked = np.concatenate([s, r, q, u])", "stacked = np.concatenate([r, s, q, u])"),
        ("p = onto_state * show * (1 - bent**2) + onto_memory", "p = onto_state * show * (1 - bent**2)"),
    ],
)
def test_a_mistake_in_a_cell_without_names_is_found_at_its_line(right, wrong):
    assert_found(NET, GIVEN, right, wrong)


def test_the_right_cell_passes():
    scope = programs(NET)
    assert ag.check_backward(scope["forward"], scope["backward"], GIVEN).ok
