"""The commands and their groups, put together."""

from cyclopts import App

from eprescription_sdk import __version__
from eprescription_sdk.cli import (
    assess,
    demo,
    doctor,
    ledger,
    pilot,
    sandbox,
    spec,
    store,
    traces,
    verify,
)
from eprescription_sdk.cli.context import OPTIONS

app = App(
    name="eprescription",
    version=__version__,
    help="Issue digital prescriptions, trace a pilot, assess it, close it."
    " Independent of the Assurance Maladie and of GIE SESAM-Vitale.",
    default_parameter=OPTIONS,
)
app.command(demo.demo)
app.command(sandbox.app, name="sandbox")
app.command(pilot.app, name="pilot")
app.command(traces.app, name="traces")
app.command(ledger.app, name="ledger")
app.command(store.app, name="store")
app.command(assess.assess)
app.command(verify.verify)
app.command(spec.app, name="spec")
app.command(doctor.doctor)
