"""What a request meets before any route: over HTTP, with real keys, and in a server that runs while one is revoked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from tests.conftest import ROOT, Site
from tests.web.access.test_access_table import TABLE
from web.access.keys import Keys
from web.access.policy import ASKER, Policy
from web.access.principals import SCOPES
from web.access.proxies import Proxies
from web.access.rates import Rates
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore
from web.admission import WorkSlots
from web.app import create_app
from web.cli import main
from web.errors import KeysNeeded
from web.settings import Settings, networks

ASK, QUESTION = "/api/v1/ask", {"question": "How long does an access token live?"}
WIDGET = "https://wiki.example"
FOREIGN = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}

Served: TypeAlias = Callable[..., TestClient]


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    keys = Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))
    yield keys
    keys.close()


@pytest.fixture
def served(tiny_site: Site, keys: Keys) -> Served:
    """The tiny site behind doors of one's own, for a client at `peer`."""

    def client(
        policy: Policy, rates: Rates | None = None, peer: str = "192.0.2.1", url: str = "https://kb.example"
    ) -> TestClient:
        access_rules = AccessRules(
            policy, keys, rates or Rates(), own="https://kb.example", widgets=frozenset({WIDGET})
        )
        app = create_app(replace(tiny_site.services, access_rules=access_rules), 262_144, WorkSlots(2, 64), [WIDGET])
        return TestClient(
            app, raise_server_exceptions=False, follow_redirects=False, base_url=url, client=(peer, 50000)
        )

    return client


# --- keys


def test_a_refusal_says_how_to_get_in_and_nothing_that_was_sent(served: Served) -> None:
    client = served(Policy(trust_local=False))
    refused = client.get("/api/v1/tags")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="Footnote"')
    assert "Authorization: Bearer" in refused.json()["detail"]
    wrong = client.get("/api/v1/tags", headers={"authorization": "Bearer fn_canary"})
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"].endswith('error="invalid_token"')
    assert "canary" not in wrong.text
    assert wrong.headers["cache-control"] == "private, no-cache"


def test_at_the_machine_too_a_bad_key_is_refused(served: Served) -> None:
    client = served(Policy(trust_local=True), peer="127.0.0.1", url="http://localhost:8000")
    assert client.get("/insights").status_code == 200
    assert client.get("/insights", headers={"authorization": "Bearer fn_canary"}).status_code == 401


def test_a_key_may_do_what_its_scopes_say(served: Served, keys: Keys) -> None:
    key, presented = keys.create("robot", ("ask",))
    client = served(Policy(trust_local=False))
    client.headers["authorization"] = f"Bearer {presented}"
    assert client.post(ASK, json=QUESTION).status_code == 200
    refused = client.get("/api/v1/tags")
    assert refused.status_code == 403
    assert refused.headers["www-authenticate"].endswith('error="insufficient_scope", scope="read"')
    (known,) = keys.all()
    assert known.id == key.id
    assert known.used is not None


def test_a_name_that_was_made_to_point_here_is_told_so(served: Served) -> None:
    client = served(Policy(trust_local=True), peer="127.0.0.1", url="http://evil.example:8000")
    refused = client.get("/api/v1/search?q=token")
    assert (refused.status_code, refused.json()["title"]) == (421, "Misdirected Request")
    assert "FOOTNOTE_PUBLIC_URL" in refused.json()["detail"]


def test_where_anybody_may_come_nobody_becomes_a_keeper(served: Served) -> None:
    client = served(Policy(trust_local=False, anybody=ASKER))
    assert client.post(ASK, json=QUESTION).status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/insights").status_code == 401


