// What Assent does in a second, beside what this machine can do: see README.md.
import os from 'node:os'
import { type Bench, openBench } from './bench.js'
import { type Cluster, openCluster } from './cluster.js'
import { type Finding, verdictOn } from './finding.js'
import { loadTool } from './load/load.js'
import { type Options, readOptions, usage } from './options.js'
import { table, toJson } from './report.js'
import { exportRow } from './rows/export.js'
import { askRow, compareGates, gateRow } from './rows/gate.js'
import { importRow } from './rows/import.js'
import { getRow, listRow } from './rows/read.js'
import { startRow } from './rows/start.js'
import { writeRow } from './rows/write.js'

type Row = (bench: Bench) => Promise<Finding[]>

/** Measured on each register. */
const rows: Record<string, Row> = {
  gate: gateRow,
  ask: askRow,
  get: getRow,
  list: listRow,
  write: writeRow,
  export: exportRow,
}

/** They bring a register of their own. */
const ownRows: Record<string, Row> = { import: importRow, start: startRow }

try {
  process.exitCode = await main(readOptions(process.argv.slice(2), Object.keys({ ...rows, ...ownRows })))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(usage)
  process.exitCode = 2
}

/** @returns 1 when something could not be measured; a bar that is missed is a figure like any other */
async function main(options: Options): Promise<number> {
  const say = (text: string) => console.error(text)
  const cluster = await openCluster(options.sizes, options.data, say)
  try {
    const findings = await measure(options, cluster, say)
    const about = { node: process.version, cpus: os.cpus().length, load: loadTool() }
    console.log(options.json ? toJson(findings, about) : `${table(findings)}\n${JSON.stringify(about)}`)
    return findings.some((finding) => verdictOn(finding) === 'NOT MEASURED') ? 1 : 0
  } finally {
    await cluster.stop()
  }
}

async function measure(options: Options, cluster: Cluster, say: (text: string) => void): Promise<Finding[]> {
  const benches: Bench[] = []
  try {
    for (const register of cluster.registers) benches.push(await openBench(options, cluster, register))
    const findings: Finding[] = []
    for (const row of options.rows) {
      for (const bench of row in ownRows ? benches.slice(0, 1) : benches) {
        say(`${row} at ${bench.register.size.toLocaleString('en')}`)
        findings.push(...((await { ...rows, ...ownRows }[row]?.(bench)) ?? []))
      }
    }
    const [small, large] = benches
    if (options.rows.includes('gate') && small && large) findings.push(...(await compareGates(small, large)))
    return findings
  } finally {
    await Promise.all(benches.map(async (bench) => await bench.stop()))
  }
}
