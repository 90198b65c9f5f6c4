"""Certificates as a ministry's own authority gives them, made for one test."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """One that vouches for servers; `file` is what those who believe it are given."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._begun(self._name, self._key.public_key(), 30).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(self, host: str = "127.0.0.1", *, days: int = 9) -> tuple[Path, Path]:
        """Files of a certificate for a host, and of its key; with `days` below nothing, one that has run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        is_address = host.replace(".", "").isdigit()
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)) if is_address else x509.DNSName(host)])
        made = self._begun(name, key.public_key(), days).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        files = self._folder / f"{host}-{days}.crt", self._folder / f"{host}-{days}.key"
        files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        files[1].chmod(0o600)
        return files

    def context(self, host: str = "127.0.0.1", *, days: int = 9) -> ssl.SSLContext:
        """What a server of this process shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server(host, days=days))
        return context

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        end = datetime.now(UTC) + timedelta(days=days)
        return x509.CertificateBuilder(self._name, name, key, x509.random_serial_number(), end - timedelta(days=40), end)
