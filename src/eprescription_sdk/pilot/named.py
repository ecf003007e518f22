"""The named edition of the report: a separate act, recorded before anything is shown.

Reports say "PS 1", "PS 2"… What they stand for is shown only to who asks for it, with a ground;
the pilot's journal keeps who asked and why. The figures measure employees: who reads such an
edition owes them the reason.
"""

from collections.abc import Mapping

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.pilot.registers import Note, record_named_edition
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.gate import enrolments


@attrs.frozen(kw_only=True)
class NamedEdition:
    """What a report needs to name the practitioners.

    Args:
        note: who asked, when, on what ground.
        rpps: by label, such as "PS 1".
    """

    note: Note
    rpps: Mapping[str, str] = attrs.field(repr=False)


def named_edition(store: Store, note: Note) -> NamedEdition:
    """Record that a named edition is made, and give what it needs.

    Args:
        store: the pilot's.
        note: who asks for it; the reference says on what ground.

    Raises:
        InvalidInput: a blank text or a day to come (each with its path): nothing is given.
    """
    record_named_edition(store, note)
    telemetry.event("pilot.named_edition", kind="named_edition")
    return NamedEdition(
        note=note,
        rpps={f"PS {one.label}": one.rpps.value for one in store.read(enrolments)},
    )
