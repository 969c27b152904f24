"""Hand-written backward passes, right ones and wrong ones, to judge `check_backward` by.

Each file of `passes` is what somebody might have written, in plain NumPy and on its own: ``forward``, ``backward``, perhaps ``loss``,
and ``inputs(seed)``. Beside the code it says

GRADIENTS
    what each returned gradient belongs to: name -> input, in the order of a returned tuple;
    a name of a container stands for all of its arrays, and a bare string for a result shaped like that input.
UPSTREAM (layers only)
    parameter of backward -> position of the output it is the upstream gradient of; ``None`` if forward returns the output alone.
NAMES
    pairs that no naming convention could guess, as a user would pass them in ``names=``.
MUTANTS
    name -> (old text, new text, acceptable kinds, what was done wrong, *texts of other lines that may be blamed).
    The old text stands exactly once in the source of backward, or of the function that INSIDE names for this mutant.
DOUBLES
    pairs of mutants that are made at once, at different lines.

`truth` proves by numeric differences, without the engine, that the passes are right and the mutants wrong.
`score` runs `check_backward` over them.
"""
