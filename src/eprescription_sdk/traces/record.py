"""Recording: gate check, chain link and insert, in the transaction that settles.

Nothing here fails a prescription: the caller gives each trace a savepoint and counts what
fails (``lose``).
"""

import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.model.trace import Trace
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces import chain
from eprescription_sdk.traces.body import KINDS, to_body
from eprescription_sdk.traces.gate import Phase, phase, withheld


def closed_marker(store: Path) -> Path:
    """The file beside an embedded store that says its traces are closed.

    It outlives a restored backup of the store itself.
    """
    return store.with_name(store.name + ".closed")


class Recorder:
    """Records the traces of one process into one store.

    Args:
        key: the secret of the settings.
        store_path: the file of an embedded store, to look for its closed marker.
        receipt: id of the closing receipt, once pinned in the settings.
    """

    def __init__(self, key: bytes, store_path: Path | None, receipt: str | None = None) -> None:
        self._key = key
        self._marker = str(closed_marker(store_path)) if store_path is not None else None
        # Closed for good is the one thing that may be remembered without asking the store.
        self._closed = receipt is not None or self._is_marked()
        self._segment = ""
        self._pid = 0

    @property
    def closed(self) -> bool:
        """Whether traces are known to be closed for good."""
        return self._closed

    def _is_marked(self) -> bool:
        return self._marker is not None and os.path.exists(self._marker)  # noqa: PTH110  (per trace)

    def record(self, tx: Tx, trace: Trace) -> bool:
        """Record one trace if it is lawful now.

        Returns:
            Whether it was recorded; what is withheld is counted, by reason. Once closed, the store
            is not even asked. The store's time decides, not this machine's: the difference is
            recorded.
        """
        if self._closed:
            return False
        offset = tx.clock_offset
        reason = withheld(tx, trace.rpps, trace.situation, paris_day(trace.at + offset))
        if reason is not None:
            self._closed = phase(tx) in (Phase.CLOSED, Phase.GENERALISED)
            if not self._closed:
                telemetry.count("trace_withheld", reason.value)
            return False
        # A backup may have been restored since this process started.
        if self._is_marked():
            self._closed = True
            return False
        position, previous = self._head(tx, trace)
        if offset:
            trace = attrs.evolve(trace, clock_offset_ms=round(offset / timedelta(milliseconds=1)))
        body, identity = to_body(trace, self._key)
        tx.execute(
            "INSERT INTO traces (id, kind, at, body, identity, segment, position, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                trace.id,
                KINDS[type(trace)],
                iso(trace.at),
                body,
                identity,
                self._segment,
                position + 1,
                chain.link(previous, body),
            ),
        )
        return True

    def _head(self, tx: Tx, trace: Trace) -> tuple[int, str]:
        """Position and hash that the next trace of this process follows."""
        # A forked child is an incarnation of its own.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._segment = str(uuid4())
        # Asked each time: a transaction that was rolled back took its traces with it, and the
        # opening of the segment if they were its first.
        rows = tx.execute(
            "SELECT position, hash FROM traces WHERE segment = ? ORDER BY position DESC LIMIT 1",
            (self._segment,),
        )
        if rows:
            return rows[0][0], rows[0][1]
        opened = tx.execute("SELECT previous FROM segments WHERE id = ?", (self._segment,))
        previous = opened[0][0] if opened else _open_segment(tx, self._segment, trace)
        return 0, chain.opening(self._segment, previous)


def _open_segment(tx: Tx, segment: str, trace: Trace) -> str:
    newest = tx.execute("SELECT hash FROM traces ORDER BY seq DESC LIMIT 1")
    previous: str = newest[0][0] if newest else chain.GENESIS
    tx.execute("INSERT INTO segments VALUES (?, ?, ?)", (segment, iso(trace.at), previous))
    return previous


def lose(tx: Tx, reason: str) -> None:
    """Count a trace that could not be recorded."""
    tx.execute(
        "INSERT INTO losses VALUES (?, 1)"
        " ON CONFLICT (reason) DO UPDATE SET count = losses.count + 1",
        (reason,),
    )


def losses(tx: Tx) -> dict[str, int]:
    """How many traces were lost, by reason."""
    return dict(tx.execute("SELECT reason, count FROM losses ORDER BY reason"))
