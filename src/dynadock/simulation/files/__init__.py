"""The files of simulated containers, in memory."""