def test_without_its_file_of_keys_nobody_is_let_in_and_health_is_told(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(SCOPES))
    client = served(Policy(trust_local=False))
    keys.close()  # reading now fails, as with a broken disk
    refused = client.get("/api/v1/tags", headers={"authorization": f"Bearer {presented}"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert client.get("/livez").status_code == 200
    assert client.post("/sign-in", data={"key": presented}).status_code == 503


# --- proxies


def test_behind_a_trusted_proxy_users_have_conversations_of_their_own(served: Served) -> None:
    client = served(
        Policy(trust_local=False, proxies=Proxies(networks("10.0.0.0/8"), "x-user", "x-groups")), peer="10.0.0.9"
    )
    ann, bob = {"x-user": "ann"}, {"x-user": "bob"}
    asked = client.post(ASK, json=QUESTION, headers=ann).json()
    url = f"/api/v1/conversations/{asked['conversation_id']}"
    assert client.get(url, headers=ann).status_code == 200
    assert client.get(url, headers=bob).status_code == 404
    assert client.get(f"/answers/{asked['answer_id']}", headers=bob).status_code == 200
    assert client.get(url).status_code == 401


def test_only_the_asker_is_asked_whether_an_answer_helped(served: Served) -> None:
    client = served(Policy(trust_local=False, proxies=Proxies(networks("10.0.0.9"), "x-user")), peer="10.0.0.9")
    asked = client.post(ASK, json=QUESTION, headers={"x-user": "ann"}).json()
    shown = {
        user: "Was this helpful?" in client.get(f"/answers/{asked['answer_id']}", headers={"x-user": user}).text
        for user in ("ann", "bob")
    }
    assert shown == {"ann": True, "bob": False}


def test_addresses_begin_as_the_proxy_was_asked(served: Served) -> None:
    client = served(Policy(trust_local=False, proxies=Proxies(networks("10.0.0.9"), "x-user")), peer="10.0.0.9")
    client.headers.update({"x-user": "ann", "x-forwarded-proto": "https"})
    asked = client.post("http://kb.example" + ASK, json=QUESTION).json()
    text = client.get(f"http://kb.example/answers/{asked['answer_id']}.md").text
    assert "(<https://kb.example/articles/tokens?" in text
    trusted_no_more = served(Policy(trust_local=False, anybody=ASKER), peer="10.0.0.9")
    text = trusted_no_more.get(f"http://kb.example/answers/{asked['answer_id']}.md", headers=client.headers).text
    assert "(<http://kb.example/articles/tokens?" in text


def test_what_is_not_open_is_told_to_people_as_a_page(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(ASKER))
    page = served(Policy(trust_local=False)).get(
        "/insights", headers={"authorization": f"Bearer {presented}", "accept": "text/html"}
    )
    assert page.status_code == 403
    assert BeautifulSoup(page.text, "html.parser").select("h1")[0].get_text() == "This is not open to you"


def test_an_article_with_an_audience_is_there_for_those_in_it(site: Site, keys: Keys) -> None:
    text = "---\ntitle: Payroll\naudience: [hr]\n---\nSalaries are paid on the last working day of the month.\n"
    (site.source / "payroll.md").write_text(text)
    site.ingest()
    policy = Policy(trust_local=True, anybody=ASKER, proxies=Proxies(networks("10.0.0.9"), "x-user", "x-groups"))
    app = create_app(replace(site.services, access_rules=AccessRules(policy, keys, Rates())), 262_144, WorkSlots(2, 64))

    def status(peer: str = "192.0.2.1", groups: tuple[str, ...] | None = None, **headers: str) -> int:
        if groups is not None:
            headers["authorization"] = f"Bearer {keys.create('x', ('read',), groups)[1]}"
        client = TestClient(app, base_url="http://localhost", client=(peer, 50000))
        return client.get("/articles/payroll", headers={k.replace("_", "-"): v for k, v in headers.items()}).status_code

    token, _ = keys.sign_in(keys.create("x", ("read",), ("hr",))[1])
    assert status(groups=("hr", "sre")) == status(groups=("*",)) == status(cookie=f"__Host-footnote={token}") == 200
    assert status("10.0.0.9", x_user="ann", x_groups="sre, hr") == 200
    assert status(groups=()) == status(groups=("HR",)) == status() == status("127.0.0.1") == 404
    assert status("10.0.0.9", x_user="bob", x_groups="sre") == status("10.0.0.9", x_user="bob", x_groups="*") == 404
    assert status(x_user="ann", x_groups="hr") == 404  # no proxy of ours


# --- sessions


def signed_in(client: TestClient, presented: str) -> TestClient:
    response = client.post("/sign-in", data={"key": f" {presented}\n", "next": "/browse?tag=auth"})
    assert (response.status_code, response.headers["location"]) == (303, "/browse?tag=auth")
    return client


def test_a_browser_signs_in_where_it_was_going_and_out_again(served: Served, keys: Keys) -> None:
    client = served(Policy(trust_local=False))
    _, presented = keys.create("Ann's laptop", tuple(ASKER), ("payments",))
    page = client.get("/browse?tag=auth", headers={"accept": "text/html"})
    form = BeautifulSoup(page.text, "html.parser").select_one("form.signing")
    assert page.status_code == 401
    assert form
    assert (form["action"], form.select("[name=next]")[0]["value"]) == ("/sign-in", "/browse?tag=auth")
    signed_in(client, presented)
    assert client.get("/browse").status_code == 200
    assert "“Ann&#39;s laptop”, which may" in client.get("/sign-in").text
    kept = dict(client.cookies)
    out = client.post("/sign-out", headers={"origin": "https://kb.example"})
    assert (out.status_code, out.headers["location"], dict(client.cookies)) == (303, "/sign-in", {})
    again = client.get("/browse", headers={"cookie": f"__Host-footnote={kept['__Host-footnote']}"})
    assert again.status_code == 401


def test_the_cookie_is_one_that_no_other_host_script_or_plain_connection_gets(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(ASKER))
    cookie = served(Policy(trust_local=False)).post("/sign-in", data={"key": presented}).headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-footnote=")
    assert presented[16:] not in cookie
    assert {a.lower() for a in attributes} == {"httponly", "max-age=604800", "path=/", "samesite=lax", "secure"}


def test_a_session_dies_with_its_key_and_its_cookie_with_it(served: Served, keys: Keys) -> None:
    key, presented = keys.create("x", tuple(ASKER))
    client = signed_in(served(Policy(trust_local=False, anybody=ASKER)), presented)
    keys.revoke(key.id)
    page = client.get("/browse", headers={"accept": "text/html"})
    assert page.status_code == 401  # told, and not taken for somebody unknown at once
    assert "You are not signed in any more." in page.text
    assert client.get("/browse").status_code == 200  # as anybody


@pytest.mark.parametrize("next", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "/" * 2])
def test_signing_in_leads_nowhere_else(served: Served, keys: Keys, next: str) -> None:
    _, presented = keys.create("x", tuple(ASKER))
    response = served(Policy(trust_local=False)).post("/sign-in", data={"key": presented, "next": next})
    assert response.headers["location"] == "/"


def test_the_way_back_may_have_letters_of_any_alphabet(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(ASKER))
    client = served(Policy(trust_local=False))
    page = client.get("/articles/prüfung?cite=1-2", headers={"accept": "text/html"})
    way_back = BeautifulSoup(page.text, "html.parser").select("[name=next]")[0]["value"]
    response = client.post("/sign-in", data={"key": presented, "next": way_back})
    assert response.headers["location"] == "/articles/pr%C3%BCfung?cite=1-2"


def test_a_wrong_key_keeps_the_form_and_says_so(served: Served) -> None:
    response = served(Policy(trust_local=False)).post("/sign-in", data={"key": "fn_<b>", "next": "/browse"})
    page = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 401
    assert page.select("#error")[0].get_text() == "This is no API key of this server."
    assert page.select("[name=next]")[0]["value"] == "/browse"
    assert "<b>" not in response.text


def test_over_plain_http_the_form_says_that_it_cannot_last(served: Served) -> None:
    def warns(**client: str) -> bool:
        return "over plain HTTP browsers keep nobody" in served(Policy(False), **client).get("/sign-in").text

    assert warns(url="http://kb.example")
    assert not warns(url="https://kb.example")
    assert not warns(url="http://localhost:8000")


# --- other sites


def test_nothing_is_written_for_another_site(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(SCOPES))
    client = signed_in(served(Policy(trust_local=False)), presented)
    local = served(Policy(trust_local=True), peer="127.0.0.1", url="http://localhost:8000")
    unsafe = [
        (method, row)
        for (method, path), row in TABLE.items()
        if method in ("POST", "PUT", "PATCH", "DELETE") and not path.startswith("/slack/")  # Slack signs what it sends
    ]
    assert len(unsafe) >= 9
    for method, row in unsafe:
        sent: dict[str, Any] = {"data" if row.form else "json": dict(row.body)} if method != "DELETE" else {}
        for browser in (client, local):
            refused = browser.request(method, row.url, headers=FOREIGN, **sent)
            assert (refused.status_code, row.url) == (403, row.url)
            assert "another site" in refused.text
    kept = client.post(ASK, json=QUESTION, headers={"sec-fetch-site": "same-origin"}).json()
    refused = client.delete(f"/api/v1/conversations/{kept['conversation_id']}", headers={"sec-fetch-site": "same-site"})
    assert refused.status_code == 403
    assert client.get(f"/api/v1/conversations/{kept['conversation_id']}").status_code == 200


def test_a_widget_asks_from_the_sites_that_may_embed_it(served: Served) -> None:
    client = served(Policy(trust_local=False, anybody=ASKER))
    embedded = {"origin": WIDGET, "sec-fetch-site": "cross-site"}
    may = client.options(ASK, headers={**embedded, "access-control-request-method": "POST"})
    assert (may.status_code, may.headers["access-control-allow-origin"]) == (200, WIDGET)
    answer = client.post(ASK, json=QUESTION, headers=embedded)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, WIDGET)
    assert client.post(ASK, json=QUESTION, headers=FOREIGN).status_code == 403
    kept = answer.json()["conversation_id"]
    assert client.delete(f"/api/v1/conversations/{kept}", headers=embedded).status_code == 403  # it asks, and no more


