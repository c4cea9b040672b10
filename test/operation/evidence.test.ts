// Evidence in a real process: its files are scanned in the background, and a process killed between bytes and row
// leaves nothing half-visible.
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { collectOrphans } from '../../src/evidence/service.js'
import { FolderStore } from '../../src/evidence/stores/folder.js'
import type { Person } from '../app.js'
import { openClient } from '../database-run.js'
import { startClamd } from '../evidence/clamd.js'
import { fields, filesIn, formAround, formType } from '../evidence/world.js'
import { until } from '../waiting.js'
import { register } from './register.js'
import { embeddedAt, makeTeamAt, scratch, serve } from './service.js'

t.test(
  'files are scanned, and kill -9 between bytes and row leaves an orphan that is collected',
  async (t) => {
    const clamd = await startClamd(t)
    const dataDir = scratch(t)
    const env = { ASSENT_DATA_DIR: dataDir, ASSENT_CLAMAV: `127.0.0.1:${clamd.port}` }
    const service = await serve(t, env)
    const connection = embeddedAt(dataDir)
    const team = await makeTeamAt(service, connection)
    const { body: useCase } = await register(team, 'Triage of claims')
    const url = `/v1/use-cases/${useCase.id}/evidence`
    const blobs = join(dataDir, 'evidence', 'sha256')

    const attached = await upload(`${service.url}${url}`, team.risk, 'scanned')
    const { id } = (await attached.json()) as { id: string }
    await until(async () => (await team.risk.get(`/v1/evidence/${id}`)).body.state === 'available')
    t.equal(clamd.state.seen.length, 1)

    const holder = await openClient(connection)
    holder.on('error', () => {}) // the database goes down with its service
    await holder.query('begin')
    await holder.query('select from use_case where id = $1 for update', [useCase.id])
    const cut = upload(`${service.url}${url}`, team.risk, 'killed').then(
      () => 'answered',
      () => 'cut',
    )
    await until(async () => filesIn(blobs).length === 2)
    await service.end('SIGKILL')
    t.equal(await cut, 'cut')
    await holder.end().catch(() => {})

    const again = await serve(t, env)
    const list = await fetch(`${again.url}${url}`, {
      headers: { authorization: `Bearer ${team.risk.token}` },
    })
    t.match(await list.json(), { items: [{ id, state: 'available' }], next: null })
    t.equal(filesIn(blobs).length, 2)
    const past = new Date(Date.now() - 90_000_000)
    for (const name of filesIn(blobs))
      utimesSync(join(blobs, name.slice(0, 2), name.slice(2, 4), name), past, past)
    const pool = new pg.Pool(embeddedAt(dataDir))
    t.equal(await collectOrphans({ pool }, new FolderStore(join(dataDir, 'evidence'))), 1)
    await pool.end()
    t.equal(filesIn(blobs).length, 1)
    t.equal((await download(again.url, id, team.risk)).status, 200)
  },
)

async function upload(url: string, { token }: Person, content: string): Promise<Response> {
  const { head, tail } = formAround(fields)
  return await fetch(`${url}/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': formType },
    body: Buffer.concat([head, Buffer.from(content), tail]),
  })
}

async function download(origin: string, id: string, { token }: Person): Promise<Response> {
  return await fetch(`${origin}/v1/evidence/${id}/content`, { headers: { authorization: `Bearer ${token}` } })
}
