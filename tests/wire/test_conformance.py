"""What the SDK writes, against the public schemas of the sibling service.

The schemas are not part of the project: see ``conformance_dir``.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import attrs
import pytest
from lxml import etree

import eprescription_sdk as ep
from eprescription_sdk import xml
from eprescription_sdk.sandbox import CommitThenDrop, Sandbox
from eprescription_sdk.sandbox import Operation as Asked
from eprescription_sdk.testing import (
    SAMPLE_RPPS,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.wire import envelope

pytestmark = pytest.mark.conformance

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
ACTION = "{http://www.w3.org/2006/02/addressing/wsdl}Action"
HEADERS = {
    "Security": "xsd/WSSE/Security.xsd",
    "ContexteBAM": "xsd/CTX/ROOT_ctxbam_CTXBAM_V01_02.xsd",
    "ContexteLPS": "xsd/CTX/ROOT_ctxlps_CTXLPS_V01_00.xsd",
}
# WS-Addressing's own schema is not in the folder; its types are what its recommendation says.
ADDRESSING = etree.XMLSchema(
    etree.XML(
        f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{envelope.WSA}">
        <xs:element name="Action" type="xs:anyURI"/>
        <xs:element name="MessageID" type="xs:anyURI"/></xs:schema>"""
    )
)


@attrs.frozen
class Schemas:
    folder: Path
    headers: dict[str, etree.XMLSchema]

    def header(self, message: bytes) -> dict[str, etree._Element]:
        """The checked elements of a message's header, each there once."""
        root = etree.fromstring(message)
        found = {etree.QName(node).localname: node for node in root[0]}
        assert len(found) == len(root[0])
        for name, schema in self.headers.items():
            schema.assertValid(found[name])
        for name in ("Action", "MessageID"):
            ADDRESSING.assertValid(found[name])
        return found

    def schema(self, path: str) -> etree.XMLSchema:
        return etree.XMLSchema(etree.parse(self.folder / path))

    def actions(self) -> dict[str, str]:
        """The action of each operation of the service's WSDL."""
        (file,) = self.folder.glob("*.wsdl")
        return {
            str(operation.get("name")): str(operation.find(f"{WSDL}input").get(ACTION))  # type: ignore[union-attr]
            for operation in etree.parse(file).iterfind(f"{WSDL}portType/{WSDL}operation")
        }


@pytest.fixture(scope="session")
def schemas(conformance_dir: Path) -> Schemas:
    folder = conformance_dir / "tlsi"
    return Schemas(
        folder,
        {name: etree.XMLSchema(etree.parse(folder / path)) for name, path in HEADERS.items()},
    )


class Recorder:
    """A transport that keeps what it carries."""

    def __init__(self) -> None:
        self._carrier = HttpxTransport()
        self.requests: list[ep.HttpRequest] = []

    def send(self, request: ep.HttpRequest) -> ep.HttpReply:
        self.requests.append(request)
        return self._carrier.send(request)

    def close(self) -> None:
        self._carrier.close()


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> list[ep.HttpRequest]:
    """Every kind of message that a client sends, the ones of a doubt and of reconcile included."""
    recorder = Recorder()
    folder = tmp_path_factory.mktemp("emitted")
    with Sandbox(page_size=1, scale=0.05) as sandbox:
        settings = attrs.evolve(
            sandbox_settings(sandbox, folder / "store.db"), software_name='R&D "<exemple>"'
        )
        who = sandbox_practitioner(sandbox)
        with ep.Client(settings, transport=recorder) as client:
            doctor = client.acting_as(who)
            for _ in range(2):
                assert isinstance(doctor.create(sample_prescription()), ep.Registered)
            sandbox.script(Asked.CREATE, CommitThenDrop())
            created = doctor.create(sample_prescription())
            assert isinstance(created, ep.Registered)
            doctor.consult(created.number)
            for query in (
                ep.SearchQuery(prescriber=SAMPLE_RPPS, issued_from=date(2020, 1, 1)),
                ep.SearchQuery(patient=sample_prescription().patient.ins),
            ):
                assert len(list(doctor.search(query))) == 3
            client.reconcile(credentials=[who])
    return recorder.requests


def test_every_header_of_every_message_is_valid(
    schemas: Schemas, emitted: list[ep.HttpRequest]
) -> None:
    assert len(emitted) >= 10
    actions, message_ids = set(), set()
    for request in emitted:
        header = schemas.header(request.content)
        action = header["Action"].text or ""
        actions.add(action)
        message_ids.add(header["MessageID"].text)
        assert f'action="{action}"' in request.headers["Content-Type"]
        assert re.fullmatch(r"urn:\w+:\d+\.\d+\.\d+:\w+", action)
        assert re.fullmatch(r"uuid:[0-9a-f-]{36}", header["MessageID"].text or "")
        assert header["ContexteLPS"].findtext("{*}LPS/{*}IDAM") is not None
    assert len(actions) == 3
    assert len(message_ids) == len(emitted)


