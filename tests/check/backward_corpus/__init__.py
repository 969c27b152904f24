"""Hand-written backward passes, right ones and wrong ones, to judge `check_backward` by.

Each file of `passes` is what somebody might have written, in plain NumPy and on its own: ``forward``, ``backward``, perhaps
``loss``, and ``inputs(seed)``. Where they are methods, ``build(seed)`` makes a new object and returns its forward and backward; one
function that returns loss and gradients is both. Beside the code it says

GRADIENTS
    what each returned gradient belongs to: name -> input, in the order of a returned tuple;
    a name of a container stands for all of its arrays, and a bare string for a result shaped like that input.
    ``None`` is no gradient (a loss), a tuple a path, a dict the same for a dict in the result, and a list the inputs of one flat vector.
LEFT (objects only)
    what backward leaves in the object: dotted path of the gradient -> dotted path of the array that it belongs to.
UPSTREAM (layers only)
    parameter of backward -> position of the output it is the upstream gradient of; ``None`` if forward returns the output alone.
LOSS
    position of the loss in what forward returns, if it is not the first.
NAMES
    pairs that no naming convention could guess, as a user would pass them in ``names=``.
MUTANTS
    name -> (old text, new text, acceptable kinds, what was done wrong, *texts of other lines that may be blamed).
    The old text stands exactly once in backward, or in the helper (``Class.method``, ``outer.inner``) that INSIDE names for this mutant;
    the other lines stand in either.
DOUBLES
    pairs of mutants that are made at once, at different lines.

`truth` proves by numeric differences, without the engine, that the passes are right and the mutants wrong.
`score` runs `check_backward` over them.
"""
