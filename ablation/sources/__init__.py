"""Where data sets come from: places on the disk, safe downloads, file readers, the decoded cache."""
