import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const namePattern = /^[a-zA-Z0-9_-]{1,63}$/

/**
 * The filter of a request as Personalize takes it. A name stands for the filter of that name where the campaign or recommender
 * is: in its partition, region and account; an ARN must be of there, too.
 * @param arn the campaign's or recommender's
 * @throws OriginError bad-request for what is neither
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
