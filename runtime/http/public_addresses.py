"""Which addresses a request to a URL of somebody else's choice may reach: public ones only.

A table of our own, after IANA's registries of special-purpose addresses: Python's `is_global` and `is_private`
differ between versions, and call several inner addresses public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by the customers of a provider
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, where clouds keep the secrets of a machine
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)

_UNICAST_6 = IPv6Network("2000::/3")
"""All public addresses are in here; loopback, mapped, local, site-local and multicast ones are not."""

_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, and Teredo, which holds an IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which holds an IPv4 address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""How a network with IPv6 only reaches IPv4. The prefix for local use, 64:ff9b:1::/48, is not in here."""


def is_public(address: str) -> bool:
    """Tell whether an address, as the resolver gives it, is public. An IPv4 address within IPv6 decides."""
    try:
        parsed = ip_address(address)
    except ValueError:
        # With a zone, as link-local addresses have.
        return False
    if isinstance(parsed, IPv6Address):
        if parsed in _MAPPED or parsed in _NAT64:
            return _is_public_4(IPv4Address(int(parsed) & 0xFFFF_FFFF))
        return parsed in _UNICAST_6 and not any(parsed in network for network in _NOT_PUBLIC_6)
    return _is_public_4(parsed)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_4)
