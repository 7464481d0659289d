"""Who makes a request: which page, and from which address."""

from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from demo.settings import trusted_proxies

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own_page(headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from no page at all.

    Browsers say which page made a request; other programs do not. The page's origin must have the
    host name of a Host or X-Forwarded-Host header, and the port if that header has one: some
    proxies drop the port.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return False  # the header is no address of a page
    hosts = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    return any(_is_host(host.strip(), parts.hostname, port) for host in hosts)


def _is_host(host: str, name: str | None, port: int) -> bool:
    """Whether a Host header names this host; IPv6 addresses stand in brackets there."""
    try:
        parts = urlsplit(f"//{host}")
        return name is not None and parts.hostname == name and parts.port in (None, port)
    except ValueError:
        return False


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
