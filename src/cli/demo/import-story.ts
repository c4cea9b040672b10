import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Import } from '../../imports/import.js'
import type { Stage } from './stage.js'
import type { Telling } from './telling.js'

export async function importRegister(
  { administrator }: Stage,
  telling: Telling,
  register: string,
): Promise<void> {
  telling.step(`The register is imported: ${basename(register)}`)
  const file = {
    name: basename(register),
    mediaType: 'application/octet-stream',
    bytes: readFileSync(register),
  }
  const uploaded = await administrator.upload<Import>('/v1/imports', file)
  telling.say(`dry run, read by the profile ${uploaded.profile.id}: ${countsOf(uploaded)}`)
  const path = `/v1/imports/${uploaded.id}`
  if (uploaded.needsConfirmation) tellInferred(telling, uploaded)
  const previewed = uploaded.needsConfirmation
    ? await administrator.patch<Import>(path, {}, uploaded.revision)
    : uploaded
  const applied = await administrator.post<Import>(`${path}/application`, undefined, previewed.revision)
  telling.say(`applied: ${countsOf(applied)}`)
}

function tellInferred(telling: Telling, { columns }: Import): void {
  telling.say('no profile fits its header; this is what its columns seem to be:')
  for (const { name, fields, confidence } of columns) {
    const certainty = confidence === null ? '' : `, ${Math.round(confidence * 100)} % certain`
    const meaning = fields.length > 0 ? `${fields.join(', ')}${certainty}` : 'kept with the row'
    telling.say(`  ${name}: ${meaning}`)
  }
  telling.say('the administrator confirms it as it is')
}

function countsOf({ counts }: Import): string {
  return Object.entries(counts ?? {})
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count.toLocaleString('en')} ${inWords(outcome)}`)
    .join(', ')
}

/** `needsAttention` as people say it. */
function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
