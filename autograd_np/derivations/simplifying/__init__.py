"""Rewriting expressions until they are what a person would write.

Here live the table of known pairs and the language of its patterns (`known`, `patterns`), rewritings of shapes and places
(`structure`), the normal form of sums and products (`polynomials`, `form`, `sums`, `spelling`, `algebra`), and what applies them to a
fixed point (`simplify`). Nothing here may know which function an expression comes from, or write text.
"""
