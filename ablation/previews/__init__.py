"""What preprocessing and augmentations make of a few images, as pictures for a page.

strengths      settings of a component from weak to strong, by its signature
stages         the way of an image from its file to the model
augmented      an augmentation at each of its strengths
"""
