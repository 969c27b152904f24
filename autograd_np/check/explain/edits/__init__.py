"""The edits of a statement: each undoes one mistake, so the edit that makes the pass right names the mistake.

Here live the families of edits, a file each (operators, matrices, reductions, names, indices, masks, constants, calls, insertions,
assignments, pairs), what they have in common (`syntax`, `edit`), what forward tells (`hints`), all of them in order (`catalogue`), and
the text of a corrected statement (`rewrite`). A family may not know another, nor the case that it is tried on. Reasons that are not
in the text of a statement (a factor of its values, a line before it) may not live here.
"""
