"""The certificate authority of this machine, which signs the server's certificate for `--https`.

It is made once and kept in the data folder, so that a phone on which it is installed trusts the
server after every restart. Only its public certificate is meant to leave the machine.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from vision_agent.data_folder import private_folder
from vision_agent.server.certificate import CertificateError

FOLDER = "https"
KEPT = "authority.pem"
PUBLIC = "authority.crt"

VALID_DAYS = 397
"""Browsers refuse a certificate that is valid for longer (CA/Browser Forum, ballot SC-22)."""

_ONE_DAY = datetime.timedelta(days=1)
_END_OF_CERTIFICATE = b"-----END CERTIFICATE-----\n"


class OwnAuthority:
    """A certificate authority.

    Args:
        authority: Its key and certificate.
        public: The file with its certificate (PEM), to be installed on a phone; None if none could
            be written.
    """

    def __init__(self, authority: trustme.CA, public: Path | None) -> None:
        self._authority = authority
        self.public = public

    @classmethod
    def kept_in(cls, data_folder: Path) -> Self:
        """The authority that is kept in the data folder; the first call makes it.

        Raises:
            CertificateError: The file is damaged, or can't be written.
        """
        folder = data_folder / FOLDER
        kept, public = folder / KEPT, folder / PUBLIC
        try:
            private_folder(data_folder)
            folder.mkdir(mode=0o700, exist_ok=True)
            if not kept.exists():
                made = trustme.CA(organization_name="vision-agent on this machine")
                _write_private(kept, made.cert_pem.bytes() + made.private_key_pem.bytes())
            certificate, end, key = kept.read_bytes().partition(_END_OF_CERTIFICATE)
            _check_pair(certificate + end, key)
            authority = trustme.CA.from_pem(certificate + end, key)
            if not public.exists() or public.read_bytes() != certificate + end:
                _write_private(public, certificate + end)
        except OSError as error:
            raise CertificateError(
                f"The certificate authority can't be kept in {folder}: {error.strerror or error}."
            ) from error
        except (ValueError, TypeError) as error:  # TypeError: the key is encrypted
            raise CertificateError(
                f"{kept} is damaged. Delete it, and a new certificate authority is made."
            ) from error
        return cls(authority, public)

    def issue_into(self, context: ssl.SSLContext, names: Iterable[str]) -> None:
        """Make a certificate for names and addresses and load it into a server's context."""
        now = datetime.datetime.now(datetime.UTC)
        issued = self._authority.issue_cert(
            *names,
            common_name="vision-agent",
            # Yesterday, because a phone's clock may be behind.
            not_before=now - _ONE_DAY,
            not_after=now + (VALID_DAYS - 1) * _ONE_DAY,
        )
        issued.configure_cert(context)


def _check_pair(certificate: bytes, key: bytes) -> None:
    """Raise ValueError if the key is not the certificate's: nobody would trust its signatures."""
    loaded = serialization.load_pem_private_key(key, None)
    if x509.load_pem_x509_certificate(certificate).public_key() != loaded.public_key():
        raise ValueError("The key is another certificate's.")


def _write_private(path: Path, content: bytes) -> None:
    """Write a file (0600) completely or not at all."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
