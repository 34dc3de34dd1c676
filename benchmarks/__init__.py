"""Benchmarks and fits: run by hand or by their make targets, never by the test suite."""
