"""``eprescription doctor``: what a person should know before the next prescription.

The command is in ``command``; what it looks at in ``configuration``, ``network``, ``storing``
and ``pilot``, each of which yields findings.
"""

from eprescription_sdk.cli.doctor.command import doctor

__all__ = ["doctor"]
