"""Opens what a run has trained: to probe it, ask it and measure it.

A file a way of asking (`mode.Mode`, listed in `modes`): its docstring says which
objectives train it, and its question is made by their own code, as in training.
"""
