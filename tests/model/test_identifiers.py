import pytest

from eprescription_sdk.errors import InvalidIdentifier
from eprescription_sdk.model.identifiers import (
    Finess,
    Identifier,
    Ins,
    InsOid,
    PrescriptionNumber,
    Rpps,
)


@pytest.mark.parametrize(
    "identifier",
    [
        Rpps("99700218896"),
        Rpps("99900063480"),
        Finess("750712184"),
        Finess("330781287"),
        PrescriptionNumber("01S2TBPZ2JCNZZYGHZ"),
        PrescriptionNumber("A" * 64),
    ],
)
def test_valid_identifiers_have_no_problem(identifier: Identifier) -> None:
    assert identifier.problem() is None
    assert type(identifier).parse(f" {identifier.value} ") == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        Rpps("10001234567"),
        Rpps("07505123456"),
        Rpps("9970021889"),
        Rpps("9970021889\uff16"),
        Rpps(""),
        Finess("750512302"),
        Finess("75071218"),
        Finess("2C0000011"),
        PrescriptionNumber(""),
        PrescriptionNumber("abc"),
        PrescriptionNumber("A" * 65),
    ],
)
def test_broken_identifiers_say_which_rule(identifier: Identifier) -> None:
    problem = identifier.problem()
    assert problem
    assert not identifier.value or identifier.value not in problem


def test_corsican_finess_holds_its_key() -> None:
    digits = next(
        f"2A000001{key}" for key in range(10) if Finess(f"2A000001{key}").problem() is None
    )
    assert Finess(digits).problem() is None
    other = str((int(digits[-1]) + 1) % 10)
    assert Finess(digits[:-1] + other).problem()


@pytest.mark.parametrize(
    ("value", "oid", "valid"),
    [
        ("255081416802538", InsOid.NIR, True),
        ("255081416802539", InsOid.NIR, False),
        ("255081416802539", InsOid.NIA, False),
        ("255081416802539", InsOid.TEST, True),
        ("255081416802539", InsOid.DEMO, True),
        ("25508141680253", InsOid.TEST, False),
        ("25508141680253X", InsOid.TEST, False),
    ],
)
def test_the_key_of_an_ins_binds_real_identities_only(value: str, oid: InsOid, valid: bool) -> None:
    assert (Ins(value, oid).problem() is None) is valid


def test_corsican_ins_keys() -> None:
    for department, stands_for in (("2A", "19"), ("2B", "18")):
        key = 97 - int(f"17512{stands_for}000001"[:13].ljust(13, "0")) % 97
        number = f"17512{stands_for}00000100"[:13]
        key = 97 - int(number) % 97
        corsican = f"17512{department}" + number[7:] + f"{key:02d}"
        assert Ins(corsican).problem() is None


def test_parse_refuses_without_quoting() -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        Ins.parse("255081416802539")
    assert "255081416802539" not in str(caught.value)


def test_repr_and_str_hide_personal_identifiers() -> None:
    for identifier in (Rpps("99700218896"), Ins("255081416802538"), PrescriptionNumber("ABC1")):
        shown = f"{identifier} {identifier!r} {[identifier]}"
        assert identifier.value not in shown
    assert "330781287" in repr(Finess("330781287"))


def test_types_are_checked() -> None:
    with pytest.raises(TypeError):
        Rpps(99700218896)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Ins("255081416802538", "1.2")  # type: ignore[arg-type]


def test_a_person_reads_them_in_groups() -> None:
    assert Ins("255081416802538").format() == "2 55 08 14 168 025 38"
    assert Finess("330781287").format() == "33 078128 7"
    assert Rpps("99700218896").format() == "99700218896"
    for identifier in (Ins("1"), Finess(""), Rpps("x"), PrescriptionNumber("é")):
        assert isinstance(identifier.format(), str)


def test_what_was_formatted_can_be_parsed() -> None:
    for text, kind in (("255081416802538", Ins), ("330781287", Finess), ("99700218896", Rpps)):
        assert kind.parse(kind(text).format()) == kind(text)
    assert Ins.parse("1 75 12 2a 000 001 00", InsOid.TEST).value == "175122A00000100"
