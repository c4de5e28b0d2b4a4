#!/usr/bin/python3
"""A client of naught with a JSON-RPC library: python-lsp-jsonrpc (Debian: python3-pylsp-jsonrpc).

Usage: library.py [IPC-FILE]
"""
import socket
import sys
import threading

from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1] if len(sys.argv) > 1 else "naught.ipc")
writer = JsonRpcStreamWriter(connection.makefile("wb"))
reader = JsonRpcStreamReader(connection.makefile("rb"))

handlers = {
    "watcher/event": lambda event: print(event["sequence"], event["name"], event["counts"]),
    "watcher/waiting": lambda waiting: None,
    "watcher/notice": lambda notice: None,
}
naught = Endpoint(handlers, writer.write)
threading.Thread(target=reader.listen, args=(naught.consume,), daemon=True).start()

print("naught", naught.request("daemon/hello").result(30)["version"])
print("workers online:", naught.request("daemon/status", {}).result(30)["counts"]["online"])
settled = naught.request("daemon/deploy", {"timeout": 60}).result(90)
print(settled["outcome"])
connection.shutdown(socket.SHUT_RDWR)
sys.exit(0 if settled["outcome"] == "done" else 1)
