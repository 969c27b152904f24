"""Graph -> one HTML page to step through: forward through the evaluation, then backward through the reverse sweep.

Here live the page (`static/`: template, styles and scripts) and what fills it: `story` the boxes, `layout` their positions, `labels` what
things are called, `sources` the user's code, `equations` the derivation's, `walk` the steps and their sentences, `checked` those of a
backward pass that was checked.
The page only shows: it may not compute anything, and it may not load anything, for styles and scripts stand inside it and are allowed
by their hashes. How a graph is drawn may not live here, but in `render`; nor may what serves a page or watches files.

`page.page(explore.data_of(graph))` is the page as text. Its script has one entry and one hook, which a page that is live uses:

- ``page.show(data, keep = true)`` shows other data in the place of those there were. With `keep` the reader stays where he is: at the
  step, the selected node and the open modules of the same names, at the same zoom and the same place of scrolling.
- ``page.onEdit = (edit) => ...`` makes the numbers of inputs and parameters editable, and is called with each one that was changed:
  ``{name, id, at, value}``, where `name` is the leaf's ``"key"``, `at` the position of the element in row-major order and `value` the
  text that was typed. Leaves with ``"edit": false`` are left alone. The page does not change anything by itself: whoever hooks in
  computes, and calls ``page.show``.

`page.page(data, script=..., connect="'self'")` adds the script that does so, and allows it to talk to where it came from.
"""

from __future__ import annotations

__all__: list[str] = []
