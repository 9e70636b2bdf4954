"""Tar archives, pure of network: packed on the fly out of folders, unpacked as they come."""
