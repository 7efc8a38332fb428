# Everything by default but the users; the proxy then listens on 3256 and speaks all three.
USERS = {"tg": "deadbeefdeadbeefdeadbeefdeadbeef"}
MASK = False
TO_CLT_BUFSIZE = (16384, 100, 131072)
SOCKS5_HOST = "127.0.0.1"
SOCKS5_PORT = 9050
