// What a catalog takes from a law is its numbers: each is there once, and no title repeats the text.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Catalog, type CatalogMapping, reverse } from '../../src/catalogs/catalog.js'
import { projectRoot } from '../../src/config.js'
import { loadPolicies } from '../../src/policy/load.js'

interface Extract {
  articles: { article: number; title: string }[]
  annexIII: { point: number; text: string }[]
  annexVIII: Record<string, { items: { n: number; text: string }[] }>
}

const { catalogs, mappings } = loadPolicies(join(projectRoot, 'policies'))
const data = process.env.ASSENT_TEST_DATA
const skip = data === undefined && 'set ASSENT_TEST_DATA to the folder that holds frameworks/'

t.test('the EU AI Act has every point of Annex III and every field of Annex VIII', { skip }, async (t) => {
  const { annexIII, annexVIII, articles } = read('eu-ai-act-extract') as Extract
  const points = annexIII.flatMap(({ point, text }) =>
    [...text.matchAll(/^\(([a-z])\)/gm)].map(([, letter]) => `III.${point}(${letter})`),
  )
  const fields = Object.entries(annexVIII).flatMap(([section, { items }]) =>
    items.map(({ n }) => `VIII.${section.slice(-1)}.${n}`),
  )
  t.equal(fields.length, 13 + 9 + 5)
  const { controls } = find('eu-ai-act')
  const idsOf = (owner: string) => controls.filter((c) => c.function === owner).map(({ id }) => id)
  t.same(idsOf('III'), points)
  t.same(idsOf('VIII'), fields)
  const known = new Set(articles.map(({ article }) => `Article ${article}`))
  t.same(
    idsOf('DUTIES').filter((id) => !known.has(id)),
    [],
  )
})

t.test('no title repeats five words in a row of a source', { skip }, async (t) => {
  const texts = { 'eu-ai-act': 'eu-ai-act-extract', 'us-insurers': 'us-insurance-and-ai-law.facts' }
  for (const [id, name] of Object.entries(texts)) {
    const theirs = new Set(runsOf(JSON.stringify(read(name))))
    const { categories, controls } = find(id)
    const copied = [...categories, ...controls].filter(({ title }) =>
      runsOf(title).some((run) => theirs.has(run)),
    )
    t.same(copied, [], id)
  }
})

t.test('every catalog says where it comes from, and as of when', async (t) => {
  for (const { id, source, categories } of catalogs) {
    for (const one of [source, ...categories.flatMap((category) => category.source ?? [])]) {
      t.ok(one.title && one.date, `${id}: ${one.title}`)
    }
  }
})

t.test('one piece of evidence serves several frameworks: their duties meet in the AI RMF', async (t) => {
  const serving = (control: string) =>
    [...mappings, ...mappings.map(reverse)]
      .filter(({ from }) => from === 'nist-ai-rmf')
      .flatMap(({ to, pairs }) =>
        pairs.filter(({ from }) => from === control).map((pair) => `${to} ${pair.to}`),
      )
  t.same(serving('MEASURE 2.11'), [
    'eu-ai-act Article 10',
    ...['NAIC 2.6', 'NAIC 3.2', 'NYDFS 1.1', 'NYDFS 1.2', 'NYDFS 1.4', 'CO 1.2'].map(
      (id) => `us-insurers ${id}`,
    ),
  ])
  t.same(mappings.map(reverse).map(reverse), mappings, 'and a mapping reads both ways')
  const mapped = (mapping: CatalogMapping) => new Set(mapping.pairs.map(({ from }) => from))
  const duties = find('us-insurers').controls.map(({ id }) => id)
  const insurers = mappings.find(({ from, to }) => from === 'us-insurers' && to === 'nist-ai-rmf')
  t.ok(insurers && mapped(insurers).size > duties.length * 0.8)
})

function find(id: string): Catalog {
  const found = catalogs.find((catalog) => catalog.id === id)
  if (!found) throw new Error(`${id} is not shipped`)
  return found
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(data ?? '', 'frameworks', `${name}.json`), 'utf8'))
}

/** Every five words that stand in a row. */
function runsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? []
  return words.slice(4).map((_, start) => words.slice(start, start + 5).join(' '))
}
