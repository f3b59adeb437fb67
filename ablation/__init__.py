"""Designed, paired and tracked ablation studies of image classifiers."""

__version__ = "0.1.0"
