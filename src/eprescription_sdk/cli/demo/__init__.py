"""``eprescription demo``: a whole pilot against the sandbox, in under a minute.

Six practitioners, two weeks on a simulated clock. ``plan`` says what happens, ``stage`` sets
up the company and its world, ``play`` lets it happen, ``finale`` assesses, closes and shows.
Everything in it is fictitious, and every output says SIMULATION.
"""

from eprescription_sdk.cli.demo.command import demo

__all__ = ["demo"]
