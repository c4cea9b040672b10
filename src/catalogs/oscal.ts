import { z } from 'zod'
import { RegistryError } from '../errors.js'
import { explain, issuesOf } from '../issues.js'
import { type Catalog, limits, validateCatalog } from './catalog.js'

/** Deeper than this no catalog is arranged; what recurs below would only exhaust the stack. */
const DEPTH = 60
/** In one file. The largest catalog in common use has some 300,000. */
const VALUES = 600_000
/** Of what stands for a parameter: it may be named many times. */
const WORDS = 500
const TEXT = 20_000

const Prop = z.object({ name: z.string(), value: z.string(), class: z.string().optional() })
const Param = z.object({
  id: z.string(),
  label: z.string().optional(),
  select: z.object({ choice: z.array(z.string()).optional() }).optional(),
})
const Part = z.object({
  name: z.string(),
  prose: z.string().max(TEXT).optional(),
  props: z.array(Prop).optional(),
  get parts(): z.ZodOptional<z.ZodArray<typeof Part>> {
    return z.array(Part).optional()
  },
})
type Part = z.infer<typeof Part>
const OscalControl = z.object({
  id: z.string(),
  title: z.string(),
  props: z.array(Prop).optional(),
  params: z.array(Param).optional(),
  parts: z.array(Part).optional(),
  get controls(): z.ZodOptional<z.ZodArray<typeof OscalControl>> {
    return z.array(OscalControl).optional()
  },
})
type OscalControl = z.infer<typeof OscalControl>
const Group = z.object({
  id: z.string().optional(),
  title: z.string(),
  params: z.array(Param).optional(),
  controls: z.array(OscalControl).optional(),
  get groups(): z.ZodOptional<z.ZodArray<typeof Group>> {
    return z.array(Group).optional()
  },
})
type Group = z.infer<typeof Group>

/** What Assent reads of an OSCAL 1.x catalog; all else in it is passed over. */
const OscalFile = z.object({
  catalog: z.object({
    uuid: z.string(),
    metadata: z.object({
      title: z.string(),
      version: z.string(),
      'last-modified': z.string(),
      published: z.string().optional(),
      'oscal-version': z.string(),
    }),
    params: z.array(Param).optional(),
    controls: z.array(OscalControl).optional(),
    groups: z.array(Group).optional(),
  }),
})

/** What the file does not say, or says otherwise than it should be known by here. */
export interface Naming {
  id: string
  version?: string | undefined
  title?: string | undefined
  tiesTo?: string | undefined
  sourceUrl?: string | undefined
  sourceDate?: string | undefined
  /** Whether controls go by their OSCAL id or by their property `label`, as `GOVERN 1.1`. */
  ids?: 'id' | 'label' | undefined
}

/**
 * Reads an OSCAL catalog (NIST OSCAL 1.x, JSON). The groups at the top become functions, those within categories, and
 * what lies deeper belongs to its category; the statement becomes the text. Withdrawn controls are left out.
 * @throws RegistryError `invalid` for what is no such catalog, or has a flaw of one
 */
export function readOscal(content: string, naming: Naming): Catalog {
  const { catalog } = parseFile(content)
  const { metadata } = catalog
  const reading = new Reading(catalog, naming.ids ?? 'id')
  return validateCatalog({
    id: naming.id,
    version: naming.version ?? metadata.version,
    title: naming.title ?? metadata.title,
    source: {
      title: metadata.title,
      date: naming.sourceDate ?? (metadata.published ?? metadata['last-modified']).slice(0, 10),
      ...(naming.sourceUrl !== undefined && { url: naming.sourceUrl }),
    },
    ...(naming.tiesTo !== undefined && { tiesTo: naming.tiesTo }),
    ...reading.result(),
  })
}

function parseFile(content: string): z.infer<typeof OscalFile> {
  const json = parseJson(content)
  assertShallow(json)
  const read = OscalFile.safeParse(json, { error: explain })
  if (read.success) return read.data
  const issues = issuesOf(read.error).slice(0, 20)
  const message = `this is no OSCAL catalog: ${issues[0]?.path} ${issues[0]?.message}`
  throw new RegistryError('invalid', message, { issues })
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new RegistryError('invalid', 'the file is not JSON; export the catalog as OSCAL JSON', { cause })
  }
}

/** Level by level and not by recursion, which is what it protects; and before anything is said of each value. */
function assertShallow(json: unknown): void {
  let level: unknown[] = [json]
  let count = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH)
      throw new RegistryError('invalid', `the file is nested deeper than ${DEPTH} levels; flatten it`)
    count += level.length
    if (count > VALUES || level.some((value) => Array.isArray(value) && value.length > limits.controls))
      throw new RegistryError(
        'invalid',
        `the file is too large: a list has more than ${limits.controls} entries, or all of it more than ${VALUES} values`,
      )
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
  }
}

type Place = { function: string; category: string }

