"""The command ``eprescription``: a thin face over the rooms, for people and for scripts.

Each module holds one command or group of commands. Errors of the SDK end it with exit code 1
and one readable message; ``--json`` gives the same facts for scripts.
"""

import sys


def main() -> None:
    """Run the command with the arguments of this process."""
    from eprescription_sdk.errors import EPrescriptionError, MissingExtra

    try:
        from eprescription_sdk.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("cyclopts", "rich"):
            raise
        print(MissingExtra("cli"), file=sys.stderr)  # noqa: T201  (there is no rich to print with)
        sys.exit(2)
    try:
        code = app(result_action="return_int_as_exit_code_else_zero")
    except EPrescriptionError as error:
        print(error, file=sys.stderr)  # noqa: T201  (plain on purpose: it may go to a log)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
