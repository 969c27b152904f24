"""Watch: the user's functions run as they are, forward on arrays and on Tensors, backward line by line.

Here lives what calls, observes and reads source text. Nothing here may know gradients' names, verdicts or reasons, change
a user's arrays, or compare with numeric differences.
"""
