"""Who makes a request: which page, and from which address."""

from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from demo.settings import trusted_proxies


def is_own_page(headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from no page at all.

    Browsers say which page made a request; other programs do not.
    """
    origin = headers.get("origin")
    hosts = (headers.get("host"), headers.get("x-forwarded-host"))
    try:
        return origin is None or urlsplit(origin).netloc in hosts
    except ValueError:
        return False  # the header is no address


def client_address(scope: Scope) -> str:
    """Find the address of the client, as far as it can be trusted.

    Each proxy appends the address that it was called from to X-Forwarded-For. Only the entries
    of trusted proxies count, since a client may send any such header itself.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-for", "").split(",")
    count = trusted_proxies()
    if count and len(forwarded) >= count and forwarded[-count].strip():
        return forwarded[-count].strip()
    client: Any = scope.get("client")
    return str(client[0]) if client else "unknown"
