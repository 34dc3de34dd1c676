"""Footnote beside other tools that retrieve: `python -m benchmarks.peers` (see `run.py`)."""