# --- rates


def test_a_key_that_asks_too_often_is_told_when_to_come_back(served: Served, keys: Keys) -> None:
    one, two = ({"authorization": f"Bearer {keys.create(name, tuple(ASKER))[1]}"} for name in ("one", "two"))
    client = served(Policy(trust_local=False), Rates(ask="2/hour", read="50/hour"))
    first, _, third = (client.post(ASK, json=QUESTION, headers=one) for _ in range(3))
    assert first.headers["ratelimit-policy"] == '"ask-hour";q=2;w=3600'
    assert first.headers["ratelimit"].startswith('"ask-hour";r=1;t=')
    assert (third.status_code, third.json()["title"]) == (429, "Too Many Requests")
    assert third.headers["content-type"] == "application/problem+json"
    assert third.headers["retry-after"] in third.json()["detail"]
    assert client.get("/api/v1/tags", headers=one).headers["ratelimit"].startswith('"read-hour";r=49;')
    assert client.post(ASK, json=QUESTION, headers=two).status_code == 200


def test_strangers_share_the_limit_of_their_address(served: Served) -> None:
    policy, rates = Policy(False, ASKER, Proxies(networks("10.0.0.9"))), Rates(ask="1/hour")
    client = served(policy, rates, peer="10.0.0.9")
    asked = [
        client.post(ASK, json=QUESTION, headers={"x-forwarded-for": address}).status_code
        for address in ("198.51.100.7", "198.51.100.8", "1.2.3.4, 198.51.100.7")
    ]
    assert asked == [200, 200, 429]


