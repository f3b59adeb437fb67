"""The shared trainer. Knows no study, no store and no driver."""
