"""TLS for the loopback interface: a certificate made when the server starts, and never kept.

google-genai speaks nothing but TLS, so a server on this machine needs a certificate as well.
Whoever starts the server is given the authority's certificate and trusts exactly that one; the
authority's key is forgotten as soon as it has signed.
"""

from __future__ import annotations

import ssl

import trustme


def make_tls() -> tuple[ssl.SSLContext, str]:
    """The TLS settings of a server for 127.0.0.1, ::1 and localhost, and what clients trust (PEM).

    Both certificates are valid from 2000 to 2038, because machines start with a clock of another
    year until the network sets it.
    """
    authority = trustme.CA(organization_name="vision-agent local Live API")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1", "::1", "localhost").configure_cert(context)
    return context, authority.cert_pem.bytes().decode()
