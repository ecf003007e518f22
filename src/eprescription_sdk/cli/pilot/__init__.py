"""``eprescription pilot``: from the first question about the dossier to the closing of the traces.

Each module holds commands that go together: ``dossier``, ``steps``, ``registers``,
``practitioners``, ``archive``.
"""

from eprescription_sdk.cli.context import group
from eprescription_sdk.cli.pilot import archive, dossier, practitioners, registers, steps

app = group(
    "The pilot (présérie): its dossier, its steps, its registers, its closing."
    " Begin with init, check, apply, export and start; status says what comes next."
)
app.command(dossier.init)
app.command(dossier.check)
app.command(dossier.apply)
app.command(dossier.export)
app.command(dossier.questions)
app.command(practitioners.rehearse)
app.command(practitioners.card)
app.command(registers.correction)
app.command(registers.ruling)
app.command(registers.anomaly, name="anomaly")
app.command(registers.prerequisites, name="prerequisites")
app.command(registers.questionnaire, name="questionnaire")
app.command(registers.official)
app.command(registers.attest)
app.command(registers.journal)
app.command(steps.status)
app.command(steps.start)
app.command(steps.prolong)
app.command(steps.withdraw)
app.command(steps.assessed)
app.command(steps.close_traces, name="close-traces")
app.command(archive.archive)
app.command(steps.generalise)
app.command(steps.abandon)
