"""What a transport connects with: an ``SSLContext``, TLS 1.2 at least.

The organisation's certificate of mutual TLS is read in ``certificate``, which is imported only
where there is one.
"""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.files import read
from eprescription_sdk.settings import Settings

if TYPE_CHECKING:
    from eprescription_sdk.transport.certificate import ClientCertificate


def tls_context(
    client: "ClientCertificate | None" = None, *, authorities: Path | None = None
) -> ssl.SSLContext:
    """What a transport connects with: TLS 1.2 at least, the service's certificate verified.

    Args:
        client: shown to a service that asks for one.
        authorities: PEM of the authorities that may vouch for the service, and no others; None
            trusts the public ones.

    Raises:
        ConfigurationError: the authorities cannot be read.
    """
    if authorities is None:
        import httpx

        context = httpx.create_ssl_context(trust_env=False)
    else:
        try:
            text = read_file(authorities, "tls_authorities").decode("ascii")
            context = ssl.create_default_context(cadata=text)
        except (ssl.SSLError, ValueError):
            raise ConfigurationError(
                "The authorities cannot be read.",
                path=str(authorities),
                way_out="Give their certificates as PEM, one after the other.",
            ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if client is not None:
        client.load_into(context)
    return context


def client_certificate(settings: Settings) -> "ClientCertificate | None":
    """The certificate that the settings name; None if they name none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    if settings.tls_certificate is None:
        return None
    from eprescription_sdk.transport.certificate import read_client_certificate

    return read_client_certificate(
        settings.tls_certificate,
        private_key=settings.tls_private_key,
        passphrase=settings.tls_passphrase,
    )


def context_of(settings: Settings) -> ssl.SSLContext:
    """The context that the settings describe.

    Raises:
        ConfigurationError: a file that they name cannot be read.
    """
    return tls_context(client_certificate(settings), authorities=settings.tls_authorities)


def read_file(file: Path, setting: str) -> bytes:
    """What a file holds.

    Raises:
        ConfigurationError: it cannot be read; the setting says what for.
    """
    try:
        return read(file)
    except OSError as error:
        raise ConfigurationError(
            f"The file of {setting} cannot be read: {error.strerror}.",
            path=str(file),
            way_out="Check the path, and whether this account may read it.",
        ) from None