def insi_body(kind: str) -> bytes:
    """A body of INSi, for a test identity that is nobody's."""
    writer = xml.Writer()
    if kind == "RECVITALE":
        with writer.element("i:RECVITALE", {"xmlns:i": "http://www.cnamts.fr/INSiRecVit"}):
            with writer.element("i:MatriculeIndividu"):
                writer.leaf("i:NumIdentifiant", "2999999999999")
                writer.leaf("i:Cle", "34")
            writer.leaf("i:NomNaissance", "L’EXEMPLE & <FILS>")
            writer.leaf("i:DateNaissance", "1999-01-01")
    else:
        with writer.element("i:RECSANSVITALE", {"xmlns:i": "http://www.cnamts.fr/INSiRecSans"}):
            writer.leaf("i:NomNaissance", "EXEMPLE")
            writer.leaf("i:Prenom", "DOMINIQUE")
            writer.leaf("i:Prenom", "CAMILLE")
            writer.leaf("i:Sexe", "F")
            writer.leaf("i:DateNaissance", "1999-01-01")
    return writer.fragment().encode()


@pytest.mark.parametrize(
    ("operation", "kind", "schema"),
    [
        ("rechercherInsAvecCarteVitale", "RECVITALE", "INSi_RECVITALE_INS.xsd"),
        ("rechercherInsAvecTraitsIdentite", "RECSANSVITALE", "INSi_RECSANS_INS.xsd"),
    ],
)
def test_a_whole_request_of_the_sibling_service_is_valid(
    schemas: Schemas,
    make_assertion: Callable[[], ep.Assertion],
    operation: str,
    kind: str,
    schema: str,
) -> None:
    action = schemas.actions()[operation]
    message = envelope.envelope(
        action=action,
        message_id=f"uuid:{uuid4()}",
        moment=datetime.now(UTC),
        software=envelope.Software(
            authorisation="SIMULATION-0000", name="exemple", version="1.0", instance=str(uuid4())
        ),
        emitter="899700218896",
        assertion=envelope.prepare_assertion(make_assertion().xml),
        body=envelope.prepare(insi_body(kind)),
    )
    assert schemas.header(message)["Action"].text == action
    body = etree.fromstring(message)[1]
    assert len(body) == 1
    schemas.schema(f"xsd/ServiceIdentiteCertifiee/{schema}").assertValid(body[0])


@pytest.fixture
def make_assertion() -> Callable[[], ep.Assertion]:
    def make() -> ep.Assertion:
        with Sandbox() as sandbox:
            return sandbox_practitioner(sandbox).assertion(datetime.now(UTC))

    return make


def test_the_assertion_is_valid(
    schemas: Schemas, make_assertion: Callable[[], ep.Assertion]
) -> None:
    saml = schemas.schema("xsd/SAML/saml-schema-assertion-2.0.xsd")
    saml.assertValid(etree.fromstring(make_assertion().xml))


def test_these_schemas_can_refuse(schemas: Schemas, emitted: list[ep.HttpRequest]) -> None:
    message = emitted[0].content
    for good, bad in (
        (b"<ctxbam:COUVERTURE/>", b""),
        (b'Nature="CTXLPS"', b'Nature="AUTRE"'),
        (b' Version="2.0"', b""),
    ):
        assert good in message
        with pytest.raises(etree.DocumentInvalid):
            schemas.header(message.replace(good, bad))


def test_the_error_of_the_schema_is_read(schemas: Schemas) -> None:
    """A fault whose detail the schema accepts is read back whole."""
    from eprescription_sdk.wire.reply import read

    error = (
        b'<siram:Erreur xmlns:siram="urn:siram" severite="fatale" code="desir_550"'
        b' messageID="uuid:1">indisponible</siram:Erreur>'
    )
    schemas.schema("xsd/schema_faultSOAP_V01_01.xsd").assertValid(etree.fromstring(error))
    fault = read(
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>'
        b"<s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>x</s:Text></s:Reason>"
        b"<s:Detail>" + error + b"</s:Detail></s:Fault></s:Body></s:Envelope>"
    ).fault
    assert fault is not None
    assert (fault.code, fault.severity, fault.message_id) == ("desir_550", "fatale", "uuid:1")
