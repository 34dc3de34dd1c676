"""Compares Footnote with other tools that retrieve: `python -m benchmarks.peers`."""
