"""Fetches an image by its address, if the owner of the machine has switched that on."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from demo.errors import InvalidImage

MAX_BYTES = 32_000_000
MAX_SECONDS = 15.0
MAX_REDIRECTS = 3

_SILENCE_S = 5.0
_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSLATED = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)
"""IPv6 ranges that map to IPv4 addresses, including private ones."""

Resolve = Callable[[str, int], list[str]]
"""Takes a host's name and a port; gives its IP addresses."""


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


def is_public(address: str) -> bool:
    """Whether an IP address lies in the public internet, not on this machine or its network."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in _TRANSLATED):
            return False
    return parsed.is_global and not parsed.is_multicast


def fetch_image(url: str, *, resolve: Resolve = resolve) -> bytes:
    """Download a file by http or https from a public address.

    Every redirect is checked as the first address was. The connection goes to the IP address that
    was checked.

    Args:
        url: the address that a visitor gave.
        resolve: turns a host's name into IP addresses.

    Raises:
        InvalidImage: if the address is not public, or the file is too large or too slow.
    """
    deadline = time.monotonic() + MAX_SECONDS
    try:
        for _ in range(MAX_REDIRECTS + 1):
            with _ask(url, resolve, deadline) as answer:
                if answer.status in _REDIRECTS:
                    url = urljoin(url, answer.getheader("Location") or "")
                    continue
                return _read(answer, deadline)
    except (OSError, http.client.HTTPException, ValueError):
        _check_time(deadline)
        raise InvalidImage(
            "The address could not be reached. Check it, or upload the file."
        ) from None
    raise InvalidImage(f"The address redirects more than {MAX_REDIRECTS} times. Upload the file.")


@contextlib.contextmanager
def _ask(url: str, resolve: Resolve, deadline: float) -> Iterator[http.client.HTTPResponse]:
    """Open the answer of one server to one request; closes the connection when the block ends."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidImage("Expected an address that begins with http:// or https://.")
    connection = _connect(parts, resolve, deadline)
    with contextlib.closing(connection), _ended_at(deadline, connection.sock):
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        path = quote(path, safe=string.punctuation)
        connection.request("GET", path, headers={"Accept": "image/*"})
        yield connection.getresponse()


@contextlib.contextmanager
def _ended_at(deadline: float, sock: socket.socket) -> Iterator[None]:
    """Shut a socket down when the time is up, even if the server keeps sending a little."""

    def shut_down() -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    alarm = threading.Timer(deadline - time.monotonic(), shut_down)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read the body, up to the limits of size and time."""
    if answer.status != 200:
        raise InvalidImage(f"The address answers with status {answer.status}. Upload the file.")
    content = bytearray()
    while chunk := answer.read1(_CHUNK):
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidImage(
                f"The file at this address is larger than {MAX_BYTES // 1_000_000} MB. "
                "Scale it down and upload it."
            )
    _check_time(deadline)
    return bytes(content)


def _check_time(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise InvalidImage(
            f"The address takes longer than {MAX_SECONDS:.0f} s. Upload the file."
        ) from None


def _connect(parts: SplitResult, resolve: Resolve, deadline: float) -> http.client.HTTPConnection:
    """Connect to a checked IP address; the name is used for TLS and the Host header only.

    The TLS handshake has not taken place yet.
    """
    host = str(parts.hostname)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    addresses = resolve(host, port)
    _check_time(deadline)
    if not addresses or not all(map(is_public, addresses)):
        raise InvalidImage("The address lies in a private network. Upload the file.")
    limit_s = max(min(_SILENCE_S, deadline - time.monotonic()), 0.001)
    sock = socket.create_connection((addresses[0], port), timeout=limit_s)
    sock.settimeout(_SILENCE_S)
    connection = http.client.HTTPConnection(host, port, timeout=_SILENCE_S)
    connection.sock = sock
    if is_tls:
        connection.sock = ssl.create_default_context().wrap_socket(
            sock, server_hostname=host, do_handshake_on_connect=False
        )
    return connection
