import { customType } from 'drizzle-orm/pg-core'
import { fromPostgres, type Instant } from '../instant.js'

/** `timestamptz(3)` as an {@link Instant}: one form in SQL, in JavaScript and in JSON. */
export const instant = customType<{ data: Instant; driverData: string }>({
  dataType: () => 'timestamptz(3)',
  fromDriver: (value) => fromPostgres(value),
})

export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
