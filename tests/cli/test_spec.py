"""``eprescription spec check`` on a package of ours, and on that of the sibling service."""

import json
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.cli.package import Package
from eprescription_sdk.cli.spec import check, examine
from eprescription_sdk.errors import InvalidInput

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_codec" / "package"


def ports(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert check(folder, json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unreadable"] == []
    sections: list[dict[str, Any]] = report["ports"]
    return sections


def fields(sections: list[dict[str, Any]], port: str) -> dict[str, str | None]:
    return {
        field["path"]: field["source"]
        for section in sections
        if section["port"] == port
        for field in section["fields"]
    }


def test_every_port_is_spoken_of(capsys: pytest.CaptureFixture[str]) -> None:
    named = {section["port"] for section in ports(EXAMPLE, capsys)}
    assert named == {
        "Transport", "envelope (the SDK's own)", "AssertionProvider", "TokenSource", "BodyCodec",
        "NumberMinter", "Code2D", "TraceProfile",
    }  # fmt: skip


def test_the_example_package(capsys: pytest.CaptureFixture[str]) -> None:
    sections = ports(EXAMPLE, capsys)
    body = fields(sections, "BodyCodec")
    assert body["DeposerRequete/Prescripteur/Rpps"] == "prescriber.rpps"
    assert body["DeposerRequete/Patient/NomNaissance"] == "patient.family_name"
    assert body["DeposerRequete/Patient/Ins"] == "patient.ins"
    assert body["DeposerRequete/Patient/Ins/@oid"] == "patient.ins.oid"
    assert body["DeposerRequete/Ligne/Posologie"] == "lines[].text"
    assert body["DeposerRequete/NumeroOrdonnance"] == "NumberMinter"
    assert body["DeposerRequete/CouleurDuPapier"] is None
    assert set(fields(sections, "NumberMinter")) >= {"DeposerRequete/NumeroOrdonnance"}
    # Its header elements are named, and their schemas are not there.
    assert fields(sections, "envelope (the SDK's own)")["ContexteLPS"] == "envelope"


@pytest.mark.conformance
def test_the_package_of_the_sibling_service(
    conformance_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = ports(conformance_dir / "tlsi", capsys)
    body = fields(sections, "BodyCodec")
    assert body["RECVITALE/NomNaissance"] == "patient.family_name"
    assert body["RECVITALE/MatriculeIndividu/NumIdentifiant"] == "patient.ins"
    assert body["RECVITALE/MatriculeOD/NumIdentifiant"] is None
    assert body["RECVITALE/RangNaissance"] is None
    assert body["RECSANSVITALE/LieuNaissance"] is None
    envelope = fields(sections, "envelope (the SDK's own)")
    assert envelope["ContexteLPS/LPS/IDAM/@R"] == "envelope"
    assert envelope["ContexteBAM/@Version"] == "envelope"
    assert envelope["ContexteBAM/COUVERTURE/GrandRegime"] is None
    assertion = fields(sections, "AssertionProvider")
    assert assertion["Security/Assertion/Subject/NameID/@NameQualifier"] == "assertion"
    assert None not in assertion.values()


def test_nothing_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {file: file.read_bytes() for file in EXAMPLE.iterdir()}
    check(EXAMPLE, every=True)
    assert "Posologie" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert {file: file.read_bytes() for file in EXAMPLE.iterdir()} == before


def test_a_required_field_that_nothing_fills_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in EXAMPLE.iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(
            text.replace(
                'name="CouleurDuPapier" type="xs:string" minOccurs="0"',
                'name="CouleurDuPapier" type="xs:string"',
            ),
            encoding="utf-8",
        )
    assert check(tmp_path) == 1
    assert "CouleurDuPapier (required) nothing fills it" in capsys.readouterr().out


def test_a_folder_without_a_package_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.xsd").write_text("<xs:schema")
    with pytest.raises(InvalidInput) as caught:
        Package(tmp_path)
    assert caught.value.path == str(tmp_path)


def test_recursive_and_composed_types_end(tmp_path: Path) -> None:
    (tmp_path / "x.xsd").write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"
             xmlns="urn:x" elementFormDefault="qualified">
        <xs:element name="Arbre" type="Noeud"/>
        <xs:complexType name="Base"><xs:sequence>
          <xs:element name="Nom" type="xs:string"/></xs:sequence></xs:complexType>
        <xs:group name="Restes"><xs:choice>
          <xs:element name="Un" type="xs:string"/>
          <xs:element name="Autre" type="xs:string"/></xs:choice></xs:group>
        <xs:complexType name="Noeud"><xs:complexContent><xs:extension base="Base"><xs:sequence>
          <xs:element name="Enfant" type="Noeud" minOccurs="0" maxOccurs="unbounded"/>
          <xs:group ref="Restes"/></xs:sequence>
          <xs:attribute name="rang" use="required"/></xs:extension></xs:complexContent>
        </xs:complexType></xs:schema>"""
    )
    package = Package(tmp_path)
    found = {field.shown: field.required for field in package.fields("{urn:x}Arbre")}
    assert found == {
        "Arbre/Nom": True,
        "Arbre/Un": False,
        "Arbre/Autre": False,
        "Arbre/@rang": True,
    }
    assert [section.port for section in examine(package)][-1] == "TraceProfile"
