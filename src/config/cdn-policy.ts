import { varyingHeaders } from '../context/auto-values.ts'
import type { Rule } from '../context/rule-types.ts'
import { UserError } from '../base/user-error.ts'
import type { Document } from './document.ts'
import { levelsOf, rulesOf } from './elements.ts'

/** Headers that a CloudFront cache policy may name, by the service's default quota. */
const mostHeaders = 10

/**
 * Returns the CloudFront cache policy of a document, in the form of CreateCachePolicy (`CachePolicyConfig`). The `Cache-Control` header
 * of an answer decides how long CloudFront keeps it. Credentials are not part of the key: an answer depends on its URL, and on the headers
 * that the rules read.
 * @throws UserError if the rules read more headers than a policy may name
 */
export function cachePolicyOf (document: Document, name: string): object {
  const headers = headersRead(document)
  if (headers.length > mostHeaders) throw new UserError(`CloudFront takes ${mostHeaders} headers in a policy; the rules read ${headers.length}: ${headers.join(', ')}`)
  return {
    Name: name,
    MinTTL: 0,
    DefaultTTL: 0,
    MaxTTL: 31_536_000,
    ParametersInCacheKeyAndForwardedToOrigin: {
      EnableAcceptEncodingGzip: true,
      EnableAcceptEncodingBrotli: true,
      HeadersConfig: headers.length === 0 ? { HeaderBehavior: 'none' } : { HeaderBehavior: 'whitelist', Headers: { Quantity: headers.length, Items: headers } },
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'all' }
    }
  }
}

/** Returns the request headers by which the rules of a document tell answers apart, in lower case and sorted. */
function headersRead (document: Document): string[] {
  return varyingHeaders(levelsOf(document).flatMap(rulesOf).map(({ value }) => value as Rule))
}