/** Walks the groups in the order of the file, and gathers. */
class Reading {
  readonly #functions: Catalog['functions'] = []
  readonly #categories: Catalog['categories'] = []
  readonly #controls: Catalog['controls'] = []
  readonly #words = new Map<string, string>()
  readonly #ids: 'id' | 'label'

  constructor(catalog: z.infer<typeof OscalFile>['catalog'], ids: 'id' | 'label') {
    this.#ids = ids
    this.#learn(catalog.params)
    const { groups = [], controls = [] } = catalog
    for (const group of groups) this.#learnAll(group)
    groups.forEach((group, index) => {
      this.#function(group, group.id ?? `group-${index + 1}`)
    })
    if (controls.length === 0) return
    const place = this.#open({ id: 'controls', title: 'Controls' }, { id: 'controls', title: 'Controls' })
    for (const control of controls) this.#control(control, place, undefined)
  }

  result(): Pick<Catalog, 'functions' | 'categories' | 'controls'> {
    return { functions: this.#functions, categories: this.#categories, controls: this.#controls }
  }

  #learn(params: z.infer<typeof Param>[] = []): void {
    for (const { id, label, select } of params) {
      const words = (label ?? select?.choice?.join(' or ') ?? id).replace(/\{\{[^{}]*\}\}/g, '…')
      this.#words.set(id, words.length > WORDS ? `${words.slice(0, WORDS)}…` : words)
    }
  }

  #learnAll({ params, groups = [], controls = [] }: Group): void {
    this.#learn(params)
    for (const group of groups) this.#learnAll(group)
    for (const control of controls) this.#learnControl(control)
  }

  #learnControl({ params, controls = [] }: OscalControl): void {
    this.#learn(params)
    for (const control of controls) this.#learnControl(control)
  }

  #function({ title, groups = [], controls = [] }: Group, id: string): void {
    const owner = { id, title }
    this.#functions.push(owner)
    if (controls.length > 0) {
      const place = this.#category(owner, owner)
      for (const control of controls) this.#control(control, place, undefined)
    }
    groups.forEach((group, index) => {
      const place = this.#category(owner, { id: group.id ?? `${id}-${index + 1}`, title: group.title })
      this.#below(group, place)
    })
  }

  #below({ groups = [], controls = [] }: Group, place: Place): void {
    for (const control of controls) this.#control(control, place, undefined)
    for (const group of groups) this.#below(group, place)
  }

  #open(owner: { id: string; title: string }, category: { id: string; title: string }): Place {
    this.#functions.push(owner)
    return this.#category(owner, category)
  }

  #category(owner: { id: string }, { id, title }: { id: string; title: string }): Place {
    this.#categories.push({ id, function: owner.id, title })
    return { function: owner.id, category: id }
  }

  #control(control: OscalControl, place: Place, parent: string | undefined): void {
    const isWithdrawn = propOf(control.props, 'status')?.toLowerCase() === 'withdrawn'
    const id = this.#idOf(control)
    if (!isWithdrawn) {
      const text = (control.parts ?? [])
        .filter(({ name }) => name === 'statement')
        .flatMap((part) => this.#lines(part))
        .join('\n')
      this.#controls.push({
        ...{ id, ...place, title: control.title },
        ...(text !== '' && { text }),
        ...(parent !== undefined && { parent }),
      })
    }
    for (const inner of control.controls ?? []) this.#control(inner, place, isWithdrawn ? parent : id)
  }

  #idOf({ id, props }: OscalControl): string {
    if (this.#ids === 'id') return id
    const label = propOf(props, 'label')
    if (label !== undefined) return label
    throw new RegistryError(
      'invalid',
      `the control ${id.slice(0, 100)} has no label; let controls go by their ids`,
    )
  }

  #lines(part: Part): string[] {
    const label = propOf(part.props, 'label')
    const prose = part.prose === undefined ? [] : [this.#filled(part.prose)]
    const own = label === undefined ? prose : [[label, ...prose].join(' ')]
    return [...own, ...(part.parts ?? []).flatMap((inner) => this.#lines(inner))]
  }

  /** What an organisation fills in stands in brackets, by its label. */
  #filled(prose: string): string {
    const filled = prose.replace(/\{\{ ?insert: ?param, ?([\w.-]+) ?\}\}/g, (_, id: string) => {
      return `[${this.#words.get(id) ?? id}]`
    })
    if (filled.length > TEXT)
      throw new RegistryError(
        'invalid',
        `a text has more than ${TEXT} characters with its parameters; shorten it`,
      )
    return filled
  }
}

/** The first one: more of a name are for other readers, as `sp800-53a` or `zero-padded`. */
function propOf(props: z.infer<typeof Prop>[] | undefined, name: string): string | undefined {
  const named = (props ?? []).filter((prop) => prop.name === name)
  return (named.find((prop) => prop.class === undefined) ?? named[0])?.value
}
