"""`footnote serve` as a process: it answers, and carries no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.conftest import ROOT, Site


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_the_server_answers_without_loading_torch(site: Site, tmp_path: Path) -> None:
    environment = {
        **os.environ, "FOOTNOTE_MODELS": str(ROOT / "var" / "models"), "FOOTNOTE_JOURNAL": str(tmp_path / "j.sqlite"),
        "FOOTNOTE_KEYS": str(tmp_path / "k.sqlite"),
    }  # fmt: skip
    command = [sys.executable, "-m", "web", "serve", "--port", "0", "--index", str(site.index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        question = {"question": "How long does an access token live?"}
        answer = httpx2.post(f"{address}/api/v1/ask", json=question, timeout=30).json()
        loaded = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
        server.terminate()
        server.wait(timeout=30)
    assert answer["answered"] is True
    assert answer["degraded"] == []
    assert "onnxruntime" in loaded
    assert "torch" not in loaded
