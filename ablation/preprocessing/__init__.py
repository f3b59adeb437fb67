"""Preprocessing after the first stage (uint8 to float in [0, 1], always run): one file a step, named as in YAML.

`build(choices)` gives a function that fits the step to the uint8 images of a training split (N x C x H x W) and returns
what the step does to a batch of floats. One that is fitted to what the steps before it make of them is an
`ablation.contracts.Following`. A function `learnt(images, choices)` gives the choices with which `build` does the same
without the training images: a model that is exported as tensors alone names its steps so.
"""
