"""Pages for a browser: one file each, which loads nothing and works without its script.

They know nothing of operations: what is shown is given to them as text and tables.
"""
