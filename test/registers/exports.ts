// Registers as people fetch them.
import { parse } from 'csv-parse/sync'
import type { Answer, Person, TestApp } from '../app.js'

export interface Exported {
  status: number
  text: string
  headers: Answer['headers']
}

/** A register in one of the streamed formats. */
export async function fetchRegister(
  { app }: Pick<TestApp, 'app'>,
  { token }: Person,
  path: string,
  accept: string,
): Promise<Exported> {
  const headers = { authorization: `Bearer ${token}`, accept }
  const {
    statusCode,
    payload,
    headers: answered,
  } = await app.inject({ url: `/v1/registers/${path}`, headers })
  return { status: statusCode, text: payload, headers: answered }
}

export const ndjson = 'application/x-ndjson'
export const csv = 'text/csv'

export function linesOf({ text }: Exported): string[] {
  return text.split('\n').slice(0, -1)
}

/** Rows by header. */
export function cellsOf({ text }: Exported): Record<string, string>[] {
  return parse(text, { columns: true })
}

/** Every page of the JSON form. */
export async function pagesOf(person: Person, path: string, limit = 3): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = []
  const separator = path.includes('?') ? '&' : '?'
  for (let cursor = ''; ; ) {
    const { body } = await person.get(`/v1/registers/${path}${separator}limit=${limit}${cursor}`)
    records.push(...body.items)
    if (body.next === null) return records
    cursor = `&cursor=${encodeURIComponent(body.next)}`
  }
}
