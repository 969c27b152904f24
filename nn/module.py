"""Module: a function with Parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

import autograd_np as ag
from nn.errors import StateDictError
from nn.parameter import Parameter
from nn.state import IncompatibleKeys, array_of, assign, fitted

__all__ = ["Module", "functional_call"]


class Module:
    """Base of layers, losses and models: write `forward`, assign Parameters and Modules as attributes.

    Lists, tuples and dicts of Parameters and Modules count too. There is nothing to call in ``__init__``.

    Attributes
    ----------
    training : bool
        Set by `train` and `eval`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> model = Scale()
    >>> np.sum(model([1.0, 3.0])).backward()
    >>> {name: p.grad for name, p in model.named_parameters()}
    {'factor': array(4.)}
    """

    training: bool = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses give it."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``forward(*args, **kwargs)``."""
        paths = _PATHS.get()
        if paths is None:
            return self.forward(*args, **kwargs)
        name, inner = _entered(self, paths)
        token = _PATHS.set(inner)
        try:
            with ag.scope(name):
                return self.forward(*args, **kwargs)
        finally:
            _PATHS.reset(token)

    def graph(self, *example: Any) -> ag.Graph:
        """Return the graph of a call, with every operation in the module that computed it.

        Parameters
        ----------
        *example : arrays or nested containers of arrays
            What `forward` is called with.

        Returns
        -------
        autograd_np.Graph
            Parameters have their paths as names; drawings put a frame around each module and show identical blocks once.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
        >>> model.graph(np.ones((5, 2)))
        <Graph of 12 nodes, 5 leaves>
        """
        for _ in self.named_parameters():  # which names them
            pass
        modules = dict(self.named_modules())
        del modules[""]
        token = _PATHS.set(("", {id(module): path for path, module in modules.items()}))
        try:
            graph = ag.trace(self.forward, *example)
        finally:
            _PATHS.reset(token)
        graph.modules.update({path: type(module).__name__ for path, module in modules.items()})
        return graph

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(vars(self).get(name), Parameter) and value is not None and not isinstance(value, Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter; assigning a {type(value).__name__} would unregister it. "
                f"Assign a Parameter or None, or give it new values under ag.no_grad(): p[...] = values"
            )
        super().__setattr__(name, value)
        if isinstance(value, (Parameter, Module, list, tuple, dict)):
            for _ in self.named_parameters():  # which names them
                pass

    # --- what it holds

    def _members(self) -> Iterator[tuple[str, Parameter | Module]]:
        for name, value in vars(self).items():
            yield from _members(value, name)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, Module) for the Modules directly inside, each once."""
        seen: set[int] = set()
        for name, value in self._members():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """Yield the Modules directly inside."""
        return (child for _, child in self.named_children())

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield (path, Module) for this Module (path ``""``) and all inside it, each once."""
        return self._named_modules("", set())

    def _named_modules(self, path: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield path, self
            for name, child in self.named_children():
                yield from child._named_modules(_join(path, name), seen)

    def modules(self) -> Iterator[Module]:
        """Yield this Module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield (path, Parameter) for all Parameters inside, and give them their path as `name`.

        Parameters
        ----------
        remove_duplicate : bool, default True
            Yield a Parameter that is reached by several paths once.
        """
        seen: set[int] = set()
        for path, p in self._named_parameters("", ()):
            if remove_duplicate and id(p) in seen:
                continue
            seen.add(id(p))
            if p.name is None or path.endswith(f".{p.name}"):  # a name the user chose is kept
                p.name = path
            yield path, p

    def _named_parameters(self, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, Parameter]]:
        members = [] if id(self) in above else list(self._members())
        for name, value in members:
            if isinstance(value, Parameter):
                yield _join(path, name), value
        for name, value in members:
            if isinstance(value, Module):
                yield from value._named_parameters(_join(path, name), (*above, id(self)))

    def parameters(self) -> Iterator[Parameter]:
        """Yield all Parameters inside, each once."""
        return (p for _, p in self.named_parameters())

    # --- modes and gradients

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all Modules inside; return this Module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set `training` to False here and in all Modules inside; return this Module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Make all Parameters inside collect gradients, or freeze them; return this Module."""
        for p in self.parameters():
            if p.requires_grad != requires_grad:
                p.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all Parameters inside."""
        for p in self.parameters():
            p.grad = None

    # --- state

    def state_dict(self) -> dict[str, Any]:
        """Return path -> a copy of the Parameter's values, tied Parameters under each of their paths."""
        state: dict[str, Any] = {}
        for path, p in self.named_parameters(remove_duplicate=False):
            if path in state:
                raise StateDictError(f"two Parameters have the path {path!r}; rename the attribute or the key of one of them")
            state[path] = array_of(p)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Give the Parameters the values of a state; all of them, or none if anything does not fit.

        Parameters
        ----------
        state_dict : mapping
            Path -> array, as `state_dict` returns; floats are cast to each Parameter's dtype.
        strict : bool, default True
            Whether missing and unexpected paths are errors. A wrong shape always is.

        Returns
        -------
        IncompatibleKeys
            `missing_keys` and `unexpected_keys`, empty if `strict`.

        Raises
        ------
        StateDictError
            Naming everything that does not fit; the Module is as it was.

        Examples
        --------
        >>> import nn
        >>> a, b = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)
        >>> b.load_state_dict(a.state_dict())
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        """
        own = dict(self.named_parameters(remove_duplicate=False))
        new, keys = fitted(own, state_dict, f"the state for {type(self).__name__}", strict=strict)
        assign((own[path], value) for path, value in new.items())
        return keys

    # --- looks

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of `repr`."""
        return ""

    def __repr__(self) -> str:
        named = ((name if name.isprintable() else repr(name)[1:-1], child) for name, child in self.named_children())
        children = [f"  ({name}): {child!r}".replace("\n", "\n  ") for name, child in named]
        inside = self.extra_repr()
        if not children:
            return f"{type(self).__name__}({inside})"
        return "\n".join([f"{type(self).__name__}(", *([f"  {inside}"] if inside else []), *children, ")"])


