"""A derivation as mathematics: LaTeX, Markdown, MathML.

Here lives the tree that formulas are (`notation`), what names, sizes and the rows of the table are in it (`symbols`, `sizes`,
`templates`), the writer of expressions (`equations`, whose families `matrices`, `products`, `gathering`, `indices` and `constructs` are
put together in `writer`), the order in which a derivation is told (`local`, `lesson`) and the printers (`latex`, `mathml`, `pages`).
Nothing here may differentiate or simplify: what is written is what `derivation` found.
"""
