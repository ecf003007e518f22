"""Envelope and cached assertion, against zeep building a structured message as large.

What an attempt costs before it is sent: the practitioner's cached assertion and a new envelope
around a body that is encoded already. zeep builds a message with as many leaf elements from a
WSDL. At least 5 times faster is the budget. Run: ``python benchmarks/envelope.py``.
"""

import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from lxml import etree
from zeep import Client
from zeep.transports import Transport

from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sample_prescription, sandbox_practitioner
from eprescription_sdk.wire import envelope
from eprescription_sdk.wire.reference_body import ReferenceCodec

ROUNDS, REPEATS = 7, 200
GROUP = 10
"""Leaf elements in one structured element of zeep's message."""

_WSDL = """\
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:bench"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:b="urn:bench">
  <wsdl:types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
      targetNamespace="urn:bench" elementFormDefault="qualified">
    <xs:complexType name="Group"><xs:sequence>{leaves}</xs:sequence></xs:complexType>
    <xs:element name="Request"><xs:complexType><xs:sequence>
      <xs:element name="group" type="b:Group" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema></wsdl:types>
  <wsdl:message name="Request"><wsdl:part name="body" element="b:Request"/></wsdl:message>
  <wsdl:portType name="Port"><wsdl:operation name="send">
    <wsdl:input message="b:Request"/></wsdl:operation></wsdl:portType>
  <wsdl:binding name="Binding" type="b:Port">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="send"><soap:operation soapAction="urn:bench:send"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input></wsdl:operation></wsdl:binding>
  <wsdl:service name="Service"><wsdl:port name="Port" binding="b:Binding">
    <soap:address location="http://localhost/"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""


def main() -> None:
    """Print the ratios."""
    practitioner = sandbox_practitioner(Sandbox())
    codec, number = ReferenceCodec(), PrescriptionNumber("SIM1")
    prescription = sample_prescription()
    software = envelope.Software(
        authorisation="SIMULATION-0000", name="exemple", version="1.0", instance=str(uuid4())
    )
    encoded = envelope.prepare(codec.encode_create(prescription, number))
    practitioner.assertion(datetime.now(UTC))

    def message(body: envelope.Fragment) -> bytes:
        now = datetime.now(UTC)
        cached = practitioner.cached(now)
        assert cached is not None
        return envelope.envelope(
            action="urn:ReferenceOrdonnanceNumerique:1.0.0:creer",
            message_id=f"uuid:{uuid4()}",
            moment=now,
            software=software,
            emitter=cached.national_id,
            assertion=envelope.prepare_assertion(cached.xml),
            body=body,
        )

    def attempt() -> bytes:
        return message(encoded)

    def everything() -> bytes:
        return message(envelope.prepare(codec.encode_create(prescription, number)))

    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    with TemporaryDirectory() as folder:
        # The whole message counts for both: it is what leaves, whatever was encoded before.
        leaves = _leaves(attempt())
        zeep = _zeep(Path(folder), leaves)
        assert _leaves(zeep()) >= leaves
        theirs = _microseconds(zeep)
        for name, ours in (
            ("envelope + cached assertion", _microseconds(attempt)),
            ("the same, body encoded too", _microseconds(everything)),
        ):
            print(
                f"{name}: {ours:.0f} µs; zeep, {leaves} leaf elements: {theirs:.0f} µs;"
                f" {theirs / ours:.1f} times faster"
            )


def _zeep(folder: Path, leaves: int) -> Callable[[], bytes]:
    file = folder / "bench.wsdl"
    file.write_text(
        _WSDL.format(
            leaves="".join(
                f'<xs:element name="leaf{place}" type="xs:string"/>' for place in range(GROUP)
            )
        )
    )
    client = Client(str(file), transport=Transport(cache=None))
    group = {f"leaf{place}": f"value & {place}" for place in range(GROUP)}
    content: dict[str, Any] = {"group": [group] * -(-leaves // GROUP)}

    def build() -> bytes:
        return etree.tostring(client.create_message(client.service, "send", **content))

    return build


def _leaves(message: bytes) -> int:
    return sum(len(node) == 0 for node in etree.fromstring(message).iter(etree.Element))


def _microseconds(work: Callable[[], bytes]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(REPEATS):
            work()
        rounds.append((time.perf_counter() - started) / REPEATS * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
