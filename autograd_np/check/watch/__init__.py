"""Watch: the user's functions run as they are, forward on arrays and on Tensors, backward line by line.

What stands here calls, observes and reads source text; it knows nothing of gradients' names, verdicts or reasons.
"""
