"""Explain: why a wrong line is wrong, by small edits that make it right and by factors of its values.

What stands here starts from wrong variables that `judge` found. It decides no verdict and prints nothing.
"""
