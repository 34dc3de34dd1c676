"""Draws figures over time as SVG: geometry in attributes and looks in classes, because the CSP forbids styles."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from qa.insights.figures import Day

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 230, 48, 30, 10
_LABELS = 6  # dates along the axis


def questions(days: Sequence[Day]) -> Markup:
    """A bar for each day: answered below, then those that only got the closest passages, unanswered on top."""
    top = _round_up(max((sum(_counts(day).values()) for day in days), default=0))
    bars = Markup()
    for index, day in enumerate(days):
        x, width = _column(index, len(days))
        below = 0
        for name, count in _counts(day).items():
            bottom, below = _y(below, top), below + count
            bars += _rect(name, x, _y(below, top), width, bottom - _y(below, top))
    return _chart(bars, days, top, "", "Questions a day: answered, closest passages only, not answered")


def _counts(day: Day) -> dict[str, int]:
    """The questions of a day by what came of them, from the bottom of its bar."""
    return {"answered": day.answered, "closest": day.closest, "unanswered": day.refused}


def latency(days: Sequence[Day]) -> Markup:
    """Lines for the median and the 95th percentile; days without questions are gaps."""
    top = _round_up(max((day.p95 for day in days if day.p95 is not None), default=0))
    lines = Markup()
    for name, values in (("p95", [day.p95 for day in days]), ("p50", [day.p50 for day in days])):
        lines += Markup('<path class="{}" d="{}"/>').format(name, _path(values, top))
        for index, value in enumerate(values):
            if value is not None:
                x, width = _column(index, len(days))
                lines += Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
                    name, x + width / 2, _y(value, top)
                )
    return _chart(lines, days, top, " ms", "Time to answer a day, median and 95th percentile")


def _chart(content: Markup, days: Sequence[Day], top: int, unit: str, name: str) -> Markup:
    axes = Markup()
    for value in (0, top / 2, top):
        axes += Markup('<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            _LEFT, _WIDTH, y=_y(value, top)
        )
        if value == int(value):
            axes += Markup('<text class="value" x="{}" y="{:.1f}">{:g}</text>').format(
                _LEFT - 8, _y(value, top) + 5, value
            )
    step = max(1, -(-len(days) // _LABELS))
    for index in range(len(days) - 1, -1, -step):
        x, width = _column(index, len(days))
        anchor = "end" if index == len(days) - 1 else "middle"
        at = x + width if index == len(days) - 1 else x + width / 2
        axes += Markup('<text class="day" text-anchor="{}" x="{:.1f}" y="{}">{}</text>').format(
            anchor, at, _HEIGHT - 6, f"{days[index].day:%b} {days[index].day.day}"
        )
    label = f"{name}; highest value {top}{unit}. The figures are in the table below."
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        _WIDTH, _HEIGHT, label, axes, content
    )


def _column(index: int, count: int) -> tuple[float, float]:
    """The left edge and width of a day's bar."""
    slot = (_WIDTH - _LEFT) / max(count, 1)
    gap = min(slot * 0.25, 8)
    return _LEFT + index * slot + gap / 2, slot - gap


def _y(value: float, top: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / top)


def _rect(name: str, x: float, y: float, width: float, height: float) -> Markup:
    if height <= 0:
        return Markup()
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        name, x, y, width, height
    )


def _path(values: Sequence[float | None], top: int) -> str:
    parts: list[str] = []
    before: float | None = None
    for index, value in enumerate(values):
        if value is not None:
            x, width = _column(index, len(values))
            parts.append(f"{'M' if before is None else 'L'}{x + width / 2:.1f} {_y(value, top):.1f}")
        before = value
    return " ".join(parts)


def _round_up(value: float) -> int:
    """The next 1, 2 or 5 times a power of ten, for a readable axis; at least 2."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= max(value, 2):
                return step * size
        size *= 10
