"""Module: a function with Parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, Self, cast

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.names import Keys, Label, join, path_of
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
    _buffers: dict[str, bool] = {}  # noqa: RUF012 (name -> whether it is in the state; an instance has one of its own)
    _is_copy: bool = False

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
        modules = dict(self.named_modules())
        del modules[""]
        token = _PATHS.set(("", {id(module): path for path, module in modules.items()}))
        try:
            graph = ag.trace(self.forward, *example)
        finally:
            _PATHS.reset(token)
        graph.modules.update({path: type(module).__name__ for path, module in modules.items()})
        return graph

    # --- what it is made of

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(vars(self).get(name), Parameter) and value is not None and not isinstance(value, Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter; assigning a {type(value).__name__} would unregister it. "
                f"Assign a Parameter or None, or give it new values under ag.no_grad(): p[...] = values"
            )
        if name in self._buffers:
            if isinstance(value, (Parameter, Module)):
                self._forget_buffer(name)
            else:
                value = self._as_buffer(name, value)
        super().__setattr__(name, value)
        self._place(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in self._buffers:
            self._forget_buffer(name)

    def _forget_buffer(self, name: str) -> None:
        vars(self)["_buffers"] = {other: persistent for other, persistent in self._buffers.items() if other != name}

    @property
    def _label(self) -> Label:
        labels = vars(self)
        if _LABEL not in labels:
            labels[_LABEL] = Label(self)
        return cast(Label, labels[_LABEL])

    def _place(self, name: str, value: Any) -> None:
        """Tell what is inside an attribute where it is."""
        if isinstance(value, _HOLDERS):
            for keys, member in _members(value, (name,)):
                _label_of(member).place(member, self._label, keys)

    def __getstate__(self) -> Any:
        state = cast(Any, object.__getstate__(self))
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        return {name: value for name, value in (attributes or {}).items() if name != _LABEL}, slots

    def __setstate__(self, state: Any) -> None:
        attributes, slots = state if isinstance(state, tuple) else (state, {})  # a subclass may keep a dict alone
        vars(self).update({name: value for name, value in attributes.items() if name != _LABEL})
        for name, value in slots.items():
            object.__setattr__(self, name, value)
        for name, value in attributes.items():
            self._place(name, value)

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        """Make an array part of the state without making it a Parameter: running statistics, a mask, a table.

        A buffer is an attribute that holds an ndarray. Whatever is assigned to it becomes one: of a Tensor the values, so that no
        graph is kept from call to call, and a lazy array is computed. Only in the copy that `functional_call` runs a Tensor stays one.

        Parameters
        ----------
        name : str
            Of the attribute.
        value : array_like or None
            ``None`` is kept, and is not part of the state.
        persistent : bool, default True
            Whether it is in `state_dict`.

        Raises
        ------
        TypeError, ValueError
            If the name is not one, or is taken, or the value is no array of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> class Centre(nn.Module):
        ...     def __init__(self):
        ...         self.register_buffer("mean", np.zeros(2))
        ...     def forward(self, x):
        ...         if self.training:
        ...             self.mean = 0.9 * self.mean + 0.1 * np.mean(x, axis=0)
        ...         return x - self.mean
        >>> model = Centre()
        >>> model(np.array([[1.0, 2.0], [3.0, 2.0]])).shape
        (2, 2)
        >>> model.state_dict()
        {'mean': array([0.2, 0.2])}
        """
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"register_buffer needs the name of an attribute, without a dot, got {name!r}")
        if name not in self._buffers and hasattr(self, name):
            raise ValueError(f"register_buffer: {type(self).__name__} already has an attribute {name!r}")
        value = self._as_buffer(name, value)
        vars(self)["_buffers"] = {**self._buffers, name: bool(persistent)}
        super().__setattr__(name, value)

    def _as_buffer(self, name: str, value: Any) -> Any:
        """Return what a buffer keeps: an array; in a copy that `functional_call` made, a Tensor too."""
        if value is None or (self._is_copy and hasattr(value, "__array_function__")):
            return value
        value = ag.stop_gradient(value)
        value = value.numpy() if isinstance(value, ag.Tensor) else value
        try:
            array = np.asarray(value)
        except TypeError as error:
            if isinstance(error, ag.AutogradError) or not hasattr(value, "__array_function__"):
                raise
            array = value  # of a device, which is not left in silence
        if array.dtype.kind not in "biufc":
            raise TypeError(f"the buffer {name} needs an array of numbers, got {value!r:.80}")
        return array

    # --- what it holds

    def _members(self) -> Iterator[tuple[str, Parameter | Module]]:
        label = self._label
        for name, value in vars(self).items():
            if isinstance(value, _HOLDERS):
                for keys, member in _members(value, (name,)):
                    _label_of(member).place(member, label, keys)  # a list may have grown
                    yield path_of(keys), member

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
                yield from child._named_modules(join(path, name), seen)

    def modules(self) -> Iterator[Module]:
        """Yield this Module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield (path, Parameter) for all Parameters inside.

        Parameters
        ----------
        remove_duplicate : bool, default True
            Yield a Parameter that is reached by several paths once.
        """
        seen: set[int] = set()
        for path, module in self._walk():
            for name, p in module._members():
                if isinstance(p, Parameter) and not (remove_duplicate and id(p) in seen):
                    seen.add(id(p))
                    yield join(path, name), p

    def parameters(self) -> Iterator[Parameter]:
        """Yield all Parameters inside, each once."""
        return (p for _, p in self.named_parameters())

    def named_buffers(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """Yield (path, array) for all buffers inside that are not ``None``.

        Parameters
        ----------
        remove_duplicate : bool, default True
            Yield the buffers of a Module that is reached by several paths once.
        """
        for path, module in self.named_modules() if remove_duplicate else self._walk():
            for name in module._buffers:
                if getattr(module, name) is not None:
                    yield join(path, name), getattr(module, name)

    def buffers(self) -> Iterator[Any]:
        """Yield all buffers inside that are not ``None``."""
        return (array for _, array in self.named_buffers())

    def _walk(self, path: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, Module]]:
        """Yield (path, Module) for this Module and all inside, by every path that does not lead back."""
        if id(self) not in above:
            yield path, self
            for name, child in self._members():
                if isinstance(child, Module):
                    yield from child._walk(join(path, name), (*above, id(self)))

    def _slots(self, *, persistent: bool = False) -> Iterator[tuple[str, _Slot]]:
        """Yield (path, place) for all Parameters and buffers inside, in PyTorch's order, by every path."""
        for path, module in self._walk():
            for name, p in module._members():
                if isinstance(p, Parameter):
                    yield join(path, name), _Slot(p, None, name)
            for name, kept in module._buffers.items():
                if getattr(module, name) is not None and (kept or not persistent):
                    yield join(path, name), _Slot(getattr(module, name), module, name)

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
        """Return path -> a copy of the values of each Parameter and persistent buffer, what is tied under each of its paths."""
        state: dict[str, Any] = {}
        for path, slot in self._slots(persistent=True):
            if path in state:
                raise StateDictError(f"two Parameters have the path {path!r}; rename the attribute or the key of one of them")
            state[path] = array_of(slot.value)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Give the Parameters and buffers the values of a state; all of them, or none if anything does not fit.

        Parameters
        ----------
        state_dict : mapping
            Path -> array, as `state_dict` returns; floats are cast to the dtype of each Parameter or buffer.
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
        own = dict(self._slots(persistent=True))
        expected = {path: slot.value for path, slot in own.items()}
        new, keys = fitted(expected, state_dict, f"the state for {type(self).__name__}", strict=strict)
        assign((own[path].value, value) for path, value in new.items() if own[path].module is None)
        for path, value in new.items():
            if own[path].module is not None:
                setattr(own[path].module, own[path].name, value)
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
    path = known.get(id(module), join(outer, type(module).__name__))
    name = path.removeprefix(f"{outer}.")
    return name, (join(outer, name), known)


