import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const namePattern = /^[a-zA-Z0-9_-]{1,63}$/

/**
 * Returns the filter of a request in the form that Personalize takes. A name selects the filter of that name in the partition, region
 * and account of the campaign or recommender. An ARN must have the same partition, region and account.
 * @param arn the ARN of the campaign or recommender
 * @throws OriginError bad-request if the filter is neither such a name nor such an ARN
 */
export function resolveFilter (arn: string, { filter, filterValues }: OriginRequest): { filterArn?: string, filterValues?: Record<string, string> } {
  if (filter === undefined) return {}
  const place = arn.split(':').slice(0, 5).join(':')
  const prefix = `${place}:filter/`
  const name = filter.startsWith(prefix) ? filter.slice(prefix.length) : filter
  if (!namePattern.test(name)) {
    throw new OriginError('Personalize', 'bad-request', { message: `filter: expected the name of a filter, or its ARN beginning with ${prefix}` })
  }
  return { filterArn: prefix + name, ...(filterValues === undefined ? {} : { filterValues: { ...filterValues } }) }
}
