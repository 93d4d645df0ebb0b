"""Certificates of one local stack: an authority and, signed by it, its broker."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BROKER = "broker"
"""Common name in the broker's certificate: Kafka's principal `User:CN=broker`."""

_VALID = datetime.timedelta(days=365)


def write_certificates(folder: Path) -> None:
    """Writes `ca.pem` and, readable by its owner alone, `broker.pem` (key and certificate) into a new folder.

    The authority's own key is forgotten at once, so that nothing else can ever be signed with it.
    """
    folder.mkdir(parents=True, mode=0o700)
    authority_key, broker_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key)
    broker = _broker(broker_key, authority, authority_key)
    pem = serialization.Encoding.PEM
    key = broker_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    write_secret(folder / "broker.pem", (key + broker.public_bytes(pem)).decode())


def write_secret(path: Path, text: str) -> None:
    """Writes a file that nobody else can have read, not even for a moment."""
    path.touch(mode=0o600)
    path.write_text(text)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _named("stockstream local authority")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    builder = _builder(name, name, key.public_key()).add_extension(constraints, critical=True)
    return builder.sign(key, hashes.SHA256())


def _broker(
    key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    names = x509.SubjectAlternativeName([loopback, x509.DNSName("localhost")])
    builder = _builder(_named(BROKER), authority.subject, key.public_key())
    return builder.add_extension(names, critical=False).sign(authority_key, hashes.SHA256())
