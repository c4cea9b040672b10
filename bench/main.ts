// What Assent does in a second, beside what this machine can do: see README.md.
import os from 'node:os'
import { type Bench, openBench } from './bench.js'
import { type Cluster, openCluster } from './cluster.js'
import { type Finding, verdictOn } from './finding.js'
import { loadTool } from './load/load.js'
import { type Options, readOptions, usage } from './options.js'
import { table, toJson } from './report.js'
import { coverageRow } from './rows/coverage.js'
import { exportRow } from './rows/export.js'
import { askRow, compareGates, gateRow } from './rows/gate.js'
import { importRow } from './rows/import.js'
import { packageRow } from './rows/package.js'
import { policyRow } from './rows/policy.js'
import { getRow, listRow } from './rows/read.js'
import { standingRow } from './rows/standing.js'
import { startRow } from './rows/start.js'
import { uploadRow } from './rows/upload.js'
import { writeRow } from './rows/write.js'

type Row = (bench: Bench) => Promise<Finding[]>

/** Measured on each register. */
const rows: Record<string, Row> = {
  gate: gateRow,
  ask: askRow,
  get: getRow,
  list: listRow,
  standing: standingRow,
  write: writeRow,
  export: exportRow,
}

/** They bring a register of their own. */
const ownRows: Record<string, Row> = {
  import: importRow,
  start: startRow,
  policy: policyRow,
  coverage: coverageRow,
  upload: uploadRow,
  package: packageRow,
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2), Object.keys({ ...rows, ...ownRows })))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(usage)
  process.exitCode = 2
}

function say(text: string): void {
  console.error(text)
}

/** @returns 1 when something could not be measured; a bar that is missed is a figure like any other */
async function main(options: Options): Promise<number> {
  const cluster = await openCluster(options.sizes, options.data, say)
  try {
    const { findings, isWhole } = await measure(options, cluster)
    const about = { node: process.version, cpus: os.cpus().length, load: loadTool() }
    console.log(options.json ? toJson(findings, about) : `${table(findings)}\n${JSON.stringify(about)}`)
    return isWhole && findings.every((finding) => verdictOn(finding) !== 'NOT MEASURED') ? 0 : 1
  } finally {
    await cluster.stop()
  }
}

interface Measured {
  findings: Finding[]
  /** False when a row broke off. */
  isWhole: boolean
}

async function measure(options: Options, cluster: Cluster): Promise<Measured> {
  const measured: Measured = { findings: [], isWhole: true }
  const benches: Bench[] = []
  try {
    for (const register of cluster.registers) benches.push(await openBench(options, cluster, register))
    for (const [name, take] of stepsOf(options, benches)) {
      say(name)
      try {
        measured.findings.push(...(await take()))
      } catch (error) {
        say(`${name} broke off: ${error instanceof Error ? error.message : error}`)
        measured.isWhole = false
      }
    }
    return measured
  } finally {
    await Promise.all(benches.map(async (bench) => await bench.stop()))
  }
}

type Step = [name: string, take: () => Promise<Finding[]>]

function stepsOf({ rows: wanted }: Options, benches: Bench[]): Step[] {
  const [small, large] = benches
  const steps = wanted.flatMap((name) => {
    const [row, where] = name in ownRows ? [ownRows[name], benches.slice(0, 1)] : [rows[name], benches]
    return where.map(
      (bench): Step => [`${name} at ${bench.register.size}`, async () => (await row?.(bench)) ?? []],
    )
  })
  if (wanted.includes('gate') && small && large) {
    steps.push(['gate, small and large', async () => await compareGates(small, large)])
  }
  return steps
}
