"""From prescriptions and their links to documents, acts and create calls by day and kind.

What a document, an act and a pair are:

- A document is a subject at its highest revision recorded by the cut-off. Its day is the one it
  was issued on; a call's day is the one it was recorded on.
- A paper record counts one document for each document type among its families, imaging and
  transport one each. Without an act of its own, it is one act.
- A paper record ``after`` a digital one of the same practitioner is one document less: it and
  the digital one are a single document, which has the day and the act of the digital one.
- A refused digital prescription that a later one ``corrects`` is a kind of its own (Q10).
- A create call that did not register is of the kind of its document if that is still uncertain,
  or was refused and corrected since; else it is one that was not registered.

Which revision is the last, and what follows what, is known only once all traces are read. So
prescriptions wait in a scratch database, and memory does not grow with them. Subjects, numbers and
acts stand there as hashes whose key is never written: what may lie in a temporary file for a while
leads to nobody.
"""

import hashlib
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import attrs

from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot.facts import Kind
from eprescription_sdk.storage.base import Row
from eprescription_sdk.storage.scratch import Scratch

# Loops over all prescriptions work on plain numbers; flags are ten times slower.
REGISTERED, NOT_REGISTERED, CORRECTED, UNCERTAIN, PAPER, OUTSIDE = (int(kind) for kind in Kind)

Shape = tuple[int, int, int, int, int, int, str | None]
"""What is kept of a prescription: revision, practitioner, day (an ordinal), kind, and for a paper
one its documents in the perimeter and outside, and why."""

Days = tuple[tuple[date, int], ...]
"""The days of an act, and the kinds of its documents on each."""

_TABLES = (
    """
    CREATE TABLE traced
        (subject, revision, practitioner, day, kind, inside, outside, reason, number, act, link)
    """,
    "CREATE TABLE unregistered (subject, practitioner, day, uncertain)",
    "CREATE TABLE together (practitioner, place, day, kind)",
)

_LINKED = (
    # By subject, at the highest revision; of two alike, the first one recorded.
    """
    CREATE TABLE prescriptions AS
    SELECT subject, practitioner, day, kind, inside, outside, reason, number, act, link, seq
    FROM (
        SELECT *, rowid AS seq,
            row_number() OVER (PARTITION BY subject ORDER BY revision DESC, rowid) AS place
        FROM traced
    ) WHERE place = 1
    """,
    "DROP TABLE traced",
    "CREATE INDEX by_subject ON prescriptions (subject)",
    "CREATE INDEX by_number ON prescriptions (number) WHERE number IS NOT NULL",
    # A link between two practitioners is a mistake of the host's.
    """
    CREATE TABLE links AS
    SELECT later.rowid AS later, earlier.rowid AS earlier, earlier.act AS act,
        later.kind AS kind, earlier.kind AS found, max(earlier.seq) AS seq
    FROM prescriptions AS later JOIN prescriptions AS earlier ON earlier.number = later.link
    WHERE later.link IS NOT NULL AND earlier.practitioner = later.practitioner
        AND earlier.rowid <> later.rowid
    GROUP BY later.rowid
    """,
    "CREATE TABLE pairs (later INTEGER PRIMARY KEY, earlier, act)",
    f"INSERT INTO pairs SELECT later, earlier, act FROM links WHERE kind = {PAPER}",
    "CREATE TABLE followed (earlier INTEGER PRIMARY KEY)",
    "INSERT OR IGNORE INTO followed SELECT earlier FROM pairs",
    "CREATE TABLE corrected (earlier INTEGER PRIMARY KEY)",
    f"""
    INSERT OR IGNORE INTO corrected
    SELECT earlier FROM links WHERE kind <> {PAPER} AND found = {NOT_REGISTERED}
    """,
)

_PRESCRIPTIONS = """
    SELECT one.rowid, practitioner, day, kind, inside, outside, reason,
        coalesce(one.act, pairs.act), pairs.earlier, followed.earlier, corrected.earlier
    FROM prescriptions AS one
    LEFT JOIN pairs ON pairs.later = one.rowid
    LEFT JOIN followed ON followed.earlier = one.rowid
    LEFT JOIN corrected ON corrected.earlier = one.rowid
"""

_CREATES = f"""
    SELECT call.practitioner, call.day,
        CASE
            WHEN corrected.earlier IS NOT NULL THEN {CORRECTED}
            WHEN coalesce(one.kind = {UNCERTAIN}, uncertain) THEN {UNCERTAIN}
            ELSE {NOT_REGISTERED}
        END,
        count(*)
    FROM unregistered AS call
    LEFT JOIN prescriptions AS one ON one.subject = call.subject
    LEFT JOIN corrected ON corrected.earlier = one.rowid
    GROUP BY 1, 2, 3
"""

_BATCH = 1000
T = TypeVar("T", int, str)
_OTHER = NonDigitalReason.OTHER.value


@attrs.frozen(kw_only=True)
class Cells:
    """How many there are, by number of the practitioner, then by day and kind."""

    documents: Mapping[int, Counter[tuple[date, int]]]
    acts: Mapping[int, Counter[Days]]
    creates: defaultdict[int, Counter[tuple[date, int]]]
    reasons: Mapping[int, Counter[tuple[date, str]]]


