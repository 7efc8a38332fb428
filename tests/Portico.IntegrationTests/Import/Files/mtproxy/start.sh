#!/bin/bash
# Fake TLS behind NAT, restarted by cron.
SECRET="c0ffee15c001d00d1badc0dedeadbee5"
DOMAIN=www.example.org

curl -s https://core.telegram.org/getProxySecret -o proxy-secret
curl -s https://core.telegram.org/getProxyConfig -o proxy-multi.conf
cp objs/bin/mtproto-proxy /usr/local/bin/mtproto-proxy
exec /usr/local/bin/mtproto-proxy -u mtproxy -p 8888 -H 8443 -S ${SECRET} -D "$DOMAIN" \
  --nat-info 10.0.0.5:198.51.100.7 -6 -C 20000 --http-stats --allow-skip-dh --aes-pwd proxy-secret proxy-multi.conf -M 2
