"""``python -m autograd_np`` is the command ``autograd-np``."""

from autograd_np.cli import main

if __name__ == "__main__":
    main()
