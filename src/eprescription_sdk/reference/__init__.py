"""Our stand-ins for what is not public: each says so wherever it shows (law 8)."""

from eprescription_sdk.reference.code2d import SpecimenCode
from eprescription_sdk.reference.minter import FakeMinter

__all__ = ["FakeMinter", "SpecimenCode"]
