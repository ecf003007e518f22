"""A create after the closing, against one by a client without traces.

Both clients are in production, on stores of their own whose pilot is closed; the yardstick's
recorder is replaced by one that never does anything at all. They take turns against the same
sandbox. The statements that the first one runs on the tables of the traces are counted, on every
connection it opens. Run with ``python -m benchmarks.closing``.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import eprescription_sdk as ep
from benchmarks.table import Row, show
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store
from eprescription_sdk.testing import sample_prescription, sandbox_settings
from eprescription_sdk.traces import closing
from eprescription_sdk.traces.gate import Phase
from tests.client.harness import practitioner, stand_ins, start_pilot
from tests.client.test_closed import MODULE, touching
from tests.stores import opened, statements

CALLS = 20
ROUNDS = 40
BUDGET = 1.05


class NoTraces:
    """In the place of a recorder."""

    closed = True


def closed(place: Path) -> Store:
    """A store whose traces are closed for good."""
    store = opened(str(place))
    store.write(lambda tx: start_pilot(tx, phase=Phase.ASSESSED))
    closing.close(
        store,
        shipper=None,
        unsettled=lambda _: (),
        module=MODULE,
        now=lambda: datetime.now(UTC),
    )
    return store


def round_of(doctor: ep.Acting) -> float:
    """Seconds that some creates take."""
    prescriptions = [sample_prescription() for _ in range(CALLS)]
    started = time.perf_counter()
    for prescription in prescriptions:
        assert isinstance(doctor.create(prescription), ep.Registered)
    return time.perf_counter() - started


def measure() -> tuple[float, int, int]:
    """The ratio of the medians; statements on tables of traces, of all that were run."""
    with TemporaryDirectory() as folder, Sandbox(verify_assertions=False) as sandbox:
        ours, without = closed(Path(folder) / "ours.db"), closed(Path(folder) / "without.db")
        for store in (ours, without):
            store.close()
        clients = [
            ep.Client(
                sandbox_settings(sandbox, folder, environment=ep.Environment.PRODUCTION),
                store=store,
                **stand_ins(),
            )
            for store in (ours, without)
        ]
        object.__setattr__(clients[1]._core, "recorder", NoTraces())  # noqa: SLF001
        doctors = [client.acting_as(practitioner()) for client in clients]
        # Only what is opened from now on is counted.
        ours.write(lambda _: None)
        ours.close()
        with statements() as seen:
            round_of(doctors[0])
            ours.write(lambda _: None)
        count = len(touching(seen)), len(seen)
        ours.close()
        for doctor in doctors:
            round_of(doctor)
        times = [[round_of(doctor) for doctor in doctors] for _ in range(ROUNDS)]
        for client, store in zip(clients, (ours, without), strict=True):
            client.close()
            store.close()
    first, second = zip(*times, strict=True)
    return median(first) / median(second), *count


def main() -> None:
    """Measure, and show the rows."""
    ratio, touched, run = measure()
    print(f"{touched} of {run} statements touch a table of traces")
    show(
        [
            Row(what="create after closing / client without traces", measured=ratio, budget=BUDGET),
            Row(
                what="statements on tables of traces after closing",
                measured=touched,
                budget=0,
                unit="statements",
                shown=".0f",
            ),
        ]
    )


if __name__ == "__main__":
    main()
