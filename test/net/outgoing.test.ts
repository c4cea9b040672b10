// Outgoing calls reach whom they were meant for, over https, and nobody inside.
import t from 'tap'
import { type Place, placeOf } from '../../src/net/address.js'
import { type Address, assertCallable, Outgoing, Unanswered } from '../../src/net/outgoing.js'
import { NAME, startReceiver, toLoopback } from './receiver.js'

const places: Record<Place, string[]> = {
  public: ['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0'].concat([
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82a::200e',
  ]),
  loopback: ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
  private: ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1'].concat(
    ['100.127.255.255', 'fc00::1', 'fd12:3456:789a::1'],
  ),
  forbidden: [
    ...['0.0.0.0', '0.1.2.3', '169.254.0.1', '169.254.169.254', '192.0.0.8', '192.0.2.1', '198.18.0.1'],
    ...['198.51.100.7', '203.0.113.7', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['100.100.100.200', '168.63.129.16', '::', '::ffff:10.0.0.1', '::ffff:127.0.0.1', '::ffff:8.8.8.8'],
    ...['0:0:0:0:0:ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1'],
    ...['2001:db8::1', '2002:7f00:1::1', '3fff::1', 'fd00:ec2::254', 'fe80::1', 'febf::1', 'fec0::1'],
    ...['ff02::1', 'fe80::1%eth0', '4000::1', 'localhost', '', '127.1', '0x7f000001', '1.1.1.1 '],
  ],
}

for (const [place, addresses] of Object.entries(places)) {
  t.test(`addresses that are ${place}`, async (t) => {
    for (const address of addresses) t.equal(placeOf(address), place, address)
  })
}

t.test('a URL is refused before anybody calls it', async (t) => {
  const refused = [
    ...[
      'http://hooks.example/',
      'https://u:p@hooks.example/',
      'https://hooks.example/#a',
      'ftp://hooks.example/',
    ],
    ...[
      'https://127.0.0.1/',
      'https://0x7f.1/',
      'https://2130706433/',
      'https://017700000001/',
      'https://[::1]/',
    ],
    ...['https://169.254.169.254/latest/meta-data', 'https://[::ffff:169.254.169.254]/', 'https://10.1/'],
  ]
  for (const url of refused) {
    t.throws(() => assertCallable(url, false), { name: 'RegistryError', code: 'invalid' }, url)
  }
  t.doesNotThrow(() => assertCallable('https://hooks.example:8443/a?b=c', false))
  t.doesNotThrow(() => assertCallable('https://10.0.0.7/', true), 'in a network of one’s own')
  t.doesNotThrow(() => assertCallable('http://127.0.0.1:8080/', true))
  t.throws(() => assertCallable('http://10.0.0.7/', true), 'in the clear to this machine only')
  t.throws(() => assertCallable('https://169.254.169.254/', true), 'nor there what is never called')
})

t.test('whatever a name resolves to, nobody inside is called', async (t) => {
  const receiver = await startReceiver(t)
  for (const address of [...places.loopback, ...places.private, ...places.forbidden]) {
    const resolve = async () => [{ address, family: address.includes(':') ? 6 : 4 }]
    const outgoing = new Outgoing({ allowPrivate: false, resolve, ca: receiver.ca })
    await t.rejects(outgoing.post(receiver.url, {}, ''), new Unanswered('address_refused'), address)
  }
  const mixed = async () => [{ address: '8.8.8.8', family: 4 }, ...(await toLoopback())]
  const outgoing = new Outgoing({ allowPrivate: false, resolve: mixed })
  await t.rejects(outgoing.post(receiver.url, {}, ''), new Unanswered('address_refused'), 'one among others')
  const literal = new Outgoing({ allowPrivate: false })
  for (const host of ['127.0.0.1', '[::1]', '0x7f.1', '2130706433', 'localhost']) {
    await t.rejects(
      literal.post(`https://${host}:${receiver.port}/`, {}, ''),
      new Unanswered('address_refused'),
      host,
    )
  }
  t.same(receiver.calls, [])
})

