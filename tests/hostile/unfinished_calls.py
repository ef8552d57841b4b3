#!/usr/bin/env python3
"""Opens calls that never bring their message, without end: for abusers.py.

usage: unfinished_calls.py PORT CA_FILE|- TOKEN|- parts|headers

  parts: messages of 4 MiB but for their last byte, on four connections. headers: no message, but 12 KB of headers, 900
  calls on each of eight connections. CA_FILE: the server speaks TLS.
"""

import ssl
import sys

from server import Sender, prefixed

MESSAGE = prefixed(bytes((4 << 20) - 1024))[:-1]
METHOD = "/rondo.v1.Inference/Predict"


class Target:
    def __init__(self, port, ca_file, token):
        self.port, self.tls = port, None
        if ca_file != "-":
            self.tls = ssl.create_default_context(cafile=ca_file)
            self.tls.set_alpn_protocols(["h2"])
        self.headers = [] if token == "-" else [("authorization", f"Bearer {token}")]

    def sender(self):
        return Sender(self, tls=self.tls)


def send_parts(target, sender):
    """One call on the connection of `sender`."""
    sender.send(sender.open(METHOD, *target.headers), MESSAGE)


def send_headers(target, sender):
    sender.open(METHOD, *target.headers, *((f"x-large-{i}", "x" * 4000) for i in range(3)))
    while sender.readable():
        if not sender.hear(wait=False):
            raise ConnectionError("closed")


def main():
    port, ca_file, token, kind = sys.argv[1:]
    target = Target(int(port), ca_file, token)
    send, connections, calls = {"parts": (send_parts, 4, 250), "headers": (send_headers, 8, 900)}[kind]
    senders = [None] * connections
    turn = 0
    while True:
        turn += 1
        place = turn % connections
        try:
            if senders[place] is None or senders[place].next_stream > 2 * calls:
                if senders[place] is not None:
                    senders[place].connection.close()
                senders[place] = target.sender()
            send(target, senders[place])
        except OSError:  # the server has ended the connection, or takes none
            senders[place] = None


if __name__ == "__main__":
    main()
