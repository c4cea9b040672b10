import { on } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { RegistryError } from '../errors.js'
import { assertHarmless } from './archive.js'
import type { FileRecord, OpenOptions, Source } from './source.js'
import { type Task, unreadable, type WorkbookMessage } from './workbook-messages.js'

/**
 * Opens an .xlsx workbook: the sheet that was named, or the first visible one that holds anything. It is parsed in
 * a thread with a heap and a time of its own, so that what its directory does not show can cost no more than that.
 */
export async function openWorkbook(path: string, { sheet: wanted, limits }: OpenOptions): Promise<Source> {
  assertHarmless(await readFile(path), limits)
  const sheet = await chooseSheet({ kind: 'choose', path, limits, wanted })
  return {
    format: 'xlsx',
    encoding: null,
    sheet,
    headed: false,
    fixedWidth: false,
    records: () => readRecords({ kind: 'read', path, limits, sheet }),
  }
}

async function chooseSheet(task: Task): Promise<string> {
  for await (const message of runThread(task)) {
    if (message.kind === 'chosen') return message.sheet
  }
  throw new RegistryError('invalid', unreadable)
}

async function* readRecords(task: Task): AsyncGenerator<FileRecord> {
  for await (const message of runThread(task)) {
    if (message.kind === 'records') yield* message.records
  }
}

/** What the thread says until it is done. It ends with its reader, which may leave half-way. */
async function* runThread(task: Task): AsyncGenerator<WorkbookMessage> {
  const worker = new Worker(new URL('./workbook-thread.js', import.meta.url), {
    workerData: task,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: task.limits.workbookHeap / 2 ** 20 },
  })
  const silence = new AbortController()
  const messages = on(worker, 'message', { signal: silence.signal, close: ['exit'] })
  let timer = setTimeout(() => silence.abort(), task.limits.workbookMs)
  try {
    for await (const [said] of messages) {
      const message: WorkbookMessage = said
      clearTimeout(timer)
      if (message.kind === 'refused') throw new RegistryError('invalid', message.message)
      if (message.kind === 'done') return
      yield message
      timer = setTimeout(() => silence.abort(), task.limits.workbookMs)
      worker.postMessage('go on')
    }
    throw new RegistryError('invalid', unreadable)
  } catch (error) {
    throw error instanceof RegistryError ? error : tooCostly(error)
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function tooCostly(cause: unknown): RegistryError {
  const advice = 'save the sheet as CSV and import that'
  return new RegistryError('invalid', `the workbook takes too much time or memory to read; ${advice}`, {
    cause,
  })
}
