// Mail tells people what waits for them and what became of what they own, and nobody else.
import t from 'tap'
import { toldTypes } from '../../src/audit/told.js'
import { audiencesOf, writeMail } from '../../src/notices/mail.js'
import type { Person } from '../app.js'
import { approve, register, submit } from '../committee.js'
import { refuses } from '../unchanged.js'
import { type PostOffice, startBrokenOffice, startPostOffice } from './post-office.js'
import { startWorld, type World } from './world.js'

const publicUrl = 'https://assent.example'
const settings = (url: string) => ({
  ASSENT_SMTP_URL: url,
  ASSENT_MAIL_FROM: 'Assent <assent@example.com>',
  ASSENT_PUBLIC_URL: publicUrl,
})

let world: World
let office: PostOffice
t.before(async () => {
  office = await startPostOffice(t)
  world = await startWorld(t, settings(office.url))
  await giveAddresses(world)
})

/** Everybody gets an address, by their name. */
async function giveAddresses({ owner }: World): Promise<void> {
  await owner.query(`update person set email = lower(name) || '@example.com' where kind = 'human'`)
}

/** Whom the mails went to that came since somebody asked last. */
function taken(): string[] {
  const names = office.receivers().map((address) => address.replace('@example.com', ''))
  office.mails.splice(0)
  return names
}

t.test('a mail says what happened, what to do, and where', async (t) => {
  const { dispatcher } = world
  const useCase = await register(world, { title: 'Triage of claims' })
  const reviewId = await submit(world, useCase.id)
  await dispatcher.pass()
  const [mail] = office.mails
  if (!mail) return t.fail('no mail')
  t.equal(mail.from, 'assent@example.com')
  t.match(mail.raw, /^Auto-Submitted: auto-generated/m)
  t.match(mail.raw, /^Message-ID: <[0-9a-f-]{36}@assent\.example>/m)
  t.match(mail.raw, new RegExp(`^Subject: .*${useCase.key}`, 'm'))
  t.match(mail.raw, /^Content-Type: text\/plain/m)
  t.notMatch(mail.raw, /text\/html/)
  const text = mail.raw.replaceAll('=\r\n', '')
  t.match(text, /is in review and waits for votes\./)
  t.match(text, new RegExp(`${publicUrl}/v1/reviews/${reviewId}/brief`))
  t.same(taken(), ['bo', 'cas', 'lea', 'rae'], 'the seats of its stage')
})

t.test('R-41: who is excluded is not asked to vote, and a delegate is', async (t) => {
  const { dispatcher, owner, seats, clock } = world
  const dora = await withAddress(await world.inUnit('Dora', 'committee_member'), 'dora')
  const delegate = async (from: Person, to: Person, acceptedAt: string | null) =>
    await owner.query(
      `insert into delegation (id, from_id, to_id, starts_at, ends_at, reason, created_by, created_at, accepted_at)
        values (gen_random_uuid(), $1, $2, $3::timestamptz - interval '1 hour', $3::timestamptz + interval '1 day', 'away', $1, $3, $4)`,
      [from.id, to.id, clock.at, acceptedAt],
    )
  await delegate(seats.legal, dora, clock.at)
  await delegate(seats.legal, await withAddress(await world.inUnit('Pia'), 'pia'), null)
  const author = await withAddress(await world.inUnit('Ava', 'business_owner', 'seat:legal'), 'ava')
  const useCase = await register(world, { businessOwnerId: author.id })
  await submit(world, useCase.id)
  await dispatcher.pass()
  t.same(taken(), ['bo', 'cas', 'dora', 'lea', 'rae'])
  await owner.query('update delegation set ended_at = $1, ended_by = from_id', [clock.at])
})

async function withAddress<P extends Person>(person: P, name: string): Promise<P> {
  await world.owner.query('update person set email = $2 where id = $1', [person.id, `${name}@example.com`])
  return person
}

t.test('a decision is told to the owners, and not to whoever made it', async (t) => {
  const { dispatcher } = world
  const useCase = await register(world)
  const reviewId = await submit(world, useCase.id)
  await dispatcher.pass()
  taken()
  await approve(world, reviewId)
  await dispatcher.pass()
  t.match(office.mails[0]?.raw, /was approved\./)
  t.same(taken(), ['bea', 'rui'])
  await world.seats.legal.post(`/v1/use-cases/${useCase.id}/suspensions`, { reason: 'it names prices' })
  await dispatcher.pass()
  t.match(office.mails[0]?.raw, /was suspended\./)
  t.same(taken(), ['bea', 'rui'])
})

t.test('whoever turned mail off, left, or has no address gets none', async (t) => {
  const { dispatcher, owner, businessOwner, riskOwner, seats } = world
  t.same((await businessOwner.get('/v1/me/notices')).body, { mail: true })
  const put = async (body: object) =>
    await world.ask({
      ...{ method: 'PUT', url: '/v1/me/notices', payload: body },
      headers: { authorization: `Bearer ${businessOwner.token}` },
    })
  await refuses(t, world, async () => await put({ mail: 'no' }), { status: 422 })
  t.same((await put({ mail: false })).body, { mail: false })
  t.same((await businessOwner.get('/v1/me/notices')).body, { mail: false })
  t.same((await riskOwner.get('/v1/me/notices')).body, { mail: true }, 'everybody chooses for themselves')
  await owner.query('update person set email = null where id = $1', [seats.business.id])
  await owner.query(`update person set status = 'left' where id = $1`, [seats.compliance.id])
  const reviewId = await submit(world, (await register(world)).id)
  await dispatcher.pass()
  t.same(taken(), ['ava', 'lea', 'rae'])
  await approve(world, reviewId)
  await put({ mail: true })
  await dispatcher.pass()
  t.same(taken(), ['bea', 'rui'], 'the choice counts when it is told, not when it happened')
})

