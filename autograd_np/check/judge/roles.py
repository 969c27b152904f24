"""What each parameter of backward is: an input, a variable of forward's, the upstream gradient of an output, a cache.

By name where names tell. Where they do not, the few readings that are possible are listed, most plausible first; which is
taken is decided by trying them.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.names import pair
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.point import Output, Traced
from autograd_np.check.watch.program import LOSS_NAMES, Program
from autograd_np.check.watch.spelling import near_misses, wanted_names

__all__ = ["Reading", "cotangents_of", "fill", "is_no_gradient", "is_upstream", "readings_of"]

MOST = 24

_UPSTREAM = re.compile(
    r"(?i)(d|g|grad|grads|gradient|delta|deltas|upstream|top|diff|err|error|accum|adj|bar|cotangent|out|output|next|loss|dl\w*|dj\w*)"
)
_UPSTREAM_NAMES = frozenset(
    [
        "dout",
        "d_out",
        "dy",
        "dY",
        "dL",
        "dloss",
        "g",
        "gout",
        "gy",
        "gz",
        "upstream",
        "grad_output",
        "grad_out",
        "grad",
        "delta",
        "dnext",
        "dz",
        "dA",
        "dZ",
        "dh",
        "dH",
        "error",
        "err",
        "accum_grad",
        "eta",
        "top_diff",
        "top_grad",
        "output_gradient",
        "output_grad",
        "grad_outputs",
        "upstream_grad",
        "gradient",
        "dvalues",
        "d",
        "cotangent",
        "ct",
    ]
)
_BEGINS_AS_GRADIENT = re.compile(r"d[A-Z_]|d[a-z]{1,3}\d*$|d(next|prev|hid|out|state|top|pred|score|logit|act|feat)")
_CACHE = re.compile(r"(?i).*(cache|ctx|context|memory|mem|saved|state|tape|intermediate|residual|store|stash|history|fwd|forward).*")

_OF_KEPT = re.compile(r"(?i)(d|grad|delta)_?(state|memory|mem|context|ctx|history|store|residual)s?\d*")


def _is_cache(name: str) -> bool:
    """Whether a parameter is called as what forward keeps for backward is; ``dstates`` is the gradient of states."""
    return _CACHE.fullmatch(name) is not None and _OF_KEPT.fullmatch(name) is None


@dataclass(frozen=True)
class Reading:
    """One way to fill the parameters of backward.

    Attributes
    ----------
    upstream : tuple of (parameter, position of the output)
    values : tuple of (parameter, what)
        What fills another one: ``("output", 1)``, ``("result", 0)``, ``("variables", 0)``.
    seeds : tuple of positions
        The outputs that have an upstream gradient.
    ones : bool
        That is one, since backward takes none.
    given : tuple of (position, input name)
        Upstream gradients that the user gave among the inputs.
    sure : bool
        Names alone told.
    """

    upstream: tuple[tuple[str, int | str], ...] = ()
    values: tuple[tuple[str, tuple[str, int]], ...] = ()
    seeds: tuple[int | str, ...] = ()
    ones: bool = False
    given: tuple[tuple[int | str, str], ...] = ()
    sure: bool = True

    def told(self, traced: Traced) -> list[str]:
        """Say what was taken for what."""
        outputs = {o.position: o for o in traced.outputs}
        said = []
        for parameter, position in self.upstream:
            said.append(f"`{parameter}` is taken as the upstream gradient of {_called(outputs.get(position), position)}")
        for parameter, (kind, i) in self.values:
            what = {
                "output": f"output {i} of forward",
                "result": "all that forward returned",
                "variables": "forward's variables, by name",
                "input": f"the input `{list(traced.inputs)[i] if i < len(traced.inputs) else ''}`",
            }[kind]
            said.append(f"`{parameter}` is taken as {what}")
        ignored = [o for o in traced.outputs if o.position not in self.seeds and self.seeds and traced.scalar is None]
        if ignored and self.upstream:
            said += [f"{_called(o, o.position)} has no upstream gradient: backward takes none for it" for o in ignored]
        if self.ones:
            said.append("backward takes no upstream gradient: ones are assumed")
        return said


def _called(output: Output | None, position: int | str) -> str:
    return f"`{output.name}`" if output is not None and output.name else f"output {position}"


def cotangents_of(reading: Reading, traced: Traced, rng: np.random.Generator) -> dict[int | str, Any]:
    """Return what each output is multiplied by, in the scalar that is differentiated."""
    given = dict(reading.given)
    found: dict[int | str, Any] = {}
    for o in [*traced.outputs, *([traced.scalar] if traced.scalar is not None else [])]:
        if o.position in given:
            found[o.position] = np.asarray(flat_names(traced.inputs)[given[o.position]], float)
        elif o is traced.scalar or reading.ones:
            found[o.position] = np.ones(o.shape)
        elif o.position in reading.seeds:
            found[o.position] = rng.normal(size=o.shape)
    if traced.scalar is not None:
        return {k: v for k, v in found.items() if k == traced.scalar.position}
    return {k: v for k, v in found.items() if k in reading.seeds}


def open_parameters(program: Program, traced: Traced) -> list[str]:
    """Return the parameters of backward that neither the inputs nor forward's variables fill."""
    available = {**flat_names(traced.inputs), **({} if program.joint else traced.run.variables)}
    found = []
    for p in inspect.signature(program.backward).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or p.name in available:
            continue
        if p.default is p.empty or (p.default is None and (p.name in _UPSTREAM_NAMES or _is_cache(p.name))):
            found.append(p.name)
    return found


