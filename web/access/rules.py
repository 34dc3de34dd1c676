"""The rules that decide whether a request is let in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from web.access.keys import Keys
from web.access.policy import COOKIE, Policy
from web.access.proxies import Proxies
from web.access.rates import Rates
from web.errors import KeysNeeded
from web.settings import Settings, networks
from web.shared_state import Shared

GONE = f'{COOKIE}=""; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax'  # takes a session's cookie back


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Policy, keys and rate limits. `own`: this site's public origin; `widgets`: origins that may embed the widget."""

    policy: Policy
    keys: Keys
    rates: Rates
    own: str = ""
    widgets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings, keys: Keys, bound: str, shared: Shared | None = None) -> AccessRules:
        """The rules of a server bound to an address. Raises KeysNeeded where nobody could get in."""
        proxies = Proxies(networks(settings.trusted_proxies), settings.proxy_user_header, settings.proxy_groups_header)
        policy = Policy.of(bound, settings.public_url, settings.allow_anonymous, proxies)
        if policy.closed and not keys.any_usable():
            raise KeysNeeded(
                "Others can reach this server, and there is no key yet: make one with `footnote keys create --name "
                "NAME`, or let everybody ask and read with --allow-anonymous (FOOTNOTE_ALLOW_ANONYMOUS=1)."
            )
        url = urlsplit(settings.public_url)
        own = f"{url.scheme}://{url.netloc}" if settings.public_url else ""
        return cls(
            policy,
            keys,
            Rates(settings.rate_ask, settings.rate_read, settings.rate_failure, shared),
            own,
            frozenset(settings.widget_origins.split()),
        )
