"""What runs a study: its place, its slots, its hours, its room on the disk."""
