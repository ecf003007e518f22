"""From the rows of a pilot to its facts, in one pass over the traces.

Memory does not grow with them: what has to wait for later traces waits in ``linking``.

Source: Cnam, présérie (March 2025), p. 6 with its note on several activities.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import Family, paper_documents
from eprescription_sdk.model.trace import (
    CallOutcome,
    ChainLink,
    FaultOrigin,
    Initiator,
    RegistrationState,
)
from eprescription_sdk.pilot.facts import Facts, Practitioner, Use
from eprescription_sdk.pilot.journal import read_journal
from eprescription_sdk.pilot.linking import (
    NOT_REGISTERED,
    PAPER,
    REGISTERED,
    UNCERTAIN,
    Prescriptions,
)

_STATES = {
    RegistrationState.REGISTERED.value: REGISTERED,
    RegistrationState.NOT_REGISTERED.value: NOT_REGISTERED,
    RegistrationState.UNCERTAIN.value: UNCERTAIN,
}


SECTIONS = ("enrolments", "volumes", "events")
"""The chains of an export that stand before those of the traces."""


class Collector:
    """Takes rows one by one and makes the facts.

    Enrolments come before traces. Rows recorded after the cut-off are passed over.

    Args:
        cut_off: what was recorded up to this moment is read, aware.
    """

    def __init__(self, cut_off: datetime) -> None:
        self._cut_off = cut_off
        self._until = iso(cut_off)
        self._enrolled: dict[str, dict[str, Any]] = {}
        self._volumes: dict[tuple[int, date], tuple[str, int]] = {}
        self._events: list[dict[str, Any]] = []
        self._traces = 0
        self._simulation = False
        self._apart: Counter[str] = Counter()
        self._heads: dict[str, tuple[int, str]] = {}
        self._prescriptions = Prescriptions()
        self._registered: Counter[tuple[int, int]] = Counter()
        self._uses: Counter[tuple[int, str, str, str | None, str | None]] = Counter()

    def enrolment(self, row: dict[str, Any]) -> None:
        """Take what is known of a practitioner; the newest stands.

        One who goes live after the cut-off is not equipped yet.
        """
        if row["recorded_at"] > self._until:
            return
        if date.fromisoformat(row["go_live"]) <= paris_day(self._cut_off):
            self._enrolled[row["practitioner"]] = row
        else:
            self._enrolled.pop(row["practitioner"], None)

    def volume(self, row: dict[str, Any]) -> None:
        """Take a declared volume; the newest for a practitioner and day stands."""
        known = self._enrolled.get(row["practitioner"])
        if known is None or row["recorded_at"] > self._until:
            return
        place = known["label"], date.fromisoformat(row["day"])
        if row["recorded_at"] >= self._volumes.get(place, ("", 0))[0]:
            self._volumes[place] = row["recorded_at"], row["documents"]

    def event(self, row: dict[str, Any]) -> None:
        """Take a line of the pilot's journal."""
        if row["recorded_at"] <= self._until:
            self._events.append(row)

    def row(self, segment: str, position: int, digest: str, body: str) -> None:
        """Take a row of an export, whatever it is.

        Raises:
            InvalidInput: the body of a trace cannot be read; the text is not quoted.
            ValueError, KeyError, TypeError: another row is damaged.
        """
        if segment not in SECTIONS:
            self.trace(segment, position, digest, body)
        elif segment == "enrolments":
            self.enrolment(_decode(body))
        elif segment == "volumes":
            self.volume(_decode(body))
        else:
            self.event(_decode(body))

    def trace(self, segment: str, position: int, digest: str, body: str) -> None:
        """Take a trace.

        Raises:
            InvalidInput: its body cannot be read; the text is not quoted.
        """
        try:
            fields = _decode(body)
            if fields["at"] > self._until:
                return
            self._traces += 1
            self._simulation = self._simulation or fields["simulation"]
            if position > self._heads.get(segment, (0, ""))[0]:
                self._heads[segment] = position, digest
            reason = self._reason_apart(fields)
            if reason is not None:
                self._apart[reason] += 1
            elif fields["kind"] == "CALL":
                self._call(fields)
            else:
                self._prescription(fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput(
                "The body of a trace cannot be read.", path=f"{segment}/{position}"
            ) from None

    def _reason_apart(self, fields: dict[str, Any]) -> str | None:
        known = self._enrolled.get(fields["rpps"])
        if known is None:
            return "not_enrolled"
        if fields["environment"] != "production":
            return str(fields["environment"])
        if fields["test_identity"]:
            return "test_identity"
        if fields.get("initiator", "prescriber") != "prescriber":
            return Initiator(fields["initiator"]).value
        if fields["situation"] != known["situation"]:
            return "other_situation"
        return None

    def _call(self, fields: dict[str, Any]) -> None:
        number = self._enrolled[fields["rpps"]]["label"]
        operation, outcome = fields["operation"], fields["outcome"]
        if operation not in _OPERATIONS or outcome not in _OUTCOMES:
            raise ValueError
        failure = fields["fault_origin"], fields["fault_code"]
        self._uses[number, operation, outcome, *failure] += 1
        if operation == "create":
            day = _day(fields["at"])
            if outcome == "registered":
                self._registered[number, day] += 1
            else:
                self._prescriptions.add_unregistered(
                    fields["subject"], number, day, uncertain=outcome == "uncertain"
                )

    def _prescription(self, fields: dict[str, Any]) -> None:
        if fields["digital"]:
            kind, inside, outside, reason = _STATES[fields["registration"]], 0, 0, None
        else:
            kind = PAPER
            inside, outside = _paper(tuple(fields["families"]))
            reason = fields["reason"]
        number = self._enrolled[fields["rpps"]]["label"]
        day = _day(fields["issued_at"])
        self._prescriptions.add(
            fields["subject"],
            (fields["revision"], number, day, kind, inside, outside, reason),
            number=fields["number"] if fields["digital"] else None,
            act=fields["act"],
            link=fields["corrects"] if fields["digital"] else fields["after"],
        )

    def _used(self) -> defaultdict[int, dict[Operation, Use]]:
        """By number of the practitioner and operation, how each was used."""
        uses: defaultdict[int, dict[Operation, Use]] = defaultdict(dict)
        for (number, operation, outcome, origin, code), calls in self._uses.items():
            before = uses[number].get(Operation(operation), _UNUSED)
            good = CallOutcome(outcome).succeeded
            failures = Counter(before.failures)
            if not good:
                failures[FaultOrigin(origin) if origin else None, code] += calls
            uses[number][Operation(operation)] = Use(
                calls=before.calls + calls,
                succeeded=before.succeeded + calls * good,
                failures=failures,
            )
        return uses

    def facts(self, losses: Mapping[str, int]) -> Facts:
        """What the rows come to.

        Args:
            losses: traces that could not be recorded, by reason.
        """
        cells = self._prescriptions.count()
        for (number, day), calls in self._registered.items():
            cells.creates[number][date.fromordinal(day), REGISTERED] += calls
        uses = self._used()
        practitioners = []
        for row in sorted(self._enrolled.values(), key=lambda row: int(row["label"])):
            number, go_live = row["label"], date.fromisoformat(row["go_live"])
            left = date.fromisoformat(row["withdrawn_on"]) if row["withdrawn_on"] else None
            if left is not None and left > paris_day(self._cut_off):
                left = None
            volumes = {
                day: declared
                for (whose, day), (_, declared) in self._volumes.items()
                if whose == number and go_live <= day and (left is None or day < left)
            }
            practitioners.append(
                Practitioner(
                    number=number,
                    situation=row["situation"],
                    go_live=go_live,
                    withdrawn_on=left,
                    withdrawn_reason=row["withdrawn_reason"] if left else None,
                    documents=cells.documents.get(number, {}),
                    acts=cells.acts.get(number, {}),
                    creates=cells.creates.get(number, {}),
                    reasons=cells.reasons.get(number, {}),
                    volumes=volumes,
                    uses=uses[number],
                )
            )
        heads = (
            ChainLink(segment=segment, position=position, hash=digest)
            for segment, (position, digest) in sorted(self._heads.items())
        )
        return Facts(
            cut_off=self._cut_off,
            practitioners=tuple(practitioners),
            journal=read_journal(
                self._events, {who: row["label"] for who, row in self._enrolled.items()}
            ),
            traces=self._traces,
            apart=dict(sorted(self._apart.items())),
            simulation=self._simulation,
            heads=tuple(heads),
            losses=losses,
        )


_OPERATIONS = frozenset(operation.value for operation in Operation)
_OUTCOMES = frozenset(outcome.value for outcome in CallOutcome)
_UNUSED = Use(calls=0, succeeded=0, failures={})
_decode = json.JSONDecoder().decode


def _day(moment: str) -> int:
    """The Europe/Paris day of a moment, as an ordinal."""
    # Bodies are written in UTC. Paris is whole hours away, and changes its clock on the hour:
    # one UTC hour lies in one Paris day.
    if moment.endswith("+00:00"):
        return _day_of_hour(moment[:13])
    return paris_day(datetime.fromisoformat(moment)).toordinal()


@lru_cache(maxsize=65536)
def _day_of_hour(hour: str) -> int:
    return paris_day(datetime.fromisoformat(f"{hour}:00:00+00:00")).toordinal()


@cache
def _paper(families: tuple[str, ...]) -> tuple[int, int]:
    """Documents of a paper record, inside the perimeter and outside."""
    known = frozenset(map(Family, families))
    inside = frozenset(family for family in known if family.in_perimeter)
    return paper_documents(inside), paper_documents(known - inside)
