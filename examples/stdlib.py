#!/usr/bin/env python3
"""A client of naught with Python's standard library: deploys, follows what happens, and comes back when the link breaks.

Usage: stdlib.py [IPC-FILE] [DEPLOY-ID]
"""
import json
import socket
import sys
import time
import uuid


class NaughtError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Naught:
    """One connection. Events go to `on_event` while a call waits for its answer."""

    def __init__(self, path, on_event):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")
        self.on_event = on_event
        self.last = 0

    def call(self, method, **params):
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last, "method": "daemon/" + method, "params": params}
        body = json.dumps(message).encode()
        self.file.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.file.flush()
        while True:
            message = self.read()
            if message.get("method") == "watcher/event":
                self.on_event(message["params"])
            # An error without an id says why the connection is about to end.
            elif "method" not in message and message["id"] in (self.last, None):
                if "error" in message:
                    raise NaughtError(message["error"])
                return message["result"]

    def read(self):
        length = None
        for line in iter(self.file.readline, b"\r\n"):
            if not line:
                raise ConnectionError("naught has closed the connection")
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self.file.read(length))


def deploy(path, name, on_event):
    """A deploy that is sent twice is made once: after a lost connection it is simply sent again."""
    for attempt in range(10):
        try:
            return Naught(path, on_event).call("deploy", id=name, timeout=60)
        except OSError:
            time.sleep(0.1 * 2**attempt)
    raise SystemExit("naught cannot be reached")


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "naught.ipc"
    name = sys.argv[2] if len(sys.argv) > 2 else str(uuid.uuid4())
    naught = Naught(path, lambda event: None)
    hello = naught.call("hello")
    print("naught", hello["version"], "protocol", hello["protocol"])
    print("workers online:", naught.call("status")["counts"]["online"])
    settled = deploy(path, name, lambda event: print(event["sequence"], event["name"], event["counts"]))
    print(settled["outcome"], settled.get("reason", ""))
    sys.exit(0 if settled["outcome"] == "done" else 1)


main()
