"""What comes before the first byte of a create: problems, number, frozen body, journal."""

from datetime import timedelta
from uuid import uuid4

import attrs

from eprescription_sdk import ledger
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.client.foreign import foreign, prepared
from eprescription_sdk.clock import paris_day
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import ConfigurationError, ReferenceConflict
from eprescription_sdk.ledger import Entry, State
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.settings import Environment
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.gate import Wall, wall
from eprescription_sdk.wire.envelope import Fragment


def problems_of(prescription: Prescription, practitioner: Practitioner) -> tuple[Problem, ...]:
    """Every rule that the prescription breaks, as this practitioner's."""
    problems = list(prescription.problems())
    prescriber = prescription.prescriber
    for path, agrees in (
        ("prescriber.rpps", prescriber.rpps == practitioner.rpps),
        ("prescriber.situation.id", prescriber.situation.id == practitioner.situation),
    ):
        if not agrees:
            problems.append(
                Problem(
                    level=Level.ERROR,
                    code="RX-OTHER-PRESCRIBER",
                    path=path,
                    text="The prescription is not that of the practitioner who acts.",
                    text_fr="L'ordonnance n'est pas au nom du praticien authentifié.",
                )
            )
    return tuple(problems)


def freeze(core: Core, line: Line, prescription: Prescription) -> tuple[Entry, Fragment]:
    """Mint, encode and fingerprint; from here on the payload is frozen.

    Raises:
        ConfigurationError: minter or codec failed, or gave what breaks its rule.
    """
    now = core.clock.now()
    if prescription.issued_at is None:
        prescription = attrs.evolve(prescription, issued_at=now)
    with foreign("minter"):
        number = core.minter.mint(prescription)
        broken = number.problem() is not None
    if broken:
        raise ConfigurationError(
            "The minter gave a number that breaks the rule.",
            path="minter",
            way_out="A number has 1 to 64 digits and capital letters.",
        )
    body, fingerprint = _encoded(core, prescription, number)
    kind = prescription.document_type
    if kind is None or prescription.issued_at is None:
        raise AssertionError("validation lets no such prescription through")
    ends = now + timedelta(seconds=line.left)
    line.creates_until = ends
    reference, act = prescription.reference, prescription.act
    entry = Entry(
        number=number,
        subject=str(uuid4()),
        state=State.SENDING,
        reference=core.keyed("reference", reference) if reference is not None else None,
        fingerprint=fingerprint,
        rpps=prescription.prescriber.rpps,
        situation=prescription.prescriber.situation.id,
        families=prescription.families,
        document_type=kind,
        act=core.keyed("act", act) if act is not None else None,
        corrects=prescription.corrects,
        issued_at=prescription.issued_at,
        test_identity=prescription.patient.ins.oid.fictitious,
        owner=core.owner,
        epoch=1,
        lease_until=line.lease(now),
        created_at=now,
        last_send_at=ends,
    )
    return entry, body


def _encoded(
    core: Core, prescription: Prescription, number: PrescriptionNumber
) -> tuple[Fragment, str]:
    """The body of a create, and the keyed hash of its content."""
    with foreign("codec"):
        body = core.codec.encode_create(prescription, number)
        return prepared(body), core.keyed("content", core.codec.fingerprint(body))


def open_entry(core: Core, tx: Tx, entry: Entry) -> Wall | Entry | None:
    """Reference, walls, journal: in one transaction, durable before the first byte.

    Returns:
        None when it is journalled; the entry that its reference is bound to already; or
        ``Wall.OUTSIDE``.
    """
    if entry.reference is not None:
        # First: what was sent is not undone by leaving the pilot.
        bound = ledger.find(tx, reference=entry.reference)
        if bound is not None:
            return bound
    if core.settings.environment is Environment.PRODUCTION:
        standing = wall(tx, entry.rpps, paris_day(entry.created_at + tx.clock_offset))
        if standing is Wall.OUTSIDE:
            return standing
    if ledger.find(tx, number=entry.number) is not None:
        raise ConfigurationError(
            "The minter gave a number that was given before; nothing was sent.",
            path="minter",
            way_out="A number is given once, also after a restart or a restored backup.",
        )
    ledger.journal(tx, entry)
    return None


def refuse_other_content(core: Core, prescription: Prescription, entry: Entry) -> None:
    """A reference stands for one content.

    Raises:
        ReferenceConflict: it came back with another.
        ConfigurationError: the codec failed.
    """
    same = attrs.evolve(prescription, issued_at=prescription.issued_at or entry.issued_at)
    _, fingerprint = _encoded(core, same, entry.number)
    if fingerprint != entry.fingerprint:
        raise ReferenceConflict(
            "This reference is bound to a prescription with other content.",
            path="reference",
        )
