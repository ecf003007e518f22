"""A bare zeep client: it builds a structured message from a WSDL, and reads a typed answer."""

from pathlib import Path
from typing import Any

from lxml import etree
from zeep import Client
from zeep.transports import Transport

GROUP = 10
"""Leaf elements in one structured element of the message."""

_WSDL = """\
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:bench"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:b="urn:bench"
    xmlns:r="urn:eprescription-sdk:reference:1">
  <wsdl:types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
      targetNamespace="urn:bench" elementFormDefault="qualified">
    <xs:complexType name="Group"><xs:sequence>{leaves}</xs:sequence></xs:complexType>
    <xs:element name="Request"><xs:complexType><xs:sequence>
      <xs:element name="group" type="b:Group" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
      targetNamespace="urn:eprescription-sdk:reference:1" elementFormDefault="qualified">
    <xs:element name="CreerResponse"><xs:complexType><xs:sequence>
      <xs:element name="CodeCR" type="xs:string"/><xs:element name="Numero" type="xs:string"/>
      <xs:element name="EnregistreeLe" type="xs:dateTime"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema></wsdl:types>
  <wsdl:message name="Request"><wsdl:part name="body" element="b:Request"/></wsdl:message>
  <wsdl:message name="Response"><wsdl:part name="body" element="r:CreerResponse"/></wsdl:message>
  <wsdl:portType name="Port"><wsdl:operation name="send">
    <wsdl:input message="b:Request"/><wsdl:output message="b:Response"/>
  </wsdl:operation></wsdl:portType>
  <wsdl:binding name="Binding" type="b:Port">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="send"><soap:operation soapAction="urn:bench:send"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
  <wsdl:service name="Service"><wsdl:port name="Port" binding="b:Binding">
    <soap:address location="{address}"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""


def leaves_of(message: bytes) -> int:
    """How many elements of a message hold no other."""
    return sum(len(node) == 0 for node in etree.fromstring(message).iter(etree.Element))


class BareZeep:
    """A client whose message has at least so many leaf elements.

    Args:
        folder: for its WSDL.
        leaves: how many.
        address: where it is sent.
    """

    def __init__(self, folder: Path, leaves: int, address: str = "http://localhost/") -> None:
        file = folder / "bench.wsdl"
        parts = (f'<xs:element name="leaf{place}" type="xs:string"/>' for place in range(GROUP))
        file.write_text(_WSDL.format(leaves="".join(parts), address=address), encoding="utf-8")
        self._client = Client(str(file), transport=Transport(cache=None))
        group = {f"leaf{place}": f"value & {place}" for place in range(GROUP)}
        self._content: dict[str, Any] = {"group": [group] * -(-leaves // GROUP)}

    def build(self) -> bytes:
        """The message alone."""
        client = self._client
        message: bytes = etree.tostring(
            client.create_message(client.service, "send", **self._content)
        )
        return message

    def send(self) -> Any:
        """The message sent, and the answer read."""
        return self._client.service.send(**self._content)
