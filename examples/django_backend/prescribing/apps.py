"""The SDK's client: one for the process."""

import atexit

from django.apps import AppConfig

import eprescription_sdk as ep


class PrescribingConfig(AppConfig):
    """Holds the client; making it opens nothing, so that every command may do so."""

    name = "prescribing"

    def ready(self) -> None:
        """Make the client, and have it closed when the process ends."""
        # The three stand-ins are passed by name, and every output says SIMULATION. Yours go here.
        self.client = ep.Client(
            ep.Settings.from_env(),
            minter=ep.reference.FakeMinter(),
            codec=ep.ReferenceCodec(),
            code2d=ep.reference.SpecimenCode(),
        )
        atexit.register(self.client.close)
