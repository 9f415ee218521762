"""Where a request comes from, as far as the proxies in front of this site are trusted."""

import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(request: HttpRequest) -> Address | None:
    """Return the address of whoever asks. None: what the proxy says cannot be read, or there is a Unix socket only.

    With TRUSTED_PROXIES=n, it is the n-th from the end of X-Forwarded-For. What stands before that, anybody can write.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",") if settings.TRUSTED_PROXIES else [""]
    said = forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))] if forwarded != [""] else ""
    return _read(said.strip() or request.META.get("REMOTE_ADDR", ""))


def network_of(request: HttpRequest) -> str:
    """Return the network that is counted as one visitor: an IPv4 address, or the /64 of an IPv6 address."""
    address = address_of(request)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address) if address else "unknown"


def is_within(address: Address | None, networks: Iterable[str]) -> bool:
    return address is not None and any(address in ipaddress.ip_network(one) for one in networks)


def _read(said: str) -> Address | None:
    host, _, port = said.rpartition(":")
    if host.count(".") == 3 and port.isdigit():  # some proxies add the port
        said = host
    try:
        address = ipaddress.ip_address(said.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
