"""Independent X clients, unchanged, against the simulator: what they read is its truth.

Only the host is replaced, underneath the clients, in the transport of `requests`.
"""

import json
import re
import subprocess
import urllib.request
from urllib.parse import urlsplit

import pytest
import tweepy
from requests.adapters import HTTPAdapter
from twarc import Twarc2

from conftest import PROGRAM


class Loopback(HTTPAdapter):
    """Sends what was meant for X to the simulator."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def send(self, request, **options):
        url = urlsplit(request.url)
        assert url.hostname in {"api.twitter.com", "api.x.com"}, request.url
        request.url = f"{self.address}{url.path}" + (f"?{url.query}" if url.query else "")
        return super().send(request, **options)


@pytest.fixture(scope="module")
def network():
    """A simulated network: its address, a token, its truth."""
    server = subprocess.Popen(
        [PROGRAM, "simulate", "--port", "0", "--users", "3000", "--seed", "3"],
        stdout=subprocess.PIPE, text=True, env={"HOME": "/nonexistent"},
    )
    try:
        greeting = ""
        while "Ctrl-C" not in greeting:
            line = server.stdout.readline()
            assert line, greeting
            greeting += line
        address = re.search(r"http://127\.0\.0\.1:\d+", greeting).group()
        token = re.search(r"FOLLOWGRAPH_BEARER_TOKEN=(\S+)", greeting).group(1)
        with urllib.request.urlopen(f"{address}/_simulator/truth") as answer:
            truth = json.load(answer)
        yield address, token, truth
    finally:
        server.terminate()
        server.wait(timeout=30)
