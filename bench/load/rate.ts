import { Agent, get } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { LoadRequest } from './load.js'

/**
 * Asks at a steady rate, whether or not earlier answers have come.
 * @returns the milliseconds below which 99 of 100 answers came, counted from when each was due to be asked
 */
export async function p99AtRate(
  origin: string,
  requests: LoadRequest[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const began = performance.now()
  const answers: Promise<number>[] = []
  for (let turn = 0; turn < perSecond * seconds; turn += 1) {
    const due = began + (turn * 1000) / perSecond
    while (performance.now() < due) await wait(1)
    const { path, token } = requests[turn % requests.length] ?? { path: '/' }
    answers.push(answered(`${origin}${path}`, token, agent, due))
  }
  const sorted = (await Promise.all(answers)).sort((a, b) => a - b)
  agent.destroy()
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}

async function answered(url: string, token: string | undefined, agent: Agent, due: number): Promise<number> {
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  return await new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.resume().once('end', () => resolve(performance.now() - due))
    }).once('error', reject)
  })
}
