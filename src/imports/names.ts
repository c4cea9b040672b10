import type { Facts } from '../use-cases/use-case.js'
import type { ImportedFacts } from './imported-facts.js'
import type { Note } from './reading.js'
import { fold, quote } from './wording.js'

export interface Unit {
  id: string
  key: string
  name: string
  parentId: string | null
}

export interface NamedSystem {
  id: string
  key: string
  name: string
}

export interface NamedPerson {
  id: string
  name: string
  email: string | null
}

/** What is known here by name, and what the importer may add to it. */
export interface Directory {
  /** The unit below which units are found, or made. */
  unitId: string
  units: Unit[]
  mayAddUnits: boolean
  mayAddSystems: boolean
  newId(): string
}

type NameField = 'orgUnit' | 'systems' | 'businessOwner' | 'riskOwner'
type Named = Partial<Pick<ImportedFacts, NameField>>
type Meant = Partial<Pick<Facts, 'orgUnitId' | 'systemIds' | 'businessOwnerId' | 'riskOwnerId'>>

const LONGEST_UNIT_KEY = 60
const LONGEST_SYSTEM_KEY = 80

/** Turns names into ids. What is missing and may be added gets an id, and waits in `newUnits` and `newSystems`. */
export class Names {
  readonly newUnits: Unit[] = []
  readonly newSystems: NamedSystem[] = []
  readonly #directory: Directory
  readonly #units = new Map<string, Unit>()
  readonly #unitKeys = new Map<string, Unit>()
  /** By parent and name, and by parent and key. */
  readonly #children = new Map<string, Unit>()
  /** Paths that lead to a unit: a register has many rows and few units. */
  readonly #paths = new Map<string, string>()
  readonly #systemKeys = new Set<string>()
  readonly #systems = new Map<string, NamedSystem[]>()
  readonly #people = new Map<string, NamedPerson[]>()

  constructor(directory: Directory) {
    this.#directory = directory
    for (const unit of directory.units) this.#addUnit(unit)
  }