t.test('a server that is busy is asked again, one that refuses somebody is not', async (t) => {
  const { dispatcher, later, owner } = world
  const states = async () => {
    const { rows } = await owner.query(
      `select d.state, a.status, a.problem from delivery d join delivery_attempt a on a.delivery_id = d.id
        where d.person_id is not null and a.attempted_at >= $1 order by a.attempted_at, d.id`,
      [world.clock.at],
    )
    return rows
  }
  later(60)
  office.mood = 'busy'
  const reviewId = await submit(world, (await register(world)).id)
  await dispatcher.pass()
  t.match(await states(), Array(3).fill({ state: 'pending', status: 451, problem: 'refused' }))
  office.mood = 'drops'
  later(10)
  await dispatcher.pass()
  t.same(new Set((await states()).map(({ state }) => state)), new Set(['pending']))
  office.mood = 'fine'
  later(400)
  await dispatcher.pass()
  t.same(taken(), ['ava', 'lea', 'rae'], 'each once')
  office.mood = 'refuses'
  later(60)
  await approve(world, reviewId)
  await dispatcher.pass()
  t.match(await states(), Array(2).fill({ state: 'given_up', status: 550, problem: 'refused' }))
  office.mood = 'fine'
})

t.test('a title cannot write a header, an address is one address', async (t) => {
  const of = {
    key: 'UC-1',
    title: 'Nice\r\nBcc: everybody@example.com\u2028\u0007',
    data: { outcome: 'approved' },
    aggregateId: '',
  }
  const { subject, text } = writeMail('decision.made', of, publicUrl)
  t.notMatch(subject, /\p{Cc}|\p{Zl}/u)
  t.equal(text.split('\n')[0], 'UC-1 “Nice Bcc: everybody@example.com ” was approved.')
  t.throws(() => writeMail('vote.cast', of, publicUrl))
  t.same(audiencesOf('vote.cast'), [])

  const { dispatcher, owner, businessOwner } = world
  const address = 'bea@example.com, everybody@example.com'
  await owner.query('update person set email = $2 where id = $1', [businessOwner.id, address])
  const useCase = await register(world, { title: 'Nice\nBcc: everybody@example.com' })
  await approve(world, await submit(world, useCase.id))
  await dispatcher.pass()
  t.notOk(office.receivers().includes('everybody@example.com'))
  t.notMatch(office.mails.map(({ raw }) => raw).join(''), /^Bcc:/m)
  taken()
})

t.test('every mail is two sentences and a link that is there', async (t) => {
  const of = {
    ...{ key: 'UC-1042', title: 'Triage', aggregateId: '00000000-0000-7000-8000-000000000009' },
    data: {
      ...{
        reviewId: 'r',
        stage: 'committee',
        outcome: 'blocked',
        reason: 'expired',
        environment: 'production',
      },
      ...{ since: '2026-03-01T09:00:00.000Z', dueAt: '2026-03-02T09:00:00.000Z', severity: 'major' },
      ...{ expiresAt: '2026-03-02T09:00:00.000Z', from: 'limited', to: 'high' },
    },
  }
  const paths = Object.keys(JSON.parse(JSON.stringify(world.app.swagger())).paths)
  const mailed = toldTypes.filter((type) => audiencesOf(type).length > 0)
  t.ok(mailed.length > 10)
  for (const type of mailed) {
    const { subject, text } = writeMail(type, of, publicUrl)
    const [happened = '', next = '', blank, link = ''] = text.split('\n')
    t.match(happened, /^[\p{Lu}].*[^.]\.$/u, type)
    t.match(next, /^[\p{Lu}].*[^.]\.$/u, type)
    t.equal(blank, '')
    t.notMatch(text, /undefined|null/)
    t.match(subject, happened)
    const place = new URL(link).pathname.replace(/\/(UC-1042|r|0{8}-.*9)(?=\/|$)/, '/{id}')
    t.ok(paths.includes(place), `${type}: ${place}`)
  }
})

t.test('administrators hear of a webhook that nothing reaches any more', async (t) => {
  const { admin, receiver, dispatcher, unitId } = world
  await withAddress(admin, 'ann')
  const { body } = await admin.post('/v1/webhooks', { name: 'x', url: receiver.url, orgUnitId: unitId })
  receiver.behave((response) => response.writeHead(410).end())
  await admin.post(`/v1/webhooks/${body.webhook.id}/tests`)
  await dispatcher.pass()
  await dispatcher.pass()
  t.match(office.mails[0]?.raw, /A webhook was disabled/)
  t.same(taken(), ['ann'])
})

for (const mood of ['silent', 'drops'] as const) {
  t.test(`a mail server that is ${mood} holds up nothing else`, async (t) => {
    const other = await startWorld(t, settings(await startBrokenOffice(t, mood)))
    await giveAddresses(other)
    const { dispatcher, owner, receiver, admin, unitId } = other
    await admin.post('/v1/webhooks', { name: 'x', url: receiver.url, orgUnitId: unitId })
    await submit(other, (await register(other)).id)
    dispatcher.start()
    const began = performance.now()
    await receiver.called(1)
    t.ok(performance.now() - began < 4000)
    await dispatcher.stop()
    const { rows } = await owner.query(
      `select distinct d.state, a.status, a.problem from delivery d left join delivery_attempt a on a.delivery_id = d.id
        where d.person_id is not null`,
    )
    const problem = mood === 'silent' ? 'timed_out' : 'connection_failed'
    t.same(rows, [{ state: 'pending', status: null, problem }])
  })
}
