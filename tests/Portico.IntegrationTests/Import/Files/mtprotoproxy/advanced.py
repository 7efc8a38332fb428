#!/usr/bin/env python3
"""The proxy of our club."""
import os
from datetime import timedelta

PORT = 8_443
USERS = {'Иван': 'aa11bb22cc33dd44ee55ff6600778899',  # no name of ours
         'bob': "bb11bb22cc33dd44ee55ff6600778899",
         "bob's phone": 'bb11bb22cc33dd44ee55ff6600778899',
         'gone': 'cc11bb22cc33dd44ee55ff6600778899',
         'short': 'xyz-ABC123'}
if os.environ.get("EXTRA"):
    USERS["extra"] = os.environ["EXTRA"]
USER_EXPIRATIONS = {"gone": "31/12/2019", "bob": "1/1/2199"}
USER_MAX_TCP_CONNS = {"bob": 40}
USER_DATA_QUOTA = {"bob": 10 * 1024**3}
MASK_HOST = "127.0.0.1"; MASK_PORT = 8081
TLS_DOMAIN = ("club."
              "example.net")
PROXY_PROTOCOL = True
PREFER_IPV6 = False
LISTEN_ADDR_IPV6 = None
MY_DOMAIN = "proxy.example.net"
IGNORE_TIME_SKEW = True
REPLAY_CHECK_LEN = 2 ** 17
METRICS_PORT = 9090
STATS_PRINT_PERIOD = int(timedelta(minutes=5).total_seconds())


def helper(x):
    return x + 1
