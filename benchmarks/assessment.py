"""How long an assessment takes and how much memory, from 20 thousand traces to a million.

The ceiling is half a second for 20 thousand traces, all criteria and readings, and linear time and
flat memory from there (design budgets). Which revision of a prescription is the last one, and which
other one it follows or corrects, is known only once all are read: meanwhile they wait in a scratch
database, in a cache of fixed size and behind it a temporary file. That cache is full at a hundred
thousand traces; from there on memory stays where it is. Processor time keeps close to linear;
reading a file larger than the machine's cache comes on top.

Run: ``python -m benchmarks.assessment [traces ...]``.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from benchmarks.table import Row, show
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    Initiator,
    NonDigitalReason,
    PrescriptionTrace,
    RegistrationState,
    Trace,
)
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.registers import Note, append
from eprescription_sdk.storage import SqliteStore, Tx
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from eprescription_sdk.traces.record import Recorder

KEY = b"a secret for benchmarks, 32 bytes"
START = datetime(2026, 3, 2, 7, tzinfo=UTC)
PRACTITIONERS = tuple(Rpps(f"9970000000{last}") for last in range(10))
BATCH = 2000
_OUTCOMES = {
    RegistrationState.REGISTERED: CallOutcome.REGISTERED,
    RegistrationState.NOT_REGISTERED: CallOutcome.NOT_REGISTERED,
    RegistrationState.UNCERTAIN: CallOutcome.UNCERTAIN,
}


def traces(count: int) -> Iterator[Trace]:
    """A lively pilot of ten practitioners over sixty days, from a fixed seed."""
    random = Random(20260302)  # noqa: S311  (reproducible, not a secret)
    refused: dict[int, str] = {}
    made = 0
    while made < count:
        who = random.randrange(len(PRACTITIONERS))
        when = START + timedelta(days=60) * (made / count)
        common: dict[str, Any] = {
            "at": when,
            "rpps": PRACTITIONERS[who],
            "situation": "pilot",
            "finess": Finess("750712184"),
            "software": "Plateforme",
            "version": "1.0.0",
            "module": "module",
            "instance": str(UUID(int=7)),
            "environment": "production",
            "simulation": False,
            "test_identity": random.random() < 0.02,
        }
        subject = str(UUID(int=random.getrandbits(128)))
        act = str(UUID(int=random.getrandbits(128))) if random.random() < 0.3 else None
        drawn = random.random()
        if drawn < 0.25:
            after = refused.pop(who, None) if random.random() < 0.5 else None
            made += 1
            yield (
                PrescriptionTrace(
                    id=str(UUID(int=random.getrandbits(128))),
                    subject=subject,
                    revision=1,
                    issued_at=when,
                    digital=False,
                    families=frozenset(random.sample(list(Family), random.randint(1, 2))),
                    reason=NonDigitalReason.OTHER,
                    after=PrescriptionNumber(after) if after else None,
                    act=act,
                    **common,
                )
            )
            continue
        if drawn < 0.45:
            operation, outcome = random.choice(
                [(Operation.CONSULT, CallOutcome.FOUND), (Operation.SEARCH, CallOutcome.LISTED)]
            )
        else:
            operation = Operation.CREATE
            state = random.choices(list(RegistrationState), (90, 8, 2))[0]
            outcome = _OUTCOMES[state]
            number = f"{made:018d}"
            corrects = refused.pop(who, None)
            made += 1
            yield (
                PrescriptionTrace(
                    id=str(UUID(int=random.getrandbits(128))),
                    subject=subject,
                    revision=1,
                    issued_at=when,
                    digital=True,
                    families=frozenset({Family.MEDICATION}),
                    registration=state,
                    number=PrescriptionNumber(number),
                    document_type=DocumentType.HEALTH_PRODUCTS,
                    corrects=PrescriptionNumber(corrects) if corrects else None,
                    act=act,
                    **common,
                )
            )
            if state is RegistrationState.NOT_REGISTERED:
                refused[who] = number
        made += 1
        yield (
            CallTrace(
                id=str(UUID(int=random.getrandbits(128))),
                operation=operation,
                initiator=Initiator.PRESCRIBER,
                attempts=1,
                outcome=outcome,
                subject=subject if operation is Operation.CREATE else None,
                **common,
            )
        )


def fill(path: Path, count: int) -> None:
    """A store with that many traces, through the gate and the recorder."""
    store = SqliteStore(path)
    recorder = Recorder(KEY, None)
    store.write(lambda tx: set_phase(tx, Phase.RUNNING, module="module"))
    said = []
    for label, rpps in enumerate(PRACTITIONERS, start=1):
        enrolment = Enrolment(rpps=rpps, label=label, situation="pilot", go_live=START.date())
        store.write(partial(enrol, enrolment=enrolment))
        go_live = START.date().isoformat()
        said.append({"rpps": rpps.value, "situation": "pilot", "go_live": go_live})
    # Of the dossier, what an assessment reads.
    note = Note(day=START.date(), by="benchmark", reference="benchmark", at=START)
    store.write(partial(append, kind="dossier", note=note, data={"practitioners": said}))
    made = islice(traces(count), count)
    while batch := list(islice(made, BATCH)):
        assert store.write(partial(_record, recorder=recorder, batch=batch))
    store.close()


def _record(tx: Tx, *, recorder: Recorder, batch: list[Trace]) -> bool:
    return all(recorder.record(tx, one) for one in batch)


def peak() -> float:
    """The most memory that this process had, in MiB; Linux alone tells it exactly."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not tell the peak memory of a process.")