_PATHS: ContextVar[tuple[str, dict[int, str]] | None] = ContextVar("nn_module_paths", default=None)
"""While `Module.graph` runs: the path of the Module that is running, and the paths of all."""


def _entered(module: Module, paths: tuple[str, dict[int, str]]) -> tuple[str, tuple[str, dict[int, str]]]:
    """Return the name of a Module inside the one that calls it, and `paths` while it runs."""
    outer, known = paths
    path = known.get(id(module), _join(outer, type(module).__name__))
    name = path.removeprefix(f"{outer}.")
    return name, (_join(outer, name), known)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _members(value: Any, path: str) -> Iterator[tuple[str, Parameter | Module]]:
    if isinstance(value, (Parameter, Module)):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _members(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _members(item, f"{path}.{i}")


def functional_call(module: Module, parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call a Module with other values for its Parameters, leaving the Module alone.

    This makes a model a function of its parameters, for `autograd_np.grad` and the other transforms.

    Parameters
    ----------
    module : Module
        The model.
    parameters : mapping
        Path -> array or Tensor; Parameters that are not named keep their own values.
    *args, **kwargs
        What the Module is called with.

    Raises
    ------
    StateDictError
        If a path does not exist, or a value has another shape than the Parameter.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> x = np.array([[1.0, 2.0]])
    >>> ag.grad(lambda p: np.sum(nn.functional_call(model, p, x)))(model.state_dict())
    {'weight': array([[1., 2.]]), 'bias': array([1.])}
    """
    own = dict(module.named_parameters(remove_duplicate=False))
    replacement: dict[int, Any] = {}
    for path, value in parameters.items():
        if path not in own:
            raise StateDictError(f"{type(module).__name__} has no Parameter {path!r}; it has {', '.join(own) or 'none'}")
        shape = getattr(value, "shape", ())
        if shape != own[path].shape:
            raise StateDictError(f"{path}: got shape {shape}, expected {own[path].shape}")
        replacement.setdefault(id(own[path]), value)
    return _with(module, replacement, {})(*args, **kwargs)


def _with(value: Any, replacement: dict[int, Any], made: dict[int, Any]) -> Any:
    """Return a copy of a Module (or a container of Modules) that holds other values for its Parameters."""
    if isinstance(value, Parameter):
        return replacement.get(id(value), value)
    if isinstance(value, Module):
        if id(value) not in made:
            made[id(value)] = new = copy.copy(value)
            vars(new).update({name: _with(item, replacement, made) for name, item in vars(value).items()})
        return made[id(value)]
    if type(value) is dict:
        return {key: _with(item, replacement, made) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with(item, replacement, made) for item in value)
    return value
