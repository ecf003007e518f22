"""Bodies of requests: the whole of one, and the fields of a form."""

import re

from starlette.requests import ClientDisconnect, Request

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary="?([^";,]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]*[;\s]name="([^"\r\n]*)"', re.IGNORECASE)


async def read_body(request: Request, most: int) -> bytes | None:
    """The body, or None where it is larger than ``most`` or the client left before its end."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def form_fields(body: bytes, content_type: str) -> dict[str, bytes] | None:
    """The fields of a ``multipart/form-data`` (RFC 7578); None if it is none, or unreadable.

    Args:
        body: the whole of it, its size bounded already.
        content_type: with the boundary between its parts.
    """
    found = _BOUNDARY.match(content_type)
    if found is None:
        return None
    parts = (b"\r\n" + body).split(b"\r\n--" + found[1].encode())
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        return None  # cut short
    fields = {}
    for part in parts[1:-1]:
        head, empty, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not empty or name is None:
            return None
        fields[name[1].decode(errors="replace")] = content
    return fields
