"""The command ``autograd-np``: parse, call, print."""

from autograd_np.cli.user_file import app, main

__all__ = ["app", "main"]
