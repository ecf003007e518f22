"""Replies that no service should send: mutations of good ones, and bombs."""

import gzip
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import attrs

import eprescription_sdk as ep
from eprescription_sdk.sandbox import FaultCode, Sandbox
from eprescription_sdk.sandbox import Operation as Asked
from eprescription_sdk.testing import (
    SAMPLE_RPPS,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.xml import MAX_BYTES

FAULTS = ("sdkref_invalid", "sdkref_unavailable", "sdkref_exists", "desir_550")

SOAP_11 = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>
<faultcode>e:Server</faultcode><faultstring>non</faultstring><detail><x:Erreur xmlns:x="urn:siram"
severite="GRAVE" code="inconnu_1">non</x:Erreur></detail></e:Fault></e:Body></e:Envelope>"""
PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"

TOKENS = (
    b"<", b">", b"&", b"&x;", b"&#0;", b"&#x110000;", b"<![CDATA[", b"]]>", b"<!--", b"-->",
    b"<?x ?>",
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b"<!ENTITY x SYSTEM 'file:///etc/passwd'>", b"\0",
    b"\xff\xfe",
    b'xmlns=""', b'xmlns:soap="urn:autre"', b"soap:Fault", b"<soap:Body/>", b"</soap:Envelope>",
    b"00", b"01", b"99", b"sdkref_invalid", b"sdkref_unavailable", b"2025-13-45T99:99:99",
    b"9999-12-31T23:59:59+14:00", b"0001-01-01T00:00:00-14:00", b"\xe2\x80\xae",
    b"9" * 400, b"A" * 70,
)  # fmt: skip


@attrs.frozen
class Recorded:
    """Good replies of the sandbox, and the number that its create was about."""

    number: ep.PrescriptionNumber
    replies: tuple[bytes, ...]


class Recorder:
    """A transport that keeps what came back."""

    def __init__(self) -> None:
        self._carrier = HttpxTransport()
        self.replies: list[bytes] = []

    def send(self, request: ep.HttpRequest) -> ep.HttpReply:
        reply = self._carrier.send(request)
        self.replies.append(reply.content)
        return reply

    def close(self) -> None:
        self._carrier.close()


@cache
def recorded(folder: Path) -> Recorded:
    """Real replies to every operation, with and without faults, and some of other gateways."""
    recorder = Recorder()
    with (
        Sandbox(scale=0.05) as sandbox,
        ep.Client(
            sandbox_settings(sandbox, folder / f"{secrets.token_hex(4)}.db"), transport=recorder
        ) as client,
    ):
        doctor = client.acting_as(sandbox_practitioner(sandbox))
        created = doctor.create(sample_prescription())
        assert isinstance(created, ep.Registered)
        doctor.consult(created.number)
        list(doctor.search(ep.SearchQuery(prescriber=SAMPLE_RPPS)))
        for code in FAULTS:
            text = f"refus {code}"
            fault = FaultCode(code, "siram_40", sender=True, severity="erreur", text=text)
            sandbox.script(Asked.CREATE, fault)
            doctor.create(sample_prescription(), wait=0.5)
    return Recorded(created.number, (*dict.fromkeys(recorder.replies), SOAP_11, PAGE, b""))


def mutated(replies: tuple[bytes, ...], seed: int, *, largest: int = 64 * 1024) -> bytes:
    """One reply with one to six things done to it."""
    dice = random.Random(seed)  # noqa: S311  (reproducible, not a secret)
    content = dice.choice(replies)
    for _ in range(dice.randint(1, 6)):
        content = dice.choice(_CHANGES)(content, dice, largest)[:largest]
    return content


def _span(content: bytes, dice: random.Random) -> tuple[int, int]:
    start = dice.randint(0, len(content))
    return start, min(len(content), start + int(dice.expovariate(1 / 30)))


def _cut(content: bytes, dice: random.Random, _: int) -> bytes:
    start, end = _span(content, dice)
    return content[:start] + content[end:]


def _truncate(content: bytes, dice: random.Random, _: int) -> bytes:
    return content[: dice.randint(0, len(content))]


def _insert(content: bytes, dice: random.Random, _: int) -> bytes:
    start = dice.randint(0, len(content))
    return content[:start] + dice.choice(TOKENS) + content[start:]


def _noise(content: bytes, dice: random.Random, _: int) -> bytes:
    start, end = _span(content, dice)
    return content[:start] + dice.randbytes(min(8, end - start)) + content[end:]


def _double(content: bytes, dice: random.Random, _: int) -> bytes:
    start, end = _span(content, dice)
    return content[:end] + content[start:end] + content[end:]


def _swap(content: bytes, dice: random.Random, _: int) -> bytes:
    (a, b), (c, d) = sorted((_span(content, dice), _span(content, dice)))
    if c < b:
        return content
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _multiply(content: bytes, dice: random.Random, largest: int) -> bytes:
    start, end = _span(content, dice)
    if end == start:
        return content
    times = min(dice.choice((10, 1000, 1_000_000)), largest // (end - start) + 1)
    return content[:start] + content[start:end] * times + content[end:]


def _nest(content: bytes, dice: random.Random, _: int) -> bytes:
    depth = dice.choice((5, 90, 300, 10_000))
    place = content.rfind(b"</")
    return content[:place] + b"<a>" * depth + b"</a>" * depth + content[place:]


def _other_encoding(content: bytes, dice: random.Random, _: int) -> bytes:
    text = content.decode("utf-8", "replace")
    encoding = dice.choice(("utf-16", "utf-16-be", "utf-7", "cp037", "latin-1", "utf-32"))
    declared = dice.choice((encoding, "utf-8", "UTF-16"))
    return text.replace('encoding="UTF-8"', f'encoding="{declared}"').encode(encoding, "replace")


_CHANGES: tuple[Callable[[bytes, random.Random, int], bytes], ...] = (
    _cut, _truncate, _insert, _insert, _noise, _double, _swap, _multiply, _nest, _other_encoding,
)  # fmt: skip


def _soap(inside: bytes) -> bytes:
    return (
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        + inside
        + b"</s:Body></s:Envelope>"
    )


def _filled(piece: bytes, size: int = MAX_BYTES) -> bytes:
    return _soap(b"<x>" + piece * ((size - 200) // len(piece)) + b"</x>")


def _laughs() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    return f"<!DOCTYPE a [{entities}]><a>&a9;</a>".encode()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "billion laughs": (_laughs, "document type"),
    "billion laughs in UTF-16": (lambda: _laughs().decode().encode("utf-16"), "document type"),
    "external entity": (
        lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "document type",
    ),
    "external DTD": (
        lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
        "document type",
    ),
    "10,000 deep": (lambda: _soap(b"<a>" * 10_000 + b"</a>" * 10_000), "nested deeper"),
    "1 GB of gzip": (lambda: gzip.compress(bytes(1 << 24)) * 64, "compressed"),
    "empty elements": (lambda: _filled(b"<a/>"), "more than"),
    "elements and text": (lambda: _filled(b"<a/>x"), "more than"),
    "attributes": (
        lambda: _soap(b"<x " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>"),
        "more than",
    ),
    "namespaces": (
        lambda: _soap(b"<x " + b" ".join(b'xmlns:a%d="u"' % n for n in range(90_000)) + b"/>"),
        "more than",
    ),
    "references": (lambda: _filled(b"&lt;"), "more than"),
    "comments": (lambda: _filled(b"<!---->"), "more than"),
    "one long text": (lambda: _filled(b"x"), "InvalidInput"),
    "as many marks as are read": (lambda: _filled(b"<a/>x", 49_000 * 5), "InvalidInput"),
    "larger than is read": (lambda: _filled(b"x", MAX_BYTES + 400), "larger than"),
}
"""What it is; how to make it; what its refusal says."""


@attrs.define
class Memory:
    """The most memory that a block took above what was held before it, in MB."""

    megabytes: float = 0.0


@contextmanager
def measured() -> Iterator[Memory]:
    """Measure a block on Linux, where the peak of a process can be reset; elsewhere nothing.

    ``tracemalloc`` does not see what libxml2 takes.
    """
    found = Memory()
    peak = Path("/proc/self/clear_refs")
    if not peak.exists():
        yield found
        return
    peak.write_text("5")
    before = _status("VmRSS")
    yield found
    found.megabytes = max(0, _status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    with Path("/proc/self/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))
