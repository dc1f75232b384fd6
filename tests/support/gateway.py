"""A gateway alone on a real PostgreSQL, for Python tests: what other processes would do is written
as rows.
"""
import http.client
import json
import socket
import time

from checks import expect
from cluster import Actor, Cluster, free_port

SID = "AC" + "0" * 32
SMS = {"kind": "sms", "provider": "twilio", "name": "Texts",
       "settings": {"account_sid": SID, "auth_token": "word", "from": "+15005550006"}}
CSV = {"Content-Type": "text/csv"}


class Reply:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def fields(self):
        return [error["field"] for error in self.json.get("errors", [])]


class World:
    """A gateway on a database of its own, an account and its owner's key."""

    cluster = None

    def __init__(self, **settings):
        World.cluster = World.cluster or Cluster()
        self.database = World.cluster.database()
        self.account, self.key = self.database.account(country="IN")
        self.port = free_port()
        self.actor = Actor("gateway", self.database, listen=f"127.0.0.1:{self.port}", **settings)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the gateway does not listen: " + self.actor.log())

    def call(self, method, path, body=None, key=None, **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        key = self.key if key is None else key
        if key:
            headers["Authorization"] = "Bearer " + key
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def ok(self, method, path, body=None, **more):
        reply = self.call(method, path, body, **more)
        assert reply.status < 300, (method, path, reply.status, reply.text)
        return reply.json

    def channel(self, **more):
        return self.ok("POST", "/api/v1/channels", {**SMS, **more})

    def contact(self, **fields):
        return self.ok("POST", "/api/v1/contacts", fields)

    def campaign(self, **more):
        return self.ok("POST", "/api/v1/campaigns",
                       {"name": "Diwali", "channel": "sms", "message": "Hi {first_name}", **more})


def is_problem(reply, status, *fields):
    expect(reply.status, status)
    expect(reply.headers["Content-Type"], "application/problem+json")
    expect(reply.json["status"], status)
    assert reply.json["title"] and reply.json["detail"] and reply.json["request_id"], reply.text
    expect(reply.json["request_id"], reply.headers["X-Request-Id"])
    for field in fields:
        assert field in reply.fields(), (field, reply.text)