def measure(path: Path) -> None:
    """Time and memory of assessments in this process, as JSON."""
    store = SqliteStore(path)
    before = peak()
    seconds, processor = [], []
    for _ in range(3):
        begun, used = time.perf_counter(), time.process_time()
        counted = assess(store, key=KEY, at=START + timedelta(days=90))
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
        assert counted.inputs.counted > 0
    figures = {
        "seconds": min(seconds),
        "processor": min(processor),
        "mebibytes": peak() - before,
    }
    print(json.dumps(figures))


def main(counts: list[int]) -> None:
    """Print the figures."""
    print("assessment, all criteria and readings")
    measured: dict[int, dict[str, float]] = {}
    for count in counts:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "pilot.db"
            fill(path, count)
            # A fresh process: what memory the making of the traces took must not count.
            command = [sys.executable, "-m", "benchmarks.assessment", "--measure", str(path)]
            done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603
            measured[count] = figures = json.loads(done.stdout)
            print(
                f"  {count:>9,} traces: {figures['seconds']:6.3f} s,"
                f" of the processor {figures['processor'] / count * 1e6:5.1f} µs a trace,"
                f" {figures['mebibytes']:6.1f} MiB more"
            )
    for least, most in pairwise(sorted(measured)):
        # A million traces are a gigabyte: what the disk takes depends on who else uses its cache.
        slower = measured[most]["processor"] / measured[least]["processor"]
        growth = measured[most]["mebibytes"] - measured[least]["mebibytes"]
        print(
            f"  from {least:,} to {most:,}: {slower:.1f}× the processor time"
            f" (linear would be {most / least:.0f}×),"
            f" {growth * 2**20 / (most - least):.0f} bytes a trace more (flat would be 0)"
        )
    least, most = min(measured), max(measured)
    seconds = measured[least]["seconds"]
    show([Row(what=f"assessment of {least:,} traces", measured=seconds, budget=0.5, unit="s")])
    if least < most:
        slower = measured[most]["processor"] / measured[least]["processor"] * least / most
        what = f"processor time a trace, assessing {most:,} against {least:,}"
        show([Row(what=what, measured=slower, budget=1)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        main([int(count) for count in sys.argv[1:]] or [20_000, 100_000, 1_000_000])
