"""A self-signed certificate, made when the server starts and never kept.

google-genai speaks nothing but TLS, so a server on the loopback interface needs a certificate as
well. Whoever starts the server is told the certificate and trusts exactly that one.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_FOR = datetime.timedelta(days=10 * 365)
"""Before and after it is made: whoever trusts it has got it from its server, whatever clocks say.
Machines start with a clock of another year until the network sets it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, both PEM.

    Attributes:
        certificate_pem: What clients have to trust.
        key_pem: The private key; never leaves the process.
    """

    certificate_pem: str
    key_pem: bytes

    def server_context(self) -> ssl.SSLContext:
        """The TLS settings of a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The ssl module reads certificates from files only: a folder nobody else may enter, for
        # as long as the reading takes.
        with tempfile.TemporaryDirectory(prefix="vision-agent-") as folder:
            chain = Path(folder, "chain.pem")
            chain.touch(mode=0o600)
            chain.write_bytes(self.key_pem + self.certificate_pem.encode())
            context.load_cert_chain(chain)
        return context


def make_certificate(now: datetime.datetime) -> Certificate:
    """A certificate for 127.0.0.1, ::1 and localhost (P-256, RFC 5280).

    Args:
        now: The time, with its zone.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vision-agent local Live API")])
    public_key = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID_FOR)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                    x509.IPAddress(ipaddress.ip_address("::1")),
                ]
            ),
            critical=False,
        )
        # It is its own issuer, and from Python 3.13 on a client insists that an issuer says so.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
