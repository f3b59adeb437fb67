"""Metrics: one file each, named as in YAML. `build(choices)` gives a function of probabilities and labels.

It gets the probabilities of all images of a split (N x K, float32) and their classes (N, int64), both on the CPU, and
gives one finite number. `HIGHER_IS_BETTER` at the top of the file says what is good of it.
"""
