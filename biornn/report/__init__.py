"""A run for its readers, from the store alone: figures, tables, and one page that holds them all."""
