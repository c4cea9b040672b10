import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../src/config.js'
import { loadPolicies, type Policies } from '../../src/policy/load.js'
import { computeTier } from '../../src/policy/tiering.js'
import type { UseCaseRecord } from '../../src/registers/register.js'
import { Technique } from '../../src/use-cases/use-case.js'
import type { Bench } from '../bench.js'
import { peakMegabytes } from '../children.js'
import { alternate, type Finding, secondsOf } from '../finding.js'

const SMALL = 10_000
const LARGE = 100_000
const POLL_MS = 20

/** A change of policy tried out on an export of 100,000 use cases, and what memory that takes beside 10,000. */
export async function policyRow({ options }: Bench): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
  try {
    const tried = writePolicy(folder)
    const small = await writeRegister(join(folder, 'small.ndjson'), SMALL)
    const large = await writeRegister(join(folder, 'large.ndjson'), LARGE)
    const peaks = { small: 0, large: 0 }
    const { seconds } = await alternate(options, {
      small: async () => await diff(small, tried, (peak) => (peaks.small = Math.max(peaks.small, peak))),
      seconds: async () => await diff(large, tried, (peak) => (peaks.large = Math.max(peaks.large, peak))),
    })
    const common = { deed: 'policy diff', size: LARGE } as const
    const memory = { ...common, deed: 'policy diff, peak memory', unit: 'MB' } as const
    const [ours, ofSmall] = [measured(peaks.large), measured(peaks.small)]
    return [
      { ...common, unit: 's', ours: seconds, bar: { atMost: 10 } },
      { ...memory, ours, bar: { atMost: 192 } },
      { ...memory, ours, baseline: { name: `of ${SMALL}`, value: ofSmall }, bar: { atMost: 1.5 } },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Nothing where `/proc` is missing. */
function measured(peak: number): number | undefined {
  return peak > 0 ? peak : undefined
}

/** What customers see is high in it, and each approval stands for half as long. */
function writePolicy(folder: string): string {
  const dir = join(folder, 'policies')
  cpSync(join(projectRoot, 'policies'), dir, { recursive: true })
  const tiers = readFileSync(join(dir, 'risk-tiers.json'), 'utf8')
  const rules: { rules: { id: string; tier: string }[] } = JSON.parse(tiers)
  for (const rule of rules.rules) if (rule.id === 'RT-40') rule.tier = 'high'
  writeFileSync(join(dir, 'risk-tiers.json'), JSON.stringify(rules))
  const lanes: { lanes: { validForDays: number }[] } = JSON.parse(
    readFileSync(join(dir, 'lanes.json'), 'utf8'),
  )
  for (const lane of lanes.lanes) lane.validForDays = Math.ceil(lane.validForDays / 2)
  writeFileSync(join(dir, 'lanes.json'), JSON.stringify(lanes))
  return dir
}

/** An export as the service writes it, of use cases whose answers, places and units differ. */
async function writeRegister(file: string, size: number): Promise<string> {
  const policies = loadPolicies(join(projectRoot, 'policies'))
  const stream = createWriteStream(file)
  for (let number = 1; number <= size; number += 1) {
    if (!stream.write(`${JSON.stringify(recordOf(policies, number))}\n`)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'close')
  return file
}

const UNITS = ['claims', 'underwriting', 'sales', 'hr', 'finance']
const PLACES = ['US', 'US-NY', 'US-CO', 'DE', 'GB']
const PROSE = 'Reads what came in, sorts it by how urgent it is and drafts an answer that a person checks. '

function recordOf({ riskTiers, digest }: Policies, number: number): UseCaseRecord {
  const choose = <T>(list: readonly T[], step: number) => list[Math.floor(number / step) % list.length] as T
  const answers = Object.fromEntries(
    riskTiers.questions.map(({ id, options }, at) => [
      id,
      id === 'prohibited_practice' ? 'none' : choose(options, 3 ** (at % 9)).id,
    ]),
  )
  const technique = choose([null, ...Technique.options], 2)
  const [channels, jurisdictions] = [['web'], [choose(PLACES, 5)]]
  const { tier, fired } = computeTier(riskTiers, answers, { technique, channels, jurisdictions })
  const isApproved = number % 5 < 2
  const id = `019c0000-0000-7000-8000-${String(number).padStart(12, '0')}`
  const [orgUnit, at] = [choose(UNITS, 7), '2026-03-01T09:00:00.000Z']
  const nobody = { businessOwnerId: null, businessOwner: null, riskOwnerId: null, riskOwner: null }
  return {
    ...{ key: `UC-${number}`, id, revision: 3, version: 2, origin: 'declared', title: `Use ${number}` },
    ...{
      purpose: PROSE.repeat(3),
      benefits: PROSE,
      outputs: PROSE,
      orgUnitId: id,
      orgUnit,
      orgUnitName: orgUnit,
    },
    ...{ orgUnitKeys: [orgUnit, 'organisation'], jurisdictions, channels, stage: 'pilot', technique },
    ...{ systems: ['letters'], answers, ...nobody, tags: [], tier, computedTier: tier },
    ...{ raisedTier: null, loweredTier: null, approvedTier: isApproved ? tier : null },
    ...{ firedRules: fired.map((rule) => rule.id), policyDigest: digest },
    ...{ standing: isApproved ? 'cleared' : 'unreviewed', reasons: [], decisionId: isApproved ? id : null },
    ...{
      validUntil: isApproved ? at : null,
      evidenceStaleAt: null,
      openReviewId: null,
      evidenceCount: 0,
      evidenceDigests: [],
    },
    ...{ sourceRegister: null, sourceIdentity: null, retiredAt: null, registeredAt: at, updatedAt: at },
  }
}

/** The command as a pipeline runs it, from its start to its end. */
async function diff(register: string, tried: string, notePeak: (megabytes: number) => void): Promise<number> {
  const base = join(projectRoot, 'policies')
  const args = [
    'policy',
    'diff',
    '--against',
    register,
    '--base',
    base,
    '--policy',
    tried,
    '--format',
    'json',
  ]
  return await secondsOf(async () => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const looking = setInterval(() => notePeak(peakMegabytes(child.pid ?? 0) ?? 0), POLL_MS)
    const [code] = await once(child, 'exit')
    clearInterval(looking)
    if (code !== 0) throw new Error(`policy diff ended with ${code}`)
  })
}
