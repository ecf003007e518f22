"""The canary of law 4, for a platform's own sinks: plant marked values, then search for them.

A ``Canary`` is a patient and a prescription that exist nowhere else, so that wherever one of its
values turns up, it leaked. ``run_canary`` takes it through the ordinary bad days of a platform's
own ``create`` path; ``assert_no_patient_data`` searches the sinks that the platform hands over.
"""

import base64
import re
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from eprescription_sdk.model.identifiers import Ins, InsOid, Rpps
from eprescription_sdk.model.lines import MedicationLine
from eprescription_sdk.model.people import Patient, Sex
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.testing.faults import FAULTS, script_fault
from eprescription_sdk.testing.samples import (
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sample_prescription,
)
from eprescription_sdk.testing.sinks import Sink, text_of

if TYPE_CHECKING:
    from eprescription_sdk.sandbox import Sandbox


def _mark() -> str:
    return "ZZ" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(12))


def _ins() -> str:
    # Month 99: nobody can have it. Test identities need no key.
    return f"29999{secrets.randbelow(10**10):010d}"


def _birth_date() -> date:
    return date(1901, 1, 1) + timedelta(days=secrets.randbelow(9000))


@attrs.frozen(kw_only=True)
class Leak:
    """A planted value that was found; the value itself is not repeated.

    Args:
        sink: the name of the sink.
        what: which value, such as ``family name``.
        form: how it stood there: ``plain``, ``base64`` or ``hexadecimal``.
    """

    sink: str
    what: str
    form: str


@attrs.frozen(kw_only=True)
class Canary:
    """Marked values, new for each canary: a patient who does not exist, and what they are given.

    Args:
        family_name: of the patient.
        given_name: of the patient.
        ins: of the patient; of the test authority.
        birth_date: of the patient.
        label: of the medicine.
        posology: of the medicine.
    """

    family_name: str = attrs.field(factory=_mark, repr=False)
    given_name: str = attrs.field(factory=_mark, repr=False)
    ins: str = attrs.field(factory=_ins, repr=False)
    birth_date: date = attrs.field(factory=_birth_date, repr=False)
    label: str = attrs.field(factory=_mark, repr=False)
    posology: str = attrs.field(factory=_mark, repr=False)

    @property
    def values(self) -> dict[str, str]:
        """What to look for, by what it is: for sinks that only you can search."""
        return {
            "family name": self.family_name,
            "given name": self.given_name,
            "INS": self.ins,
            "birth date": self.birth_date.isoformat(),
            "medicine": self.label,
            "posology": self.posology,
        }

    def prescription(
        self,
        *,
        rpps: Rpps = SAMPLE_RPPS,
        situation: str = SAMPLE_SITUATION,
        reference: str | None = None,
    ) -> Prescription:
        """A prescription in which all that belongs to the patient is marked.

        Args:
            rpps: of the prescriber.
            situation: id of their practice situation.
            reference: the host's own key.
        """
        return attrs.evolve(
            sample_prescription(rpps=rpps, situation=situation, reference=reference),
            patient=Patient(
                ins=Ins(self.ins, InsOid.TEST),
                family_name=self.family_name,
                given_name=self.given_name,
                birth_date=self.birth_date,
                sex=Sex.FEMALE,
            ),
            lines=(MedicationLine(label=self.label, text=self.posology),),
        )

    def search(self, sinks: Mapping[str, Sink]) -> tuple[Leak, ...]:
        """Where planted values stand that must stand nowhere.

        They are found in any case, within base64, in hexadecimal, compressed with gzip, and
        with the usual separators in the INS and in the birth date.

        Args:
            sinks: by a name that tells you which; see ``Sink``.
        """
        forms = [
            (what, form, pattern)
            for what, value in self.values.items()
            for form, pattern in _patterns(value, self.birth_date if what == "birth date" else None)
        ]
        found = []
        for name, sink in sinks.items():
            text = text_of(sink)
            found += [
                Leak(sink=name, what=what, form=form)
                for what, form, pattern in forms
                if pattern.search(text)
            ]
        return tuple(found)


BAD_DAYS = tuple(name for name in FAULTS if not name.startswith("collector"))
"""What ``run_canary`` plays, each before a prescription of its own."""


def run_canary(
    sandbox: "Sandbox",
    create: Callable[[Prescription], object],
    *,
    rpps: Rpps = SAMPLE_RPPS,
    situation: str = SAMPLE_SITUATION,
    faults: Iterable[str] = BAD_DAYS,
) -> tuple[Canary, dict[str, Sink]]:
    """Send a canary through a platform's own path, on a good day and on bad ones.

    Args:
        sandbox: what the platform talks to.
        create: the platform's path, from a prescription to whatever it answers; it may raise.
        rpps: the practitioner who acts there.
        situation: id of their practice situation.
        faults: names of ``FAULTS``, each played before a prescription.

    Returns:
        The canary, to search your sinks for, and what ``create`` answered and raised, which are
        sinks too.

    Raises:
        AssertionError: the values never reached the service, so that nothing would be proved.
    """
    from eprescription_sdk.sandbox import FaultCode, Operation

    canary = Canary()
    prescription = canary.prescription(rpps=rpps, situation=situation)
    told: dict[str, Sink] = {}

    def live(day: str, written: Prescription) -> None:
        try:
            told[f"answer on the day: {day}"] = create(written)
        except Exception as error:  # noqa: BLE001  (what a platform raises is what is looked at)
            told[f"error on the day: {day}"] = error

    live("good", prescription)
    if not all(
        value.encode() in b"".join(kept.document for kept in sandbox.registrations)
        for value in canary.values.values()
    ):
        raise AssertionError("The canary did not reach the sandbox: nothing would be proved.")
    for name in faults:
        if name.startswith("consult"):  # which only comes after an answer that was lost
            script_fault(sandbox, "commit-then-drop")
        script_fault(sandbox, name)
        live(name, prescription)
    quoting = " ".join(canary.values.values())
    sandbox.script(Operation.CREATE, FaultCode("sdkref_invalid", sender=True, text=quoting))
    live("the service quotes the patient", prescription)
    broken = attrs.evolve(prescription, issued_at=_WITHOUT_OFFSET)
    live("the prescription breaks a rule", broken)
    return canary, told


_WITHOUT_OFFSET = datetime(2025, 3, 17)  # noqa: DTZ001  (that is what is wrong with it)


def _patterns(value: str, day: date | None) -> list[tuple[str, re.Pattern[str]]]:
    if day is not None:
        shapes = ("%Y-%m-%d", "%d-%m-%Y", "%Y%m%d", "%d%m%Y")
        plain = "|".join(day.strftime(shape).replace("-", "[-/. ]") for shape in shapes)
    elif value.isdecimal():
        plain = "[ .\u00a0-]?".join(value)
    else:
        plain = re.escape(value)
    raw = value.encode()
    return [
        ("plain", re.compile(plain, re.IGNORECASE)),
        ("base64", re.compile("|".join(map(re.escape, _base64(raw))))),
        ("hexadecimal", re.compile(raw.hex(), re.IGNORECASE)),
    ]


def _base64(raw: bytes) -> list[str]:
    """What surely stands in the base64 of any text around it, for each of three alignments."""
    found = []
    for before in range(3):
        code = base64.b64encode(bytes(before) + raw).decode()
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        found.append(code[first:last])
    return found