  /** Systems and people that rows to come may name; whoever is known already may be among them. */
  learn(systems: NamedSystem[], people: NamedPerson[]): void {
    for (const system of systems) {
      if (!this.#systemKeys.has(system.key)) this.#addSystem(system)
    }
    for (const person of people) {
      for (const name of [person.name, person.email ?? '']) append(this.#people, name.toLowerCase(), person)
    }
  }

  /** The ids that names stand for. What nobody here goes by is left out, and noted for a person. */
  resolve(named: Named, notes: Note[]): Meant {
    const { orgUnit, systems, businessOwner, riskOwner } = named
    return {
      ...(orgUnit && { orgUnitId: this.#unitAt(orgUnit, notes) }),
      ...(systems && { systemIds: systems.flatMap((name) => this.#systemNamed(name, notes)) }),
      ...owner('businessOwnerId', this.#ownerNamed('businessOwner', businessOwner, notes)),
      ...owner('riskOwnerId', this.#ownerNamed('riskOwner', riskOwner, notes)),
    }
  }

  #unitAt(path: string[], notes: Note[]): string {
    const written = JSON.stringify(path)
    const known = this.#paths.get(written)
    if (known !== undefined) return known
    const before = notes.length
    const { id } = this.#walk(path, notes)
    if (notes.length === before) this.#paths.set(written, id)
    return id
  }

  /** Down from the importer's unit, step by step; a first step may also name that unit itself. */
  #walk(path: string[], notes: Note[]): Unit {
    const top = this.#units.get(this.#directory.unitId)
    if (!top) throw new Error('the unit of an import is not in the tree')
    let unit = top
    for (const [index, name] of path.entries()) {
      const found = this.#unitBelow(unit, name) ?? (index === 0 && isCalled(top, name) ? top : undefined)
      if (!found && !this.#directory.mayAddUnits) {
        const missing = `there is no unit ${quote(name)} in ${quote(unit.name)}, and you may not add one`
        notes.push({ field: 'orgUnit', message: `${missing}; choose the unit`, raw: path.join(' / ') })
        return unit
      }
      unit = found ?? this.#newUnit(unit, name)
    }
    return unit
  }

  /** A child by key or name; failing that, by its key, a unit deeper down. */
  #unitBelow(unit: Unit, name: string): Unit | undefined {
    const key = name.toLowerCase()
    const child = this.#children.get(byKey(unit.id, key)) ?? this.#children.get(byName(unit.id, name))
    if (child) return child
    const deeper = this.#unitKeys.get(key)
    return deeper && deeper.id !== unit.id && this.#isBelow(deeper, unit.id) ? deeper : undefined
  }

  #isBelow(unit: Unit, topId: string): boolean {
    for (let at: Unit | undefined = unit; at; at = at.parentId ? this.#units.get(at.parentId) : undefined) {
      if (at.id === topId) return true
    }
    return false
  }

  #newUnit(parent: Unit, name: string): Unit {
    const wanted = [slug(name, LONGEST_UNIT_KEY), slug(`${parent.key} ${name}`, LONGEST_UNIT_KEY)]
    const key = freeKey(wanted, (candidate) => this.#unitKeys.has(candidate))
    const unit = { id: this.#directory.newId(), key, name, parentId: parent.id }
    this.newUnits.push(unit)
    this.#addUnit(unit)
    return unit
  }

  #systemNamed(name: string, notes: Note[]): string[] {
    const [found, another] = this.#systems.get(name.toLowerCase()) ?? []
    if (found && !another) return [found.id]
    if (!another && this.#directory.mayAddSystems) return [this.#newSystem(name).id]
    const message = another
      ? `several systems are called ${quote(name)}; choose the one that is meant`
      : `there is no system ${quote(name)}, and you may not add one; choose the system`
    notes.push({ field: 'systems', message, raw: name })
    return []
  }

  #newSystem(name: string): NamedSystem {
    const key = freeKey([systemKey(name)], (candidate) => this.#systemKeys.has(candidate))
    const system = { id: this.#directory.newId(), key, name }
    this.newSystems.push(system)
    this.#addSystem(system)
    return system
  }

  /** Undefined when the source says nothing of an owner, or names somebody who cannot be told. */
  #ownerNamed(field: NameField, name: string | null | undefined, notes: Note[]): string | null | undefined {
    if (name === undefined || name === null) return name
    const found = new Set(this.#people.get(name.toLowerCase())?.map(({ id }) => id))
    const [only] = found
    if (only !== undefined && found.size === 1) return only
    const who = found.size === 0 ? 'nobody here is' : 'several people are'
    notes.push({ field, message: `${who} called ${quote(name)}; choose the owner`, raw: name })
    return undefined
  }

  #addUnit(unit: Unit): void {
    this.#units.set(unit.id, unit)
    this.#unitKeys.set(unit.key, unit)
    if (unit.parentId === null) return
    this.#children.set(byKey(unit.parentId, unit.key), unit)
    const name = byName(unit.parentId, unit.name)
    if (!this.#children.has(name)) this.#children.set(name, unit)
  }

  #addSystem(system: NamedSystem): void {
    this.#systemKeys.add(system.key)
    const names = new Set([system.name.toLowerCase(), system.key])
    for (const name of names) append(this.#systems, name, system)
  }
}

/** The key that a new system of this name gets, unless another has it. */
export function systemKey(name: string): string {
  return slug(name, LONGEST_SYSTEM_KEY)
}

const byKey = (parentId: string, key: string) => `${parentId} key ${key}`
const byName = (parentId: string, name: string) => `${parentId} name ${fold(name)}`

function isCalled(unit: Unit, name: string): boolean {
  return unit.key === name.toLowerCase() || fold(unit.name) === fold(name)
}

function owner(field: 'businessOwnerId' | 'riskOwnerId', id: string | null | undefined): Meant {
  return id === undefined ? {} : { [field]: id }
}

/** Lower-case letters, digits and dashes; what has none of these is called by the word `unnamed`. */
function slug(name: string, longest: number): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longest)
    .replace(/-+$/, '')
  return words === '' ? 'unnamed' : words
}

function freeKey(wanted: string[], isTaken: (key: string) => boolean): string {
  const free = wanted.find((key) => !isTaken(key))
  if (free !== undefined) return free
  const base = (wanted.at(-1) ?? '').slice(0, 50).replace(/-+$/, '')
  for (let nth = 2; ; nth += 1) {
    if (!isTaken(`${base}-${nth}`)) return `${base}-${nth}`
  }
}

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}
