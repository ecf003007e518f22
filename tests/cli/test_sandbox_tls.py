"""``eprescription sandbox --mutual-tls``: what it writes is what a client needs."""

import json
import subprocess
import sys
from pathlib import Path

from eprescription_sdk.model.exchange import HttpRequest
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.certificate import read_client_certificate
from eprescription_sdk.transport.tls import tls_context
from tests.sandbox.test_scan import code, file, page


def test_a_client_and_the_scan_get_in_with_the_files(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from eprescription_sdk.cli import main; main()"]
    with subprocess.Popen(
        [*command, "sandbox", "--port", "0", "--mutual-tls", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={"PYTHONUNBUFFERED": "1"},
    ) as running:
        try:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(6)]
            url = lines[1].split()[1]
            assert url.startswith("https://")
            assert "tls_certificate" in lines[3]
            assert (tmp_path / "organisation.pem").stat().st_mode & 0o777 == 0o600
            certificate = read_client_certificate(tmp_path / "organisation.pem")
            transport = HttpxTransport(
                tls_context(certificate, authorities=tmp_path / "authority.pem")
            )
            reply = transport.send(
                HttpRequest(
                    url=url,
                    headers={},
                    content=b"<x/>",
                    timeout=5,
                    connect_timeout=5,
                    max_bytes=10_000,
                )
            )
            transport.close()
            (tmp_path / "page.png").write_bytes(file(page(code("SPECIMEN SIM1"))))
            pharmacy = lines[5].split()[1]
            scanned = subprocess.run(
                [
                    *command,
                    *("sandbox", "scan", str(tmp_path / "page.png"), "--json"),
                    *("--url", pharmacy, "--mutual-tls", str(tmp_path)),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            running.terminate()
    assert reply.status == 400
    assert json.loads(scanned.stdout)["outcome"] == "unknown", scanned.stderr
