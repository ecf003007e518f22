"""The settings of a pilot in a TOML file, as the tests of commands name it."""

from pathlib import Path


def settings_file(folder: Path, **changes: str) -> Path:
    """Write ``settings.toml``, with a store beside it and a service that nobody runs."""
    values = {
        "environment": "production",
        "uncertain_policy": "hold",
        "service_url": "https://127.0.0.1:9/",
        "software_name": "exemple",
        "software_version": "1.0",
        "authorisation": "SIMULATION-0000",
        "instance": "00000000-0000-4000-8000-000000000001",
        "module": "exemple-on-1",
        "finess": "330781287",
        "store": str(folder / "store.db"),
        "key": "ab" * 32,
    } | changes
    file = folder / "settings.toml"
    lines = [f'{name} = "{value}"\n' for name, value in values.items()]
    file.write_text("".join(lines), encoding="utf-8")
    return file
