from typing import Any

import attrs
import pytest

from eprescription_sdk.model.family import DocumentType, Family, paper_documents
from eprescription_sdk.model.lines import (
    BiologyLine,
    DeviceLine,
    ImagingLine,
    MedicationLine,
    NursingLine,
    TransportLine,
)
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.prescription import Prescription
from tests.model import samples

MEDICINE = MedicationLine(label="PARACÉTAMOL", text="1 par jour")
DEVICE = DeviceLine(label="Attelle", text="Une attelle")
BIOLOGY = BiologyLine(label="TSH", text="TSH")
NURSING = NursingLine(label="Pansement", text="Un pansement par jour")


def mixed(**changes: Any) -> Prescription:
    return attrs.evolve(
        samples.prescription(), lines=(MEDICINE, BIOLOGY, DEVICE, NURSING), **changes
    )


def test_one_document_type_or_none() -> None:
    assert samples.prescription(MEDICINE, DEVICE).document_type is DocumentType.HEALTH_PRODUCTS
    assert mixed().document_type is None
    assert attrs.evolve(mixed(), lines=()).document_type is None


def test_split_gives_one_prescription_a_document_type() -> None:
    parts = mixed(reference="ref").split()
    assert [part.document_type for part in parts] == [
        DocumentType.HEALTH_PRODUCTS,
        DocumentType.BIOLOGY,
        DocumentType.NURSING,
    ]
    assert parts[0].lines == (MEDICINE, DEVICE)
    assert [part.reference for part in parts] == [
        "ref#57833-6",
        "ref#PRESC-BIO",
        "ref#PRESC-INF",
    ]
    assert len({part.act for part in parts}) == 1
    assert parts[0].act
    assert not any(part.problems() for part in parts)


def test_split_keeps_an_act_and_leaves_a_single_document_alone() -> None:
    assert {part.act for part in mixed(act="act-1").split()} == {"act-1"}
    single = samples.prescription(MEDICINE, DEVICE)
    assert single.split() == (single,)


def test_split_sets_apart_what_stays_on_paper() -> None:
    imaging = ImagingLine(label="Radiographie", text="Radiographie du poignet")
    transport = TransportLine(label="VSL", text="Aller et retour")
    whole = attrs.evolve(mixed(reference="ref"), lines=(imaging, MEDICINE, transport, imaging))
    paper, digital, other = whole.split()
    assert (paper.lines, digital.lines, other.lines) == (
        (imaging, imaging),
        (MEDICINE,),
        (transport,),
    )
    assert (paper.reference, digital.reference, other.reference) == (None, "ref#57833-6", None)
    assert not digital.problems()
    assert {each.code for part in (paper, other) for each in part.problems()} == {
        "RX-OUT-OF-PERIMETER"
    }


def test_a_prescription_names_the_practice_situation_it_is_written_in() -> None:
    elsewhere = samples.PRESCRIBER.acting_in(samples.OTHER_PRESCRIBER.situation)
    assert elsewhere.rpps == samples.PRESCRIBER.rpps
    assert elsewhere.situation.id == "situation-2"
    assert attrs.evolve(samples.prescription(), prescriber=elsewhere) != samples.prescription()


def test_an_anonymous_patient_has_no_identity_to_give() -> None:
    nobody = AnonymousPatient()
    assert not nobody.ins.value
    assert not nobody.family_name
    assert not nobody.given_name
    with pytest.raises(TypeError):
        AnonymousPatient(family_name="X")  # type: ignore[call-arg]


def test_nothing_shows_content_in_repr() -> None:
    shown = repr(samples.EVERY_FIELD) + repr(samples.EVERY_FIELD.lines)
    for part in (
        samples.EVERY_DOSAGE_FIELD,
        samples.TABLET,
        samples.DAY,
        samples.PATIENT,
        samples.PRESCRIBER,
        samples.EVERY_DOSAGE_FIELD.max_per_period,
        samples.EVERY_FIELD.lines[0].codes,
    ):
        shown += repr(part)
    for word in ("comprimé", "0.75", "MARTEL", "279063", "99700218896", "FABRE", "34009", "LÉVO"):
        assert word not in shown


def test_paper_documents_count_one_for_each_document_type() -> None:
    families = {Family.MEDICATION, Family.DEVICE, Family.BIOLOGY, Family.IMAGING}
    assert paper_documents(frozenset(families)) == 3


@pytest.mark.parametrize("family", Family)
def test_every_family_has_a_label_and_knows_its_perimeter(family: Family) -> None:
    assert family.label_fr
    assert family.in_perimeter is (family not in (Family.IMAGING, Family.TRANSPORT))
