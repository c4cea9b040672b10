// The catalogs as shipped against NIST's own documents, of which the project holds no word.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Catalog } from '../../src/catalogs/catalog.js'
import { projectRoot } from '../../src/config.js'

interface Official {
  id: string
  text: string
  function: string
  category: string
  subcategory: string
  subcategories: string[]
  title: string
  description: string
  riskIds: string[]
}

const rmf = shipped('nist-ai-rmf-1.0')
const profile = shipped('nist-ai-600-1')
const data = process.env.ASSENT_TEST_DATA
const skip = data === undefined && 'set ASSENT_TEST_DATA to the folder that holds nist/'

t.test('the AI RMF has 4 functions, 19 categories and 72 subcategories', async (t) => {
  t.same(
    rmf.functions.map(({ id }) => id),
    ['GOVERN', 'MAP', 'MEASURE', 'MANAGE'],
  )
  t.equal(rmf.categories.length, 19)
  const counts = rmf.categories.map(({ id }) => rmf.controls.filter(({ category }) => category === id).length)
  t.same(counts, [7, 3, 2, 3, 2, 2, 6, 3, 5, 2, 2, 3, 13, 3, 3, 4, 4, 2, 3])
  const measured = rmf.controls.map(({ id }) => id).filter((id) => id.startsWith('MEASURE 2.'))
  t.equal(measured.at(-1), 'MEASURE 2.13', 'in the order of their numbers')
})

t.test('AI 600-1 has 12 risks and 212 actions, each of which serves a subcategory', async (t) => {
  t.equal(profile.risks.length, 12)
  t.equal(profile.tiesTo, rmf.id)
  const actions = ['GV', 'MP', 'MS', 'MG'].map(
    (prefix) => profile.controls.filter(({ id }) => id.startsWith(prefix)).length,
  )
  t.same(actions, [58, 39, 72, 43])
  const known = new Map(rmf.controls.map((control) => [control.id, control]))
  for (const { id, ties, category } of profile.controls) {
    t.equal(known.get(ties?.[0] ?? '')?.category, category, `${id} lies where what it serves lies`)
  }
  t.equal(profile.controls.flatMap(({ risks = [] }) => risks).length, 430)
})

t.test('ids, structure and ties are the official ones', { skip }, async (t) => {
  const core = read('ai-rmf-core')
  t.same(
    rmf.controls.map(({ id, function: owner, category }) => ({ id, owner, category })),
    core.map(({ id, function: owner, category }) => ({ id, owner, category })),
  )
  t.same(
    rmf.categories.map(({ id, function: owner }) => ({ id, owner })),
    read('ai-rmf-categories').map(({ id, function: owner }) => ({ id, owner })),
  )
  t.same(
    profile.controls.map(({ id, ties, risks }) => ({ id, ties, risks })),
    read('ai-600-1-actions').map(({ id, subcategory, riskIds }) => ({
      ...{ id, ties: [subcategory], risks: riskIds },
    })),
  )
  t.same(
    profile.risks.map(({ id }) => id),
    read('ai-600-1-risks').map(({ id }) => id),
  )
})

t.test('titles are short and unlike each other', async (t) => {
  for (const { id: catalog, categories, controls, risks } of [rmf, profile]) {
    const entries = [...categories, ...controls, ...risks]
    const lengths = entries.filter(({ title }) => !between(4, title.split(' ').length, 12))
    t.same(lengths, [], `${catalog}: 4 to 12 words`)
    const titles = controls.map(({ title }) => title.toLowerCase())
    t.equal(new Set(titles).size, titles.length, `${catalog}: no title twice`)
  }
})

t.test('no title repeats four words in a row of the official text', { skip }, async (t) => {
  const official = new Map(
    ['ai-rmf-core', 'ai-rmf-categories', 'ai-600-1-actions', 'ai-600-1-risks']
      .flatMap(read)
      .map(({ id, text = '', title = '', description = '' }) => [id, `${text} ${title}. ${description}`]),
  )
  const entries = [rmf, profile].flatMap(({ categories, controls, risks }) => [
    ...categories,
    ...controls,
    ...risks,
  ])
  const copied = entries.filter(({ id, title }) => {
    const theirs = new Set(runsOf(official.get(id) ?? ''))
    return !official.has(id) || runsOf(title).some((run) => theirs.has(run))
  })
  t.same(copied, [])
})

function shipped(name: string): Catalog {
  return Catalog.parse(
    JSON.parse(readFileSync(join(projectRoot, 'policies', 'catalogs', `${name}.json`), 'utf8')),
  )
}

function read(name: string): Official[] {
  return JSON.parse(readFileSync(join(data ?? '', 'nist', `${name}.json`), 'utf8'))
}

/** Every four words that stand in a row. */
function runsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? []
  return words.slice(3).map((_, start) => words.slice(start, start + 4).join(' '))
}

function between(least: number, value: number, most: number): boolean {
  return least <= value && value <= most
}
