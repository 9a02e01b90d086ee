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


@pytest.fixture(scope="module")
def account(network):
    """The watched account with the most followers, as the truth has it."""
    _, _, truth = network
    return max(truth["accounts"], key=lambda account: len(account["followers"]))


def visible(rows):
    return [int(row["id"]) for row in rows if not row["hidden"]]


def test_tweepy_reads_followers_and_following_over_v2(network, account):
    address, token, _ = network
    client = tweepy.Client(bearer_token=token)
    client.session.mount("https://", Loopback(address))
    found = client.get_user(username=account["username"].upper(), user_fields=["public_metrics"])
    assert found.data.id == int(account["id"])
    assert found.data.public_metrics["followers_count"] == len(visible(account["followers"]))
    for method, rows in [
        (client.get_users_followers, account["followers"]),
        (client.get_users_following, account["following"]),
    ]:
        pages = tweepy.Paginator(method, account["id"], max_results=200)
        assert [user.id for user in pages.flatten()] == visible(rows)


def test_tweepy_reads_ids_and_profiles_over_v1(network, account):
    address, token, _ = network
    api = tweepy.API(tweepy.OAuth2BearerHandler(token))
    api.session.mount("https://", Loopback(address))
    for method, rows in [
        (api.get_follower_ids, account["followers"]),
        (api.get_friend_ids, account["following"]),
    ]:
        pages = tweepy.Cursor(method, user_id=account["id"], count=500)
        assert [member for page in pages.pages() for member in page] == visible(rows)
    users = api.lookup_users(screen_name=[account["username"]])
    assert users[0].id == int(account["id"])
    limits = api.rate_limit_status()["resources"]
    assert "/followers/ids" in limits["followers"]


def test_twarc_reads_followers_with_all_its_fields_over_v2(network, account):
    address, token, _ = network
    client = Twarc2(bearer_token=token)
    client.client.mount("https://", Loopback(address))
    pages = client.followers(account["id"])
    users = [user for page in pages for user in page["data"]]
    assert [int(user["id"]) for user in users] == visible(account["followers"])
    assert all("public_metrics" in user for user in users)
