"""The certificate with which the server speaks TLS."""

from __future__ import annotations

import datetime
import logging
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from cryptography import x509

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 60.0
"""How often a certificate's files are looked at; a renewal takes effect within this time."""


class CertificateError(RuntimeError):
    """A certificate can't be used; the text says which and why."""


class Certificate(Protocol):
    """A server's certificate, as the listener uses it."""

    def context_for(self, address: str, now_s: float) -> ssl.SSLContext:
        """The TLS settings for a connection that arrives at a local address."""
        ...


def server_context() -> ssl.SSLContext:
    """TLS settings without a certificate; no HTTP/2, which uvicorn does not speak."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class IssuedCertificate:
    """A certificate that is issued here; it always names the address that a caller has dialled.

    Args:
        issue: Makes a certificate for names and addresses, and loads it into a context.
        names: The names under which the server is known. One that a certificate can't contain is
            left out.
    """

    def __init__(
        self, issue: Callable[[ssl.SSLContext, Iterable[str]], None], names: Iterable[str]
    ) -> None:
        self._issue = issue
        self._context = server_context()
        self._names: set[str] = set()
        for name in names:
            try:
                issue(server_context(), [name])
            except ValueError:
                logger.warning("%s can't stand in a certificate", name)
            else:
                self._names.add(name)
        self._issue(self._context, sorted(self._names))

    def context_for(self, address: str, now_s: float) -> ssl.SSLContext:
        """See `Certificate`. A machine that joins another network gets a new certificate."""
        if address not in self._names:
            self._names.add(address)
            self._issue(self._context, sorted(self._names))
        return self._context


class CertificateFile:
    """A certificate from files, which are read again when they change.

    Args:
        chain: The certificate, and those that lead to its authority (PEM).
        key: Its private key (PEM); None if `chain` contains it.

    Raises:
        CertificateError: On construction: a file can't be read, or has no certificate or key.
    """

    def __init__(self, chain: Path, key: Path | None) -> None:
        self._chain, self._key = chain, key
        self._changed_ns = self._changes_ns()
        self._context = self._loaded()
        self._looked_s = 0.0

    def name(self) -> str | None:
        """The first host name in the certificate, without wildcards; None if there is none."""
        try:
            names = self._read().extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            return None
        dns = names.value.get_values_for_type(x509.DNSName)
        return next((name for name in dns if not name.startswith("*")), None)

    def expired(self, now: datetime.datetime) -> bool:
        """Whether browsers refuse it because of its dates."""
        read = self._read()
        return not read.not_valid_before_utc <= now <= read.not_valid_after_utc

    def context_for(self, address: str, now_s: float) -> ssl.SSLContext:
        """See `Certificate`. A renewed certificate that can't be used leaves the old one in use."""
        if now_s >= self._looked_s + LOOK_AGAIN_S:
            self._looked_s = now_s
            try:
                changed_ns = self._changes_ns()
                if changed_ns != self._changed_ns:
                    self._changed_ns = changed_ns
                    self._context = self._loaded()
                    logger.info("the certificate has been read again")
            except CertificateError as error:
                logger.error("the old certificate stays in use: %s", error)
        return self._context

    def _changes_ns(self) -> list[int]:
        try:
            return [path.stat().st_mtime_ns for path in (self._chain, self._key) if path]
        except OSError as error:
            raise CertificateError(f"{error.filename}: {error.strerror}.") from error

    def _loaded(self) -> ssl.SSLContext:
        context = server_context()
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self._chain, self._key, password=_no_password)
            self._read()
        except ssl.SSLError as error:
            raise CertificateError(self._why(error)) from error
        except OSError as error:
            path = error.filename or self._unreadable()
            raise CertificateError(f"{path}: {error.strerror}.") from error
        except ValueError as error:
            raise CertificateError(str(error)) from error
        return context

    def _read(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self._chain.read_bytes())

    def _unreadable(self) -> Path:
        for path in (self._chain, self._key):
            if path:
                try:
                    path.open("rb").close()
                except OSError:
                    return path
        return self._chain

    def _why(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{self._key or self._chain} is not the private key of {self._chain}."
        if self._key is None and b"PRIVATE KEY-----" not in self._chain.read_bytes():
            return f"{self._chain} contains no private key. Name its file with --key."
        reason = f" ({error.reason})" if error.reason else ""
        return (
            f"{self._chain} and {self._key or 'the key in it'} are no certificate and private key "
            f"in PEM format{reason}."
        )


def _no_password() -> str:
    raise ValueError("The private key is encrypted; give one without a password.")
