"""Every figure is two functions: `compute` gives a small frozen value, `draw` makes the figure from it alone."""