t.test('a name that means another address a moment later changes nothing', async (t) => {
  const receiver = await startReceiver(t)
  const asked: string[] = []
  const resolve = async (name: string): Promise<Address[]> => {
    asked.push(name)
    return asked.length === 1 ? await toLoopback() : [{ address: '10.0.0.1', family: 4 }]
  }
  const outgoing = new Outgoing({ allowPrivate: true, resolve, ca: receiver.ca })
  t.match(await outgoing.post(receiver.url, {}, '{}'), { status: 204 })
  t.same(asked, [NAME], 'it is asked for once, and the connection goes to what was looked at')
})

t.test('a redirect is an answer, and is not followed', async (t) => {
  const receiver = await startReceiver(t)
  const outgoing = new Outgoing({ allowPrivate: true, resolve: toLoopback, ca: receiver.ca })
  receiver.behave((response) => response.writeHead(307, { location: '/elsewhere' }).end())
  t.match(await outgoing.post(receiver.url, {}, '{}'), { status: 307 })
  t.equal(receiver.calls.length, 1)
})

t.test('an answer counts by its status, however long it goes on', async (t) => {
  const receiver = await startReceiver(t)
  const options = { allowPrivate: true, resolve: toLoopback, ca: receiver.ca }
  let sent = 0
  receiver.behave((response) => {
    response.writeHead(200)
    const more = () => {
      do sent += 65_536
      while (!response.destroyed && response.write(Buffer.alloc(65_536)))
    }
    response.on('drain', more)
    more()
  })
  t.match(await new Outgoing(options).post(receiver.url, {}, '{}'), { status: 200 })
  t.ok(sent < 32 * 2 ** 20, `it stopped after ${sent} bytes were on their way`)

  receiver.behave((response) => void response.writeHead(202).write('and so on'))
  t.match(await new Outgoing({ ...options, timeoutMs: 300 }).post(receiver.url, {}, '{}'), { status: 202 })
})

t.test('whoever says nothing is left after the time there is', async (t) => {
  const receiver = await startReceiver(t)
  const options = { allowPrivate: true, resolve: toLoopback, ca: receiver.ca, timeoutMs: 200 }
  receiver.behave(() => {})
  await t.rejects(new Outgoing(options).post(receiver.url, {}, '{}'), new Unanswered('timed_out'))
  const silent = async () => await new Promise<Address[]>(() => {})
  const slow = new Outgoing({ ...options, resolve: silent })
  await t.rejects(slow.post(receiver.url, {}, '{}'), new Unanswered('timed_out'), 'its name server, too')
})

t.test('no answer has a reason', async (t) => {
  const receiver = await startReceiver(t)
  const options = { allowPrivate: true, resolve: toLoopback }
  const untrusting = new Outgoing(options)
  await t.rejects(untrusting.post(receiver.url, {}, ''), new Unanswered('certificate_refused'))
  const trusting = new Outgoing({ ...options, ca: receiver.ca })
  const otherName = receiver.url.replace(NAME, 'other.example')
  await t.rejects(trusting.post(otherName, {}, ''), new Unanswered('certificate_refused'))
  await t.rejects(trusting.post('https://hooks.example:1/', {}, ''), new Unanswered('connection_failed'))
  const nowhere = new Outgoing({ ...options, resolve: async () => [] })
  await t.rejects(nowhere.post(receiver.url, {}, ''), new Unanswered('name_not_found'))
  receiver.behave((response) => void response.destroy())
  await t.rejects(trusting.post(receiver.url, {}, ''), new Unanswered('connection_failed'))
  const clear = await startReceiver(t, { tls: false })
  const open = await trusting.post(clear.url, {}, '{}')
  t.match(open, { status: 204 }, 'in the clear to this machine, where private addresses are allowed')
  const clearElsewhere = `http://hooks.example:${clear.port}/`
  const toPrivate = new Outgoing({
    allowPrivate: true,
    resolve: async () => [{ address: '10.0.0.1', family: 4 }],
  })
  await t.rejects(toPrivate.post(clearElsewhere, {}, ''), new Unanswered('address_refused'))
})
