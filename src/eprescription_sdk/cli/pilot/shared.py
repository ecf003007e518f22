"""What the commands of the pilot share."""

from datetime import date
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.clock import SystemClock, paris_day
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store

By = Annotated[str, Parameter(help="Who records this.")]
Reference = Annotated[str, Parameter(help="Of the letter or minutes that show it.")]
Day = Annotated[date | None, Parameter(help="Day of the step; today by default.")]


def pilot_of(store: Store, settings: Settings) -> Pilot:
    """The pilot of a store."""
    return Pilot(
        store,
        key=settings.key,
        clock=SystemClock(),
        module=settings.module,
        pinned=settings.closing_receipt,
    )


def today() -> date:
    """The Europe/Paris day."""
    return paris_day(SystemClock().now())
