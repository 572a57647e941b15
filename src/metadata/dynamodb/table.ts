import { setTimeout } from 'node:timers/promises'
import { CreateTableCommand, DescribeTableCommand, UpdateTableCommand, type DynamoDBClient, type ProvisionedThroughput, type TableDescription } from '@aws-sdk/client-dynamodb'
import { within } from '../../base/deadline.ts'
import { UserError } from '../../base/user-error.ts'
import { failureOf, waitAfter, type Backoff } from './failure.ts'
import type { ItemTable } from './item-table.ts'

/** Time limits of a load, in ms. */
export interface LoadTimes {
  /** For one call. */
  call: number
  /** For retries without progress. */
  stall: number
  backoff: Backoff
  /** For a table to become active after it was created or changed. */
  table: number
  /** Longest pause between two checks of the table's status. */
  tablePoll: number
  /** Interval in which the holder of the lock renews it. */
  heartbeat: number
  /** Time without a renewal after which the lock expires. */
  deadAfter: number
}

export const loadTimes: LoadTimes = { call: 30_000, stall: 60_000, backoff: { base: 50, cap: 5_000 }, table: 300_000, tablePoll: 1_000, heartbeat: 20_000, deadAfter: 120_000 }

/** A namespace's table, with the client and the time limits of a load. */
export interface LoadTable extends ItemTable {
  client: DynamoDBClient
  times: LoadTimes
}

export interface TableConfig {
  /** Whether a catalog may have less than half of the items in the table. */
  shrink?: boolean
  autoProvision?: boolean
  billingMode?: 'PROVISIONED' | 'PAY_PER_REQUEST'
  provisionedThroughput?: { readCapacityUnits?: number, writeCapacityUnits?: number }
}

/**
 * Retries a call until it succeeds, while its failures are transient.
 * @throws the error of a refused call at once; the last transient error after `times.stall`
 */
export async function insist<T> ({ times }: LoadTable, call: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
  const end = performance.now() + times.stall
  for (let failures = 1; ; failures++) {
    try {
      return await within(times.call, call)
    } catch (error) {
      if (failureOf(error) === 'refused' || performance.now() > end) throw error
    }
    await setTimeout(waitAfter(failures, times.backoff))
  }
}

/**
 * Creates the table if it is missing, and sets its capacity to the configured one, unless `autoProvision` is false.
 * @throws UserError if the table is missing and `autoProvision` is false, has another key, or is not active in time
 */
export async function provision (table: LoadTable, config: TableConfig): Promise<void> {
  const description = await describe(table)
  if (config.autoProvision === false) {
    if (description === undefined) throw new UserError(`there is no DynamoDB table ${table.name}: make one with the key "${table.key}" (a string), or let autoProvision do it`)
    checkKey(table, description)
    return
  }
  if (description === undefined) {
    await unlessInUse(insist(table, async options => table.client.send(new CreateTableCommand({
      TableName: table.name,
      KeySchema: [{ AttributeName: table.key, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: table.key, AttributeType: 'S' }],
      ...capacityOf(config)
    }), options)))
  } else {
    checkKey(table, description)
    // Without a billing mode in the document, the capacity of an existing table belongs to its owner.
    if (config.billingMode === undefined || hasCapacity(description, config)) return
    // DynamoDB refuses a change while another one is under way.
    await untilActive(table)
    await unlessInUse(insist(table, async options => table.client.send(new UpdateTableCommand({ TableName: table.name, ...capacityOf(config) }), options)))
  }
  await untilActive(table)
}

async function describe (table: LoadTable): Promise<TableDescription | undefined> {
  try {
    const { Table } = await insist(table, async options => table.client.send(new DescribeTableCommand({ TableName: table.name }), options))
    return Table
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined
    throw error
  }
}

async function untilActive (table: LoadTable): Promise<void> {
  const end = performance.now() + table.times.table
  for (let pause = 20; ; pause *= 2) {
    const description = await describe(table)
    if (description?.TableStatus === 'ACTIVE') return
    if (performance.now() > end) throw new UserError(`the DynamoDB table ${table.name} is not ready after ${table.times.table / 1000} s; it is ${description?.TableStatus ?? 'not there'}`)
    await setTimeout(Math.min(pause, table.times.tablePoll))
  }
}

function checkKey ({ name, key }: LoadTable, { KeySchema = [] }: TableDescription): void {
  if (KeySchema.length !== 1 || KeySchema[0]?.AttributeName !== key) throw new UserError(`the DynamoDB table ${name} has another key than "${key}": ItemsTablePrimaryKeyFieldName has to name it`)
}

interface Capacity {
  BillingMode: 'PROVISIONED' | 'PAY_PER_REQUEST'
  ProvisionedThroughput?: ProvisionedThroughput
}

function capacityOf ({ billingMode = 'PAY_PER_REQUEST', provisionedThroughput = {} }: TableConfig): Capacity {
  if (billingMode === 'PAY_PER_REQUEST') return { BillingMode: billingMode }
  const { readCapacityUnits = 1, writeCapacityUnits = 1 } = provisionedThroughput
  // DynamoDB requires at least one unit.
  return { BillingMode: billingMode, ProvisionedThroughput: { ReadCapacityUnits: Math.max(1, readCapacityUnits), WriteCapacityUnits: Math.max(1, writeCapacityUnits) } }
}

/** Returns whether a table has the configured capacity. A table that was never billed per request has no BillingModeSummary. */
function hasCapacity ({ BillingModeSummary, ProvisionedThroughput: has }: TableDescription, config: TableConfig): boolean {
  const { BillingMode, ProvisionedThroughput: wanted } = capacityOf(config)
  if ((BillingModeSummary?.BillingMode ?? 'PROVISIONED') !== BillingMode) return false
  return wanted === undefined || (has?.ReadCapacityUnits === wanted.ReadCapacityUnits && has?.WriteCapacityUnits === wanted.WriteCapacityUnits)
}

/** Awaits a change. Ignores ResourceInUseException, as another instance may be making the same change. */
async function unlessInUse (change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if ((error as Error).name !== 'ResourceInUseException') throw error
  }
}
