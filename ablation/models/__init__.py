"""Models: one file each, named as in YAML; a file without `build` is shared by them.

`build(num_classes, in_channels, choices)` gives a module from float images N x C x H x W to logits N x K. Starting
weights are drawn from torch's global generator.
"""
