import { ruleTypes, type Rule } from '../context/rule-types.ts'
import { UserError } from '../base/user-error.ts'
import type { Document } from './document.ts'
import { levelsOf, rulesOf } from './elements.ts'

/** Whoever asks with credentials gets answers of their own; and what a policy does not name does not arrive. */
const credentials = ['authorization', 'x-api-key']

/** Headers that a CloudFront cache policy may name, by the service's default quota. */
const mostHeaders = 10

/**
 * The CloudFront cache policy of a document, as CreateCachePolicy takes it (`CachePolicyConfig`). How long to keep an answer is said by
 * the answer itself.
 * @throws UserError where the rules read more headers than a policy may name
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

/** The request headers, in lower case and in order, that the rules of a document read. */
function headersRead (document: Document): string[] {
  const rules = levelsOf(document).flatMap(rulesOf).map(({ value }) => value as Rule)
  return [...new Set(rules.flatMap(rule => ruleTypes.get(rule.type)!.headers(rule)))].sort()
}
