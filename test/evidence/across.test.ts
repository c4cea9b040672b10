// What waits for a verdict, for the scanner, or for a newer piece: across use cases, and to the caller's own alone.
import t from 'tap'
import { eicar, startClamd } from './clamd.js'
import { scanningOf } from './scanning.js'
import { registerCase, retire, startWorld, upload } from './world.js'

t.test('evidence of all use cases is found by what it waits for', async (t) => {
  const clamd = await startClamd(t)
  const world = await startWorld(t, { ASSENT_CLAMAV: `127.0.0.1:${clamd.port}` })
  const { business, risk, judge, auditor, outsider } = world
  const attest = async (useCaseId: string, change = {}) => {
    const word = { kind: 'test_report', title: 'Tests', statement: 'All 200 cases passed.' }
    return (await risk.post(`/v1/use-cases/${useCaseId}/evidence`, { ...word, ...change })).body.id as string
  }
  const accept = async (id: string) =>
    await judge.post(`/v1/evidence/${id}/verdict`, { verdict: 'accepted', note: 'read and sound' })
  const { id: unitId } = (await business.get('/v1/org-units')).body.items.find(
    ({ key }: { key: string }) => key === 'claims',
  )
  const elsewhere = await world.unit('motor', unitId)
  const other = await registerCase(business, risk, unitId)
  const gone = await registerCase(business, risk, unitId)

  const infected = (await upload(world, risk, { bytes: eicar })).body.id
  await scanningOf(world, clamd.address).pass()
  const held = (await upload(world, risk, { bytes: 'clean' })).body.id
  const soon = await attest(other, { freshUntil: '2090-01-01T00:00:00Z', kind: 'model_card' })
  const later = await attest(world.useCaseId, { freshUntil: '2091-01-01T00:00:00Z' })
  const older = await attest(other)
  const newer = await attest(other, { supersedesId: older })
  const lone = await attest(gone)
  for (const id of [soon, later, older, newer]) await accept(id)
  const waiting = await attest(other)
  await retire({ ...world, useCaseId: gone })

  const found = async (query: string, person = auditor) => {
    const { status, body } = await person.get(`/v1/evidence?${query}`)
    return status === 200 ? body.items.map(({ id }: { id: string }) => id) : [status, body.detail]
  }
  const all = [waiting, lone, newer, older, later, soon, held, infected]
  t.same(await found(''), all, 'the last attached first')
  t.same(await found('sort=attachedAt'), [...all].reverse())
  t.same(await found('verdict=none&state=available&isCurrent=true&sort=attachedAt'), [waiting])
  t.same(await found('isCurrent=false'), [lone, older], 'superseded, or of a retired use case')
  t.same(await found('state=quarantined'), [held])
  t.same(await found('state=rejected'), [infected])
  t.same(await found('verdict=accepted'), [newer, older, later, soon])
  t.same(await found('kind=model_card'), [soon])
  t.same(await found('sort=freshUntil'), [soon, later])
  t.same(await found('freshBefore=2090-06-01T00:00:00Z'), [soon])
  const between = 'freshAt=2090-06-01T00:00:00Z&freshBefore=2092-01-01T00:00:00Z'
  t.same(await found(between), [later])
  t.same(await found(`orgUnit=${unitId}`), all)

  await t.test('and only what the caller may read', async (t) => {
    const theirs = await world.person('Lee', { rights: ['risk_owner'], unitId: elsewhere })
    const pat = await world.person('Pat', { rights: ['business_owner'], unitId: elsewhere })
    const place = `/v1/use-cases/${await registerCase(pat, theirs, elsewhere)}/evidence`
    const minutes = { kind: 'other', title: 'Minutes', statement: 'Read in the board of the unit.' }
    const { body } = await theirs.post(place, minutes)
    t.equal(body.title, 'Minutes')
    t.same(await found('', theirs), [body.id])
    t.same(await found('', outsider), [])
    t.same(await found(`orgUnit=${elsewhere}`), [body.id])
    t.same(await found(`orgUnit=${unitId}`), [body.id, ...all], 'with the units below')
  })

  await t.test('in pages, each in its order', async (t) => {
    for (const sort of ['-attachedAt', 'attachedAt', 'freshUntil']) {
      const whole = await found(`sort=${sort}`)
      const seen: string[] = []
      for (let next: string | null = ''; next !== null; ) {
        const { body } = await auditor.get(`/v1/evidence?sort=${sort}&limit=1${next && `&cursor=${next}`}`)
        seen.push(...body.items.map(({ id }: { id: string }) => id))
        next = body.next
      }
      t.same(seen, whole, sort)
    }
    const { body } = await auditor.get('/v1/evidence?limit=1')
    t.equal((await auditor.get(`/v1/evidence?limit=1&sort=attachedAt&cursor=${body.next}`)).status, 422)
  })
})
