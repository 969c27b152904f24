"""The energy of a chain of springs and the force on each mass, with a soft wall and gravity: loops over pairs, in place."""

import numpy as np


def forward(pos, rest, k, g, wall):
    energy = 0.0
    for i in range(len(pos) - 1):
        d = pos[i + 1] - pos[i]
        length = np.sqrt(np.sum(d * d))
        energy = energy + 0.5 * k[i] * (length - rest[i]) ** 2
    energy = energy + g * np.sum(pos[:, 1])
    energy = energy + wall * np.sum(np.exp(-pos[:, 0]))
    return energy


def backward(pos, rest, k, g, wall):
    dpos = np.zeros_like(pos)
    dk = np.zeros_like(k)
    drest = np.zeros_like(rest)
    for i in range(len(pos) - 1):
        d = pos[i + 1] - pos[i]
        length = np.sqrt(np.sum(d * d))
        stretch = length - rest[i]
        force = k[i] * stretch * d / length
        dpos[i + 1] += force
        dpos[i] -= force
        dk[i] = 0.5 * stretch**2
        drest[i] = -k[i] * stretch
    dpos[:, 1] += g
    dpos[:, 0] -= wall * np.exp(-pos[:, 0])
    return dpos, drest, dk


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "pos": rng.normal(size=(5, 2)),
        "rest": rng.uniform(0.5, 1.5, size=4),
        "k": rng.uniform(1.0, 2.0, size=4),
        "g": 0.8,
        "wall": 0.3,
    }


GRADIENTS = {"dpos": "pos", "drest": "rest", "dk": "k"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-unit": ("stretch * d / length", "stretch * d", "missing-factor extra-factor scale", "the direction is not normalised", "dpos[i + 1] += force", "dpos[i] -= force"),
    "squared-length": ("stretch * d / length", "stretch * d / length**2", "extra-factor missing-factor wrong-point", "divided by the length twice", "dpos[i + 1] += force", "dpos[i] -= force"),
    "no-stretch": ("k[i] * stretch * d / length", "k[i] * d / length", "missing-factor", "the stretch is missing", "dpos[i + 1] += force", "dpos[i] -= force"),
    "direction": ("d = pos[i + 1] - pos[i]", "d = pos[i] - pos[i + 1]", "sign", "the direction is reversed", "force = k[i]", "dpos[i + 1] += force", "dpos[i] -= force"),
    "no-reaction": ("        dpos[i] -= force\n", "", "missing-term", "the reaction is forgotten", "dpos[i + 1] += force"),
    "reaction-added": ("dpos[i] -= force", "dpos[i] += force", "sign", "+= for -="),
    "action-assigned": ("dpos[i] -= force", "dpos[i] = -force", "missing-term", "= for -=: the spring before is lost"),
    "wrong-index": ("dpos[i + 1] += force", "dpos[i] += force", "wrong-point missing-term", "written to the first mass"),
    "short-loop": ("range(len(pos) - 1)", "range(len(pos) - 2)", "missing-term", "the last spring is left out", "dpos[i + 1] += force", "dk[i] =", "drest[i] =", "dpos[i] -= force"),
    "dk-no-half": ("0.5 * stretch**2", "stretch**2", "scale missing-factor", "the half is missing"),
    "dk-power": ("0.5 * stretch**2", "0.5 * stretch", "missing-factor wrong-point", "not squared"),
    "drest-sign": ("drest[i] = -k[i] * stretch", "drest[i] = k[i] * stretch", "sign", "the sign of the inner derivative"),
    "drest-length": ("-k[i] * stretch", "-k[i] * length", "wrong-point", "length for stretch"),
    "gravity-all": ("dpos[:, 1] += g", "dpos += g", "extra-term wrong-point", "gravity in both directions"),
    "gravity-axis": ("dpos[:, 1] += g", "dpos[:, 0] += g", "wrong-point extra-term missing-term", "gravity along x"),
    "no-gravity": ("    dpos[:, 1] += g\n", "", "missing-term", "gravity is forgotten", "return dpos", "dpos[i + 1] += force", "dpos[i] -= force", "dpos[:, 0] -="),
    "wall-sign": ("dpos[:, 0] -= wall", "dpos[:, 0] += wall", "sign", "+= for -="),
    "wall-at-y": ("np.exp(-pos[:, 0])", "np.exp(-pos[:, 1])", "wrong-point", "at y for x"),
    "wall-assigned": ("dpos[:, 0] -= wall", "dpos[:, 0] = -wall", "missing-term", "= for -=: the springs are lost"),
    "root": ("k[i] * stretch * d / length", "k[i] * np.sqrt(stretch) * d / length", "not-finite wrong-point", "the root of a negative stretch", "dpos[i + 1] += force", "dpos[i] -= force"),
}

DOUBLES = [("no-unit", "drest-sign"), ("reaction-added", "dk-no-half"), ("gravity-axis", "drest-length"), ("dk-power", "wall-at-y"), ("no-stretch", "wall-sign")]
# fmt: on
