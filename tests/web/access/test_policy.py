"""Who is taken for whom: keys, sessions, proxies, the machine itself, and nobody in particular."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from indexes.types import ANYONE, KEEPER, Viewer
from web.access.forgery import is_forged
from web.access.keys import Keys
from web.access.policy import ASKER, Misdirected, Policy, Proof
from web.access.principals import SCOPES, Principal
from web.access.proxies import Proxies
from web.access.sqlite_keys import SqliteKeyStore
from web.errors import BadKey
from web.settings import networks

HERE = "127.0.0.1"
NOBODY = Principal("", frozenset(), ANYONE)
KEPT = Principal("", SCOPES, ANYONE)
PROXIES = Proxies(networks("10.0.0.0/8, ::1"), "X-User", "X-Groups")


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    keys = Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))
    yield keys
    keys.close()


def request(peer: str, **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "client": (peer, 50000), "headers": raw})


def who(policy: Policy, keys: Keys, peer: str, **headers: str) -> Principal:
    return policy.visitor(request(peer, **headers), keys).principal


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "LOCALHOST:9", "[::1]:8000", "127.8.9.1", "localhost."]
)
@pytest.mark.parametrize("peer", [HERE, "::1", "::ffff:127.0.0.1"])
def test_whoever_sits_at_the_machine_may_do_everything_and_is_in_no_group(keys: Keys, peer: str, host: str) -> None:
    assert who(Policy(trust_local=True), keys, peer, host=host) == KEPT


@pytest.mark.parametrize(
    "forwarded", ["x_forwarded_for", "forwarded", "x_real_ip", "via", "x_forwarded_proto", "x_forwarded_host"]
)
def test_what_somebody_passed_on_does_not_come_from_the_machine(keys: Keys, forwarded: str) -> None:
    assert who(Policy(trust_local=True), keys, HERE, host="localhost", **{forwarded: "127.0.0.1"}) == NOBODY


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "", "0.0.0.0:8000", "localhost.evil.example", "127.0.0.1.nip.io"]
)
def test_a_page_whose_name_was_made_to_point_here_reads_nothing(keys: Keys, host: str) -> None:
    with pytest.raises(Misdirected):
        who(Policy(trust_local=True), keys, HERE, host=host)
    assert who(Policy(trust_local=True, anybody=ASKER), keys, HERE, host=host) == Principal("", ASKER, ANYONE)


def test_elsewhere_one_is_nobody_unless_anybody_may_come(keys: Keys) -> None:
    assert who(Policy(trust_local=True), keys, "192.0.2.1", host="localhost") == NOBODY
    assert who(Policy(trust_local=False), keys, HERE, host="localhost") == NOBODY
    assert who(Policy(trust_local=False, anybody=ASKER), keys, "192.0.2.1") == Principal("", ASKER, ANYONE)


@pytest.mark.parametrize("wrong", ["fn_nonsense", f"fn_{'0' * 12}_{'0' * 64}"])
def test_whoever_presents_a_bad_key_is_taken_for_nobody_else(keys: Keys, wrong: str) -> None:
    for policy in (Policy(trust_local=True), Policy(trust_local=True, anybody=ASKER), Policy(False, proxies=PROXIES)):
        with pytest.raises(BadKey):
            who(policy, keys, HERE, host="localhost", authorization=f"Bearer {wrong}")
        with pytest.raises(BadKey):
            who(policy, keys, "10.0.0.1", x_user="ann", cookie=f"__Host-footnote={wrong}")


def test_a_word_that_is_no_key_of_ours_is_passed_over_where_none_is_needed_and_nowhere_else(keys: Keys) -> None:
    word = {"host": "localhost", "authorization": "Bearer unused"}  # chat clients insist on one
    assert who(Policy(trust_local=True), keys, HERE, **word) == KEPT
    for peer, extra in (("192.0.2.1", {}), (HERE, {"x_forwarded_for": "127.0.0.1"})):
        with pytest.raises(BadKey):
            who(Policy(trust_local=True, anybody=ASKER), keys, peer, **word, **extra)


def test_a_key_goes_before_a_session_and_a_session_before_a_proxy(keys: Keys) -> None:
    policy = Policy(False, proxies=PROXIES)
    one, first = keys.create("one", ("ask",), ("payments",))
    two, second = keys.create("two", ("admin",), ("*",))
    cookie = f"__Host-footnote={keys.sign_in(second)[0]}"
    assert who(policy, keys, "10.0.0.1", x_user="ann", cookie=cookie, authorization=f"bearer {first}") == Principal(
        f"key:{one.id}", frozenset({"ask"}), Viewer(frozenset({"payments"}))
    )
    assert who(policy, keys, "10.0.0.1", x_user="ann", cookie=cookie) == Principal(
        f"key:{two.id}", frozenset({"admin"}), KEEPER
    )
    assert who(policy, keys, "10.0.0.1", x_user="ann", cookie="other=1", authorization="Basic YTpi").id == "user:ann"


def test_a_trusted_proxy_names_the_user_and_their_groups(keys: Keys) -> None:
    policy = Policy(False, proxies=PROXIES)
    ann = Principal("user:ann", ASKER, Viewer(frozenset({"payments", "sre"})))
    assert who(policy, keys, "10.1.2.3", x_user=" ann ", x_groups="payments, sre,,") == ann
    assert who(policy, keys, "::ffff:10.1.2.3", x_user="ann", x_groups="payments,sre") == ann
    everything = who(policy, keys, "10.1.2.3", x_user="ann", x_groups="*").viewer
    assert not everything.everything  # every group is a key's to give
    assert who(policy, keys, "10.1.2.3", x_groups="payments") == NOBODY
    assert who(policy, keys, "10.1.2.3", x_user="a\x7fb") == NOBODY
    assert who(policy, keys, "10.1.2.3", x_user="a" * 201) == NOBODY


@pytest.mark.parametrize("peer", ["192.0.2.1", HERE, "11.0.0.1", "", "testclient"])
def test_nobody_else_names_anybody(keys: Keys, peer: str) -> None:
    assert who(Policy(False, proxies=PROXIES), keys, peer, x_user="ann", x_groups="sre") == NOBODY


def test_a_user_named_twice_is_nobody() -> None:
    assert PROXIES.user(Headers(raw=[(b"x-user", b"ann"), (b"x-user", b"root")])) == ""


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # no trusted proxy: what it says is its own invention
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),  # the client wrote the first
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies of ours
        ("10.0.0.1", "198.51.100.7:5123", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(peer: str, forwarded: str, client: str) -> None:
    headers = Headers({"x-forwarded-for": forwarded} if forwarded else {})
    assert PROXIES.client(peer, headers) == client


@pytest.mark.parametrize(
    ("bound", "public_url", "trusted", "local"),
    [
        (HERE, "", "", True),
        ("::1", "http://localhost:8000", "", True),
        ("0.0.0.0", "", "", False),
        ("192.0.2.1", "", "", False),
        (HERE, "https://kb.example", "", False),  # others are told to come: something passes them on
        (HERE, "", "127.0.0.1", False),
        (HERE, "", "10.0.0.0/8", True),
    ],
)
def test_a_server_that_others_reach_is_nobodys_own(bound: str, public_url: str, trusted: str, local: bool) -> None:
    assert Policy.of(bound, public_url, False, Proxies(networks(trusted))).trust_local is local


SITE, WIDGET = "https://kb.example", "https://wiki.example"


@pytest.mark.parametrize(
    ("method", "proof", "headers", "forged"),
    [
        ("POST", "session", {"sec-fetch-site": "same-origin"}, False),
        ("POST", "session", {"sec-fetch-site": "none"}, False),
        ("POST", "session", {"sec-fetch-site": "cross-site"}, True),
        ("POST", "session", {"sec-fetch-site": "same-site"}, True),
        ("DELETE", "session", {"sec-fetch-site": "cross-site"}, True),
        ("PATCH", "session", {}, True),  # every browser says where it comes from
        ("GET", "session", {"sec-fetch-site": "cross-site"}, False),
        ("POST", "session", {"origin": SITE}, False),
        ("POST", "session", {"origin": "http://here"}, False),  # the host that was asked
        ("POST", "session", {"origin": "https://evil.example"}, True),
        ("POST", "session", {"origin": "https://here.evil.example"}, True),
        ("POST", "session", {"origin": "null"}, True),
        ("POST", "session", {"origin": WIDGET, "sec-fetch-site": "cross-site"}, True),
        ("POST", "nothing", {"origin": WIDGET, "sec-fetch-site": "cross-site"}, False),
        ("POST", "local", {"origin": WIDGET, "sec-fetch-site": "cross-site"}, False),
        ("POST", "local", {}, False),  # curl
        ("POST", "local", {"origin": "null"}, True),
        ("POST", "local", {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, True),
        ("POST", "proxy", {"origin": "https://evil.example"}, True),
        ("POST", "nothing", {"origin": "null"}, False),
        ("POST", "nothing", {"sec-fetch-site": "cross-site"}, True),
        ("POST", "key", {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
    ],
)
def test_what_another_site_sends_in_somebodys_name_is_told(
    method: str, proof: Proof, headers: dict[str, str], forged: bool
) -> None:
    assert is_forged(method, Headers({"host": "here", **headers}), proof, SITE, {WIDGET}) is forged
