"""Certificates of a local stack's servers: an authority of its own, which nobody else trusts."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.ports import LOOPBACK

AUTHORITY = "authority.pem"
"""The authority's certificate, for clients."""

SERVER = "server.pem"
"""The servers' certificate and key."""

_LIFETIME = timedelta(days=3650)


def ensure_certificates(folder: Path) -> None:
    """Make an authority and the servers' certificate in this folder, unless it exists.

    The authority's key is not kept: nothing else can be signed with it.
    """
    if folder.exists():
        return
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    partial.mkdir(mode=0o700)
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = "herhaal local authority"
    authority = (
        _builder(name, authority_key, name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _builder(LOOPBACK, server_key, name)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ip_address(LOOPBACK)), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .add_extension(
            # Brokers connect to each other with it.
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = server_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (partial / AUTHORITY).write_bytes(authority.public_bytes(pem))
    (partial / SERVER).touch(mode=0o600)
    (partial / SERVER).write_bytes(key + server.public_bytes(pem))
    partial.rename(folder)


def _builder(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
    subject, by = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]) for common in (name, issuer)
    )
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
    )