_HOLDERS = (Parameter, Module, list, tuple, dict)
_LABEL = "_own_label"


class _Slot(NamedTuple):
    """A Parameter, or a buffer and the Module that it is an attribute of."""

    value: Any
    module: Module | None
    name: str


def _label_of(member: Parameter | Module) -> Label:
    return member.label if isinstance(member, Parameter) else member._label


def _members(value: Any, keys: Keys) -> Iterator[tuple[Keys, Parameter | Module]]:
    if isinstance(value, (Parameter, Module)):
        yield keys, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _members(item, (*keys, key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _members(item, (*keys, i))


def functional_call(module: Module, parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call a Module with other values for its Parameters and buffers, leaving the Module alone.

    This makes a model a function of its parameters, for `autograd_np.grad` and the other transforms. The call runs on a copy
    that shares everything else; what a layer assigns to an attribute meanwhile, such as running statistics, is forgotten with it.

    Parameters
    ----------
    module : Module
        The model.
    parameters : mapping
        Path -> array or Tensor; Parameters and buffers that are not named keep their own values.
    *args, **kwargs
        What the Module is called with.

    Raises
    ------
    StateDictError
        If a path does not exist, or a value has another shape than what it takes the place of.

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
    own = dict(module._slots())
    replacement: dict[tuple[int, str], Any] = {}
    for path, value in parameters.items():
        if path not in own:
            raise StateDictError(f"{type(module).__name__} has no Parameter or buffer {path!r}; it has {', '.join(own) or 'none'}")
        shape = getattr(value, "shape", ())
        if shape != own[path].value.shape:
            raise StateDictError(f"{path}: got shape {shape}, expected {own[path].value.shape}")
        slot = own[path]
        replacement.setdefault((id(slot.value), "") if slot.module is None else (id(slot.module), slot.name), value)
    return _with(module, replacement, {})(*args, **kwargs)


def _with(value: Any, replacement: dict[tuple[int, str], Any], made: dict[int, Any]) -> Any:
    """Return a copy of a Module (or a container of Modules) that holds other values for its Parameters and buffers."""
    if isinstance(value, Parameter):
        return replacement.get((id(value), ""), value)
    if isinstance(value, Module):
        if id(value) not in made:
            made[id(value)] = new = copy.copy(value)
            own = {name: replacement.get((id(value), name), item) for name, item in vars(new).items()}
            vars(new).update({name: _with(item, replacement, made) for name, item in own.items()}, _is_copy=True)
        return made[id(value)]
    if type(value) is dict:
        return {key: _with(item, replacement, made) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with(item, replacement, made) for item in value)
    return value
