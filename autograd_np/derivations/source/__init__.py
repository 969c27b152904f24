"""A derivation as NumPy.

Here lives what writes an expression (`writing`), a gradient as lines (`statements`), forward as the user did (`lines`), and all of it
as a program (`program`). Nothing here may decide what a gradient is.
"""
