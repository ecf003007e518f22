"""The worked formats: every fictitious trace conforms, and a reader sees that they are invented."""

import importlib.util
import json
from pathlib import Path

import pytest
from lxml import etree

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.traces.declared import DeclaredProfile
from eprescription_sdk.traces.fictitious import emissions
from tests.traces.samples import call

FOLDER = Path(__file__).parents[2] / "examples" / "trace_profiles"


def xml_port() -> TraceProfile:
    spec = importlib.util.spec_from_file_location("xml_port", FOLDER / "xml_port.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    profile: TraceProfile = module.XmlProfile()
    return profile


def declared() -> TraceProfile:
    return DeclaredProfile.from_toml(FOLDER / "declared.toml")


@pytest.mark.parametrize("make", [declared, xml_port])
def test_every_fictitious_trace_conforms(make: type[TraceProfile]) -> None:
    profile = make()
    emitted = emissions(profile)
    assert [each for each in emitted if each.reason] == []
    # The newest hash leaves the store in each of them.
    assert all(each.anchored for each in emitted)
    assert len({each.content for each in emitted}) == len(emitted)
    assert "inventé" in profile.name


def test_the_declared_one_meets_its_schema_by_another_reading() -> None:
    for each in emissions(declared()):
        assert each.content is not None
        document = json.loads(each.content)
        assert document["format"] == "exemple-inventé-1"
        assert ("appel" in document) != ("ordonnance" in document)


def test_the_port_writes_what_its_schema_allows() -> None:
    schema = etree.XMLSchema(etree.parse(FOLDER / "trace.xsd"))
    for each in emissions(xml_port()):
        assert each.content is not None
        assert schema.validate(etree.fromstring(each.content))


@pytest.mark.parametrize("make", [declared, xml_port])
def test_what_the_schema_does_not_allow_is_refused_without_values(
    make: type[TraceProfile],
) -> None:
    link = ChainLink(segment="s", position=1, hash="secret of the chain")
    with pytest.raises(InvalidInput) as caught:
        make().encode(call(), link)
    assert "secret" not in str(caught.value)


def test_every_file_says_that_it_is_invented() -> None:
    for file in FOLDER.iterdir():
        if file.is_file():
            text = file.read_text(encoding="utf-8").lower()
            assert "invented" in text, file.name
            assert "official" in text, file.name
