import type { Catalog, Control } from './catalog.js'

/** What OSCAL 1.x is written as here; documents of it are compatible with every later 1.x. */
export const OSCAL_VERSION = '1.1.3'

/** The namespace of properties that OSCAL does not know. */
export const NS = 'urn:assent:ns:oscal'

/** A UUID of version 5 from a name: of the same name always the same. */
export type IdOf = (name: string) => string

/** A property; OSCAL lets a value have no line break, and no blank at either end. */
export function prop(name: string, value: string): { name: string; ns: string; value: string } {
  return { name, ns: NS, value: oneLine(value) || '-' }
}

/** OSCAL has a property of its own for how people call it. */
export const label = (value: string): { name: string; value: string } => ({ name: 'label', value })

export const oneLine = (value: string): string => value.replace(/\s+/gu, ' ').trim()

/**
 * Ids as OSCAL tokens, which hold letters, digits, dots, dashes and underscores alone: `GOVERN 1.1` as `GOVERN-1.1`. The
 * exact id goes beside each as its label. Two that come out the same are numbered, in the order of their catalog.
 */
export function tokensOf(ids: Iterable<string>): Map<string, string> {
  const taken = new Set<string>()
  const tokens = new Map<string, string>()
  for (const id of ids) {
    const token = tokenOf(id)
    let free = token
    for (let number = 2; taken.has(free); number += 1) free = `${token}_${number}`
    taken.add(free)
    tokens.set(id, free)
  }
  return tokens
}

function tokenOf(id: string): string {
  const token = id.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/-+$/, '')
  return /^[A-Za-z_]/.test(token) ? token : `_${token}`
}

/** Left out where there are none: OSCAL lets no list be empty. */
export function listed<K extends string, T>(name: K, items: readonly T[]): { [N in K]?: readonly T[] } {
  return items.length === 0 ? {} : ({ [name]: items } as { [N in K]: readonly T[] })
}

/** A version of a catalog as an OSCAL catalog (JSON). Functions are groups, categories groups within these. */
export function catalogToOscal(catalog: Catalog, idOf: IdOf): object {
  const { id, version, title, source, functions, categories, controls } = catalog
  const tokens = tokensOf(controls.map((control) => control.id))
  const groupTokens = tokensOf([...functions, ...categories].map((group) => group.id))
  const within = (category: string, parent?: string): object[] =>
    controls
      .filter((one) => one.category === category && one.parent === parent)
      .map((one) => ({ ...controlOf(one, tokens), ...listed('controls', within(category, one.id)) }))
  const groupOf = ({ id, title }: { id: string; title: string }, kind: string, inner: object) => ({
    ...{ id: groupTokens.get(id) ?? id, class: kind, title, props: [label(id)] },
    ...inner,
  })
  const groups = functions.map((one) => {
    const own = categories.filter((category) => category.function === one.id)
    const direct = own.some((category) => category.id === one.id) ? within(one.id) : []
    const inner = own.filter((category) => category.id !== one.id)
    const nested = inner.map((each) => groupOf(each, 'category', listed('controls', within(each.id))))
    return groupOf(one, 'function', { ...listed('groups', nested), ...listed('controls', direct) })
  })
  const published = source.date === undefined ? '1970-01-01' : source.date
  const metadata = {
    ...{ title, 'last-modified': `${published}T00:00:00Z`, version, 'oscal-version': OSCAL_VERSION },
    props: [prop('catalog', id), prop('source', source.title)],
    ...listed('links', source.url === undefined ? [] : [{ href: source.url, rel: 'canonical' }]),
  }
  return { catalog: { uuid: idOf(`catalog ${id}@${version}`), metadata, groups } }
}

function controlOf(control: Control, tokens: ReadonlyMap<string, string>): object {
  const { id, title, text, ties = [], risks = [] } = control
  const token = tokens.get(id) ?? id
  return {
    ...{ id: token, title },
    props: [label(id), ...ties.map((tie) => prop('serves', tie)), ...risks.map((risk) => prop('risk', risk))],
    ...(text !== undefined && { parts: [{ id: `${token}_smt`, name: 'statement', prose: text }] }),
  }
}
