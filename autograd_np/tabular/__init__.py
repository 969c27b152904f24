"""People's tables: read from files, learned by a network of `nn`, and predicted from.

Here live what reads rows strictly (`parsing`, `files`) and keeps them (`spool`, `reading`), what is to be learned (`tasks`) and by
which network (`network`), the training with its figures (`training`, `figures`), predictions (`predicting`), and what is told of it,
on the console (`telling`) and as a page (`page`, `charts`). All of it uses the engine and `nn` as any user does. The textbook's
network may not live here, which is the demo's; nor may options and exit codes, which are the command line's.
"""
