"""Values as people see them: text, trees, tables, progress."""