def readings_of(program: Program, traced: Traced) -> list[Reading]:
    """Return the ways to fill the parameters of backward, most plausible first.

    Raises
    ------
    CheckSetupError
        Naming the parameter nobody supplies, with near misses.
    """
    open_ones = open_parameters(program, traced)
    outputs = traced.outputs if traced.scalar is None else []
    given = _given(program, traced, outputs)
    if not open_ones:
        if traced.scalar is not None:
            return [Reading()]
        if given:
            return [Reading(given=given, seeds=tuple(p for p, _ in given))]
        if not outputs:
            return [Reading()]
        whole = Reading(seeds=tuple(o.position for o in outputs), ones=True)
        single = [Reading(seeds=(o.position,), ones=True) for o in outputs] if len(outputs) > 1 else []
        return [*single, whole, *_named_as_inputs(program, traced, outputs)]
    available = {**flat_names(traced.inputs), **traced.run.variables}
    misspelt = [n for n in open_ones if _is_misspelt(n, available)]
    found = [] if misspelt else sorted(_enumerated(traced, open_ones, outputs, given), key=lambda pair: pair[0])
    if not found:
        name = (misspelt or open_ones)[0]
        near = ", ".join(near_misses(name, available))
        called = getattr(program.backward, "__name__", "function")
        raise errors.CheckSetupError(
            f"backward {called} has a parameter {name!r} that nothing supplies; "
            f"add it to inputs{f' (or did you mean {near}?)' if near else ''}. There are: {', '.join(available) or 'none'}"
        )
    return list(dict.fromkeys(reading for _, reading in found))[:MOST]


def _named_as_inputs(program: Program, traced: Traced, outputs: Sequence[Output]) -> Iterator[Reading]:
    """Yield the reading by which the one parameter of backward is its upstream gradient, whatever it is called: ``backward(X)``."""
    match [p.name for p in inspect.signature(program.backward).parameters.values() if p.default is p.empty], outputs:
        case [name], [o] if not program.joint and name in traced.inputs and np.shape(traced.inputs[name]) == o.shape:
            yield Reading(upstream=((name, o.position),), seeds=(o.position,), sure=False)


def _is_misspelt(name: str, available: Iterable[str]) -> bool:
    """Whether a parameter that nothing supplies looks like a slip of the pen: no cache's name, and nobody's gradient."""
    available = list(available)
    if not 1 <= _score(name) < 3 or len(name) < 3 or any(x in available for x in wanted_names(name)):
        return False
    return bool(difflib.get_close_matches(name, available, 1, 0.75))


def _given(program: Program, traced: Traced, outputs: Sequence[Output]) -> tuple[tuple[int | str, str], ...]:
    """Return the upstream gradients that stand among the inputs: arrays for backward alone, of an output's shape."""
    if not outputs:
        return ()
    backward = set(inspect.signature(program.backward).parameters)
    forward = set(inspect.signature(program.forward).parameters)
    names = [o.name for o in outputs if o.name]
    found: dict[int | str, str] = {}
    for name, value in traced.inputs.items():
        if name not in backward or name in forward or not isinstance(value, (np.ndarray, np.generic, float)):
            continue
        fitting = [o for o in outputs if o.shape == np.shape(value) and o.position not in found]
        called = pair(name, names)
        chosen = next((o for o in fitting if o.name and o.name == called), None)
        if chosen is None and fitting and (name in _UPSTREAM_NAMES or _score(name) < 2):
            chosen = fitting[0]
        if chosen is not None:
            found[chosen.position] = name
    return tuple(found.items())


def _score(name: str) -> float:
    """Say how little a name looks like an upstream gradient's."""
    if name in _UPSTREAM_NAMES:
        return 0.0
    if _is_cache(name):
        return 3.0
    parts = [p for p in re.split(r"_|(?<=[a-z])(?=[A-Z])", name) if p]
    if _OF_KEPT.fullmatch(name) or any(_UPSTREAM.fullmatch(p) for p in parts) or _BEGINS_AS_GRADIENT.match(name):
        return 0.5
    return 1.5


