"""Talks to the world, or to a helper on the same machine."""

from attacks.kit import REST, Attack, tries

LINE = "network"

ATTACKS = [
    Attack(
        "call_home", REST, proof="TRIED",
        answers=tries("socket.create_connection(('192.0.2.1', 80), 1)", "socket.getaddrinfo('example.org', 80)",
                      "__import__('urllib.request').request.urlopen('http://127.0.0.1:LISTENER/', timeout=1).read()"),
    ),
    Attack(
        "loopback", REST, proof="TRIED",
        answers=tries("socket.create_connection(('127.0.0.1', LISTENER), 1)", "socket.create_connection(('::1', LISTENER), 1)",
                      "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'owned', ('127.0.0.1', LISTENER))",
                      "socket.socket().bind(('', 0))"),
    ),
    Attack(
        "unix_and_abstract_sockets", REST, proof="TRIED",
        answers=tries("socket.socket(socket.AF_UNIX).connect('\\0attack-listener')", "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
                      "socket.socket(socket.AF_UNIX).bind('/tmp/s')", "socket.socketpair()", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
                      "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "socket.socket(40, socket.SOCK_STREAM)",
                      "socket.socket(fileno=os.dup(3)).connect(('127.0.0.1', LISTENER))"),
    ),
]  # fmt: skip
