import { UserError } from '../user-error.ts'
import type { Document } from './document.ts'
import { viewerHeaders } from './viewer-headers.ts'

/** Headers that a CloudFront cache policy may name, by the service's default quota. */
const mostHeaders = 10

/**
 * The CloudFront cache policy of a document, as CreateCachePolicy takes it (`CachePolicyConfig`). How long to keep an answer is said by
 * the answer itself.
 * @throws UserError where the rules read more headers than a policy may name
 */
export function cachePolicyOf (document: Document, name: string): object {
  // Whoever asks with credentials gets answers of their own.
  const headers = [...new Set([...viewerHeaders(document), 'authorization'])]
  if (headers.length > mostHeaders) throw new UserError(`CloudFront takes ${mostHeaders} headers in a policy; with Authorization and those that the rules read there are ${headers.length}: ${headers.join(', ')}`)
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
