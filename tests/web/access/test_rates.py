"""Rate limits: who shares one, what is told of it, and that it lets go."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from web.access import rates
from web.access.rates import UNLIMITED, Rates
from web.shared_state import Shared


def test_a_caller_who_has_used_up_a_rate_is_refused_and_no_other_is() -> None:
    limits = Rates(ask="3/hour", read="100/hour")
    assert [limits.of_principal("key:one", "ask").granted for _ in range(4)] == [True, True, True, False]
    assert limits.of_principal("key:two", "ask").granted
    assert limits.of_principal("key:one", "read").granted
    assert limits.of_address("key:one", "ask").granted  # nobody takes the place of somebody else by a name


def test_the_headers_tell_what_is_left_and_when_to_come_back() -> None:
    limits = Rates(ask="2/minute")
    first, _, third = (limits.of_principal("key:one", "ask") for _ in range(3))
    assert first.headers["ratelimit-policy"] == '"ask-minute";q=2;w=60'
    assert re.fullmatch(r'"ask-minute";r=1;t=\d+', first.headers["ratelimit"])
    assert "retry-after" not in first.headers
    assert third.headers["ratelimit"].startswith('"ask-minute";r=0;t=')
    assert 1 <= int(third.headers["retry-after"]) <= 90


def test_a_limit_may_bound_how_much_and_how_much_at_once() -> None:
    limits = Rates(ask="2/minute 5/hour")
    asked = [limits.of_principal("key:one", "ask") for _ in range(4)]
    assert [allowance.granted for allowance in asked] == [True, True, False, False]
    assert asked[0].headers["ratelimit-policy"] == '"ask-minute";q=2;w=60, "ask-hour";q=5;w=3600'
    assert int(asked[2].headers["retry-after"]) <= 90  # of the minute, not of the hour
    assert '"ask-hour";r=3;' in asked[3].headers["ratelimit"]  # what is refused does not count


def test_a_rate_that_is_not_set_limits_nobody_and_says_nothing() -> None:
    limits = Rates()
    assert all(limits.of_address("192.0.2.1", "ask") is UNLIMITED for _ in range(1000))
    assert UNLIMITED.granted
    assert UNLIMITED.headers == {}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # one network: its holder may choose any
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("", "", True),
    ],
)
def test_addresses_that_one_caller_can_choose_from_share_a_limit(one: str, other: str, shared: bool) -> None:
    limits = Rates(read="1/hour")
    assert limits.of_address(one, "read").granted
    assert limits.of_address(other, "read").granted is not shared


def test_a_caller_may_come_back_when_told() -> None:
    limits = Rates(ask="2/second")
    refused = next(a for a in (limits.of_principal("key:one", "ask") for _ in range(9)) if not a.granted)
    time.sleep(int(refused.headers["retry-after"]))
    assert limits.of_principal("key:one", "ask").granted


def test_strangers_without_end_fill_no_memory_and_make_nobody_known_forgotten() -> None:
    shared = Shared()
    limits = Rates(read="1/hour", shared=shared)
    limits.of_principal("key:one", "read")
    for n in range(rates._MOST + 1_000):
        limits.of_address(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "read")
    assert shared.execute("SELECT count(*) FROM strangers") == [(rates._MOST,)]
    assert not limits.of_principal("key:one", "read").granted


def test_what_one_process_has_counted_the_others_count_too(tmp_path: Path) -> None:
    one, other = (Rates(ask="3/hour", shared=Shared(tmp_path)) for _ in range(2))
    granted = [limits.of_principal("key:one", "ask").granted for limits in (one, other, one, other, one)]
    assert granted == [True, True, True, False, False]


def test_no_act_is_lost_where_processes_count_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from web.access.rates import Rates\n"
        "from web.shared_state import Shared\n"
        f"limits = Rates(ask='500/hour', shared=Shared(Path({str(tmp_path)!r})))\n"
        "print(sum(limits.of_principal('key:one', 'ask').granted for _ in range(400)))"
    )
    counting = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    assert sum(int(process.communicate()[0]) for process in counting) == 500


def test_limits_that_cannot_be_counted_keep_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    shared = Shared()
    limits = Rates(ask="1/hour", shared=shared)
    shared.close()
    assert limits.of_principal("key:one", "ask") is UNLIMITED
    assert "cannot be counted" in caplog.text
