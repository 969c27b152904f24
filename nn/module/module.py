"""Module: a function with Parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.module.contents import Contents
from nn.module.hooks import Hooks, RemovableHandle, called
from nn.names import join
from nn.state import IncompatibleKeys, array_of, assign, completed, fitted, refuse_conflicts

__all__ = ["Module"]


class Module(Contents):
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
    _hooks: Hooks | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses give it."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``forward(*args, **kwargs)``."""
        paths = _PATHS.get()
        if paths is None:
            return self.forward(*args, **kwargs) if self._hooks is None else called(self, self._hooks, args, kwargs)
        name, inner = _entered(self, paths)
        token = _PATHS.set(inner)
        try:
            with ag.scope(name):
                return self.forward(*args, **kwargs) if self._hooks is None else called(self, self._hooks, args, kwargs)
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
            Parameters have their paths as names; drawings put a frame around each module, and draw the first and the last of blocks
            that are alike.

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
        graph.again = self.graph
        return graph

    # --- hooks

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have ``hook(module, args)`` called before `forward`; what it returns takes the place of the arguments.

        Parameters
        ----------
        hook : callable
            Returns None, a tuple of arguments, or the only argument.

        Returns
        -------
        RemovableHandle
            Whose `remove` takes the hook away.
        """
        return RemovableHandle(self, "before", hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have ``hook(module, args, output)`` called after `forward`; what it returns takes the place of the output.

        Parameters
        ----------
        hook : callable
            Returns None, or an output.

        Returns
        -------
        RemovableHandle
            Whose `remove` takes the hook away.
        """
        return RemovableHandle(self, "after", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have ``hook(module, grad_input, grad_output)`` called when gradients come back through the Module.

        Both are tuples: an entry for each positional argument, and for each output; None for what has no gradient. What the hook
        returns takes the place of `grad_input`.

        Parameters
        ----------
        hook : callable
            Returns None, or a tuple as long as `grad_input`.

        Returns
        -------
        RemovableHandle
            Whose `remove` takes the hook away.

        Raises
        ------
        TypeError
            At the call, if the Module returns neither an array nor a tuple of arrays.

        Notes
        -----
        The gradients are those of the sweep. Where a zero meets an infinity the engine sweeps a second time, with marks beside the
        gradients, and a hook is called with both: it should look, or compute something linear. Inside `autograd_np.vmap` a Module
        with such a hook runs on one example after another.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=0))
        >>> handle = model[2].register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input[0].shape))
        >>> np.sum(model(np.ones((5, 2)))).backward()
        (5, 3)
        >>> handle.remove()
        """
        return RemovableHandle(self, "gradients", hook)

    # --- modes, dtypes and gradients

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call a function with every Module, those inside another before it, each once; return this Module.

        Examples
        --------
        >>> import nn
        >>> def init(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.zeros_(module.bias)
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).apply(init)
        >>> model[1].bias
        Parameter([0.], requires_grad=True, name='1.bias')
        """
        for module in self._inside_first(set()):
            fn(module)
        return self

    def _inside_first(self, seen: set[int]) -> Iterator[Module]:
        if id(self) not in seen:
            seen.add(id(self))
            for child in self.children():
                yield from child._inside_first(seen)
            yield self

    def to(self, dtype: Any) -> Self:
        """Convert all Parameters, and buffers of floats, to a dtype; return this Module.

        Parameters stay the objects that they are, so that optimisers keep them; gradients are converted too.

        Parameters
        ----------
        dtype : floating dtype

        Raises
        ------
        TypeError
            If it is no floating dtype.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> nn.Linear(2, 1, rng=0).to(np.float32).weight.dtype
        dtype('float32')
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError as error:
            raise TypeError(f"to() needs a floating dtype, such as np.float32, got {dtype!r:.80}") from error
        if wanted.kind != "f":
            raise TypeError(f"to() needs a floating dtype, such as np.float32, got {wanted}")
        for p in self.parameters():
            if p.dtype.kind == "f" and p.dtype != wanted:
                p.become(p.data.astype(wanted))
        for module in self.modules():
            for name in module._buffers:
                array = getattr(module, name)
                if array is not None and array.dtype.kind == "f":
                    setattr(module, name, array.astype(wanted))
        return self

    def float(self) -> Self:
        """Convert to float32: ``to(np.float32)``."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Convert to float64: ``to(np.float64)``."""
        return self.to(np.float64)

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
        for path, slot in self.slots(persistent=True):
            if path in state:
                raise StateDictError(f"two Parameters have the path {path!r}; rename the attribute or the key of one of them")
            state[path] = array_of(slot.value)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Give the Parameters and buffers the values of a state; all of them, or none if anything does not fit.

        Parameters
        ----------
        state_dict : mapping
            Path -> array, as `state_dict` returns; floats are cast to the dtype of each Parameter or buffer. Of what is tied
            one path is enough.
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
        own = dict(self.slots(persistent=True))
        expected = {path: slot.value for path, slot in own.items()}
        ties = {path: slot.identity for path, slot in own.items()}
        what = f"the state for {type(self).__name__}"
        new, keys = fitted(expected, completed(state_dict, ties), what, strict=strict)
        refuse_conflicts(new, ties, what)
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
