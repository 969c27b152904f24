"""The textbook's network on real data: its data, its hand-derived gradients, its training.

What stands here uses the engine and `nn` as any user does. Nothing of the engine may import it; the command line does.
"""
