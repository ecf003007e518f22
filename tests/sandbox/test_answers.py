"""Templates escape what they are given, and faults have the form of the sibling services."""

from pathlib import Path

from lxml import etree

from eprescription_sdk.sandbox import FaultCode, Operation, Sandbox, answers
from tests.sandbox.envelopes import Reply, create


def test_a_fault_has_every_part(sandbox: Sandbox) -> None:
    form = FaultCode("desir_550", "siram_40", sender=True, severity="fatale", text="Non.")
    sandbox.script(Operation.CREATE, form)
    reply = create(sandbox.url, "SIM1")
    assert reply.status == 400
    assert reply.texts("/s:Envelope/s:Body/s:Fault/s:Code/s:Value") == ["soap:Sender"]
    assert reply.texts("//s:Fault/s:Code/s:Subcode/s:Value") == ["siram:siram_40"]
    assert reply.texts("//s:Fault/s:Reason/s:Text[@xml:lang='fr']") == ["Non."]
    assert reply.texts("//s:Fault/s:Detail/e:Erreur/@severite") == ["fatale"]
    assert reply.texts("//s:Fault/s:Detail/e:Erreur/@code") == ["desir_550"]
    assert reply.texts("//e:Erreur/@messageID") == [sandbox.calls[0].message_id]


def test_prefixes_in_values_are_declared(sandbox: Sandbox) -> None:
    sandbox.script(Operation.CREATE, FaultCode("x"))
    root = etree.fromstring(create(sandbox.url, "SIM1").body)
    values = list(root.iter("{http://www.w3.org/2003/05/soap-envelope}Value"))
    assert len(values) == 2
    for value in values:
        assert str(value.text).partition(":")[0] in value.nsmap


def test_what_a_test_scripts_is_escaped() -> None:
    hostile = '<a b="c">&\'\u00e9</a>'
    form = FaultCode(hostile, hostile, severity=hostile, text=hostile)
    answer = answers.fault(form, relates_to=hostile)
    reply = Reply(status=answer.status, headers={}, body=answer.body)
    assert reply.texts("//e:Erreur") == [hostile]
    assert (
        reply.texts("//e:Erreur/@code | //e:Erreur/@severite | //e:Erreur/@messageID")
        == [hostile] * 3
    )
    assert reply.texts("//a:RelatesTo") == [hostile]


def test_unavailable_is_the_receivers_fault() -> None:
    form = answers.refused(answers.UNAVAILABLE, "Service momentanément indisponible.")
    answer = answers.fault(form, relates_to=None)
    assert (answer.status, answer.summary) == (500, "sdkref_unavailable")
    assert b"messageID" not in answer.body


def test_the_detail_passes_the_public_schema(sandbox: Sandbox, conformance_dir: Path) -> None:
    path = conformance_dir / "tlsi" / "xsd" / "schema_faultSOAP_V01_01.xsd"
    schema = etree.XMLSchema(etree.parse(str(path)))
    create(sandbox.url, "SIM1")
    root = etree.fromstring(create(sandbox.url, "SIM1").body)
    (error,) = root.iter("{urn:siram}Erreur")
    schema.assertValid(etree.fromstring(etree.tostring(error)))


def test_a_broken_answer_cannot_be_parsed() -> None:
    answer = answers.absent(Operation.SEARCH, relates_to="uuid:1")
    etree.fromstring(answer.body)
    try:
        etree.fromstring(answers.broken(answer))
    except etree.XMLSyntaxError:
        return
    raise AssertionError
