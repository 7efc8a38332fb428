// Connects through an MTProto proxy with mtcute, up to the first step that needs Telegram's own key.
//   node connect.cjs FOLDER HOST PORT SECRET      FOLDER: where tests/install-tools has put mtcute
// Ends with 0 when Telegram's answer to req_pq_multi was accepted, with 1 when it was not within 20 s. Talks to nobody but the proxy.
const { createRequire } = require('node:module')
const path = require('node:path')

const [folder, host, port, secret] = process.argv.slice(2)
const { TelegramClient, MemoryStorage, MtProxyTcpTransport } = createRequire(path.resolve(folder, 'package.json'))('@mtcute/node')

const said = []
const client = new TelegramClient({
  apiId: 1, // any number: it is first sent to Telegram at login
  apiHash: 'none',
  storage: new MemoryStorage(),
  transport: new MtProxyTcpTransport({ host, port: Number(port), secret }),
})

function end(code) {
  if (code !== 0) console.error(said.join('\n'))
  process.exit(code)
}

// The library says in its log what its interface says only at the end of a whole login:
// that resPQ came, was the answer to its own nonce, and could be computed with.
client.log.mgr.level = 5
client.log.mgr.handler = (color, level, tag, text) => {
  said.push(`[${tag}] ${text}`)
  if (text.includes('factorized PQ')) end(0)
}
client.onError.add((error) => said.push(`error: ${error.message}`))
client.call({ _: 'help.getNearestDc' }).catch((error) => said.push(`call: ${error.message}`))
setTimeout(() => end(1), 20000)
