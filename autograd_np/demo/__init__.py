"""The textbook's network on real data: its data, its hand-derived gradients, its training, and what is told of it.

Here live the numbers (`data/`), the network's cost and gradients as derived by hand (`textbook`), its training from
parts of `nn` (`training`), and one whole run with its report and files (`experiment`, `report`). All of it uses the
engine and `nn` as any user does, by their public names. What the engine needs may not live here, and nothing but the
command line may import it; nor does it know of options and exit codes, which are the command line's.
"""
