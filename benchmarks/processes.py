"""A server and all of its processes, watched from outside."""

from __future__ import annotations

from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Processes:
    """A process and all that it has started, which must not change meanwhile."""

    all: tuple[psutil.Process, ...]

    @classmethod
    def of(cls, pid: int) -> Processes:
        first = psutil.Process(pid)
        return cls((first, *first.children(recursive=True)))

    def cpu(self) -> float:
        """Seconds they have worked."""
        return float(sum(times.user + times.system for times in (process.cpu_times() for process in self.all)))

    def memory(self) -> float:
        """MB (10^6 bytes) in memory; what they share counts once (Linux's proportional set size)."""
        return float(sum(process.memory_full_info().pss for process in self.all)) / 1e6

    def threads(self) -> int:
        return int(sum(process.num_threads() for process in self.all))

    def descriptors(self) -> int:
        return int(sum(process.num_fds() for process in self.all))

    def has_loaded(self, library: str) -> bool:
        """Whether any of them has mapped a file of this name."""
        return any(library in mapped.path for process in self.all for mapped in process.memory_maps())

    def serving(self) -> int:
        """How many of them listen: those that serve."""
        return sum(c.status == "LISTEN" for process in self.all for c in process.net_connections("tcp"))
