"""Lowerings of a graph: one folder for each target."""
