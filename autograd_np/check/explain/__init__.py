"""Explain: why a wrong line is wrong, by small edits that make it right and by factors of its values.

Here lives what starts from the wrong variables that `judge` found, and finds the line and the reason of each. A verdict may
not be decided here, and nothing may be laid out or printed: `tell` does that.
"""