class Prescriptions:
    """All that counts of what was prescribed, as the traces tell it."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._scratch.run(*_TABLES)
        self._key = secrets.token_bytes(16)
        self._traced = _Batch(self._scratch, "traced", 11)
        self._unregistered = _Batch(self._scratch, "unregistered", 4)

    def add(
        self, subject: str, shape: Shape, *, number: str | None, act: str | None, link: str | None
    ) -> None:
        """Keep one revision of a prescription.

        Args:
            subject: which.
            shape: what it is.
            number: pseudonym of its number; a paper one has none.
            act: what ties it to others.
            link: pseudonym of the number that it follows, on paper, or corrects.

        Raises:
            ValueError, AttributeError: a field is not what it should be.
        """
        if type(shape[0]) is not int or not 0 <= shape[0] < _HIGHEST:
            raise ValueError("Not a revision.")
        self._traced.add(
            (
                self._hidden(subject),
                *shape,
                None if number is None else self._hidden(number),
                self._hidden(act) if act else None,
                None if link is None else self._hidden(link),
            )
        )

    def add_unregistered(
        self, subject: str | None, practitioner: int, day: int, *, uncertain: bool
    ) -> None:
        """Keep a create call that did not register.

        Args:
            subject: of the prescription that it was about.
            practitioner: number of who called.
            day: an ordinal.
            uncertain: whether the call itself ended so.

        Raises:
            AttributeError: the subject is not a text.
        """
        hidden = None if subject is None else self._hidden(subject)
        self._unregistered.add((hidden, practitioner, day, uncertain))

    def count(self) -> Cells:
        """Documents, acts and create calls, now that every link is known.

        What was kept is given up with it.
        """
        try:
            self._traced.flush()
            self._unregistered.flush()
            self._scratch.run(*_LINKED)
            return self._cells()
        finally:
            self._scratch.close()

    def _hidden(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._key).digest()

    def _cells(self) -> Cells:
        documents: Counter[tuple[int, int, int]] = Counter()
        reasons: Counter[tuple[int, int, str]] = Counter()
        alone: Counter[tuple[int, int, int]] = Counter()
        together = _Batch(self._scratch, "together", 4)
        for row in self._scratch.rows(_PRESCRIPTIONS):
            subject, who, day, kind, inside, outside, reason, act, first, followed, corrected = row
            if kind == PAPER:
                reasons[who, day, reason or _OTHER] += inside + outside
                if first is not None:
                    # One of its documents is the digital one, counted there.
                    inside, outside = (inside - 1, outside) if inside else (0, outside - 1)
                units = [(PAPER, inside)] if inside > 0 else []
                if outside > 0:
                    units.append((OUTSIDE, outside))
            else:
                units = [(kind if corrected is None else CORRECTED, 1)]
            # An act without a name is called after the one it starts with.
            place = act or first or (subject if followed or len(units) > 1 else None)
            for unit, many in units:
                documents[who, day, unit] += many
                if place is None:
                    alone[who, day, unit] += 1
                else:
                    together.add((who, place, day, unit))
        together.flush()
        creates: defaultdict[int, Counter[tuple[date, int]]] = defaultdict(Counter)
        for who, day, kind, calls in self._scratch.rows(_CREATES):
            creates[who][_date(day), kind] += calls
        return Cells(
            documents=_by_practitioner(documents),
            acts=self._acts(alone),
            creates=creates,
            reasons=_by_practitioner(reasons),
        )

    def _acts(self, alone: Counter[tuple[int, int, int]]) -> Mapping[int, Counter[Days]]:
        acts: dict[int, Counter[Days]] = defaultdict(Counter)
        for (who, day, kind), count in alone.items():
            acts[who][(_date(day), kind),] += count
        rows = self._scratch.rows(
            "SELECT practitioner, place, day, kind FROM together ORDER BY practitioner, place"
        )
        for (who, _), documents in groupby(rows, itemgetter(0, 1)):
            kinds: dict[date, int] = {}
            for _, _, day, kind in documents:
                kinds[_date(day)] = kinds.get(_date(day), 0) | kind
            acts[who][tuple(sorted(kinds.items()))] += 1
        return acts


_HIGHEST = 2**31


class _Batch:
    """Rows on their way into a table of the scratch database."""

    def __init__(self, scratch: Scratch, table: str, columns: int) -> None:
        self._scratch = scratch
        self._sql = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
        self._waiting: list[Row] = []

    def add(self, row: Row) -> None:
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._scratch.add(self._sql, self._waiting)
        self._waiting.clear()


_date = cache(date.fromordinal)


def _by_practitioner(
    counted: Counter[tuple[int, int, T]],
) -> Mapping[int, Counter[tuple[date, T]]]:
    cells: dict[int, Counter[tuple[date, T]]] = defaultdict(Counter)
    for (who, day, what), count in counted.items():
        cells[who][_date(day), what] = count
    return cells
