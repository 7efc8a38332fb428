{"name": "portico-plain", "secret": "00112233445566778899aabbccddeeff", "domain": "localhost",
  "cmd": ["../../src/Portico/bin/Release/net10.0/linux-x64/publish/portico", "run",
    "--config", "portico/middle.json", "--log-level", "warn"],
  "port": 4430, "protos": ["ee"], "backend": "middle"}
