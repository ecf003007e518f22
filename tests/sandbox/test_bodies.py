"""Forms as browsers send them, and as nobody should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.sandbox.bodies import form_fields

TYPE = "multipart/form-data; boundary=----WebKitFormBoundaryX1"


def form(*parts: tuple[str, bytes], boundary: str = "----WebKitFormBoundaryX1") -> bytes:
    written = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in parts
    )
    return written + f"--{boundary}--\r\n".encode()


@given(st.binary(), st.binary())
def test_content_comes_as_it_was_sent(picture: bytes, payload: bytes) -> None:
    body = form(("picture", picture), ("payload", payload))
    assert form_fields(body, TYPE) == {"picture": picture, "payload": payload}


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="----WebKitFormBoundaryX1"',
        "Multipart/Form-Data;charset=utf-8;Boundary=----WebKitFormBoundaryX1",
    ],
)
def test_the_boundary_is_found(content_type: str) -> None:
    assert form_fields(form(("a", b"1")), content_type) == {"a": b"1"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x89PNG", "image/png"),
        (b"", ""),
        (b"", TYPE),
        (b"no part", TYPE),
        (form(("a", b"1"))[:-6], TYPE),
        (form(("a", b"1")), "multipart/form-data"),
        (form(("a", b"1")), "multipart/form-data; boundary=other"),
        (b"------WebKitFormBoundaryX1\r\nno head------WebKitFormBoundaryX1--", TYPE),
        (b"------WebKitFormBoundaryX1\r\nX: y\r\n\r\nz\r\n------WebKitFormBoundaryX1--", TYPE),
    ],
)
def test_what_is_no_form_is_none(body: bytes, content_type: str) -> None:
    assert form_fields(body, content_type) is None


@given(st.binary(), st.text())
def test_nothing_makes_it_fail(body: bytes, content_type: str) -> None:
    form_fields(body, content_type)
    form_fields(body, TYPE)
