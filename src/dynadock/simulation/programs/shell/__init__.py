"""A small shell and the commands of busybox, over files in memory."""
