"""Optimizers: one file each, named as in YAML. `build(parameters, learning_rate, choices)` gives torch's optimizer.

Where torch has a fused kernel it is asked for: one pass over memory in place of several. It counts on equal strides of
parameter, gradient and state, which autograd keeps unless gradients are assigned by hand.
"""
