/** The values a list is sorted by, of one row; the last one is unique, so that a page has an exact end. */
export type SortKey = (string | number | boolean | null)[]

/** At most `limit` rows that come after the row with the sort key `after`; from the beginning without it. */
export interface PageRequest {
  limit: number
  after: SortKey | undefined
}

/** Rows of one page, and the sort key of the last one if there are more. */
export interface PageOf<T> {
  items: T[]
  last: SortKey | null
}

/** Cuts a page from rows that were asked for with `limit + 1`: the row too many says that there are more. */
export function cutPage<T>(rows: T[], limit: number, keyOf: (row: T) => SortKey): PageOf<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, last: rows.length > limit && last !== undefined ? keyOf(last) : null }
}