def _enumerated(
    traced: Traced, names: Sequence[str], outputs: Sequence[Output], given: tuple[tuple[int | str, str], ...]
) -> Iterator[tuple[tuple[float, ...], Reading]]:
    result = traced.run.result
    parts = list(result) if isinstance(result, (tuple, list)) else [result]
    output_names = [o.name for o in outputs if o.name]
    options: list[list[tuple[float, str, Any]]] = []
    for place, name in enumerate(names):
        mine: list[tuple[float, str, Any]] = []
        wanted = pair(name, output_names)
        for order, o in enumerate(outputs):
            if o.position in dict(given):
                continue
            named = 0.0 if wanted is not None and o.name == wanted else 1.0 if wanted is None else 4.0
            mine.append((2 * _score(name) + named + 0.1 * abs(order - place), "upstream", o.position))
        if traced.scalar is not None and _score(name) < 1:
            mine.append((_score(name), "upstream", traced.scalar.position))
        if wanted is not None:
            mine = [option for option in mine if option[2] == next(o.position for o in outputs if o.name == wanted)] or mine
        if mine and (wanted is not None or _score(name) < 1):  # it is what it is called
            options.append(mine)
            continue
        unlike = 2.0 - min(_score(name), 2.0)
        for i, part in enumerate(parts):
            differentiable = any(o.position == i for o in outputs)
            if traced.scalar is not None and i == traced.scalar.position:
                continue
            plain = isinstance(part, (np.ndarray, np.generic, float))
            last = 0.0 if i == len(parts) - 1 else 0.3
            mine.append((unlike + last + (0.6 if differentiable else 0.2 if plain else 0.0), "output", i))
        for i in range(len(traced.inputs)):
            mine.append(((2.0 if _is_cache(name) else 0.4) + unlike + 0.2 * abs(i - place), "input", i))
        if len(parts) > 1 or isinstance(result, dict):
            mine.append((unlike + 1.2 + (0.5 if outputs else 0.0), "result", 0))
        if _is_cache(name):
            mine.append((unlike + 1.5, "variables", 0))
        options.append(mine)
    for chosen in itertools.islice(itertools.product(*(sorted(o, key=lambda t: t[0])[:6] for o in options)), 400):
        upstream = tuple((n, what) for n, (_, kind, what) in zip(names, chosen, strict=True) if kind == "upstream")
        values = tuple((n, (kind, what)) for n, (_, kind, what) in zip(names, chosen, strict=True) if kind != "upstream")
        positions = [p for _, p in upstream]
        if len(set(positions)) < len(positions) or (outputs and not upstream and not given and traced.scalar is None):
            if not (outputs and not upstream):
                continue
            seeds = tuple(o.position for o in outputs)
            yield (sum(c[0] for c in chosen) + 1, 0.0), Reading((), values, seeds, ones=True, sure=False)
            continue
        seeds = tuple(dict.fromkeys([*positions, *(p for p, _ in given)]))
        cost = sum(c[0] for c in chosen)
        yield (cost, float(len(values))), Reading(upstream, values, seeds, given=given, sure=False)


def fill(program: Program, traced: Traced, reading: Reading, cotangents: Mapping[int | str, Any]) -> dict[str, Any]:
    """Return the arguments of backward, not yet copied."""
    given = flat_names(traced.inputs)
    available = {**given, **({} if program.joint else traced.run.variables), **traced.inputs}
    result = traced.run.result
    parts = list(result) if isinstance(result, (tuple, list)) else [result]
    roles: dict[str, Any] = {}
    for name, position in reading.upstream:
        seed = cotangents[position]
        roles[name] = float(seed) if np.ndim(seed) == 0 else np.array(seed)
    for name, (kind, i) in reading.values:
        if kind == "input":
            roles[name] = list(traced.inputs.values())[i]
        else:
            roles[name] = parts[i] if kind == "output" else result if kind == "result" else dict(traced.run.variables)
    filled: dict[str, Any] = {}
    for p in inspect.signature(program.backward).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.name in roles:
            filled[p.name] = roles[p.name]
        elif p.name in traced.inputs and _is_handed_on(traced.run.variables.get(p.name), traced.inputs[p.name], parts):
            filled[p.name] = traced.run.variables[p.name]
        elif (p.name in given and (p.name in traced.inputs or p.default is p.empty or p.default is None)) or (
            p.name in available and (p.default is p.empty or p.default is None)
        ):
            filled[p.name] = available[p.name]
    return filled


def _is_handed_on(made: Any, given: Any, parts: Sequence[Any]) -> bool:
    """Whether forward made a new cache under the name of one it was given, and returned it: that is what backward unpacks."""
    return isinstance(made, (tuple, list, dict)) and made is not given and any(p is made for p in parts)


def is_no_gradient(name: str) -> bool:
    """Whether a returned thing of this name is known to be no gradient."""
    return (
        name in LOSS_NAMES
        or name in ("cache", "caches", "grads", "accuracy", "acc", "params", "parameters")
        or (bool(re.search(r"(?i)loss|cost", name)) and not name.startswith(("d", "grad")))
    )


_ANY_GRADIENT = re.compile(r"(?i)(grads?|gradients?|deltas?|diff|err|errors?|adj|upstream|cotangent|accum|bar|bottom|top)")


def is_upstream(name: str) -> bool:
    """Whether a name is one for whatever gradient is at hand, not for that of a particular variable."""
    parts = [p for p in re.split(r"_|\d+|(?<=[a-z])(?=[A-Z])", name) if p]
    return name in _UPSTREAM_NAMES or (bool(parts) and all(_ANY_GRADIENT.fullmatch(p) for p in parts))
