"""What do those who run the server see of it?

`recording` notices every request once and tells those who write it down: `logs`, `metrics` for Prometheus, `tracing`
for OpenTelemetry.
"""
