import { ruleTypes, type Rule } from '../context/rule-types.ts'
import { UserError } from '../base/user-error.ts'
import type { Document } from './document.ts'
import { levelsOf, rulesOf } from './elements.ts'

/** Requests with credentials get answers of their own, and CloudFront forwards only the headers that the policy names. */
const credentials = ['authorization', 'x-api-key']

/** Headers that a CloudFront cache policy may name, by the service's default quota. */
const mostHeaders = 10

/**
 * Returns the CloudFront cache policy of a document, in the form of CreateCachePolicy (`CachePolicyConfig`). The `Cache-Control` header
 * of an answer decides how long CloudFront keeps it.
 * @throws UserError if the rules read more headers than a policy may name
 */
export function cachePolicyOf (document: Document, name: string): object {
  const headers = [...headersRead(document), ...credentials]
  if (headers.length > mostHeaders) throw new UserError(`CloudFront takes ${mostHeaders} headers in a policy; with those of credentials and those that the rules read there are ${headers.length}: ${headers.join(', ')}`)
  return {
    Name: name,
    MinTTL: 0,
    DefaultTTL: 0,
    MaxTTL: 31_536_000,
    ParametersInCacheKeyAndForwardedToOrigin: {
      EnableAcceptEncodingGzip: true,
      EnableAcceptEncodingBrotli: true,
      HeadersConfig: { HeaderBehavior: 'whitelist', Headers: { Quantity: headers.length, Items: headers } },
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'all' }
    }
  }
}

/** Returns the request headers that the rules of a document read, in lower case and sorted. */
function headersRead (document: Document): string[] {
  const rules = levelsOf(document).flatMap(rulesOf).map(({ value }) => value as Rule)
  return [...new Set(rules.flatMap(rule => ruleTypes.get(rule.type)!.headers(rule)))].sort()
}
