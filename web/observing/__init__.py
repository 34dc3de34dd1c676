"""Shows operators what the server does.

`recording` observes every request once and passes it to the recorders: `logs`, `metrics` for Prometheus, `tracing` for
OpenTelemetry.
"""
