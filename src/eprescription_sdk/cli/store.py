"""``eprescription store``: bring the tables of a shared store to this release."""

import sys
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import SettingsFile, console, group, settings_of
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.settings import Dsn
from eprescription_sdk.storage import migrations

app = group("The store that machines share: its tables.")


@app.command
def migrate(
    *,
    settings: SettingsFile = None,
    sql: Annotated[
        bool, Parameter(help="Print the SQL that is missing, and change nothing.")
    ] = False,
) -> None:
    """Make or change the tables of a store in PostgreSQL, as a role that may.

    The role that the platform works with needs SELECT, INSERT, UPDATE and DELETE on them, and
    nothing more. Migrate first, then renew the processes one by one.
    """
    configured = settings_of(settings)
    if not isinstance(configured.store, Dsn):
        raise ConfigurationError(
            "An embedded store makes its tables by itself.",
            path="store",
            way_out="This command is for a postgresql:// address.",
        )
    address = configured.direct_dsn or configured.store
    script = migrations.migrate(address.value, only_show=sql)
    if sql:
        sys.stdout.write(script)
    else:
        console().print(f"The store at {address} has the schema of this release.")
