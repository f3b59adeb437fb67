"""Schedules: one file each, named as in YAML.

`build(choices)` gives a pure function of the share of all steps done, in [0, 1]: the factor on the peak learning rate.
"""
