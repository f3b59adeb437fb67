"""Augmentations: one file each, named as in YAML.

`build(choices)` gives a function of (images, targets, generator): uint8 images N x C x H x W and class probabilities
N x K, both left as they are, to new ones. Parameters are drawn per image from the CPU generator and sent to the device
of the images (`ablation.sending`, so that nobody waits for it): N rows of a fixed number of draws, so that neither
pixels nor the batch size move a draw. One that mixes images with one another is an `ablation.contracts.Mixing`.

What several of them need lies here too, in files without a `build`: `levels`, `contrasts`, `affine`, `boxes`,
`choosing`, `partners`, and for the policies `operations`, `ranges` and `learned_policies`.
"""