def test_keys_cannot_be_tried_without_end_and_whoever_has_one_is_not_kept_out(served: Served, keys: Keys) -> None:
    _, presented = keys.create("x", tuple(ASKER))
    client = served(Policy(trust_local=False), Rates(failure="3/hour"))
    tried = [client.get("/api/v1/tags", headers={"authorization": "Bearer fn_x"}).status_code for _ in range(4)]
    assert tried == [401, 401, 401, 429]
    assert client.post("/sign-in", data={"key": "fn_x"}).status_code == 429
    assert client.get("/api/v1/tags", headers={"authorization": f"Bearer {presented}"}).status_code == 200


def test_health_static_files_and_whoever_sits_at_the_machine_have_no_limit(served: Served) -> None:
    rates = Rates(ask="1/hour", read="1/hour", failure="1/hour")
    far = served(Policy(trust_local=True), rates)
    assert {far.get(url).status_code for url in ("/livez", "/readyz", "/static/base.js") * 3} == {200}
    near = served(Policy(trust_local=True), rates, peer="127.0.0.1", url="http://localhost:8000")
    answers = [near.post(ASK, json=QUESTION) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "ratelimit" not in answers[0].headers


# --- `footnote serve`


def environment(folder: Path, **settings: str) -> dict[str, str]:
    own = {
        "MODELS": str(ROOT / "var" / "models"),
        "JOURNAL": str(folder / "j.sqlite"),
        "KEYS": str(folder / "k.sqlite"),
    }
    return {**os.environ, **{f"FOOTNOTE_{name}": value for name, value in {**own, **settings}.items()}}


def footnote(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "web", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, timeout=60, check=False)


@contextmanager
def serving(index: Path, env: dict[str, str], *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "web", "serve", "--port", "0", "--index", str(index), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
        server.terminate()
        server.wait(timeout=30)


def test_a_running_server_refuses_a_key_as_soon_as_it_is_revoked(
    tiny_site: Site, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, presented = keys.create("robot", ("read",))
    env = environment(tmp_path, PUBLIC_URL="https://kb.example", KEYS=str(tmp_path / "keys.sqlite"))
    monkeypatch.setenv("FOOTNOTE_KEYS", env["FOOTNOTE_KEYS"])
    with serving(tiny_site.index, env) as address, httpx2.Client(base_url=address) as client:
        with_key = {"authorization": f"Bearer {presented}"}
        assert client.get("/api/v1/tags").status_code == 401
        assert client.get("/api/v1/tags", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401
        assert client.get("/api/v1/tags", headers=with_key).status_code == 200
        assert main(["keys", "revoke", key.id]) == 0  # in this process, which is not the server's
        assert client.get("/api/v1/tags", headers=with_key).status_code == 401


@pytest.mark.parametrize(
    ("bound", "settings", "starts"),
    [
        ("127.0.0.1", {}, True),
        ("127.0.0.1", {"public_url": "https://kb.example"}, False),
        ("127.0.0.1", {"trusted_proxies": "127.0.0.1"}, False),
        ("0.0.0.0", {}, False),
        ("0.0.0.0", {"allow_anonymous": True}, True),
        ("0.0.0.0", {"trusted_proxies": "10.0.0.1", "proxy_user_header": "X-User"}, True),
    ],
)
def test_a_server_that_nobody_could_enter_does_not_start(
    keys: Keys, bound: str, settings: dict[str, Any], starts: bool
) -> None:
    gone, _ = keys.create("gone", ("ask",))
    keys.revoke(gone.id)
    if starts:
        assert AccessRules.of(Settings(**settings), keys, bound)
    else:
        with pytest.raises(KeysNeeded, match="footnote keys create"):
            AccessRules.of(Settings(**settings), keys, bound)
    keys.create("robot", ("ask",))
    assert AccessRules.of(Settings(**settings), keys, bound)


def test_a_server_that_others_can_reach_is_refused_without_a_key(tiny_site: Site, tmp_path: Path) -> None:
    env = environment(tmp_path)
    refused = footnote("serve", "--port", "0", "--host", "0.0.0.0", "--index", str(tiny_site.index), "--json", env=env)
    assert refused.returncode == 1
    assert "--allow-anonymous" in json.loads(refused.stdout)["error"]
    with serving(tiny_site.index, env, "--host", "0.0.0.0", "--allow-anonymous") as address:
        port = address.rpartition(":")[2]
        assert httpx2.get(f"http://127.0.0.1:{port}/api/v1/tags").status_code == 200
        assert httpx2.get(f"http://127.0.0.1:{port}/insights").status_code == 401  # at the machine too


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PROXY_USER_HEADER": "X-User"}, "FOOTNOTE_TRUSTED_PROXIES"),
        ({"PROXY_GROUPS_HEADER": "X-G", "TRUSTED_PROXIES": "10.0.0.1"}, "FOOTNOTE_PROXY_USER_HEADER"),
        ({"TRUSTED_PROXIES": "10.0.0.300"}, "FOOTNOTE_TRUSTED_PROXIES"),
        ({"RATE_ASK": "often"}, "FOOTNOTE_RATE_ASK"),
        ({"RATE_READ": "5/minute,9/hour"}, "FOOTNOTE_RATE_READ"),
    ],
)
def test_settings_that_let_in_more_than_meant_are_refused(
    settings: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    assert main(["keys", "list"]) == 2
    assert said in capsys.readouterr().err
