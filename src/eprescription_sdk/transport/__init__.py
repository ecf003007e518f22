"""The only place that imports an HTTP library.

A transport carries bytes and reports what it knows of their delivery; it neither retries nor
judges (``client`` does).
"""

from eprescription_sdk.transport.httpx_transport import (
    AsyncHttpx2Transport,
    AsyncHttpxTransport,
    Httpx2Transport,
    HttpxTransport,
)

__all__ = ["AsyncHttpx2Transport", "AsyncHttpxTransport", "Httpx2Transport", "HttpxTransport"]
